//! This module estimates what a run holds in memory: the bound on points, orders, outputs and
//! experiments.

use super::{EnsembleSpec, Estimator};
use crate::count::multiset_count;
use crate::sentence::sentence;
use crate::{Error, Result};

/// The largest memory that a run may take, in bytes. It is the same on every machine, so that a
/// spec that is valid on one is valid on all. Order 2 of 2000 points, or order 4 of 80, takes most
/// of it.
pub const MAX_MEMORY: u64 = 8 << 30;
/// Networks that are summed side by side, and drawn side by side.
const ROW: f64 = crate::simd::ROW as f64;
const TILE: f64 = 16.0;
/// Heaviest networks that are kept with their fields in each run.
const EXTREMES: f64 = 256.0;
/// Workers of the CPU engine that a run has memory for on any machine.
const WORKERS: f64 = 2.0;

/// `Memory` holds the bytes of a run, counted generously.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// Bytes that do not depend on the number of workers: lists of elements, sums of each
    /// experiment, results.
    pub shared: f64,
    /// Bytes of each worker of the CPU engine: running sums, products of fields, sums of its
    /// blocks.
    pub worker: f64,
}

impl Memory {
    /// Returns the bytes of a run with as few workers as may be.
    pub fn least(&self) -> f64 {
        self.shared + WORKERS * self.worker
    }

    /// Tells how many of a machine's workers fit in memory.
    pub fn workers(&self, all: usize) -> usize {
        let fit = (MAX_MEMORY as f64 - self.shared) / self.worker;
        (fit.max(1.0) as usize).min(all)
    }
}

impl EnsembleSpec {
    /// Counts the moments that the engines sum over networks: those of the fields, which the
    /// elements are made of.
    pub fn sums(&self) -> u64 {
        match self.estimator {
            Estimator::Direct => self.elements(),
            Estimator::Connected => self.connected_sums(),
        }
    }

    /// Estimates the memory that a run takes, from the sizes of what is kept per element, field and
    /// experiment.
    pub fn memory(&self) -> Memory {
        let fields = self.fields() as u64;
        // Factors of the highest products of fields, half of which is in a table.
        let highest = self.orders.iter().copied().max().unwrap_or(0) as u64;
        let pairs = multiset_count(self.inputs.len() as u64, 2);
        let (factors, degree) = match self.estimator {
            Estimator::Direct => (fields, highest),
            Estimator::Connected => (pairs, highest / 2),
        };
        let products: f64 = (2..=degree.div_ceil(2))
            .map(|n| multiset_count(factors, n) as f64)
            .sum();
        let (values, sums, fields) = (self.values() as f64, self.sums() as f64, fields as f64);
        let experiments = f64::from(self.experiments);
        // Complete subtrees of an experiment's blocks: mean and spread of every value.
        let subtrees = 2.0 + (self.nets as f64 / 16.0).max(1.0).log2() / 2.0;
        let statistics = 16.0 * experiments * (subtrees + 1.0);
        // Index lists, coefficients, the columns of results, and the text of a document.
        let terms = match (self.estimator, highest) {
            (Estimator::Direct, _) => 0.0,
            (Estimator::Connected, 6) if self.sums_cumulants(6) => 106.0,
            (Estimator::Connected, 6) => 60.0,
            (Estimator::Connected, _) => 4.0,
        };
        // Products of hidden values at two points and at three, of the units of a group.
        let unit_rows: f64 = ([(4, pairs), (6, multiset_count(self.inputs.len() as u64, 3))]
            .iter())
        .filter(|(n, _)| self.sums_cumulants(*n))
        .map(|(_, rows)| 8.0 * TILE * TILE * *rows as f64)
        .sum();
        let document = 1000.0 + 16.0 * terms + 40.0 * experiments;
        let is_weighted = if self.tilt.is_some() { 2.0 } else { 1.0 };
        let table = 8.0 * ROW * (fields + products) * is_weighted;
        Memory {
            shared: values * (statistics + document) + 200.0 * sums + 8.0 * EXTREMES * fields,
            worker: 40.0 * sums
                + 100.0 * values
                + table
                + unit_rows
                + self.depth_memory()
                + 8.0 * (ROW + 3.0 * TILE) * fields,
        }
    }

    /// Estimates the bytes that a worker of the CPU engine takes to draw networks and nothing else:
    /// the values of a group of units at every point, sums and fields, and outputs on their way.
    pub(crate) fn drawing_memory(&self) -> f64 {
        let (points, fields) = (self.inputs.len() as f64, self.fields() as f64);
        8.0 * TILE * (TILE * points + 4.0 * fields) + self.depth_memory()
    }

