use std::sync::Arc;

use super::{DeepTheory, Exact, Layers, kernel_matrix};
use crate::model::{EnsembleSpec, Net};

/// `Values` are what theory knows of a net's n-point functions at finite width.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::theory::Values;
///
/// let mut spec = EnsembleSpec::preset("tanh", 1)?;
/// assert!(matches!(Values::new(&spec), Values::Exact(_)));
/// spec.net = spec.net.with_hidden(&[100, 100])?;
/// let Values::Layers { values, .. } = Values::new(&spec) else { panic!("two hidden layers") };
/// assert!(!values.is_exact()); // to first order in 1/n
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Values {
    /// Exact values of a net with one hidden layer.
    Exact(Exact),
    /// Values of a net with several, exact or to first order in 1/n.
    Layers {
        /// What theory predicts layer by layer.
        layers: Box<Layers>,
        /// What follows for n-point functions.
        values: Box<DeepTheory>,
    },
    /// The kernel alone: nothing else is known.
    Kernel(Arc<Vec<Vec<f64>>>),
}

impl Values {
    /// Computes what is known of the n-point functions of a spec's orders.
    pub fn new(spec: &EnsembleSpec) -> Self {
        Self::with_kernel(spec, kernel_matrix(spec).into())
    }

    /// Computes what is known beyond the kernel at the spec's points.
    pub fn with_kernel(spec: &EnsembleSpec, kernel: Arc<Vec<Vec<f64>>>) -> Self {
        if spec.net.depth() == 1 {
            return Self::Exact(Exact::with_kernel(spec, kernel));
        }
        let order = spec.orders.iter().copied().max().unwrap_or(2).max(2);
        match Layers::new(&spec.net, spec.inputs.points(), order) {
            Ok(layers) => Self::of_layers(layers),
            Err(_) => Self::Kernel(kernel),
        }
    }

    fn of_layers(layers: Layers) -> Self {
        Self::Layers {
            values: Box::new(layers.exact().unwrap_or_else(|| layers.first_order())),
            layers: Box::new(layers),
        }
    }

    /// Returns the GP kernel at the points, shape `[points][points]`.
    pub fn kernel(&self) -> &Arc<Vec<Vec<f64>>> {
        match self {
            Self::Exact(exact) => exact.kernel(),
            Self::Layers { values, .. } => values.kernel(),
            Self::Kernel(kernel) => kernel,
        }
    }

    /// Returns the values of the same net with hidden layers of other widths, at little cost; `None`
    /// if there are more or fewer of them.
    pub fn at_widths_of(&self, net: &Net) -> Option<Self> {
        match self {
            Self::Exact(exact) if net.depth() == 1 => {
                Some(Self::Exact(exact.at_width(net.width())))
            }
            Self::Layers { layers, .. } if layers.layers().len() == net.depth() => {
                Some(Self::of_layers(layers.at_widths(&net.hidden())))
            }
            Self::Kernel(_) if net.depth() > 1 => Some(self.clone()),
            Self::Exact(_) | Self::Layers { .. } | Self::Kernel(_) => None,
        }
    }
}
