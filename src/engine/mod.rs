//! Engines: spec and range of networks -> accumulator.
//!
//! [`cpu`] is the reference in f64; [`gpu`] runs the WGSL shaders in f32. Both draw the
//! same random words, so a network has the same weights on either up to rounding.

mod blocks;
pub mod cpu;
mod fleet;
pub mod gpu;
mod queue;
mod stages;
mod stream;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use blocks::{Block, BlockPlan};
pub use fleet::Fleet;
pub use queue::{Queue, Work};
#[doc(hidden)]
pub use stages::{Form, Stages};
// The layout of the random stream, public for tests and benchmarks.
#[doc(hidden)]
pub use stream::{GROUP, Layer, StreamLayout, key};

use crate::Result;
use crate::model::{Architecture, EnsembleSpec, Estimator, Rays};
use crate::tensor::{Accumulator, MeanOfD, Measurement, multisets};
use crate::theory::{gp_correlator, kernel_matrix, mean_unit, second_moment};

/// What computed a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// `gpu` or `cpu`.
    pub backend: Cow<'static, str>,
    /// Adapter or processor.
    pub adapter: String,
    /// Driver of the adapter, or the number of threads.
    pub driver: String,
}

impl DeviceInfo {
    /// Several devices of one backend as one, each name once; `None` without any.
    pub fn joined(all: &[Self]) -> Option<Self> {
        let list = |of: fn(&Self) -> &str| {
            let mut names: Vec<&str> = Vec::new();
            // A device may be a list itself.
            for name in all.iter().flat_map(|device| of(device).split(" + ")) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.join(" + ")
        };
        Some(Self {
            backend: all.first()?.backend.clone(),
            adapter: list(|d| &d.adapter),
            driver: list(|d| &d.driver),
        })
    }
}

/// Draws networks and accumulates their moments.
pub trait Engine {
    /// What this engine runs on.
    fn device(&self) -> DeviceInfo;

    /// Compiles what a spec needs, so that [`accumulate`](Self::accumulate) starts at once; it
    /// does so itself if it was not done. Returns soon after `cancelled` says so, ready or not.
    ///
    /// # Errors
    /// Those of [`accumulate`](Self::accumulate).
    fn prepare(
        &mut self,
        _spec: &EnsembleSpec,
        _cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        Ok(())
    }

    /// Takes blocks of networks (numbered over all experiments, see [`BlockPlan`]) until
    /// there are no more, and hands in their moments.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if the spec does not fit the engine's numbers,
    /// [`crate::Error::Device`] if the device fails; what was handed in before stays.
    fn accumulate(&mut self, spec: &EnsembleSpec, work: &dyn Work) -> Result<()>;
}

