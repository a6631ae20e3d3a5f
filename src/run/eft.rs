//! This module has couplings, the 6-point prediction, and lambda as a function.

use super::Moments;
use super::{EftDocument, EftPoint, ExactEft};
use crate::Result;
use crate::analysis::{Coupling, FitSet, MODELS, SixPoint, fit_function};
use crate::model::{EnsembleSpec, Inputs};
use crate::theory::{Vertex, kernel_matrix, vertex_integrals};

/// The cutoffs of the source.
pub const CUTOFFS: [f64; 21] = [
    7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 7e3, 1e4,
    2e4, 4e4, 6e4, 8e4, 1e5,
];

/// Measures the quartic coupling and predicts the 6-point function at every cutoff.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::run::{Moments, eft};
/// use nnqft_gpu::theory::Vertex;
///
/// let spec = EnsembleSpec::preset("relu", 1)?.with_width(20);
/// let neurons = Moments::neurons(&spec);
/// let document = eft(&Moments::exact(spec, &neurons)?, Vertex::Full, &[100.0])?;
/// let lambda = document.cutoffs[0].lambda.as_ref().unwrap().mean;
/// assert!((lambda / -6.25e-11 - 1.0).abs() < 1e-9);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
///
/// # Errors
/// Those of [`vertex_integrals`].
pub fn eft(moments: &Moments, vertex: Vertex, cutoffs: &[f64]) -> Result<EftDocument> {
    let (spec, interactions) = (&moments.spec, &moments.interactions);
    let (kernel, beside) = (kernel_matrix(spec), moments.beside());
    let cutoffs = (vertex_integrals(spec, vertex, cutoffs)?.iter())
        .map(|v| EftPoint {
            cutoff: v.cutoff,
            lambda: Coupling::measure(spec.inputs.len(), &interactions.four, v),
            six_point: SixPoint::predict(&kernel, interactions, v),
            exact: beside.as_ref().and_then(|exact| {
                let six = SixPoint::predict(&kernel, exact, v);
                Some(ExactEft {
                    lambda: Coupling::measure(spec.inputs.len(), &exact.four, v)?.mean,
                    delta_mean: six.and_then(|six| six.delta_mean),
                })
            }),
        })
        .collect();
    Ok(EftDocument {
        head: moments.head(EftDocument::COMMAND),
        vertex,
        cutoffs,
        fits: Vec::new(),
        train_unconverged: Vec::new(),
    })
}

/// Returns the inputs that a fit is trained on: those that it is tested on, over sqrt(2).
///
/// # Errors
/// Those of [`Inputs::new`], which scaled points do not have.
pub fn train_inputs(test: &Inputs) -> Result<Inputs> {
    let scaled = (test.points().iter()).map(|x| x.iter().map(|x| x * 0.5f64.sqrt()).collect());
    Inputs::new(scaled.collect())
}

/// Fits the source's models of lambda as a function on one ensemble and tries them on the other.
///
/// # Errors
/// Those of [`vertex_integrals`] and of [`fit_function`].
pub fn fit(train: &Moments, test: &Moments, vertex: Vertex, cutoff: f64) -> Result<EftDocument> {
    let at = |spec: &EnsembleSpec| vertex_integrals(spec, vertex, &[cutoff]);
    let vertices = [at(&train.spec)?.remove(0), at(&test.spec)?.remove(0)];
    let tuples = |k: usize| {
        let moments = [train, test][k];
        FitSet {
            points: moments.spec.inputs.len(),
            four: &moments.interactions.four,
            vertex: &vertices[k],
        }
    };
    let fits = (MODELS.iter()).map(|terms| fit_function(terms, tuples(0), tuples(1)));
    Ok(EftDocument {
        fits: fits.collect::<Result<_>>()?,
        head: test.head(EftDocument::COMMAND),
        vertex,
        cutoffs: Vec::new(),
        train_unconverged: train.source.unconverged.clone(),
    })
}
