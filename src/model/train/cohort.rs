use super::TrainSpec;
use crate::count::multiset_count;
use crate::model::Estimator;

/// The number of networks that a check is made on.
const CHECKED: u64 = 2048;
/// The number of networks that blocks enough for a check have, in one experiment.
const FEWEST: u64 = 512;
/// The number of outputs that networks of [`Role::Across`] have beside their own, to learn zero.
pub const ACROSS: usize = 2;
/// The highest power of a field that is averaged: the fourth cumulant needs all up to it.
pub(crate) const HIGHEST: usize = 4;

/// A role says what a cohort is trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Networks that are asked for.
    Measured,
    /// Fewer of them, which those of a check are compared with.
    Checked,
    /// Networks that learn the opposite targets.
    Opposite,
    /// Networks that learn zero.
    Zero,
    /// Networks with two more outputs, which learn zero.
    Across,
    /// Networks whose readouts are drawn, where they are averaged otherwise.
    Direct,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Measured => "measured",
            Self::Checked => "checked",
            Self::Opposite => "opposite",
            Self::Zero => "zero",
            Self::Across => "across",
            Self::Direct => "direct",
        })
    }
}

/// A cohort is networks of one width that are trained alike: those that are asked for, or others for a check.
///
/// ```
/// use nnqft_gpu::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
///
/// let ensemble = EnsembleSpec::preset("tanh", 1)?.with_inputs(Inputs::parse("0.5")?);
/// let data = TrainingData::parse("-1=0.5; 1=0")?;
/// let cohorts = TrainSpec::new(ensemble, data, vec![10]).cohorts();
/// assert_eq!((cohorts.len(), cohorts[0].fields.len()), (5, 3));
/// assert!(cohorts[1].spec.ensemble.networks() < cohorts[0].spec.ensemble.networks());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Cohort {
    /// What the networks are trained for.
    pub role: Role,
    /// What is drawn and learnt.
    pub spec: TrainSpec,
    /// Fields f_a(x_p) that are measured, as (a, p).
    pub fields: Vec<(usize, usize)>,
    /// Highest order whose moments are averaged for all tuples of fields.
    pub full_order: usize,
}

impl Cohort {
    /// Counts the moments that are averaged.
    pub(crate) fn moments(&self) -> u64 {
        let fields = self.fields.len() as u64;
        let moments = (1..=HIGHEST as u64).map(|n| match n <= self.full_order as u64 {
            true => multiset_count(fields, n),
            false => fields,
        });
        moments.sum()
    }
}

impl TrainSpec {
    /// Lists the cohorts of a training, those of its checks after what is measured. All draw the same networks.
    pub fn cohorts(&self) -> Vec<Cohort> {
        let measured = self.measured();
        let checked = || measured.with(Role::Checked, Self::limit);
        match (self.ensemble.estimator, self.ensemble.net.depth()) {
            (Estimator::Connected, 1) => {
                let checked = checked();
                let direct = checked.with(Role::Direct, |spec| {
                    spec.ensemble.estimator = Estimator::Direct;
                });
                vec![measured, checked, direct]
            }
            // What is exact holds network by network, and networks of several layers learn in no other way.
            (Estimator::Connected, _) => vec![measured],
            (Estimator::Direct, _) => {
                let checked = checked();
                let learns = |role, targets: fn(&[f64]) -> Vec<f64>| {
                    let change = |spec: &mut Self| {
                        spec.data = spec.data.clone().with_targets(targets);
                    };
                    checked.with(role, change)
                };
                let opposite = learns(Role::Opposite, |y| y.iter().map(|y| -y).collect());
                let zero = learns(Role::Zero, |y| vec![0.0; y.len()]);
                let across = checked.across();
                vec![measured, checked, opposite, zero, across]
            }
        }
    }

    /// Returns the networks that are asked for, of which all fields are measured.
    fn measured(&self) -> Cohort {
        let points = self.data.len() + self.ensemble.inputs.len();
        let outputs = 0..self.ensemble.net.d_out();
        Cohort {
            role: Role::Measured,
            spec: self.clone(),
            fields: outputs
                .flat_map(|a| (0..points).map(move |p| (a, p)))
                .collect(),
            full_order: self.full_order(),
        }
    }

    /// Keeps as many networks as a check takes.
    fn limit(&mut self) {
        let ensemble = &mut self.ensemble;
        ensemble.nets = ensemble.nets.min(CHECKED);
        let enough = match ensemble.nets >= FEWEST {
            true => 1,
            false => CHECKED.div_ceil(ensemble.nets.max(1)),
        };
        ensemble.experiments = ensemble.experiments.min(enough as u32);
    }
}

impl Cohort {
    /// Returns the same cohort with something changed.
    fn with(&self, role: Role, change: impl FnOnce(&mut TrainSpec)) -> Self {
        let mut cohort = Self {
            role,
            ..self.clone()
        };
        change(&mut cohort.spec);
        cohort
    }

    /// Returns networks with two more outputs, which learn zero; measured are these and the first, at the first data
    /// point and at the last point.
    fn across(&self) -> Self {
        let points = self.spec.data.len() + self.spec.ensemble.inputs.len();
        let (d_out, last) = (self.spec.ensemble.net.d_out(), points - 1);
        let more = |y: &[f64]| y.iter().copied().chain([0.0; ACROSS]).collect();
        let cohort = self.with(Role::Across, |spec| {
            spec.data = spec.data.clone().with_targets(more);
            spec.ensemble = spec.ensemble.clone().with_d_out(d_out + ACROSS);
        });
        let outputs = [0, d_out, d_out + 1].into_iter();
        Self {
            fields: outputs.flat_map(|a| [(a, 0), (a, last)]).collect(),
            full_order: 4,
            ..cohort
        }
    }
}
