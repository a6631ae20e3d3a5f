//! Training is compared: one step from the same parameters, and averages over trained networks.

use std::sync::atomic::AtomicBool;

use super::bounds::{Averages, EPSILON, SUM, VARIATE};
use super::ensembles::{ensembles, label};
use super::stage::{Stage, Worst};
use super::stages::{BOUND, DEVIATIONS, MOMENTS_IN_ERRORS};
use crate::engine::cpu::CpuEngine;
use crate::engine::{Descended, Engine, Stages, TrainQueue};
use crate::model::activation::{Derivative, Slope, Tape};
use crate::model::{EnsembleSpec, Inputs, Learning, Net, TrainSpec, TrainingData};
use crate::plan::TrainPlan;
use crate::tensor::Training;
use crate::theory::kernel_matrix;
use crate::{Error, Result};

/// Points of the data, and points beside them.
const DATA: usize = 3;
const OTHERS: usize = 3;
/// Targets, in standard deviations of the outputs.
const TARGETS: [f64; 4] = [0.6, -0.3, 1.0, 0.1];
/// Steps after which averages are compared.
const STEPS: [u64; 3] = [0, 1, 6];
/// Networks that are averaged over, and those that take one step.
const NETWORKS: u64 = 1024;
const SINGLE: usize = 8;

/// Compares the training of one net, all of it and of the readout, or some training of each of the source's nets.
///
/// # Errors
/// [`Error::Device`].
pub fn check_training(engine: &mut dyn Stages, net: Option<&Net>) -> Result<Vec<Stage>> {
    let mut step = Worst::new("training step", "bound", BOUND);
    let mut trained = Worst::new("trained moments", "standard errors", MOMENTS_IN_ERRORS);
    for spec in ensembles(net, false) {
        // With full groups and units left over: one of several inputs, and one of several outputs.
        if spec.net.depth() > 1 || spec.net.width() != 37 {
            continue;
        }
        let all = match (net, spec.net.d_out()) {
            (Some(_), _) => &[Learning::All, Learning::Readout][..],
            (None, 1) => &[Learning::All],
            (None, _) => &[Learning::Readout],
        };
        for &learning in all {
            if let Some(plan) = plan(&spec, learning)? {
                check_step(engine, &plan, &mut step)?;
                check_trained(engine, &plan, &mut trained)?;
            }
        }
    }
    Ok(vec![step.0, trained.0])
}

