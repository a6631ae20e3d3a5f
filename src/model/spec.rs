use serde::{Deserialize, Serialize};

use super::{Estimator, Inputs, Net, Tilt};
use crate::count::{self, multiset_count};
use crate::sentence::sentence;
use crate::{Error, Result};

/// The largest width: the random stream counts hidden units in 32 bits with room to spare.
pub const MAX_WIDTH: u64 = 100_000_000;
/// The largest number of networks in one experiment: the shaders count them in 32 bits.
pub const MAX_NETS: u64 = 4_000_000_000;
/// The largest number of experiments.
pub const MAX_EXPERIMENTS: u64 = 1_000_000;
/// The largest number of outputs.
pub const MAX_D_OUT: u64 = 64;
/// The highest order of an n-point function.
pub const MAX_ORDER: usize = 6;
/// The largest number of hidden units over all networks: about a century of one GPU.
const MAX_NEURONS: f64 = 1e20;

/// An ensemble spec says what is drawn and what is measured.
///
/// The spec is plain data; [`validate`](Self::validate) is the gate that every engine and analysis
/// relies on.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
///
/// let spec = EnsembleSpec {
///     orders: vec![4],
///     ..EnsembleSpec::preset("relu", 1)?.with_width(20)
/// };
/// assert_eq!(spec.clone().validate()?.elements(), 126); // 6 points
/// let wrong = spec.with_width(0);
/// assert!(wrong.validate().unwrap_err().to_string().starts_with("width 0"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSpec {
    /// Architecture and parameter laws of every network.
    #[serde(flatten)]
    pub net: Net,
    /// Points at which the networks are evaluated.
    pub inputs: Inputs,
    /// Networks per experiment.
    pub nets: u64,
    /// Independent experiments; experiment e is stream e of the generator.
    pub experiments: u32,
    /// Orders n of the n-point functions.
    pub orders: Vec<usize>,
    /// How the n-point functions are estimated.
    pub estimator: Estimator,
    /// Importance sampling of the hidden layer (connected estimator only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tilt: Option<Tilt>,
    /// Key of the random stream.
    pub seed: u64,
}

impl EnsembleSpec {
    /// Returns the source's ensemble of a net of the catalogue: N = 100, 10 experiments of 10^6
    /// networks, orders 2, 4, 6.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the source has no inputs for this `d_in` (it has 1, 2, 3).
    pub fn preset(arch: &str, d_in: usize) -> Result<Self> {
        Self::of_net(Net::named(arch, d_in)?)
    }

    /// Returns the source's ensemble of any net: 10 experiments of 10^6 networks, orders 2, 4, 6,
    /// the points of the catalogue for its name, else those of Erf-net.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no such points for the net's d_in (there are for 1, 2, 3).
    pub fn of_net(net: Net) -> Result<Self> {
        let d_in = net.d_in();
        let inputs = Inputs::preset(net.name().unwrap_or_default(), d_in).ok_or_else(|| {
            Error::invalid(
                "d_in",
                d_in,
                sentence!("there are points for d_in 1, 2 and 3 only; give `inputs`"),
            )
        })?;
        Ok(Self {
            net,
            inputs,
            nets: 1_000_000,
            experiments: 10,
            orders: vec![2, 4, 6],
            estimator: Estimator::Direct,
            tilt: None,
            seed: 0,
        })
    }

    /// Returns the same ensemble with a net of the catalogue: its activation and standard
    /// deviations.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the catalogue has no such name.
    pub fn with_net_named(mut self, name: &str) -> Result<Self> {
        self.net = self.net.like(name)?;
        Ok(self)
    }

