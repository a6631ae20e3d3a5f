use serde::{Deserialize, Serialize};

use super::{Architecture, Estimator, Inputs, Tilt};
use crate::{Error, Result};

/// Largest width: the random stream counts hidden units in 32 bits with room to spare.
pub const MAX_WIDTH: u64 = 100_000_000;
/// Most networks in one experiment: the shaders count them in 32 bits.
pub const MAX_NETS: u64 = 4_000_000_000;
/// Most experiments.
pub const MAX_EXPERIMENTS: u64 = 1_000_000;
/// Most outputs.
pub const MAX_D_OUT: u64 = 64;
/// Highest n-point function.
pub const MAX_ORDER: usize = 6;
/// Most hidden units in all: about a century of one GPU.
const MAX_NEURONS: f64 = 1e20;

/// One ensemble: what is drawn and what is measured.
///
/// All of it is plain data; [`validate`](Self::validate) is the gate that every
/// engine and analysis relies on.
///
/// ```
/// use nnqft_gpu::model::{Architecture, EnsembleSpec};
///
/// let spec = EnsembleSpec {
///     width: 20,
///     orders: vec![4],
///     ..EnsembleSpec::preset(Architecture::Relu, 1)?
/// };
/// assert_eq!(spec.clone().validate()?.elements(), 126); // 6 points
/// let wrong = EnsembleSpec { width: 0, ..spec };
/// assert!(wrong.validate().unwrap_err().to_string().starts_with("width 0"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSpec {
    /// Architecture of every network.
    pub arch: Architecture,
    /// Hidden width N.
    pub width: u64,
    /// Input dimension.
    pub d_in: usize,
    /// Output dimension.
    pub d_out: usize,
    /// Standard deviation of the weights (before the 1/sqrt(fan-in)).
    pub sigma_w: f64,
    /// Standard deviation of the biases.
    pub sigma_b: f64,
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
    /// The source's ensemble: N = 100, 10 experiments of 10^6 networks, orders 2, 4, 6.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the source has no inputs for this `d_in` (it has 1, 2, 3).
    pub fn preset(arch: Architecture, d_in: usize) -> Result<Self> {
        let inputs = Inputs::preset(arch, d_in).ok_or_else(|| {
            Error::invalid(
                "d_in",
                d_in,
                "the source has inputs for d_in 1, 2 and 3 only; give `inputs`",
            )
        })?;
        Ok(Self {
            arch,
            width: 100,
            d_in,
            d_out: 1,
            sigma_w: arch.default_sigma_w(),
            sigma_b: arch.default_sigma_b(),
            inputs,
            nets: 1_000_000,
            experiments: 10,
            orders: vec![2, 4, 6],
            estimator: Estimator::Direct,
            tilt: None,
            seed: 0,
        })
    }

    /// Checks every field; sampling cannot fail on a spec that passed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the option, the value and what would be right.
    pub fn validate(mut self) -> Result<Self> {
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
        range("width", self.width, MAX_WIDTH)?;
        range("nets", self.nets, MAX_NETS)?;
        range("experiments", self.experiments.into(), MAX_EXPERIMENTS)?;
        if self.nets < 2 && self.experiments < 2 {
            return Err(Error::invalid(
                "nets",
                1,
                "one network in one experiment has no error bar; draw at least 2",
            ));
        }
        let neurons = self.width as f64 * self.nets as f64 * f64::from(self.experiments);
        if neurons > MAX_NEURONS {
            return Err(Error::invalid(
                "nets",
                self.nets,
                format!("{neurons:.1e} hidden units in all are beyond any machine"),
            ));
        }
        for (name, sigma) in [("sigma_w", self.sigma_w), ("sigma_b", self.sigma_b)] {
            if !sigma.is_finite() || sigma < 0.0 {
                return Err(Error::invalid(
                    name,
                    super::short(sigma),
                    "a standard deviation is a finite number, zero or more",
                ));
            }
        }
        if self.sigma_w == 0.0 && self.sigma_b == 0.0 {
            return Err(Error::invalid(
                "sigma_w",
                0,
                "with `sigma_b` 0 as well every network is zero",
            ));
        }
        if self.inputs.d_in() != self.d_in {
            return Err(Error::invalid(
                "inputs",
                format!("with {} coordinates per point", self.inputs.d_in()),
                format!("`d_in` is {}", self.d_in),
            ));
        }
        range("d_out", self.d_out as u64, MAX_D_OUT)?;
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
                "with the output layer integrated out, odd n-point functions are zero identically; use even orders or `estimator` direct",
            ));
        }
        self.check_memory()?;
        if let Some(tilt) = &self.tilt {
            if self.estimator == Estimator::Direct {
                return Err(Error::invalid(
                    "tilt",
                    "auto",
                    "importance sampling is for the connected estimator; add `estimator` connected",
                ));
            }
            let fits = |t: &Vec<f64>| t.len() == self.d_in + 1 && t.iter().all(|x| x.is_finite());
            if tilt.shifts.is_empty() || !tilt.shifts.iter().all(fits) {
                return Err(Error::invalid(
                    "tilt",
                    format!("{:?}", tilt.shifts),
                    "each shift has d_in + 1 finite components",
                ));
            }
        }
        Ok(self)
    }

    /// Networks of all experiments.
    pub fn networks(&self) -> u64 {
        self.nets * u64::from(self.experiments)
    }

    /// Numbers that a run keeps: the unique elements, those of the connected 6-point function
    /// where it is measured beside the full one, and the average over the elements of each order.
    pub fn values(&self) -> u64 {
        let six = self.estimator == Estimator::Connected && self.orders.contains(&6);
        let six = if six { self.elements_of(6) } else { 0 };
        self.elements() + six + self.orders.len() as u64
    }

    /// Fields of a network: its outputs at every point, or the components of D.
    pub fn fields(&self) -> usize {
        match self.estimator {
            Estimator::Direct => self.inputs.len() * self.d_out,
            Estimator::Connected => choose(self.inputs.len() as u64, 2) as usize,
        }
    }

    /// The fields in which two lists of specs, one per width, differ.
    pub fn differences(ours: &[Self], theirs: &[Self]) -> Vec<Difference> {
        let widths = |specs: &[Self]| {
            let list: Vec<String> = specs.iter().map(|s| s.width.to_string()).collect();
            list.join(",")
        };
        if ours.len() != theirs.len() {
            return vec![Difference {
                field: "width".into(),
                ours: widths(ours),
                theirs: widths(theirs),
            }];
        }
        let fields = |spec: &Self| match serde_json::to_value(spec) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => unreachable!("a spec is plain data"),
        };
        // A field that is left out has its default.
        let text = |value: Option<&serde_json::Value>| match value {
            None => "none".into(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let mut all: Vec<Difference> = Vec::new();
        for (a, b) in ours.iter().zip(theirs) {
            let (a, b) = (fields(a), fields(b));
            for field in a.keys().chain(b.keys()) {
                let name = field.clone();
                if a.get(field) != b.get(field) && all.iter().all(|d| d.field != name) {
                    all.push(Difference {
                        field: name,
                        ours: text(a.get(field)),
                        theirs: text(b.get(field)),
                    });
                }
            }
        }
        all
    }

    /// Sums of the connected estimator: products of up to three of the P (P + 1) / 2
    /// components of D.
    pub(super) fn connected_sums(&self) -> u64 {
        let pairs = choose(self.inputs.len() as u64, 2);
        let highest = self.orders.last().copied().unwrap_or(0) as u64 / 2;
        (1..=highest)
            .map(|n| choose(pairs, n))
            .fold(0, u64::saturating_add)
    }

    /// Unique tensor elements over all orders. Direct: C(P d_out + n - 1, n). Connected:
    /// those whose outputs pair, up to renaming of the outputs, which do not grow with d_out
    /// beyond 3.
    pub fn elements(&self) -> u64 {
        let orders = self.orders.iter();
        orders.fold(0, |sum, &n| sum.saturating_add(self.elements_of(n as u64)))
    }

    /// Unique tensor elements of one order.
    pub(crate) fn elements_of(&self, order: u64) -> u64 {
        let (points, d_out) = (self.inputs.len() as u64, self.d_out as u64);
        let pairs = choose(points, 2);
        match (self.estimator, order) {
            (Estimator::Direct, n) => choose(points.saturating_mul(d_out), n),
            (Estimator::Connected, 4) if d_out > 1 => {
                choose(points, 4).saturating_add(choose(pairs, 2))
            }
            (Estimator::Connected, 6) if d_out > 1 => choose(points, 6)
                .saturating_add(choose(points, 4).saturating_mul(pairs))
                .saturating_add(if d_out > 2 { choose(pairs, 3) } else { 0 }),
            (Estimator::Connected, n) => choose(points, n),
        }
    }
}

