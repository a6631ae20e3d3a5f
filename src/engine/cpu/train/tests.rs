use super::super::networks::written_out::Network;
use super::*;
use crate::model::{EnsembleSpec, Inputs, Law, TrainingData};

type Function = fn(f64) -> f64;

/// A network in plain loops: variates as the stream has them, gradients as formulas have them.
struct Plain<'a> {
    spec: &'a TrainSpec,
    /// `[unit][component]`, weights and then the bias.
    hidden: Vec<Vec<f64>>,
    /// `[output][unit]`
    readout: Vec<Vec<f64>>,
    bias: Vec<f64>,
    act: Function,
    slope: Function,
}

impl<'a> Plain<'a> {
    fn new(spec: &'a TrainSpec, number: u64, act: Function, slope: Function) -> Self {
        let ensemble = &spec.ensemble;
        let (net, drawn) = (
            &ensemble.net,
            Network {
                spec: ensemble,
                experiment: 1,
                number,
            },
        );
        let (units, outputs) = (net.width(), net.d_out() as u64);
        // What is multiplied by zero is not drawn.
        let components = net.d_in() as u64 + u64::from(net.first().sigma_b != 0.0);
        let remainder = units % 16;
        Self {
            hidden: (0..units)
                .map(|j| (0..components).map(|c| drawn.hidden(j, c)).collect())
                .collect(),
            readout: (0..outputs)
                .map(|a| (0..units).map(|j| drawn.readout(a, j)).collect())
                .collect(),
            bias: (0..outputs)
                .map(|a| match net.readout().sigma_b {
                    0.0 => 0.0,
                    _ => drawn.output_remainder(a, remainder, net.readout().law_b),
                })
                .collect(),
            spec,
            act,
            slope,
        }
    }

    fn pre_activation(&self, j: usize, x: &[f64]) -> f64 {
        let form = self.spec.ensemble.net.linear_form(x);
        self.hidden[j].iter().zip(form).map(|(n, l)| n * l).sum()
    }

    fn scale(&self) -> f64 {
        self.spec.ensemble.net.readout().sigma_w / (self.hidden.len() as f64).sqrt()
    }

    fn output(&self, a: usize, x: &[f64]) -> f64 {
        let sum: f64 = (0..self.hidden.len())
            .map(|j| self.readout[a][j] * (self.act)(self.pre_activation(j, x)))
            .sum();
        self.scale() * sum + self.spec.ensemble.net.readout().sigma_b * self.bias[a]
    }

    fn step(&mut self) {
        let (rate, scale) = (self.spec.rate.unwrap(), self.scale());
        let net = &self.spec.ensemble.net;
        let (mut hidden, mut readout, mut bias) =
            (self.hidden.clone(), self.readout.clone(), self.bias.clone());
        for (x, y) in self.spec.data.inputs().iter().zip(self.spec.data.targets()) {
            let form = net.linear_form(x);
            for (a, y) in y.iter().enumerate() {
                let error = self.output(a, x) - y;
                bias[a] -= rate * error * net.readout().sigma_b;
                for j in 0..hidden.len() {
                    let z = self.pre_activation(j, x);
                    readout[a][j] -= rate * error * scale * (self.act)(z);
                    for (n, l) in hidden[j].iter_mut().zip(&form) {
                        *n -= rate * error * scale * self.readout[a][j] * (self.slope)(z) * l;
                    }
                }
            }
        }
        if self.spec.train == Learning::All {
            self.hidden = hidden;
        }
        (self.readout, self.bias) = (readout, bias);
    }
}

fn spec(arch: &str, width: u64, data: &str, inputs: &str) -> TrainSpec {
    let data = TrainingData::parse(data).unwrap();
    let ensemble = EnsembleSpec::preset(arch, 1).unwrap().with_width(width);
    let ensemble = ensemble
        .with_inputs(Inputs::parse(inputs).unwrap())
        .with_sigma_w(1.2);
    let mut spec = TrainSpec::new(ensemble, data, vec![0, 1, 7]);
    (spec.ensemble.seed, spec.rate) = (5, Some(0.07));
    spec
}

