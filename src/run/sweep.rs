//! Moments come from one of three places, at one width or several.

use super::{Moments, Runner};
use crate::Result;
use crate::model::{EnsembleSpec, Inputs};
use crate::theory::Values;

/// A sweep says where the moments of an effective field theory come from, one ensemble per width;
/// what no width changes is calculated once.
///
/// ```
/// use nnqft_gpu::engine::cpu::CpuEngine;
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::run::{Runner, Sweep, eft};
/// use nnqft_gpu::theory::Vertex;
///
/// let spec = EnsembleSpec::preset("relu", 1)?;
/// let sweep = Sweep::exact(vec![spec.clone().with_width(10), spec])?;
/// let moments = sweep.moments(&mut Runner::new(Box::new(CpuEngine::new())))?;
/// let couplings = moments.iter().map(|m| eft(m, Vertex::Full, &[100.0]));
/// assert_eq!(couplings.collect::<nnqft_gpu::Result<Vec<_>>>()?.len(), 2);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[non_exhaustive]
pub enum Sweep {
    /// Moments that are there already, such as those of a file.
    Known(Box<Moments>),
    /// Networks that are to be drawn, one spec per width.
    Networks(Vec<EnsembleSpec>),
    /// Exact values, one spec per width.
    Theory(Vec<EnsembleSpec>),
}

impl Sweep {
    /// Makes a sweep over networks of these specs, which differ in nothing but their width.
    ///
    /// # Errors
    /// Those of [`Moments::check`].
    pub fn sampled(specs: Vec<EnsembleSpec>) -> Result<Self> {
        (specs.iter()).try_for_each(|spec| Moments::check(spec, true))?;
        Ok(Self::Networks(specs))
    }

    /// Makes a sweep over the exact values of these specs, which differ in nothing but their width.
    ///
    /// # Errors
    /// Those of [`Moments::check`].
    pub fn exact(specs: Vec<EnsembleSpec>) -> Result<Self> {
        (specs.iter()).try_for_each(|spec| Moments::check(spec, false))?;
        Ok(Self::Theory(specs))
    }

    /// Counts the widths.
    pub fn widths(&self) -> usize {
        self.specs().len()
    }

    /// Returns the points, the same at every width; `None` without a width.
    pub fn inputs(&self) -> Option<&Inputs> {
        self.specs().first().map(|spec| &spec.inputs)
    }

    /// Lists the specs, one per width.
    pub fn specs(&self) -> &[EnsembleSpec] {
        match self {
            Self::Known(moments) => std::slice::from_ref(&moments.spec),
            Self::Networks(specs) | Self::Theory(specs) => specs,
        }
    }

    /// Tells whether networks are to be drawn, for which alone the engine of a runner matters.
    pub fn draws(&self) -> bool {
        matches!(self, Self::Networks(_))
    }

    /// Makes the moments of every width.
    ///
    /// # Errors
    /// Those of [`Moments::sampled`] and of [`Moments::exact`].
    pub fn moments(self, runner: &mut Runner) -> Result<Vec<Moments>> {
        match self {
            Self::Known(moments) => Ok(vec![*moments]),
            Self::Networks(specs) => {
                let Some(first) = specs.first() else {
                    return Ok(Vec::new());
                };
                let values = Values::new(first);
                (specs.into_iter())
                    .map(|spec| Moments::sampled(runner, spec, &values))
                    .collect()
            }
            Self::Theory(specs) => {
                let Some(first) = specs.first() else {
                    return Ok(Vec::new());
                };
                let neurons = Moments::neurons(first);
                (specs.into_iter())
                    .map(|spec| {
                        runner.check()?;
                        Moments::exact(spec, &neurons)
                    })
                    .collect()
            }
        }
    }
}