/// A field that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The option that sets it.
    pub field: String,
    /// Its value in the first.
    pub ours: String,
    /// Its value in the second.
    pub theirs: String,
}

/// Multisets of `n` out of `m`: C(m + n - 1, n).
pub(super) fn choose(m: u64, n: u64) -> u64 {
    (0..n).fold(1u64, |c, k| c.saturating_mul(m.saturating_add(k)) / (k + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> EnsembleSpec {
        EnsembleSpec::preset(Architecture::Erf, 1).unwrap()
    }

    #[test]
    fn the_source_counts_its_elements() {
        assert_eq!(spec().elements(), 21 + 126 + 462);
    }

    #[test]
    fn bad_fields_are_named() {
        type Edit = fn(&mut EnsembleSpec);
        let edits: [(Edit, &str); 12] = [
            (|s| s.width = 0, "width"),
            (|s| s.width = MAX_WIDTH + 1, "width"),
            (|s| s.nets = 0, "nets"),
            (|s| s.nets = u64::MAX, "nets"),
            (|s| s.experiments = 0, "experiments"),
            (|s| s.sigma_w = f64::NAN, "sigma_w"),
            (|s| s.sigma_b = -1.0, "sigma_b"),
            (|s| s.sigma_b = f64::INFINITY, "sigma_b"),
            (|s| s.d_in = 2, "inputs"),
            (|s| s.orders = vec![7], "orders"),
            (|s| s.orders = vec![], "orders"),
            (
                |s| s.inputs = Inputs::new(vec![vec![1.0]; 99]).unwrap(),
                "inputs",
            ),
        ];
        for (edit, option) in edits {
            let mut bad = spec();
            edit(&mut bad);
            let message = bad.validate().unwrap_err().to_string();
            assert!(message.starts_with(option), "{message}");
        }
    }
}