#[test]
fn networks_descend_as_they_do_in_plain_loops() {
    let tanh = |z: f64| 1.0 - z.tanh().powi(2);
    let relu = |z: f64| z.max(0.0);
    let step = |z: f64| f64::from(u8::from(z > 0.0));
    let erf = |z: f64| std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp();
    let mut uniform = spec("sin", 21, "-1=0.5;0.3=1", "0.5;2");
    uniform.ensemble.net = (uniform
        .ensemble
        .net
        .with_law_w(vec![Law::Uniform, Law::Laplace])
        .unwrap())
    .with_law_b(vec![Law::Phase, Law::Rademacher])
    .unwrap();
    let cases: [(TrainSpec, Function, Function); 5] = [
        (
            spec("tanh", 20, "-1=0.5;0.2=-0.3;0.8=1", "-0.4;1.5"),
            f64::tanh,
            tanh,
        ),
        // Without biases.
        (spec("relu", 35, "0.5,1=2;-1,0.3=1", "1,1"), relu, step),
        (
            spec("erf", 3, "0.5=1,2,0;1=0,-1,0.5", "0.3"),
            libm::erf,
            erf,
        ),
        (spec("linear", 16, "1=1", "2"), |z| z, |_| 1.0),
        (uniform, f64::sin, f64::cos),
    ];
    for (mut spec, act, slope) in cases {
        for train in [Learning::All, Learning::Readout] {
            spec.train = train;
            let plan = TrainPlan::new(spec.clone()).unwrap();
            let points = spec.points();
            let mut all: Vec<Vec<Tile>> = Vec::new();
            let keep = |_: usize, state: &State| {
                assert_eq!(state.has_diverged, [false; TILE]);
                all.push(state.outputs.clone());
            };
            // Networks 32 to 47 of experiment 1.
            assert!(Trainer::new(&plan).train((1, 2), plan.stops(), keep, &|| false));
            let outputs = spec.ensemble.net.d_out();
            for lane in [0, 7, 15] {
                let mut plain = Plain::new(&spec, 32 + lane as u64, act, slope);
                let mut step = 0;
                for (&stop, got) in plan.stops().iter().zip(&all) {
                    while step < stop {
                        plain.step();
                        step += 1;
                    }
                    for (p, x) in points.iter().enumerate() {
                        for a in 0..outputs {
                            let (got, want) = (got[p * outputs + a][lane], plain.output(a, x));
                            let name = spec.ensemble.net.title();
                            assert!(
                                (got - want).abs() < 1e-12,
                                "{name} {train} {stop} {p} {a}: {got} {want}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn untrained_networks_are_those_of_the_ensemble() {
    let spec = spec("gauss", 18, "-0.1=0.5", "0.05;0.1");
    let plan = TrainPlan::new(spec).unwrap();
    let mut outputs = Vec::new();
    Trainer::new(&plan).train(
        (2, 1),
        &[0],
        |_, state| outputs = state.outputs.clone(),
        &|| false,
    );
    let networks = crate::engine::cpu::draw_networks(plan.untrained(), 2, 16, 16);
    for (lane, network) in networks.iter().enumerate() {
        for (got, want) in outputs.iter().zip(&network.field) {
            assert!((got[lane] - want).abs() < 1e-13, "{} {want}", got[lane]);
        }
    }
}

#[test]
fn networks_that_diverge_are_recognised_and_leave_others_alone() {
    let mut spec = spec("tanh", 8, "-1=0.5;0.2=-0.3;0.8=1", "0.5");
    (spec.rate, spec.steps) = (Some(3.0), vec![1, 400]);
    for train in [Learning::All, Learning::Readout] {
        spec.train = train;
        let plan = TrainPlan::new(spec.clone()).unwrap();
        let mut seen = Vec::new();
        let look = |_: usize, state: &State| seen.push((state.outputs.clone(), state.has_diverged));
        Trainer::new(&plan).train((0, 0), plan.stops(), look, &|| false);
        assert_eq!(seen[1].1, [false; TILE], "after one step");
        let (outputs, diverged) = &seen[2];
        assert!(diverged.contains(&true), "{train}");
        for l in (0..TILE).filter(|&l| !diverged[l]) {
            assert!(outputs.iter().all(|f| f[l].is_finite()));
        }
    }
}

#[test]
fn a_training_that_is_cancelled_ends_at_the_next_step() {
    let mut spec = spec("tanh", 8, "-1=0.5", "0.5");
    spec.steps = vec![100_000_000];
    let plan = TrainPlan::new(spec).unwrap();
    let mut looked = 0;
    let done = Trainer::new(&plan).train((0, 0), plan.stops(), |_, _| looked += 1, &|| true);
    assert_eq!((done, looked), (false, 1));
}
