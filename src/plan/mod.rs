//! A plan is a validated spec, compiled once: it says what engines draw and what analyses measure.
//!
//! Everything derived from a spec (kernel, points as drawn, constants, scales, the moments that
//! are summed) is computed here, once, and passed on. Fast paths are [`Passes`] over the plan: the
//! results are the same without them, or equal in distribution.

mod drawn;
mod fields;
mod inner;
mod parameters;
mod progression;
mod rays;
mod sample;
mod train;

use std::sync::Arc;

pub use drawn::Drawn;
pub use inner::{By, Inner};
pub use parameters::{Laws, Parameters};
pub use progression::Progression;
pub use rays::Rays;
pub use sample::SamplePlan;
pub use train::TrainPlan;

use crate::Result;
use crate::model::EnsembleSpec;
use crate::tensor::Measurement;
use crate::theory::{Values, kernel_matrix};

/// `Passes` are the fast paths that a plan may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passes {
    /// Whether homogeneous networks are evaluated at one point of every ray through the origin.
    pub rays: bool,
    /// Whether exp(z - v) at equally spaced points is computed as a geometric progression.
    pub progression: bool,
    /// Whether a layer above the first is drawn by its covariance, where it is normal given the
    /// layer below, rather than by its weights: other networks with the same distribution.
    pub covariance: bool,
}

impl Passes {
    /// Every fast path that fits.
    pub const ALL: Self = Self {
        rays: true,
        progression: true,
        covariance: true,
    };
    /// No fast path: each point by itself.
    pub const NONE: Self = Self {
        rays: false,
        progression: false,
        covariance: false,
    };
}

/// A plan is a validated spec with everything that engines and analyses derive from it.
///
/// ```
/// use nnqft_gpu::{model::EnsembleSpec, plan::Plan};
///
/// let plan = Plan::new(EnsembleSpec::preset("relu", 1)?)?;
/// assert_eq!(plan.kernel().len(), 6);
/// // Without biases f(c x) = c f(x): one point of six is drawn.
/// assert_eq!(plan.drawn().spec().inputs.len(), 1);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    spec: EnsembleSpec,
    kernel: Arc<Vec<Vec<f64>>>,
    /// Fourth moments of a hidden unit, if the elements are made with them.
    fourth: Arc<Vec<f64>>,
    measurement: Measurement,
    drawn: Drawn,
}

impl Plan {
    /// Compiles a spec with every fast path that fits.
    ///
    /// # Errors
    /// Those of [`EnsembleSpec::validate`].
    pub fn new(spec: EnsembleSpec) -> Result<Self> {
        Self::with_passes(spec, Passes::ALL)
    }

    /// Compiles a spec with some fast paths.
    ///
    /// # Errors
    /// Those of [`EnsembleSpec::validate`].
    pub fn with_passes(spec: EnsembleSpec, passes: Passes) -> Result<Self> {
        let spec = spec.validate()?;
        let kernel = kernel_matrix(&spec).into();
        let fourth = fields::fourth_moments(&spec).into();
        Ok(Self::compile(spec, kernel, fourth, passes))
    }

    /// Compiles a spec; `kernel` and `fourth` are those of the spec's net at its points, which do
    /// not depend on the width.
    fn compile(
        spec: EnsembleSpec,
        kernel: Arc<Vec<Vec<f64>>>,
        fourth: Arc<Vec<f64>>,
        passes: Passes,
    ) -> Self {
        let measurement = fields::measurement(&spec, &kernel, &fourth);
        let rays = match passes.rays {
            true => Rays::of(&spec),
            false => Rays::none(&spec.inputs),
        };
        let measurement = match rays.points.len() < spec.inputs.len() {
            true => measurement.of_multiples(&fields::multiples(&spec, &rays)),
            false => measurement,
        };
        let drawn = Drawn::new(rays.applied_to(&spec), passes);
        Self {
            spec,
            kernel,
            fourth,
            measurement,
            drawn,
        }
    }

    /// Compiles the plan of another ensemble. Where that has the same net at the same inputs, at
    /// any width, what does not depend on the width is shared.
    ///
    /// # Errors
    /// Those of [`EnsembleSpec::validate`].
    pub fn beside(&self, spec: EnsembleSpec) -> Result<Self> {
        let spec = spec.validate()?;
        let (ours, theirs) = (&self.spec, &spec);
        let same_net = ours.net.clone().with_width(1) == theirs.net.clone().with_width(1);
        match same_net && ours.inputs == theirs.inputs {
            true => {
                let fourth = match self.fourth.is_empty() {
                    true => fields::fourth_moments(&spec).into(),
                    false => self.fourth.clone(),
                };
                Ok(Self::compile(
                    spec,
                    self.kernel.clone(),
                    fourth,
                    Passes::ALL,
                ))
            }
            false => Self::new(spec),
        }
    }

    /// Returns the spec, validated.
    pub fn spec(&self) -> &EnsembleSpec {
        &self.spec
    }

    /// Returns the GP kernel at the points asked for, shape `[points][points]`.
    pub fn kernel(&self) -> &Arc<Vec<Vec<f64>>> {
        &self.kernel
    }

    /// Lists the elements that are asked for with the mean of m_n over those of each order, and the
    /// fields and moments that they are made of: those of [`drawn`](Self::drawn).
    pub fn measurement(&self) -> &Measurement {
        &self.measurement
    }

    /// Returns the networks as engines draw them.
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Computes what theory knows of the n-point functions at finite width, at the points asked for.
    pub fn values(&self) -> Values {
        Values::with_kernel(&self.spec, self.kernel.clone())
    }
}
