use super::progression::reach;
use super::{Inner, Parameters, Passes, Progression};
use crate::model::{Builtin, EnsembleSpec, Estimator};
use crate::stream::StreamLayout;
use crate::tensor::{connected_fields, multisets};
use crate::theory::{kernel, kernel_matrix, second_moments};

/// `Drawn` is the networks of a plan as engines draw them: at the points that need evaluation.
#[derive(Debug, Clone)]
pub struct Drawn {
    spec: EnsembleSpec,
    layout: StreamLayout,
    parameters: Parameters,
    inner: Vec<Inner>,
    scales: Vec<f64>,
    centre: Vec<f64>,
    reach: Vec<f64>,
    progression: Option<Progression>,
}

impl Drawn {
    /// Describes networks evaluated at all points of a validated spec; of the fast paths, those that
    /// concern rays are the caller's.
    pub(super) fn new(spec: EnsembleSpec, passes: Passes) -> Self {
        let parameters = Parameters::new(&spec);
        let is_exponential = match spec.net.builtin() {
            Some(Builtin::ExpNormalised) => true,
            Some(Builtin::Erf | Builtin::Relu) | None => false,
        };
        Self {
            layout: StreamLayout::new(&spec),
            scales: field_scales(&spec),
            centre: match spec.estimator {
                Estimator::Direct => Vec::new(),
                Estimator::Connected => centre(&spec),
            },
            reach: reach(&spec, &parameters),
            inner: Inner::all(
                &spec.net,
                spec.inputs.points(),
                spec.estimator == Estimator::Direct,
                passes.covariance,
            ),
            progression: (passes.progression && is_exponential)
                .then(|| Progression::of(&parameters))
                .flatten(),
            parameters,
            spec,
        }
    }

    /// Describes the networks of a spec at all its points, each evaluated by itself.
    ///
    /// # Errors
    /// Those of [`EnsembleSpec::validate`].
    pub fn at_all_points(spec: &EnsembleSpec) -> crate::Result<Self> {
        Ok(Self::new(spec.clone().validate()?, Passes::ALL))
    }

    /// Returns the spec, with the points that are evaluated.
    pub fn spec(&self) -> &EnsembleSpec {
        &self.spec
    }

    /// Tells where in the random stream the parameters are.
    pub fn layout(&self) -> &StreamLayout {
        &self.layout
    }

    /// Returns the constants of the network.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Lists the affine layers above the first that are drawn, of a net with several hidden layers.
    pub fn inner(&self) -> &[Inner] {
        &self.inner
    }

    /// Returns the typical size of each field.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// Returns the number of fields of a network.
    pub fn fields(&self) -> usize {
        self.scales.len()
    }

    /// Returns E[h(x_p) h(x_q)] for p <= q with the connected estimator, else empty: sums of
    /// products minus N times this are what fluctuates.
    pub fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// Returns the largest |z| of a unit of the first hidden layer at each point.
    pub fn reach(&self) -> &[f64] {
        &self.reach
    }

    /// Returns the points as a progression, if they are one and no exponent of a factor along it
    /// exceeds `limit` / 2.
    pub fn progression(&self, limit: f64) -> Option<&Progression> {
        // From one end to the other the exponent changes by less than twice its reach.
        let fits = self.reach.iter().all(|z| 4.0 * z < limit);
        self.progression.as_ref().filter(|_| fits)
    }
}

/// Returns the typical size of f at each point: sqrt(K).
fn output_scales(spec: &EnsembleSpec) -> Vec<f64> {
    (spec.inputs.points().iter())
        .map(|x| {
            let scale = kernel(&spec.net, x, x).sqrt();
            // f = 0 at this point: any unit will do.
            if scale == 0.0 { 1.0 } else { scale }
        })
        .collect()
}

/// Returns the typical size of each field of the spec's measurement.
fn field_scales(spec: &EnsembleSpec) -> Vec<f64> {
    let f = output_scales(spec);
    match spec.estimator {
        Estimator::Direct => f.repeat(spec.net.d_out()),
        Estimator::Connected => {
            let unit = 1.0 / (spec.net.width() as f64).sqrt();
            let fields = connected_fields(f.len(), &spec.orders, !spec.net.has_cumulants());
            (fields.iter())
                .map(|index| match index[..] {
                    [p, q] => unit * f[p] * f[q],
                    _ => {
                        let (size, of_bias) = cumulant_size(spec, index.len() as u32);
                        index.iter().fold(size, |size, &p| size * f[p]) + of_bias
                    }
                })
                .collect()
        }
    }
}

/// Returns the typical size of the cumulant of order n of an output given the hidden layers: of the output less its
/// bias, in units of f^n, and of the bias where it is among the fields.
fn cumulant_size(spec: &EnsembleSpec, n: u32) -> (f64, f64) {
    let readout = spec.net.readout();
    let of_units =
        readout.law_w.cumulant(n).abs() * (spec.net.width() as f64).powi(1 - n as i32 / 2);
    let of_bias = match spec.net.depth() {
        1 => 0.0,
        _ => readout.law_b.cumulant(n).abs() * readout.sigma_b.powi(n as i32),
    };
    (of_units, of_bias)
}

/// Returns E[h h] of the last hidden layer at infinite width, for pairs of points.
fn centre(spec: &EnsembleSpec) -> Vec<f64> {
    if spec.net.depth() > 1 {
        let kernel = kernel_matrix(&EnsembleSpec {
            net: spec.net.with_plain_readout(),
            ..spec.clone()
        });
        let pairs = multisets(spec.inputs.len(), 2);
        return pairs.iter().map(|pair| kernel[pair[0]][pair[1]]).collect();
    }
    let moments = second_moments(spec, &multisets(spec.inputs.len(), 2));
    moments.iter().map(|moment| moment.value).collect()
}
