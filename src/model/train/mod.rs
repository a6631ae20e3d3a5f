//! A training says what networks learn: data, rate, steps, and which parameters move.

mod cohort;
mod data;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use cohort::HIGHEST;
pub use cohort::{ACROSS, Cohort, Role};
pub use data::{MAX_DATA, MAX_TARGETS, TrainingData};

use super::{EnsembleSpec, Estimator, Inputs, MAX_MEMORY, short};
use crate::count::multiset_count;
use crate::sentence::sentence;
use crate::simd::ROW;
use crate::{Error, Result};

/// The largest number of steps of gradient descent.
pub const MAX_STEPS: u64 = 100_000_000;
/// The largest number of steps after which networks are looked at.
pub const MAX_STOPS: usize = 100;
/// The smallest number of networks: errors and checks need the scatter of some dozens of blocks.
const MIN_NETWORKS: u64 = 512;
/// The highest order of the n-point functions of trained networks.
const MAX_ORDER: usize = 4;
/// The number of fields f_a(x_p) up to which the 4-point function is measured unless orders are given.
const FEW_FIELDS: usize = 16;
/// Workers that a training has memory for on any machine.
const WORKERS: f64 = 2.0;

/// `Learning` says which parameters training moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Learning {
    /// All weights and biases.
    #[default]
    All,
    /// The weights and biases of the readout; the hidden layer stays as it was drawn.
    Readout,
}

impl FromStr for Learning {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "all" => Ok(Self::All),
            "readout" => Ok(Self::Readout),
            _ => Err(Error::invalid(
                "train",
                format!("'{text}'"),
                "use all or readout",
            )),
        }
    }
}

impl std::fmt::Display for Learning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::All => "all",
            Self::Readout => "readout",
        })
    }
}

/// A train spec says what is drawn, what the networks learn, and when they are looked at.
///
/// Every network is trained by itself, by gradient descent on 1/2 sum (f(x) - y)^2 over the data, with
/// respect to the variates of unit variance that its weights and biases are multiples of.
///
/// ```
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
///
/// let ensemble = EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("-0.4;1.5")?);
/// let data = TrainingData::parse("-1=0.5; 0.2=-0.3")?;
/// let spec = TrainSpec::new(ensemble, data, vec![0, 10]).validate()?;
/// assert_eq!(spec.points().len(), 4);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainSpec {
    /// Networks that are drawn, and the points beside the data at which they are looked at.
    #[serde(flatten)]
    pub ensemble: EnsembleSpec,
    /// What the networks learn.
    pub data: TrainingData,
    /// Rate of the descent; `None` is 1 over the largest eigenvalue of the tangent kernel at the data.
    pub rate: Option<f64>,
    /// Steps after which the networks are looked at.
    pub steps: Vec<u64>,
    /// Which parameters move.
    pub train: Learning,
}

impl TrainSpec {
    /// Makes the spec of a training of all parameters at the default rate, for networks with as many outputs as
    /// the data have targets, and the default orders: 1, 2, and 4 where there are few points.
    pub fn new(ensemble: EnsembleSpec, data: TrainingData, steps: Vec<u64>) -> Self {
        let ensemble = ensemble.with_d_out(data.d_out());
        let fields = (data.len() + ensemble.inputs.len()) * data.d_out();
        let orders = if fields <= FEW_FIELDS {
            vec![1, 2, 4]
        } else {
            vec![1, 2]
        };
        Self {
            ensemble: EnsembleSpec { orders, ..ensemble },
            data,
            rate: None,
            steps,
            train: Learning::All,
        }
    }

    /// Lists the points at which networks are looked at: those of the data, then those of the ensemble.
    pub fn points(&self) -> Vec<Vec<f64>> {
        let all = self
            .data
            .inputs()
            .iter()
            .chain(self.ensemble.inputs.points());
        all.cloned().collect()
    }

    /// Returns the ensemble of the untrained networks at all points.
    pub fn untrained(&self) -> Result<EnsembleSpec> {
        Ok(EnsembleSpec {
            inputs: Inputs::new(self.points())?,
            ..self.ensemble.clone()
        })
    }

    /// Returns the same training of networks of another width.
    pub fn with_width(mut self, width: u64) -> Self {
        self.ensemble = self.ensemble.with_width(width);
        self
    }

    /// Checks every field, and puts steps and orders in order.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the parameter, its value and what would be right.
    pub fn validate(mut self) -> Result<Self> {
        self.check()?;
        // Those of the checks, too, before any network is trained.
        for mut cohort in self.cohorts() {
            cohort.spec.check()?;
        }
        Ok(self)
    }

    fn check(&mut self) -> Result<()> {
        let depth = self.ensemble.net.depth();
        let is_connected = self.ensemble.estimator == Estimator::Connected;
        if depth != 1 && !is_connected {
            let reason = sentence!(
                "networks with more than one hidden layer learn by their readout alone, which is averaged given them; use one hidden layer, or `train` readout and `estimator` connected"
            );
            return Err(Error::invalid("depth", depth, reason));
        }
        self.ensemble.check_networks()?;
        self.check_sampling()?;
        self.check_data()?;
        self.check_orders()?;
        self.check_descent()?;
        self.check_memory()
    }

