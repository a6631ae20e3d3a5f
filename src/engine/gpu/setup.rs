//! This module is the one place that reads what a plan asks of the device.

use super::activation::Code;
use super::deep;
use super::variates::Variates;
use crate::engine::BlockPlan;
use crate::model::Estimator;
use crate::plan::{Drawn, Inner, Parameters, Progression};
use crate::sentence::sentence;
use crate::stream::{GROUP, StreamLayout};
use crate::tensor::connected_fields;
use crate::{Error, Result};

/// A setup holds the networks of a plan as the shaders and their buffers see them.
pub struct Setup {
    pub activation: Code,
    /// Whether a constant is subtracted from pre-activations.
    pub has_offset: bool,
    /// Whether no exponent of a hidden value can leave f32.
    pub is_bounded: bool,
    /// Whether networks are reduced to outputs, not to the covariance of hidden values.
    pub is_direct: bool,
    pub d_in: usize,
    pub width: u64,
    /// Number of hidden layers, and their widths.
    pub depth: usize,
    pub hidden: Vec<u64>,
    /// The affine layers above the first, if there are several hidden layers.
    pub inner: Vec<Inner>,
    pub points: usize,
    /// Number of fields of a network.
    pub fields: usize,
    /// Typical size of each field: the device works with field / scale, so that products
    /// of six neither overflow nor underflow whatever the unit of f.
    pub scales: Vec<f64>,
    /// The last of the fields, if weights of the readout are not Gaussian.
    pub cumulants: Vec<Cumulant>,
    /// The functions that variates are drawn with.
    pub variates: Variates,
    /// Folded weights, offsets and readout.
    pub parameters: Parameters,
    /// The variance of a pre-activation at each point, where the activation takes it, else empty.
    pub variances: Vec<f64>,
    /// E[h(x_p) h(x_q)] for p <= q, where the fields are a covariance.
    pub centre: Vec<f64>,
    /// Shifts of the importance sampling.
    pub tilt: Option<Tilt>,
    /// The points, if they are equally spaced and an exponential net can make use of it.
    pub progression: Option<Progression>,
    pub seed: u64,
    /// Number of networks of an experiment, and of all.
    pub nets: u64,
    pub networks: u64,
    pub plan: BlockPlan,
    pub stream: StreamLayout,
}

/// `Tilt` is the importance sampling.
pub struct Tilt {
    /// Shifts, `[shift][d_in + 1]`.
    pub shifts: Vec<Vec<f64>>,
    /// What each shift contributes to the exponent of a unit's inverse weight.
    pub logarithms: Vec<f64>,
    /// Probability of each shift, and of none.
    pub probability: f64,
}

impl Setup {
    pub fn new(drawn: &Drawn) -> Self {
        let net = &drawn.spec().net;
        let code = match net.builtin() {
            Some(builtin) => Code::builtin(builtin),
            None => Code::tape(net.activation().tape()),
        };
        Self::with_activation(drawn, code)
    }

    /// The same with the activation in another form.
    pub fn with_activation(drawn: &Drawn, activation: Code) -> Self {
        let spec = drawn.spec();
        let parameters = drawn.parameters().clone();
        let is_exponential = activation.name == "exp";
        let largest = drawn.reach().iter().copied().fold(0.0, f64::max);
        let limit = MAX_EXPONENT * std::f64::consts::LN_2;
        Self {
            has_offset: is_exponential,
            is_bounded: largest * std::f64::consts::LOG2_E < MAX_EXPONENT,
            is_direct: spec.estimator == Estimator::Direct,
            d_in: spec.net.d_in(),
            width: spec.net.width(),
            depth: spec.net.depth(),
            hidden: spec.net.hidden(),
            inner: drawn.inner().to_vec(),
            points: spec.inputs.len(),
            variances: match activation.uses_variance {
                true => variances(&parameters),
                false => Vec::new(),
            },
            activation,
            fields: drawn.fields(),
            scales: drawn.scales().to_vec(),
            cumulants: cumulants(drawn),
            variates: Variates::new(&parameters.laws, drawn.layout()),
            parameters,
            centre: drawn.centre().to_vec(),
            tilt: spec.tilt.as_ref().map(|tilt| Tilt {
                shifts: tilt.shifts.clone(),
                logarithms: tilt.logarithms(spec.net.width()),
                probability: tilt.probability(),
            }),
            progression: (drawn.progression(limit).cloned()).filter(|_| is_exponential),
            seed: spec.seed,
            nets: spec.nets,
            networks: spec.networks(),
            plan: BlockPlan::new(spec),
            stream: *drawn.layout(),
        }
    }

