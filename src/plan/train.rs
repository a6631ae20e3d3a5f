use std::ops::Range;
use std::sync::Arc;

use super::{Drawn, Passes};
use crate::model::activation::{Derivative, Dual};
use crate::model::{Cohort, EnsembleSpec, Estimator, HIGHEST, Learning, Role, TrainSpec};
use crate::tensor::MomentPlan;
use crate::theory::{Places, Tangent, kernel_matrix};
use crate::{Error, Result};

/// Groups of blocks that errors come from: enough for errors good to a tenth, and few enough for functions of
/// averages to be calculated without each of them.
const GROUPS: u64 = 64;
/// A network has diverged once the sum of its squared errors is this many times that of targets and outputs of the
/// usual size: far beyond any that comes back.
const DIVERGED: f64 = 1e12;

/// A train plan is a training, compiled once: what is drawn, what is measured and when, and what is known of
/// networks of infinite width.
///
/// ```
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
/// use nnqft_gpu::plan::TrainPlan;
///
/// let ensemble = EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("0.5")?);
/// let spec = TrainSpec::new(ensemble, TrainingData::parse("-1=0.5;1=0")?, vec![10]);
/// let plan = TrainPlan::new(spec)?;
/// assert_eq!((plan.stops(), plan.fields().len()), (&[0, 10][..], 3));
/// assert!(plan.rate() > 0.0);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TrainPlan {
    spec: TrainSpec,
    rate: f64,
    untrained: EnsembleSpec,
    drawn: Drawn,
    dual: Option<Dual>,
    stops: Vec<u64>,
    fields: Vec<(usize, usize)>,
    full_order: usize,
    moments: MomentPlan,
    /// E f at infinite width, `[stop][output][point]`.
    means: Vec<Vec<Vec<f64>>>,
    bound: f64,
    infinite: Arc<Infinite>,
}

/// `Infinite` is what no width changes.
#[derive(Debug)]
struct Infinite {
    tangent: Tangent,
    places: Places,
    kernel: Vec<Vec<f64>>,
}

impl TrainPlan {
    /// Compiles a training; without a rate it gets the default one.
    ///
    /// # Errors
    /// Those of [`TrainSpec::validate`] and of [`Tangent::new`].
    pub fn new(spec: TrainSpec) -> Result<Self> {
        let spec = spec.validate()?;
        let tangent = Tangent::new(&spec)?;
        let untrained = spec.untrained()?;
        let infinite = Infinite {
            places: tangent.at(untrained.inputs.points())?,
            kernel: kernel_matrix(&untrained),
            tangent,
        };
        Self::compile(spec, infinite.into(), None)
    }

    /// Compiles the same training of networks with as many hidden layers of other widths, at the same rate.
    ///
    /// # Errors
    /// Those of [`TrainSpec::validate`]; [`Error::Invalid`] for another number of layers.
    pub fn at_widths(&self, hidden: &[u64]) -> Result<Self> {
        let net = self.spec.ensemble.net.clone();
        if hidden.len() != net.depth() {
            let reason = "widths are swept, at one number of hidden layers";
            return Err(Error::invalid("depth", hidden.len(), reason));
        }
        let mut spec = self.spec.clone();
        spec.ensemble.net = net.with_hidden(hidden)?;
        Self::compile(spec.validate()?, self.infinite.clone(), None)
    }

    /// Compiles the same training at another rate.
    ///
    /// # Errors
    /// Those of [`TrainSpec::validate`].
    pub(crate) fn at_rate(&self, rate: f64) -> Result<Self> {
        let mut spec = self.spec.clone();
        spec.rate = Some(rate);
        Self::compile(spec.validate()?, self.infinite.clone(), None)
    }

    /// Compiles every cohort of the training.
    ///
    /// # Errors
    /// Those of [`TrainPlan::new`].
    pub fn cohorts(&self) -> Result<Vec<(Role, Self)>> {
        let compile = |cohort: Cohort| {
            let measured = Some((cohort.fields, cohort.full_order));
            let plan = Self::compile(cohort.spec, self.infinite.clone(), measured)?;
            Ok((cohort.role, plan))
        };
        self.spec.cohorts().into_iter().map(compile).collect()
    }

    fn compile(
        mut spec: TrainSpec,
        infinite: Arc<Infinite>,
        measured: Option<(Vec<(usize, usize)>, usize)>,
    ) -> Result<Self> {
        let untrained = spec.untrained()?;
        let (points, d_out) = (untrained.inputs.len(), untrained.net.d_out());
        let rate = spec.rate.unwrap_or_else(|| infinite.tangent.default_rate());
        spec.rate = Some(rate);
        let all = || (0..d_out).flat_map(|a| (0..points).map(move |p| (a, p)));
        let (fields, full_order) = measured.unwrap_or_else(|| (all().collect(), spec.full_order()));
        let mut stops = spec.steps.clone();
        if stops[0] != 0 {
            stops.insert(0, 0);
        }
        let means = (stops.iter())
            .map(|&step| {
                let after = infinite.tangent.after(step, rate);
                let of = |a: usize| {
                    let targets: Vec<f64> = spec.data.targets().iter().map(|y| y[a]).collect();
                    infinite.places.mean(&after, &targets)
                };
                (0..d_out).map(of).collect()
            })
            .collect();
        let usual: f64 = (spec.data.targets().iter().enumerate())
            .map(|(p, y)| {
                let variance = infinite.kernel[p][p];
                y.iter().map(|y| y * y + variance).sum::<f64>()
            })
            .sum();
        let dual = match spec.train {
            Learning::All => Some(Derivative::of(untrained.net.activation())?.both().clone()),
            Learning::Readout => None,
        };
        Ok(Self {
            drawn: match untrained.estimator {
                Estimator::Direct => Drawn::new(untrained.clone(), Passes::NONE),
                Estimator::Connected => {
                    // Of given hidden layers covariances are all that counts.
                    let pairs = EnsembleSpec {
                        orders: vec![2],
                        ..untrained.clone()
                    };
                    let passes = Passes {
                        rays: false,
                        ..Passes::ALL
                    };
                    Drawn::new(pairs, passes)
                }
            },
            moments: MomentPlan::with_powers(fields.len(), full_order, HIGHEST),
            bound: DIVERGED * if usual > 0.0 { usual } else { 1.0 },
            spec,
            rate,
            untrained,
            dual,
            stops,
            fields,
            full_order,
            means,
            infinite,
        })
    }