/// Runs all networks of a spec; `progress` is told the networks done since it was last called.
///
/// # Errors
/// Those of [`Engine::accumulate`].
///
/// ```
/// use nnqft_gpu::engine::{self, cpu::CpuEngine};
/// use nnqft_gpu::model::{Architecture, EnsembleSpec};
///
/// let mut spec = EnsembleSpec::preset(Architecture::Erf, 1)?;
/// (spec.width, spec.nets) = (5, 100);
/// let moments = engine::run(&mut CpuEngine::new(), &spec.validate()?, &|_| {})?;
/// assert_eq!(moments.networks(), 1000); // in ten experiments
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn run(
    engine: &mut dyn Engine,
    spec: &EnsembleSpec,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Accumulator> {
    let queue = Queue::new(spec).with_progress(progress);
    engine.accumulate(spec, &queue)?;
    Ok(queue.into_moments())
}

/// The elements that a spec asks for with the mean of m_n over those of each order, and the
/// fields and moments that they are made of: those of [`EnsembleSpec::on_rays`].
#[doc(hidden)]
pub fn measurement(spec: &EnsembleSpec) -> Measurement {
    let points = spec.inputs.len();
    let kernel = kernel_matrix(spec);
    let all = match spec.estimator {
        Estimator::Direct => Measurement::direct(points, spec.d_out, &spec.orders),
        Estimator::Connected => {
            Measurement::connected(&kernel, spec.d_out, &spec.orders, MeanOfD::Zero)
        }
    };
    let units: Vec<Option<f64>> = (all.tuples().iter())
        .map(|tuple| mean_unit(&kernel, tuple, gp_correlator(&kernel, tuple)))
        .collect();
    let all = all.with_means(&units);
    let rays = spec.rays();
    match rays.points.len() < points {
        true => all.of_multiples(&field_multiples(spec, &rays)),
        false => all,
    }
}

/// The fields at all points as multiples of those on rays.
fn field_multiples(spec: &EnsembleSpec, rays: &Rays) -> Vec<(usize, f64)> {
    let of = &rays.multiples;
    match spec.estimator {
        Estimator::Direct => (0..spec.d_out)
            .flat_map(|a| (of.iter()).map(move |&(ray, c)| (a * rays.points.len() + ray, c)))
            .collect(),
        Estimator::Connected => {
            let pairs: BTreeMap<[usize; 2], usize> = (multisets(rays.points.len(), 2).iter())
                .enumerate()
                .map(|(field, pair)| ([pair[0], pair[1]], field))
                .collect();
            (multisets(of.len(), 2).iter())
                .map(|pair| {
                    let (p, q) = (of[pair[0]], of[pair[1]]);
                    let ends = [p.0.min(q.0), p.0.max(q.0)];
                    (pairs[&ends], p.1 * q.1)
                })
                .collect()
        }
    }
}

/// One network as the moments see it.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Statistical weight; 1 without importance sampling.
    pub weight: f64,
    /// f_a(x_p), output after output, or D(x_p, x_q) = C - K for p <= q, in the order of the measurement.
    pub field: Vec<f64>,
}

/// Typical size of f at each point: sqrt(K), to a factor of order one.
fn output_scales(spec: &EnsembleSpec) -> Vec<f64> {
    let p = Parameters::new(spec);
    let (vw, vb) = (spec.sigma_w.powi(2), spec.sigma_b.powi(2));
    p.weights
        .iter()
        .map(|x| {
            let s = vb + x.iter().map(|x| x * x).sum::<f64>();
            let h2 = match spec.arch {
                Architecture::Erf => s.min(1.0),
                Architecture::Relu => s / 2.0,
                Architecture::Gauss => 1.0,
            };
            let scale = (vb + vw * h2).sqrt();
            // f = 0 at this point: any unit will do.
            if scale == 0.0 { 1.0 } else { scale }
        })
        .collect()
}

/// Typical size of each field of the spec's measurement.
pub(crate) fn field_scales(spec: &EnsembleSpec) -> Vec<f64> {
    let f = output_scales(spec);
    match spec.estimator {
        Estimator::Direct => f.repeat(spec.d_out),
        Estimator::Connected => {
            let unit = 1.0 / (spec.width as f64).sqrt();
            (multisets(f.len(), 2).iter())
                .map(|pair| unit * f[pair[0]] * f[pair[1]])
                .collect()
        }
    }
}

/// E[h(x_p) h(x_q)] for p <= q: sums of products minus N times
/// this are what fluctuates.
pub(crate) fn centre(spec: &EnsembleSpec) -> Vec<f64> {
    (multisets(spec.inputs.len(), 2).iter())
        .map(|pair| second_moment(spec, pair[0], pair[1]))
        .collect()
}

