//! Texts are valid WGSL and serve a sweep; how training is cut follows from its numbers. No device is needed.

use super::super::template::Text;
use super::super::tests::check;
use super::shape::{POINTS, Stage};
use super::*;
use crate::model::{
    EnsembleSpec, Inputs, Law, Learning, MAX_DATA, MAX_TARGETS, Net, TrainSpec, TrainingData,
};

fn plan(net: Net, data: &str, learning: Learning) -> TrainPlan {
    let data = TrainingData::parse(data).unwrap();
    let x = vec![vec![0.4; data.d_in()]];
    let ensemble = EnsembleSpec::of_net(net.with_d_in(data.d_in())).unwrap();
    let ensemble = ensemble.with_inputs(Inputs::new(x).unwrap());
    let mut spec = TrainSpec::new(ensemble, data, vec![1]);
    spec.train = learning;
    TrainPlan::new(spec).unwrap()
}

fn texts_of(plan: &TrainPlan, class: AdapterClass) -> Vec<Text> {
    let codes = Codes::new(plan);
    let shape = Shape::new(plan, codes.length(), class).unwrap();
    texts(&shape, &codes).all().into_iter().cloned().collect()
}

fn net(arch: &str, width: u64) -> Net {
    Net::named(arch, 1).unwrap().with_width(width)
}

#[test]
fn every_text_of_training_is_valid() {
    let laws = net("cos", 18).with_law_w(vec![Law::Uniform, Law::Laplace]);
    let laws = laws.and_then(|net| net.with_law_b(vec![Law::Phase, Law::Rademacher]));
    let eight: Vec<String> = (0..9).map(|p| format!("{p},1={p}")).collect();
    for (net, data) in [
        (net("tanh", 37), "1=2;0=1"),
        (net("relu", 5).with_sigma_b(0.0), "1,0.5=2,0;0,1=1,1"),
        (net("gauss", 16), "0.1=1,2,3,4,5,6,7,8"),
        (net("gelu", 40), &eight.join(";")),
        (laws.unwrap(), "0.1=1"),
    ] {
        for learning in [Learning::All, Learning::Readout] {
            let plan = plan(net.clone(), data, learning);
            for class in AdapterClass::ALL {
                texts_of(&plan, class).iter().for_each(check);
            }
        }
    }
}

#[test]
fn a_sweep_over_widths_and_targets_compiles_once() {
    let of = |width: u64, data: &str| -> Vec<String> {
        let all = texts_of(
            &plan(net("tanh", width), data, Learning::All),
            AdapterClass::Discrete,
        );
        all.into_iter().map(|text| text.wgsl).collect()
    };
    assert_eq!(of(20, "1=2;0=1"), of(1000, "0.5=-2;0=0"));
}

#[test]
fn wide_networks_are_cut_into_chunks_and_constants_have_their_places() {
    let plan = plan(net("tanh", 10_000), "1=2;0=1", Learning::All);
    let codes = Codes::new(&plan);
    let on = |class| Shape::new(&plan, codes.length(), class).unwrap();
    for (shape, chunks) in [
        (on(AdapterClass::Software), 40),
        (on(AdapterClass::Discrete), 64),
    ] {
        assert_eq!(shape.chunks, chunks);
        assert!(shape.chunk * shape.chunks >= 10_000 && shape.chunk * (chunks - 1) < 10_000);
        assert!(shape.is_fused && shape.tile == 2);
        assert_eq!(shape.threads(Stage::Step, 2), chunks);
        assert_eq!(shape.bytes().theta, 64 * 3 * 10_001);
        let constants = shape.constants().unwrap();
        assert_eq!(constants.len(), POINTS + 3 * 2);
        assert_eq!(constants[shape::TARGETS..][..2], [2.0, 1.0]);
        assert_eq!(
            constants[shape::STEP],
            (-plan.rate() * 0.01 * plan.untrained().net.readout().sigma_w) as f32
        );
    }
}

#[test]
fn the_largest_training_has_places_for_the_targets_of_its_checks() {
    let targets = ["0.5"; MAX_TARGETS].join(",");
    // Near each other: averages over far points take long.
    let point = |k: usize| k as f64 / MAX_DATA as f64;
    let data: Vec<String> = (0..MAX_DATA)
        .map(|k| format!("{}={targets}", point(k)))
        .collect();
    let plan = plan(net("tanh", 3), &data.join(";"), Learning::All);
    for (role, plan) in plan.cohorts().unwrap() {
        let shape = Shape::new(&plan, 9, AdapterClass::Software).unwrap();
        let constants = shape.constants().unwrap();
        let outputs = plan.untrained().net.d_out();
        let learnt = &constants[shape::TARGETS..][..MAX_DATA * outputs];
        let expected = plan.spec().data.targets().iter().flatten();
        assert!(
            (learnt.iter().zip(expected)).all(|(a, b)| f64::from(*a) == *b),
            "{role}"
        );
        // The first point is 0.
        assert_eq!(constants[POINTS], 0.0, "{role}");
    }
}