    /// Returns the same ensemble at other points, with their dimension as d_in.
    pub fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.net = self.net.with_d_in(inputs.d_in());
        self.inputs = inputs;
        self
    }

    /// Returns the same ensemble of networks with another hidden width.
    pub fn with_width(mut self, width: u64) -> Self {
        self.net = self.net.with_width(width);
        self
    }

    /// Returns the same ensemble with hidden layers of the width at which their number over it is
    /// the aspect, to the nearest unit.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the aspect is not above 0.
    pub fn with_aspect(self, aspect: f64) -> Result<Self> {
        if !(aspect > 0.0 && aspect.is_finite()) {
            let reason = "depth over width is above 0";
            return Err(Error::invalid("aspect", aspect, reason));
        }
        let width = (self.net.depth() as f64 / aspect).round().max(1.0);
        Ok(self.with_width(width as u64))
    }

    /// Returns the same ensemble of networks with another input dimension.
    pub fn with_d_in(mut self, d_in: usize) -> Self {
        self.net = self.net.with_d_in(d_in);
        self
    }

    /// Returns the same ensemble of networks with another output dimension.
    pub fn with_d_out(mut self, d_out: usize) -> Self {
        self.net = self.net.with_d_out(d_out);
        self
    }

    /// Returns the same ensemble of networks with another standard deviation of the weights.
    pub fn with_sigma_w(mut self, sigma_w: f64) -> Self {
        self.net = self.net.with_sigma_w(sigma_w);
        self
    }

    /// Returns the same ensemble of networks with another standard deviation of the biases.
    pub fn with_sigma_b(mut self, sigma_b: f64) -> Self {
        self.net = self.net.with_sigma_b(sigma_b);
        self
    }

    /// Counts the networks over all experiments.
    pub fn networks(&self) -> u64 {
        self.nets.saturating_mul(self.experiments.into())
    }

    /// Checks every field; sampling cannot fail on a spec that passed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the option, the value and what would be right.
    pub fn validate(mut self) -> Result<Self> {
        self.check_networks()?;
        if self.nets < 2 && self.experiments < 2 {
            return Err(Error::invalid(
                "nets",
                1,
                "one network in one experiment has no error bar; draw at least 2",
            ));
        }
        self.check_orders()?;
        self.check_memory()?;
        self.check_tilt()?;
        self.check_depth()?;
        Ok(self)
    }

    /// Checks what networks are drawn, but nothing of what is measured.
    pub(crate) fn check_networks(&self) -> Result<()> {
        let range = |name, value: u64, max: u64| {
            if value == 0 || value > max {
                Err(Error::invalid(
                    name,
                    value,
                    format!("must be from 1 to {max}"),
                ))
            } else {
                Ok(())
            }
        };
        let hidden = self.net.hidden();
        for &width in &hidden {
            range("width", width, MAX_WIDTH)?;
        }
        range("nets", self.nets, MAX_NETS)?;
        range("experiments", self.experiments.into(), MAX_EXPERIMENTS)?;
        let neurons = hidden.iter().sum::<u64>() as f64 * self.networks() as f64;
        if neurons > MAX_NEURONS {
            return Err(Error::invalid(
                "nets",
                self.nets,
                format!("{neurons:.1e} hidden units in all are beyond any machine"),
            ));
        }
        let layers = self.net.layers();
        let sigmas = (layers.iter()).flat_map(|l| [("sigma_w", l.sigma_w), ("sigma_b", l.sigma_b)]);
        for (name, sigma) in sigmas {
            if !sigma.is_finite() || sigma < 0.0 {
                return Err(Error::invalid(
                    name,
                    super::short(sigma),
                    "a standard deviation is a finite number, zero or more",
                ));
            }
        }
        if self.net.readout().sigma_w == 0.0 && self.net.readout().sigma_b == 0.0 {
            return Err(Error::invalid(
                "sigma_w",
                0,
                sentence!("with `sigma_b` 0 as well every network is zero"),
            ));
        }
        if self.inputs.d_in() != self.net.d_in() {
            return Err(Error::invalid(
                "inputs",
                format!("with {} coordinates per point", self.inputs.d_in()),
                sentence!("`d_in` is {}", self.net.d_in().to_string()),
            ));
        }
        range("d_out", self.net.d_out() as u64, MAX_D_OUT)
    }

    fn check_orders(&mut self) -> Result<()> {
        if self.orders.is_empty() {
            return Err(Error::invalid("orders", "''", "give at least one of 1..6"));
        }
        for &order in &self.orders {
            if !(1..=MAX_ORDER).contains(&order) {
                return Err(Error::invalid("orders", order, "must be from 1 to 6"));
            }
        }
        self.orders.sort_unstable();
        self.orders.dedup();
        if self.estimator == Estimator::Connected
            && let Some(odd) = self.orders.iter().find(|&n| n % 2 == 1)
        {
            return Err(Error::invalid(
                "orders",
                odd,
                sentence!(
                    "with the output layer integrated out, odd n-point functions are zero identically; use even orders or `estimator` direct"
                ),
            ));
        }
        Ok(())
    }

    /// Refuses what is for nets with one hidden layer.
    fn check_depth(&self) -> Result<()> {
        let depth = self.net.depth();
        if depth == 1 || self.estimator == Estimator::Direct {
            return Ok(());
        }
        if self.tilt.is_some() {
            return Err(Error::invalid(
                "tilt",
                "auto",
                format!(
                    "importance sampling is for one hidden layer, and this net has {depth}; leave it out"
                ),
            ));
        }
        Ok(())
    }

    fn check_tilt(&self) -> Result<()> {
        if let Some(tilt) = &self.tilt {
            if self.estimator == Estimator::Direct {
                return Err(Error::invalid(
                    "tilt",
                    "auto",
                    sentence!(
                        "importance sampling is for the connected estimator; add `estimator` connected"
                    ),
                ));
            }
            let fits =
                |t: &Vec<f64>| t.len() == self.net.d_in() + 1 && t.iter().all(|x| x.is_finite());
            if tilt.shifts.is_empty() || !tilt.shifts.iter().all(fits) {
                return Err(Error::invalid(
                    "tilt",
                    format!("{:?}", tilt.shifts),
                    "each shift has d_in + 1 finite components",
                ));
            }
            let (first, d_in) = (self.net.first(), self.net.d_in());
            let is_moved = |c: usize| tilt.shifts.iter().any(|t| t[c] != 0.0);
            let weights = !first.law_w.is_gaussian() && (0..d_in).any(is_moved);
            if weights || !first.law_b.is_gaussian() && is_moved(d_in) {
                return Err(Error::invalid(
                    "tilt",
                    "auto",
                    "importance sampling moves normal weights and biases; use it with gaussian laws of the hidden layer",
                ));
            }
        }
        Ok(())
    }

    /// Counts the numbers that a run keeps: the unique elements, those of the connected 6-point
    /// function where it is measured beside the full one, and the average over the elements of each
    /// order.
    pub fn values(&self) -> u64 {
        let six = self.estimator == Estimator::Connected && self.orders.contains(&6);
        let six = if six { self.elements_of(6) } else { 0 };
        self.elements() + six + self.orders.len() as u64
    }

    /// Tells whether the connected estimator sums cumulants of order n of the outputs given the
    /// hidden layer: weights that are not Gaussian have them.
    pub(super) fn sums_cumulants(&self, n: u64) -> bool {
        let highest = self.orders.iter().copied().max().unwrap_or(0) as u64;
        self.estimator == Estimator::Connected && n <= highest && self.net.has_cumulants()
    }

    /// Counts the fields of a network: its outputs at every point, or the components of D and of
    /// the higher cumulants given the hidden layer.
    pub fn fields(&self) -> usize {
        match self.estimator {
            Estimator::Direct => self.inputs.len() * self.net.d_out(),
            Estimator::Connected => {
                let further = [4, 6].into_iter().filter(|&n| self.sums_cumulants(n));
                (std::iter::once(2).chain(further))
                    .map(|n| multiset_count(self.inputs.len() as u64, n) as usize)
                    .sum()
            }
        }
    }

    /// Counts the sums of the connected estimator: products of up to three of the P (P + 1) / 2
    /// components of D, and higher cumulants, those of order 4 by themselves and times D.
    pub(super) fn connected_sums(&self) -> u64 {
        let points = self.inputs.len() as u64;
        let pairs = multiset_count(points, 2);
        let highest = self.orders.last().copied().unwrap_or(0) as u64 / 2;
        let covariances = (1..=highest).map(|n| multiset_count(pairs, n));
        let fours = multiset_count(points, 4);
        let cumulants = [
            (4, fours),
            (6, pairs.saturating_mul(fours)),
            (6, multiset_count(points, 6)),
        ];
        let cumulants = cumulants
            .into_iter()
            .filter(|&(n, _)| self.sums_cumulants(n));
        (covariances.chain(cumulants.map(|(_, count)| count))).fold(0, u64::saturating_add)
    }

    /// Counts the unique tensor elements over all orders: those of `Tuples::all`, or with the
    /// connected estimator of `Tuples::paired`, which do not grow with d_out beyond 3.
    pub fn elements(&self) -> u64 {
        let orders = self.orders.iter();
        orders.fold(0, |sum, &n| sum.saturating_add(self.elements_of(n as u64)))
    }

    /// Counts the unique tensor elements of one order.
    pub(crate) fn elements_of(&self, order: u64) -> u64 {
        let (points, d_out) = (self.inputs.len() as u64, self.net.d_out() as u64);
        match self.estimator {
            Estimator::Direct => count::all(points, d_out, order),
            Estimator::Connected => count::paired(points, d_out, order),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> EnsembleSpec {
        EnsembleSpec::preset("erf", 1).unwrap()
    }

    #[test]
    fn the_source_counts_its_elements() {
        assert_eq!(spec().elements(), 21 + 126 + 462);
    }

    #[test]
    fn bad_fields_are_named() {
        type Edit = fn(EnsembleSpec) -> EnsembleSpec;
        let edits: [(Edit, &str); 12] = [
            (|s| s.with_width(0), "width"),
            (|s| s.with_width(MAX_WIDTH + 1), "width"),
            (|s| EnsembleSpec { nets: 0, ..s }, "nets"),
            (
                |s| EnsembleSpec {
                    nets: u64::MAX,
                    ..s
                },
                "nets",
            ),
            (
                |s| EnsembleSpec {
                    experiments: 0,
                    ..s
                },
                "experiments",
            ),
            (|s| s.with_sigma_w(f64::NAN), "sigma_w"),
            (|s| s.with_sigma_b(-1.0), "sigma_b"),
            (|s| s.with_sigma_b(f64::INFINITY), "sigma_b"),
            (|s| s.with_d_in(2), "inputs"),
            (
                |s| EnsembleSpec {
                    orders: vec![7],
                    ..s
                },
                "orders",
            ),
            (
                |s| EnsembleSpec {
                    orders: vec![],
                    ..s
                },
                "orders",
            ),
            (
                |s| s.with_inputs(Inputs::new(vec![vec![1.0]; 99]).unwrap()),
                "inputs",
            ),
        ];
        for (edit, option) in edits {
            let bad = edit(spec());
            let message = bad.validate().unwrap_err().to_string();
            assert!(message.starts_with(option), "{message}");
        }
    }
}