    fn check_sampling(&self) -> Result<()> {
        let spec = &self.ensemble;
        if spec.estimator == Estimator::Connected {
            let reason = match (self.train, spec.net.has_gaussian_readout()) {
                (Learning::Readout, true) => None,
                (Learning::All, _) => Some(sentence!(
                    "readouts are averaged given hidden layers that stay as they are; use direct, or `train` readout"
                )),
                (Learning::Readout, false) if spec.net.depth() > 1 => Some(sentence!(
                    "readouts are averaged given the hidden layers if their weights and biases are gaussian; use gaussian laws for the last layer"
                )),
                (Learning::Readout, false) => Some(sentence!(
                    "readouts are averaged given the hidden layers if their weights and biases are gaussian; use direct"
                )),
            };
            if let Some(reason) = reason {
                return Err(Error::invalid("estimator", spec.estimator, reason));
            }
        }
        if spec.tilt.is_some() {
            let reason = "networks that learn are drawn as they are; leave it out";
            return Err(Error::invalid("tilt", "auto", reason));
        }
        if spec.networks() < MIN_NETWORKS {
            let reason = format!("errors and checks need {MIN_NETWORKS} networks in all");
            return Err(Error::invalid("nets", spec.nets, reason));
        }
        Ok(())
    }

    fn check_data(&self) -> Result<()> {
        let (spec, data) = (&self.ensemble, &self.data);
        if data.d_in() != spec.net.d_in() {
            return Err(Error::invalid(
                "data",
                format!("with {} coordinates per point", data.d_in()),
                sentence!("`inputs` have {}", spec.net.d_in().to_string()),
            ));
        }
        if data.d_out() != spec.net.d_out() {
            return Err(Error::invalid(
                "d_out",
                spec.net.d_out(),
                sentence!("`data` have {} targets a point", data.d_out().to_string()),
            ));
        }
        Ok(())
    }

    fn check_orders(&mut self) -> Result<()> {
        let orders = &mut self.ensemble.orders;
        if let Some(order) = orders.iter().find(|n| !(1..=MAX_ORDER).contains(n)) {
            let reason =
                format!("trained networks have n-point functions of orders 1 to {MAX_ORDER}");
            return Err(Error::invalid("orders", order, reason));
        }
        orders.sort_unstable();
        orders.dedup();
        Ok(())
    }

    fn check_descent(&mut self) -> Result<()> {
        if let Some(rate) = self.rate
            && !(rate > 0.0 && rate.is_finite())
        {
            let reason = "a rate is a finite number above 0";
            return Err(Error::invalid("rate", short(rate), reason));
        }
        if self.steps.is_empty() {
            return Err(Error::invalid(
                "steps",
                "''",
                "give at least one number of steps, such as 0,10,100",
            ));
        }
        self.steps.sort_unstable();
        self.steps.dedup();
        if self.steps.len() > MAX_STOPS {
            let reason = format!("networks are looked at after at most {MAX_STOPS} steps");
            return Err(Error::invalid(
                "steps",
                format!("{} of them", self.steps.len()),
                reason,
            ));
        }
        match self.steps.last() {
            Some(&last) if last > MAX_STEPS => {
                let reason = format!("a descent has at most {MAX_STEPS} steps");
                Err(Error::invalid("steps", last, reason))
            }
            _ => Ok(()),
        }
    }

    /// Returns the highest order whose n-point function is measured at all tuples of points; those of higher
    /// orders, up to 4, are measured at each point by itself.
    pub fn full_order(&self) -> usize {
        self.ensemble.orders.last().copied().unwrap_or(0).max(1)
    }

    /// Estimates the bytes of one worker, and of what all share.
    fn memory(&self) -> [f64; 2] {
        let net = &self.ensemble.net;
        let (data, points) = (
            self.data.len() as f64,
            (self.data.len() + self.ensemble.inputs.len()) as f64,
        );
        let parameters = (net.d_in() + 1 + net.d_out()) as f64;
        let fields = points * net.d_out() as f64;
        // Values and slopes at the data, for 16 networks side by side.
        let units = 128.0 * net.width() as f64 * (parameters + 2.0 * data);
        let sums: f64 = (1..=self.full_order() as u64)
            .map(|n| multiset_count(fields as u64, n) as f64)
            .sum();
        // Rows of fields and of products of two of them: all from the third order on, else squares.
        let products = match self.full_order() {
            3.. => multiset_count(fields as u64, 2) as f64,
            _ => fields,
        };
        let rows = 8.0 * ROW as f64 * (2.0 * fields + products);
        let stops = self.steps.len() as f64 + 1.0;
        if self.ensemble.estimator == Estimator::Connected {
            // Covariances of 16 networks, and what is made of them; moments and their sums.
            let given = 16.0 * 8.0 * (2.5 * points * points + 3.0 * points * data);
            let products = (1.0 + stops) * 128.0 * sums + 200.0 * sums;
            let worker = self.ensemble.drawing_memory() + given + products;
            return [worker, stops * 3000.0 * sums];
        }
        let worker = units + stops * (100.0 * sums + rows) + 512.0 * points * data;
        // Means and scatter in some dozens of groups, their replicates, and results.
        [worker, stops * 3000.0 * sums]
    }

    fn check_memory(&self) -> Result<()> {
        let [worker, shared] = self.memory();
        let all = WORKERS * worker + shared;
        if all <= MAX_MEMORY as f64 {
            return Ok(());
        }
        Err(Error::invalid(
            "width",
            self.ensemble.net.width(),
            sentence!(
                "this training takes {} GiB of memory, and a run may take {}; use fewer units, points or `steps`, or lower `orders`",
                format!("{:.1}", all / (1u64 << 30) as f64),
                (MAX_MEMORY >> 30).to_string(),
            ),
        ))
    }

    /// Tells how many of a machine's workers fit in memory.
    pub(crate) fn workers(&self, all: usize) -> usize {
        let [worker, shared] = self.memory();
        let fit = (MAX_MEMORY as f64 - shared) / worker;
        (fit.max(1.0) as usize).min(all)
    }
}

#[cfg(test)]
mod tests;