/// The network as both engines compute it, with every constant folded:
/// z_j(p) = sum_c n_cj `weights[p][c]` + n_bj `bias` - `offset[p]` for standard normals n,
/// f_a(p) = `readout` sum_j n_aj act(z_j(p)) + `readout_bias` n_b1a.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Parameters {
    /// sigma_w / sqrt(d_in) x_c, shape `[points][d_in]`.
    pub weights: Vec<Vec<f64>>,
    /// sigma_b.
    pub bias: f64,
    /// Gauss-net's normalisation sigma_b^2 + sigma_w^2 x.x / d_in, else 0; shape `[points]`.
    pub offset: Vec<f64>,
    /// sigma_w / sqrt(N).
    pub readout: f64,
    /// sigma_b.
    pub readout_bias: f64,
}

impl Parameters {
    /// Folds the spec's constants.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let scale = spec.sigma_w / (spec.d_in as f64).sqrt();
        let weights: Vec<Vec<f64>> = spec
            .inputs
            .points()
            .iter()
            .map(|x| x.iter().map(|x| scale * x).collect())
            .collect();
        let offset = weights
            .iter()
            .map(|w| match spec.arch {
                Architecture::Gauss => {
                    spec.sigma_b * spec.sigma_b + w.iter().map(|x| x * x).sum::<f64>()
                }
                _ => 0.0,
            })
            .collect();
        Self {
            weights,
            bias: spec.sigma_b,
            offset,
            readout: spec.sigma_w / (spec.width as f64).sqrt(),
            readout_bias: spec.sigma_b,
        }
    }

    /// The points as a lattice, if they are one: then Gauss-net needs two exponentials per
    /// hidden unit, whatever the number of points.
    pub fn lattice(&self) -> Option<Lattice> {
        let (first, last) = (self.weights.first()?, self.weights.last()?);
        let intervals = self.weights.len() - 1;
        if intervals < 2 {
            return None;
        }
        let step: Vec<f64> = (first.iter().zip(last))
            .map(|(a, b)| (b - a) / intervals as f64)
            .collect();
        let size = self
            .weights
            .iter()
            .flatten()
            .fold(0.0, |m: f64, x| m.max(x.abs()));
        let is_lattice = self.weights.iter().enumerate().all(|(p, x)| {
            let there = first.iter().zip(&step).map(|(a, s)| a + p as f64 * s);
            (x.iter().zip(there)).all(|(x, there)| (x - there).abs() <= 4.0 * f64::EPSILON * size)
        });
        let factors = std::iter::once(1.0)
            .chain(self.offset.windows(2).map(|o| (o[0] - o[1]).exp()))
            .collect();
        is_lattice.then_some(Lattice { step, factors })
    }
}

/// Largest |z| of a hidden unit at each point: normals end at 6.8, shifts add to them.
fn reach(spec: &EnsembleSpec) -> Vec<f64> {
    let p = Parameters::new(spec);
    let normal = |c: usize| {
        let shifts = spec.tilt.iter().flat_map(|t| &t.shifts);
        6.8 + shifts.fold(0.0f64, |most, t| most.max(t[c].abs()))
    };
    (p.weights.iter().zip(&p.offset))
        .map(|(x, offset)| {
            let linear: f64 = (x.iter().enumerate())
                .map(|(c, x)| x.abs() * normal(c))
                .sum();
            linear + p.bias * normal(spec.d_in) + offset.abs()
        })
        .collect()
}

/// Gauss-net's lattice, if the exponent of no factor along it exceeds `limit` / 2.
fn lattice(spec: &EnsembleSpec, limit: f64) -> Option<Lattice> {
    // From one end to the other the exponent changes by less than twice its reach.
    let fits = reach(spec).iter().all(|z| 4.0 * z < limit);
    match spec.arch == Architecture::Gauss && fits {
        true => Parameters::new(spec).lattice(),
        false => None,
    }
}

