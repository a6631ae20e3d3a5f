//! This module follows the running coupling.

use super::Moments;
use super::RgDocument;
use crate::Result;
use crate::analysis::flow;
use crate::theory::Vertex;

/// Follows the coupling over the cutoffs.
///
/// # Errors
/// Those of [`flow`].
pub fn rg(moments: &Moments, vertex: Vertex, cutoffs: &[f64]) -> Result<RgDocument> {
    Ok(RgDocument {
        flow: flow(&moments.spec, vertex, cutoffs, &moments.interactions.four)?,
        head: moments.head(RgDocument::COMMAND),
        vertex,
    })
}