/// Plans a training of the networks of an ensemble; `None` where the activation has no derivative.
fn plan(spec: &EnsembleSpec, learning: Learning) -> Result<Option<TrainPlan>> {
    let (points, kernel) = (spec.inputs.points(), kernel_matrix(spec));
    let data = DATA.min(points.len().div_ceil(2));
    let target = |p: usize, a: usize| TARGETS[(p + a) % TARGETS.len()] * kernel[p][p].sqrt();
    let targets = |p: usize| (0..spec.net.d_out()).map(|a| target(p, a)).collect();
    let learnt = TrainingData::new(points[..data].to_vec(), (0..data).map(targets).collect())?;
    let others = points.iter().rev().take(OTHERS).cloned().collect();
    let ensemble = EnsembleSpec {
        inputs: Inputs::new(others)?,
        nets: NETWORKS,
        experiments: 1,
        ..spec.clone()
    };
    let mut spec = TrainSpec::new(ensemble, learnt, STEPS.to_vec());
    (spec.train, spec.ensemble.orders) = (learning, vec![1, 2]);
    let plan = match TrainPlan::new(spec) {
        Ok(plan) => plan,
        Err(Error::Invalid { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    // Half of the usual rate: in networks that diverge rounding grows as fast as they do.
    plan.at_rate(0.5 * plan.rate()).map(Some)
}

fn check_step(engine: &dyn Stages, plan: &TrainPlan, worst: &mut Worst) -> Result<()> {
    let step = Step::new(plan)?;
    for (n, got) in engine.descend(plan, 0, SINGLE)?.iter().enumerate() {
        let [before, after] = step.of(got);
        for (when, got, want) in [
            ("before", &got.before, before),
            ("after", &got.after, after),
        ] {
            for (f, (got, want)) in got.iter().zip(want).enumerate() {
                worst.add_share(got - want.value, want.error, || {
                    let learning = plan.spec().train;
                    format!(
                        "{}, {learning}, network {n}, field {f} {when}",
                        label(plan.untrained())
                    )
                });
            }
        }
    }
    Ok(())
}

fn check_trained(engine: &mut dyn Stages, plan: &TrainPlan, worst: &mut Worst) -> Result<()> {
    let (got, want) = (train(engine, plan)?, train(&mut CpuEngine::new(), plan)?);
    let averages = Averages::new(plan.untrained())?;
    for (k, (got, want)) in got.stops.iter().zip(&want.stops).enumerate() {
        let at = |what: &str| {
            let (step, learning) = (plan.stops()[k], plan.spec().train);
            format!(
                "{}, {learning}, step {step}, {what}",
                label(plan.untrained())
            )
        };
        let is_like = got.diverged == want.diverged;
        worst.add(if is_like { 0.0 } else { f64::INFINITY }, || {
            at("networks that diverge")
        });
        let (got, want) = (got.elements.total()?, want.elements.total()?);
        let errors = want.std_err().unwrap_or_default();
        let (indices, centre) = (plan.moments().indices(), plan.centre(k));
        let rms = |i: usize| {
            let square = indices.iter().position(|index| index[..] == [i, i]);
            square.map_or(0.0, |e| want.mean[e].sqrt())
        };
        let rms: Vec<f64> = (0..plan.fields().len()).map(rms).collect();
        for (e, index) in indices.iter().enumerate() {
            // What rounding explains in means that hardly fluctuate.
            let floor: f64 = (0..index.len())
                .map(|k| {
                    let size = |i: usize| (VARIATE + SUM) * (centre[i].abs() + rms[i]);
                    let factor = |(l, &i): (usize, &usize)| if l == k { size(i) } else { rms[i] };
                    index.iter().enumerate().map(factor).product::<f64>()
                })
                .sum();
            let jumps = DEVIATIONS * index.len() as f64 * averages.single;
            let allowed = (1.0 + jumps / MOMENTS_IN_ERRORS) * errors[e] + floor / MOMENTS_IN_ERRORS;
            worst.add_share(got.mean[e] - want.mean[e], allowed, || {
                at(&format!("element {index:?}"))
            });
        }
    }
    Ok(())
}

fn train<E: Engine + ?Sized>(engine: &mut E, plan: &TrainPlan) -> Result<Training> {
    let stop = AtomicBool::new(false);
    let queue = TrainQueue::new(&plan.spec().ensemble, plan.stops().len(), &|_| {}, &stop);
    engine.train(plan, &queue, &|| false)?;
    Ok(queue.into_training().0)
}

/// `Near` is a number with a bound of its error in f32.
#[derive(Debug, Clone, Copy)]
struct Near {
    value: f64,
    error: f64,
}

impl Near {
    fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A constant that is rounded.
    fn constant(value: f64) -> Self {
        Self {
            value,
            error: EPSILON * value.abs(),
        }
    }

    fn times(self, other: Self) -> Self {
        let value = self.value * other.value;
        let error = self.value.abs() * other.error + (other.value.abs() + other.error) * self.error;
        Self {
            value,
            error: error + EPSILON * (value.abs() + error),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self::sum([self, other].into_iter())
    }

    /// Adds numbers in whatever order: each addition rounds a partial sum, which their sizes bound.
    fn sum(terms: impl Iterator<Item = Self>) -> Self {
        let (mut all, mut size, mut count) = (Self::exact(0.0), 0.0, 0.0f64);
        for term in terms {
            all.value += term.value;
            all.error += term.error;
            size += term.value.abs() + term.error;
            count += 1.0;
        }
        all.error += EPSILON * (count - 1.0).max(0.0) * size;
        all
    }
}

/// A step is one of gradient descent, in f64 and in plain loops.
struct Step<'a> {
    plan: &'a TrainPlan,
    activation: &'a Tape,
    slope: Tape,
    /// What variates of a hidden unit are multiplied by, and the variance of its pre-activation, at each point.
    points: Vec<(Vec<Near>, f64)>,
}

impl<'a> Step<'a> {
    fn new(plan: &'a TrainPlan) -> Result<Self> {
        let net = &plan.untrained().net;
        let slope = match plan.spec().train {
            Learning::All => match Derivative::of(net.activation())?.slope() {
                Slope::Constant(tape) => tape.clone(),
                Slope::Varying(slope) => slope.tape().clone(),
            },
            // Nothing goes back through it.
            Learning::Readout => net.activation().tape().clone(),
        };
        let point = |x: &Vec<f64>| {
            let form = net.linear_form(x);
            let variance = form.iter().map(|x| x * x).sum();
            (form.into_iter().map(Near::constant).collect(), variance)
        };
        Ok(Self {
            activation: net.activation().tape(),
            slope,
            points: plan.untrained().inputs.points().iter().map(point).collect(),
            plan,
        })
    }

    /// Computes the outputs of a network before and after the step, `[point][output]`.
    fn of(&self, network: &Descended) -> [Vec<Near>; 2] {
        let exact = |list: &Vec<f64>| list.iter().copied().map(Near::exact).collect();
        let mut parameters = Parameters {
            hidden: network.hidden.iter().map(exact).collect(),
            readout: network.readout.iter().map(exact).collect(),
            bias: exact(&network.bias),
        };
        let before = self.outputs(&parameters);
        self.descend(&mut parameters, &before);
        [before, self.outputs(&parameters)]
    }

    fn pre_activation(&self, unit: &[Near], p: usize) -> Near {
        let products = unit.iter().zip(&self.points[p].0);
        Near::sum(products.map(|(n, x)| n.times(*x)))
    }

    fn evaluate(&self, tape: &Tape, z: Near, p: usize) -> Near {
        let v = self.points[p].1;
        Near {
            value: tape.evaluate(z.value, v),
            error: tape.error_in_f32(z.value, v, z.error),
        }
    }

    fn scales(&self) -> [Near; 2] {
        let p = self.plan.drawn().parameters();
        [p.readout, p.readout_bias].map(Near::constant)
    }

    fn outputs(&self, parameters: &Parameters) -> Vec<Near> {
        let [weight, bias] = self.scales();
        let mut all = Vec::new();
        for p in 0..self.points.len() {
            let values: Vec<Near> = (parameters.hidden.iter())
                .map(|unit| self.evaluate(self.activation, self.pre_activation(unit, p), p))
                .collect();
            for (readout, b1) in parameters.readout.iter().zip(&parameters.bias) {
                let products = readout.iter().zip(&values).map(|(w, h)| w.times(*h));
                let sum = weight.times(Near::sum(products));
                all.push(sum.plus(bias.times(*b1)));
            }
        }
        all
    }

    /// Moves parameters against the gradient of the loss, given the outputs at the data.
    fn descend(&self, parameters: &mut Parameters, outputs: &[Near]) {
        let targets = self.plan.spec().data.targets();
        let count = parameters.bias.len();
        let error =
            |mu: usize, a: usize| outputs[mu * count + a].plus(Near::constant(-targets[mu][a]));
        let moves = self
            .scales()
            .map(|scale| Near::constant(-self.plan.rate() * scale.value));
        let data = || 0..targets.len();
        for (j, unit) in parameters.hidden.iter_mut().enumerate() {
            let z: Vec<Near> = data().map(|mu| self.pre_activation(unit, mu)).collect();
            let weights: Vec<Near> = parameters.readout.iter().map(|row| row[j]).collect();
            for (a, readout) in parameters.readout.iter_mut().enumerate() {
                let terms =
                    data().map(|mu| error(mu, a).times(self.evaluate(self.activation, z[mu], mu)));
                readout[j] = readout[j].plus(moves[0].times(Near::sum(terms)));
            }
            if self.plan.spec().train == Learning::Readout {
                continue;
            }
            let back: Vec<Near> = data()
                .map(|mu| {
                    let terms = weights
                        .iter()
                        .enumerate()
                        .map(|(a, w)| error(mu, a).times(*w));
                    Near::sum(terms).times(self.evaluate(&self.slope, z[mu], mu))
                })
                .collect();
            for (c, n) in unit.iter_mut().enumerate() {
                let terms = data().map(|mu| self.points[mu].0[c].times(back[mu]));
                *n = n.plus(moves[0].times(Near::sum(terms)));
            }
        }
        for (a, b1) in parameters.bias.iter_mut().enumerate() {
            let sum = Near::sum(data().map(|mu| error(mu, a)));
            *b1 = b1.plus(moves[1].times(sum));
        }
    }
}

/// `Parameters` are the variates that weights and biases are multiples of.
struct Parameters {
    /// `[unit][component]`
    hidden: Vec<Vec<Near>>,
    /// `[output][unit]`
    readout: Vec<Vec<Near>>,
    bias: Vec<Near>,
}