    /// Returns the spec, validated, with its rate.
    pub fn spec(&self) -> &TrainSpec {
        &self.spec
    }

    /// Returns the rate of the descent.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns the ensemble of the untrained networks at all points: the data, then those of the spec.
    pub fn untrained(&self) -> &EnsembleSpec {
        &self.untrained
    }

    /// Returns the networks as engines draw them, at all points.
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Returns what computes the activation and its derivative, where the hidden layer moves.
    pub fn dual(&self) -> Option<&Dual> {
        self.dual.as_ref()
    }

    /// Lists the steps after which networks are looked at: none, and those of the spec.
    pub fn stops(&self) -> &[u64] {
        &self.stops
    }

    /// Lists the fields f_a(x_p) that are measured, as (a, p).
    pub fn fields(&self) -> &[(usize, usize)] {
        &self.fields
    }

    /// Returns the highest order whose moments are averaged for all tuples of fields.
    pub fn full_order(&self) -> usize {
        self.full_order
    }

    /// Returns the moments that are averaged, of fields less their [`centre`](Self::centre).
    pub fn moments(&self) -> &MomentPlan {
        &self.moments
    }

    /// Returns what is taken off every field at a stop, so that its moments are those of what fluctuates: its mean at
    /// infinite width, or nothing where that is beyond all bounds.
    pub fn centre(&self, stop: usize) -> Vec<f64> {
        let all = (self.fields.iter()).map(|&(a, p)| self.means[stop][a][p]);
        let all: Vec<f64> = all.collect();
        // A square of it is to stay a small part of what f64 holds.
        match all.iter().all(|mean| mean.abs() < 1e60) {
            true => all,
            false => vec![0.0; all.len()],
        }
    }

    /// Returns E f at infinite width, `[output][point]`.
    pub fn means(&self, stop: usize) -> &[Vec<f64>] {
        &self.means[stop]
    }

    /// Computes Cov(f_a(x), f_a(y)) at infinite width between all points.
    pub fn covariance(&self, stop: usize) -> Vec<Vec<f64>> {
        let after = self.infinite.tangent.after(self.stops[stop], self.rate);
        (self.infinite.places).covariance(&after, &self.infinite.kernel)
    }

    /// Computes A_t at infinite width, `[point][data]`: f_t is f_0 + A_t (y - f_0).
    pub fn response(&self, stop: usize) -> Vec<Vec<f64>> {
        let after = self.infinite.tangent.after(self.stops[stop], self.rate);
        self.infinite.places.response(&after)
    }

    /// Returns K between all points.
    pub fn kernel(&self) -> &[Vec<f64>] {
        &self.infinite.kernel
    }

    /// Returns the tangent kernel at infinite width.
    pub fn tangent(&self) -> &Tangent {
        &self.infinite.tangent
    }

    /// Returns the sum of squared errors at the data beyond which a network has diverged.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Tells to which group of consecutive blocks a block belongs, and how many of that group come before it;
    /// blocks are numbered over all experiments.
    pub fn group(&self, block: u64, blocks: u64) -> (u32, u64) {
        let groups = GROUPS.min(blocks);
        let group = (u128::from(block) * u128::from(groups) / u128::from(blocks)) as u64;
        let first = (u128::from(group) * u128::from(blocks)).div_ceil(u128::from(groups)) as u64;
        (group as u32, block - first)
    }

    /// Returns the blocks of a group, of so many blocks over all experiments; `None` if there is no such group.
    pub fn group_blocks(group: u32, blocks: u64) -> Option<Range<u64>> {
        let groups = GROUPS.min(blocks);
        let bound = |group: u64| {
            (u128::from(group) * u128::from(blocks)).div_ceil(u128::from(groups)) as u64
        };
        let group = u64::from(group);
        (group < groups).then(|| bound(group)..bound(group + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Inputs, TrainingData};

    #[test]
    fn groups_are_consecutive_and_of_like_size() {
        let ensemble = EnsembleSpec::preset("tanh", 1)
            .unwrap()
            .with_inputs(Inputs::parse("1").unwrap());
        let spec = TrainSpec::new(ensemble, TrainingData::parse("0=1").unwrap(), vec![1]);
        let plan = TrainPlan::new(spec).unwrap();
        for blocks in [1, 32, 64, 65, 98, 1000] {
            let mut last = (0, 0);
            let mut counts = vec![0u64; GROUPS.min(blocks) as usize];
            for block in 0..blocks {
                let (group, index) = plan.group(block, blocks);
                if block > 0 {
                    let next = [(last.0, last.1 + 1), (last.0 + 1, 0)];
                    assert!(next.contains(&(group, index)), "{block} of {blocks}");
                }
                counts[group as usize] += 1;
                last = (group, index);
                let all = TrainPlan::group_blocks(group, blocks).unwrap();
                assert!(all.contains(&block) && all.start + index == block);
            }
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(*least > 0 && most - least <= 1, "{counts:?}");
            assert_eq!(TrainPlan::group_blocks(counts.len() as u32, blocks), None);
        }
    }
}