    /// Estimates the bytes that a worker of the CPU engine takes for the layers above the first: the
    /// covariance of a layer and its factor, normals of a group of units, and the hidden values of
    /// two layers where weights take them.
    fn depth_memory(&self) -> f64 {
        if self.net.depth() == 1 {
            return 0.0;
        }
        let points = self.inputs.len() as f64;
        let widest = self.net.hidden().into_iter().max().unwrap_or(0) as f64;
        let is_normal = (self.net.layers().iter()).all(|layer| layer.law_w.is_gaussian());
        let values = match is_normal {
            true => widest.min(points),
            false => widest,
        };
        8.0 * TILE * (points * (points + 1.0) + 2.0 * TILE * (points + 1.0) + 2.0 * values * points)
    }

    /// Refuses a spec that takes more than [`MAX_MEMORY`].
    pub(super) fn check_memory(&self) -> Result<()> {
        let needed = self.memory().least();
        if needed <= MAX_MEMORY as f64 {
            return Ok(());
        }
        let once = Self {
            experiments: 1,
            ..self.clone()
        };
        let (points, orders) = (self.inputs.len(), &self.orders);
        let (name, value) = match self.net.d_out() {
            _ if once.memory().least() <= MAX_MEMORY as f64 / 16.0 => {
                ("experiments", self.experiments.to_string())
            }
            1 => ("inputs", format!("with {points} points")),
            d => ("d_out", format!("{d} at {points} points")),
        };
        let what = match self.estimator {
            Estimator::Connected if self.sums() > self.elements() => {
                format!("{} sums of the connected estimator", self.sums())
            }
            _ => format!("{} unique elements", self.elements()),
        };
        let advice = match (name, self.estimator) {
            ("experiments", _) => sentence!("use fewer experiments of more networks"),
            ("d_out", Estimator::Direct) => {
                sentence!("use fewer points, lower `orders` or `estimator` connected")
            }
            (_, Estimator::Connected) if self.sums() > self.elements() => {
                sentence!("use fewer points, lower `orders` or `estimator` direct")
            }
            _ => sentence!("use fewer points or lower `orders`"),
        };
        let gib = |bytes: f64| match bytes / (1u64 << 30) as f64 {
            gib if gib < 1e4 => format!("{} GiB", (10.0 * gib).ceil() / 10.0),
            gib => format!("{gib:.0e} GiB"),
        };
        Err(Error::invalid(
            name,
            value,
            sentence!(
                "orders {} have {}, which take about {} of memory, and a run may take {}; {}",
                format!("{orders:?}"),
                what,
                gib(needed),
                gib(MAX_MEMORY as f64),
                advice,
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn spec(points: usize, orders: &[usize]) -> EnsembleSpec {
        EnsembleSpec {
            inputs: Inputs::new((0..points).map(|p| vec![p as f64]).collect()).unwrap(),
            orders: orders.to_vec(),
            ..EnsembleSpec::preset("erf", 1).unwrap()
        }
    }

    fn refusal(spec: EnsembleSpec) -> String {
        spec.validate().unwrap_err().to_string()
    }

    #[test]
    fn what_kernel_people_want_fits() {
        for (points, order) in [(1000, 2), (2000, 2), (60, 4), (24, 6), (100_000, 1)] {
            let spec = spec(points, &[order]).validate().unwrap();
            assert!(spec.memory().workers(64) >= 2, "{points} {order}");
        }
        let few = spec(6, &[2, 4, 6]).validate().unwrap();
        assert_eq!(few.memory().workers(512), 512);
    }

    #[test]
    fn what_does_not_is_refused_with_the_memory_and_the_way_out() {
        for (spec, parts) in [
            (
                spec(10_000, &[2]),
                &["inputs with 10000 points", "50005000 unique"][..],
            ),
            (
                spec(200, &[2, 4, 6]),
                &["inputs", "GiB of memory", "may take 8 GiB", "orders"],
            ),
            (
                spec(20, &[4]).with_d_out(64),
                &["d_out 64 at 20 points", "`estimator` connected"],
            ),
            (
                EnsembleSpec {
                    estimator: Estimator::Connected,
                    ..spec(300, &[4])
                },
                &[
                    "inputs",
                    "sums of the connected estimator",
                    "`estimator` direct",
                ],
            ),
            (
                EnsembleSpec {
                    experiments: 1_000_000,
                    ..spec(6, &[2, 4, 6])
                },
                &["experiments 1000000", "fewer experiments"],
            ),
        ] {
            let message = refusal(spec);
            for part in parts {
                assert!(message.contains(part), "no {part} in {message}");
            }
        }
    }
}