    /// Refuses networks that own more random words than the shaders count, or than one thread draws.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check_counters(&self) -> Result<()> {
        if self.is_deep() {
            return deep::check(self);
        }
        let groups = self.stream.full_groups + 1;
        let blocks = groups * self.stream.hidden_components.max(self.stream.outputs);
        match u32::try_from(blocks) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::invalid(
                "width",
                self.width,
                sentence!(
                    "with {} inputs a network has more random numbers than the shaders count; use `backend` cpu",
                    self.d_in.to_string()
                ),
            )),
        }
    }

    /// Tells whether there are several hidden layers.
    pub fn is_deep(&self) -> bool {
        self.depth > 1
    }

    /// Counts the units of all hidden layers.
    pub fn units(&self) -> u64 {
        self.hidden.iter().sum()
    }

    /// Counts the fields that are sums of products of two: outputs, or covariances.
    pub fn quadratic(&self) -> usize {
        self.fields - self.cumulants.len()
    }

    /// Counts the shifts of the importance sampling; 0 without any.
    pub fn shifts(&self) -> usize {
        self.tilt.as_ref().map_or(0, |tilt| tilt.shifts.len())
    }

    /// Counts the rows per network in the buffer `fields` of straight-line shaders.
    pub fn rows(&self) -> usize {
        self.fields + usize::from(self.tilt.is_some())
    }

    /// Counts the quads of rows per network.
    pub fn row_quads(&self) -> usize {
        self.rows().div_ceil(4)
    }

    /// Returns the number of networks of a full block.
    pub fn block(&self) -> u64 {
        self.plan.size
    }

    /// Tells whether anything is left beside full groups: units, or b1.
    pub fn has_remainder(&self) -> bool {
        let b1 = self.is_direct && self.stream.has_bias();
        b1 || !self.width.is_multiple_of(GROUP)
    }
}

/// `Cumulant` is a field of the connected estimator: a cumulant of an output less its bias given the
/// hidden layer, of order 4 or 6, in units of its typical size.
#[derive(Debug, Clone)]
pub struct Cumulant {
    /// Points of the arguments.
    pub points: Vec<usize>,
    /// Factor of the products of hidden values, summed over units.
    pub factor: f64,
}

fn cumulants(drawn: &Drawn) -> Vec<Cumulant> {
    let (spec, parameters) = (drawn.spec(), drawn.parameters());
    if spec.estimator == Estimator::Direct {
        return Vec::new();
    }
    let fields = connected_fields(spec.inputs.len(), &spec.orders, !spec.net.has_cumulants());
    (fields.into_iter().zip(drawn.scales()))
        .filter(|(points, _)| points.len() > 2)
        .map(|(points, scale)| Cumulant {
            factor: parameters.cumulant(points.len() as u32).0 / scale,
            points,
        })
        .collect()
}

/// Returns sigma_b^2 + sigma_w^2 x.x / d_in at every point.
fn variances(parameters: &Parameters) -> Vec<f64> {
    let square = |x: &f64| x * x;
    (parameters.weights.iter())
        .map(|w| square(&parameters.bias) + w.iter().map(square).sum::<f64>())
        .collect()
}

/// Largest exponent of two that the shaders take.
const MAX_EXPONENT: f64 = 125.0;
