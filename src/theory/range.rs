//! This module finds the cutoffs at which integrals leave the range of f64.

use super::bump::Bump;
use super::kernel::{Field, Kernel};
use super::vertex::{Vertex, finite};
use crate::model::{EnsembleSpec, short};
use crate::{Error, Result};

/// Power of ten that an integral may reach: what is made of it needs room as well.
const RANGE: f64 = 250.0;

/// `Sizes` holds the sizes of a cutoff's integrals, as powers of ten, good to a few: the field's
/// largest values times the volume on which it has them.
struct Sizes {
    /// log10 of max |k(x_p, y)| over the box, of each point whose kernel does not vanish.
    lines: Vec<f64>,
    /// log10 of the box's volume.
    volume: f64,
    /// log10 of the largest |k(y, z)| between two vertices.
    between: f64,
    /// log10 of the largest |y|.
    reach: f64,
}

/// Returns the Gaussian bump that the lines into a vertex are, if they are one; every other kernel
/// fills the box.
fn bump(spec: &EnsembleSpec, vertex: Vertex) -> Option<Bump> {
    Bump::of(&spec.net).filter(|_| vertex.constant_left(&spec.net) == 0.0)
}

/// Returns the point of the box that is nearest to x.
fn clamped(x: &[f64], cutoff: f64) -> Vec<f64> {
    x.iter().map(|c| c.clamp(-cutoff, cutoff)).collect()
}

impl Sizes {
    fn new(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Self {
        let constant = vertex.constant(&spec.net);
        let kernel = Kernel::new(&spec.net);
        let k = |x: &[f64], y: &[f64]| {
            let (mut k, mut error, x) = ([0.0], [0.0], [x.to_vec()]);
            Field::new(&kernel, &x).at(y, &mut k, &mut error);
            (k[0] - constant).abs()
        };
        let points = spec.inputs.points();
        let bump = bump(spec, vertex);
        let lines = match &bump {
            Some(bump) => (points.iter())
                .map(|x| {
                    let nearest = clamped(x, cutoff);
                    let square: f64 = x.iter().zip(nearest).map(|(x, y)| (x - y).powi(2)).sum();
                    bump.height.log10() - bump.rate * square / std::f64::consts::LN_10
                })
                .filter(|line| line.is_finite())
                .collect(),
            None => (points.iter())
                .map(|x| {
                    let cutoff = finite(spec, cutoff);
                    let largest = x.iter().fold(f64::MIN_POSITIVE, |l, c| l.max(c.abs()));
                    let ray =
                        |to: f64| -> Vec<f64> { x.iter().map(|c| to * (c / largest)).collect() };
                    let at = [
                        vec![0.0; spec.net.d_in()],
                        vec![cutoff; spec.net.d_in()],
                        clamped(x, cutoff),
                        ray(cutoff),
                        ray(-cutoff),
                    ];
                    at.iter().map(|y| k(x, y)).fold(0.0, f64::max)
                })
                .filter(|&size| size > 0.0)
                .map(f64::log10)
                .collect(),
        };
        let (side, between) = match &bump {
            Some(bump) => {
                let width = (2.0 * bump.rate).sqrt().recip();
                (cutoff.min(width), bump.height.log10())
            }
            None => {
                let cutoff = finite(spec, cutoff);
                let corner = vec![cutoff; spec.net.d_in()];
                (cutoff, k(&corner, &corner).log10())
            }
        };
        Self {
            lines,
            volume: spec.net.d_in() as f64 * (2.0 * side).log10(),
            between,
            reach: side.log10(),
        }
    }

    /// Refuses an integral out of range; each power of ten comes with its name.
    fn check(&self, cutoff: f64, integrals: &[(&str, f64)]) -> Result<()> {
        for (what, power) in integrals {
            if power.abs() > RANGE {
                let reason = format!(
                    "there the {what} is of order 1e{power:.0} and its coupling leaves the range of f64; give a cutoff nearer to the inputs, the source's are 7 to 100000"
                );
                return Err(Error::invalid("cutoffs", short(cutoff), reason));
            }
        }
        Ok(())
    }
}

/// Checks that the vertex integrals of a cutoff stay within the range of f64.
///
/// # Errors
/// [`Error::Invalid`] with the integral's size.
pub(super) fn check_vertices(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Result<()> {
    let sizes = Sizes::new(spec, vertex, cutoff);
    for line in &sizes.lines {
        let of = |n: f64| n * line + sizes.volume;
        sizes.check(
            cutoff,
            &[
                ("integral over four lines", of(4.0)),
                ("integral over six lines", of(6.0)),
                (
                    "integral of y^2 over four lines",
                    (of(4.0) + 2.0 * sizes.reach).max(0.0),
                ),
            ],
        )?;
    }
    Ok(())
}

/// Checks that the one-loop integrals of a cutoff stay within the range of f64.
///
/// # Errors
/// [`Error::Invalid`] with the integral's size.
pub(super) fn check_loops(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Result<()> {
    let sizes = Sizes::new(spec, vertex, cutoff);
    for line in &sizes.lines {
        let power = 4.0 * line + 2.0 * sizes.between + 2.0 * sizes.volume;
        sizes.check(cutoff, &[("one-loop integral", power)])?;
    }
    Ok(())
}