/// Points x_p = x_0 + p step: for Gauss-net h(x_p) = h(x_(p-1)) e^(n . step) x `factors[p]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    /// sigma_w / sqrt(d_in) (x_1 - x_0), shape `[d_in]`.
    pub step: Vec<f64>,
    /// Ratios of the normalisation from one point to the next, shape `[points]`; the first is 1.
    pub factors: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn at(points: &str) -> Parameters {
        let inputs = Inputs::parse(points).unwrap();
        Parameters::new(&EnsembleSpec {
            d_in: inputs.d_in(),
            inputs,
            sigma_w: 1.3,
            ..EnsembleSpec::preset(Architecture::Gauss, 1).unwrap()
        })
    }

    #[test]
    fn rays_give_the_elements_of_every_point() {
        let inputs = Inputs::parse("0.5,1;-1,2;0,0;1,2;-0.25,0.5;3,-1").unwrap();
        for (estimator, d_out) in [
            (Estimator::Direct, 1),
            (Estimator::Direct, 2),
            (Estimator::Connected, 1),
            (Estimator::Connected, 2),
        ] {
            let mut spec = EnsembleSpec {
                d_in: 2,
                d_out,
                inputs: inputs.clone(),
                width: 5,
                nets: 100,
                experiments: 1,
                orders: vec![2, 4],
                estimator,
                ..EnsembleSpec::preset(Architecture::Relu, 2).unwrap()
            };
            if estimator == Estimator::Connected {
                spec.orders.push(6);
                spec.tilt = crate::theory::tilt(&spec);
            } else {
                spec.orders.insert(1, 3);
            }
            let spec = spec.validate().unwrap();
            assert_eq!(spec.on_rays().inputs.len(), 3);
            let run = run(&mut cpu::CpuEngine::new(), &spec, &|_| {}).unwrap();
            // The fields at all points, and a measurement that knows no rays.
            let all = match estimator {
                Estimator::Direct => Measurement::direct(6, d_out, &spec.orders),
                Estimator::Connected => Measurement::connected(
                    &kernel_matrix(&spec),
                    d_out,
                    &spec.orders,
                    MeanOfD::Zero,
                ),
            };
            let mut want = vec![0.0; all.tuples().len()];
            let mut size = want.clone();
            for network in cpu::draw_networks(&spec, 0, 0, 100) {
                assert_eq!(network.field.len(), spec.fields());
                let adds = all.contributions(&crate::tensor::Extreme {
                    score: 0.0,
                    experiment: 0,
                    network: 0,
                    weight: network.weight,
                    field: network.field,
                });
                for ((want, size), x) in want.iter_mut().zip(&mut size).zip(adds) {
                    *want += x / 100.0;
                    *size += x.abs() / 100.0;
                }
            }
            let got = run.total().unwrap().mean;
            for (e, ((got, want), size)) in got.iter().zip(&want).zip(&size).enumerate() {
                assert!(
                    (got - want).abs() <= 1e-13 * size,
                    "{estimator} {d_out} {e}"
                );
            }
            assert!(
                run.extremes()
                    .iter()
                    .all(|x| x.field.len() == spec.on_rays().fields())
            );
        }
    }

    #[test]
    fn a_lattice_gives_every_point() {
        for points in ["-0.01;-0.006;-0.002;0.002", "1,-2;0.5,-1;0,0", "3;3;3"] {
            let p = at(points);
            let lattice = p.lattice().unwrap();
            let normals = [0.7, -1.9];
            let h = |k: usize| {
                let linear = p.weights[k].iter().zip(normals).map(|(x, n)| x * n);
                (linear.sum::<f64>() - p.offset[k]).exp()
            };
            let along = lattice.step.iter().zip(normals).map(|(x, n)| x * n);
            let ratio = along.sum::<f64>().exp();
            let mut value = h(0);
            for k in 1..p.weights.len() {
                value *= ratio * lattice.factors[k];
                assert!((value / h(k) - 1.0).abs() < 1e-13, "{points} {k}");
            }
        }
    }

    #[test]
    fn other_points_are_no_lattice() {
        for points in ["0;0.1", "0;0.1;0.200000001", "0,0;1,1;2,2.5", "0;1;3;2"] {
            assert_eq!(at(points).lattice(), None, "{points}");
        }
    }
}
