//! Which engine the backend `auto` takes: on the adapter at hand, which poses as a card.

use std::sync::{Arc, Mutex};

use nnqft_gpu::Sentence;
use nnqft_gpu::engine::gpu::{Pretence, pretend};
use nnqft_gpu::engine::{DeviceKind, Engine, Queue, TrainQueue};
use nnqft_gpu::model::{
    EnsembleSpec, Estimator, Inputs, Law, Learning, Net, TrainSpec, TrainingData,
};
use nnqft_gpu::plan::{Plan, SamplePlan, TrainPlan};
use nnqft_gpu::run::{Backend, EngineChoice, Job, Progress};

/// `Notes` keeps what a user is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn note(&self, note: &Sentence) {
        self.0.lock().unwrap().push(note.to_string());
    }
}

/// Opens the engine of a choice among adapters that pose as cards, and lists the notes.
fn open(choice: &EngineChoice, opens: bool) -> (nnqft_gpu::Result<Box<dyn Engine>>, Vec<String>) {
    let kind = "discrete";
    pretend(Some(Pretence { kind, opens }));
    let notes = Arc::new(Notes::default());
    let progress: Arc<dyn Progress> = notes.clone();
    let engine = choice.open(&progress);
    pretend(None);
    let all = notes.0.lock().unwrap().clone();
    (engine, all)
}

fn on_gpu(jobs: Vec<Job>) -> EngineChoice {
    EngineChoice {
        backend: Backend::Gpu,
        jobs,
        ..EngineChoice::default()
    }
}

fn few(spec: EnsembleSpec) -> EnsembleSpec {
    EnsembleSpec {
        nets: 300,
        experiments: 2,
        ..spec
    }
}

fn deep(widths: &[u64], points: usize) -> EnsembleSpec {
    let inputs = (0..points).map(|p| vec![0.1 * p as f64 - 0.7]).collect();
    let spec = EnsembleSpec::preset("tanh", 1).unwrap();
    let net = spec.net.clone().with_hidden(widths).unwrap();
    few(EnsembleSpec {
        net,
        inputs: Inputs::new(inputs).unwrap(),
        orders: vec![2],
        ..spec
    })
}

/// Lists jobs that the f64 engine does and shaders do not.
fn refused() -> Vec<Job> {
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        orders: vec![2, 4],
        ..deep(&[5, 5], 2)
    };
    let laws = vec![Law::Gaussian, Law::Gaussian, Law::Uniform];
    let laws = EnsembleSpec {
        net: connected.net.clone().with_law_w(laws).unwrap(),
        ..connected
    };
    let large = few(EnsembleSpec::preset("erf", 1).unwrap().with_sigma_w(1e40));
    let wide = deep(&[1_000_000; 2], 3);
    let inputs = Inputs::new(vec![vec![0.3; 20]]).unwrap();
    let net = Net::named("tanh", 1).unwrap().with_width(5).with_d_in(20);
    let many = few(EnsembleSpec {
        net,
        inputs,
        ..EnsembleSpec::preset("tanh", 1).unwrap()
    });
    let data = TrainingData::new(vec![vec![0.2; 20]], vec![vec![0.5]]).unwrap();
    let data_of = |x: f64| TrainingData::new(vec![vec![x]], vec![vec![0.5]]).unwrap();
    let mut averaged = TrainSpec::new(
        EnsembleSpec {
            estimator: Estimator::Connected,
            ..few(EnsembleSpec::preset("tanh", 1).unwrap().with_width(5))
        },
        data_of(0.3),
        vec![0, 5],
    );
    averaged.train = Learning::Readout;
    vec![
        Job::Averages(deep(&[50, 50], 17)),
        Job::Averages(laws),
        Job::Averages(wide.clone()),
        Job::Averages(large),
        Job::Outputs(deep(&[50, 50], 17)),
        Job::Outputs(wide),
        Job::Training(TrainSpec::new(many, data, vec![0, 5])),
        Job::Training(averaged),
    ]
}

/// Returns what an engine says to a job.
fn error(engine: &mut dyn Engine, job: &Job) -> String {
    let done = match job {
        Job::Averages(spec) => {
            let plan = Plan::new(spec.clone()).unwrap();
            engine.accumulate(&plan, &Queue::new(spec))
        }
        Job::Outputs(spec) => {
            let plan = SamplePlan::new(spec.clone()).unwrap();
            engine.prepare_sample(&plan, &|| false)
        }
        Job::Training(spec) => {
            let plan = TrainPlan::new(spec.clone()).unwrap();
            let stop = Default::default();
            let queue = TrainQueue::new(&spec.ensemble, plan.stops().len(), &|_| {}, &stop);
            engine.train(&plan, &queue, &|| false)
        }
        _ => unreachable!("another job"),
    };
    done.unwrap_err().sentence().to_string()
}

#[test]
fn auto_takes_the_cpu_for_what_shaders_do_not_do() {
    let usual = || Job::Averages(few(EnsembleSpec::preset("erf", 1).unwrap()));
    for job in refused() {
        // One of several is enough.
        let auto = EngineChoice {
            jobs: vec![usual(), job.clone()],
            ..EngineChoice::default()
        };
        let (engine, notes) = open(&auto, true);
        assert_eq!(engine.unwrap().device().backend, DeviceKind::Cpu, "{job:?}");
        let (gpu, quiet) = open(&on_gpu(vec![job.clone()]), true);
        let mut gpu = gpu.unwrap();
        assert_eq!(gpu.device().backend, DeviceKind::Gpu);
        let reason = error(gpu.as_mut(), &job);
        assert!(quiet.is_empty() && reason.contains("cpu"), "{reason}");
        let [note] = &notes[..] else {
            panic!("{notes:?}")
        };
        let cpu = "backend: cpu, in f64, as the shaders ask for on ";
        assert!(note.starts_with(cpu) && note.ends_with(&reason), "{note}");
    }
    let usual = EngineChoice {
        jobs: vec![usual()],
        ..EngineChoice::default()
    };
    let (engine, notes) = open(&usual, true);
    let device = engine.unwrap().device();
    assert_eq!(device.backend, DeviceKind::Gpu);
    let taken = format!("backend: gpu, {}: a hardware GPU", device.adapter);
    assert!(
        notes.len() == 1 && notes[0].starts_with(&taken),
        "{notes:?}"
    );
}

#[test]
fn a_card_that_does_not_open_is_told_and_left_out() {
    let (engine, notes) = open(&EngineChoice::default(), false);
    assert_eq!(engine.unwrap().device().backend, DeviceKind::Cpu);
    let (end, warnings) = notes.split_last().unwrap();
    assert_eq!(end, "backend: cpu, in f64: no GPU opens");
    let adapters = nnqft_gpu::engine::gpu::adapters();
    for warning in warnings {
        assert!(warning.starts_with("warning: left out: "), "{warning}");
        assert!(adapters.iter().any(|a| warning.contains(&a.name)));
    }
    assert!(!warnings.is_empty());
    // Whoever asks for a GPU is told why there is none.
    for adapter in [None, Some(adapters[0].name.clone())] {
        let choice = EngineChoice {
            adapter,
            ..on_gpu(Vec::new())
        };
        let (engine, _) = open(&choice, false);
        let error = engine.err().expect("no device").to_string();
        let named = format!("{}: the adapter gives no device", adapters[0].name);
        assert!(error.contains(&named), "{error}");
    }
}
