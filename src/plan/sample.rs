use super::fields::multiples;
use super::{Drawn, Passes, Rays};
use crate::model::{EnsembleSpec, Estimator, MAX_MEMORY};
use crate::{Error, Result};

/// A sample plan says what is drawn where the networks themselves are wanted, not averages over
/// them: a spec without orders, compiled once.
///
/// ```
/// use nnqft_gpu::{model::EnsembleSpec, plan::SamplePlan};
///
/// let plan = SamplePlan::new(EnsembleSpec::preset("relu", 1)?.with_d_out(2))?;
/// assert_eq!(plan.outputs().len(), 12); // 6 points x 2 outputs
/// // Without biases f(c x) = c f(x): one point of six is drawn.
/// assert_eq!(plan.drawn().fields(), 2);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SamplePlan {
    spec: EnsembleSpec,
    drawn: Drawn,
    outputs: Vec<(usize, f64)>,
}

impl SamplePlan {
    /// Compiles a spec with every fast path that fits. The orders of the spec play no part, and one
    /// network is enough.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the connected estimator, for importance sampling, for networks that
    /// [`EnsembleSpec::validate`] refuses, and for points that take too much memory.
    pub fn new(spec: EnsembleSpec) -> Result<Self> {
        Self::with_passes(spec, Passes::ALL)
    }

    /// Compiles a spec with some fast paths.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_passes(spec: EnsembleSpec, passes: Passes) -> Result<Self> {
        if spec.tilt.is_some() {
            return Err(Error::invalid(
                "tilt",
                "auto",
                "importance sampling weights networks, and those of a sample count alike; leave it out",
            ));
        }
        if spec.estimator == Estimator::Connected {
            return Err(Error::invalid(
                "estimator",
                "connected",
                "it integrates the outputs out, and a sample is made of them; use direct",
            ));
        }
        let spec = EnsembleSpec {
            orders: Vec::new(),
            ..spec
        };
        spec.check_networks()?;
        if spec.drawing_memory() > MAX_MEMORY as f64 {
            return Err(Error::invalid(
                "inputs",
                format!("with {} points", spec.inputs.len()),
                format!(
                    "16 networks, which are drawn side by side, take {:.1} GiB of memory, and a run may take {}; use fewer points or outputs",
                    spec.drawing_memory() / (1u64 << 30) as f64,
                    MAX_MEMORY >> 30,
                ),
            ));
        }
        let rays = match passes.rays {
            true => Rays::of(&spec),
            false => Rays::none(&spec.inputs),
        };
        let (fields, d_out) = (multiples(&spec, &rays), spec.net.d_out());
        let points = spec.inputs.len();
        Ok(Self {
            outputs: (0..points)
                .flat_map(|p| (0..d_out).map(move |a| a * points + p))
                .map(|field| fields[field])
                .collect(),
            drawn: Drawn::new(rays.applied_to(&spec), passes),
            spec,
        })
    }

    /// Returns the spec, valid but for its orders, of which it has none.
    pub fn spec(&self) -> &EnsembleSpec {
        &self.spec
    }

    /// Returns the networks as engines draw them.
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Lists the outputs f_a(x_p) of a network, `[point][output]`: the field that is drawn, and what
    /// it is multiplied with.
    pub fn outputs(&self) -> &[(usize, f64)] {
        &self.outputs
    }
}
