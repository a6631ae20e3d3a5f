//! This module loops over rows of hidden units: activations, and sums of products.

use super::activation::Activation;
use crate::simd::madd;
use crate::stream::GROUP;

/// Number of networks that are drawn together.
pub const TILE: usize = GROUP as usize;

/// A tile holds one number of each of 16 networks.
pub type Tile = [f64; TILE];

/// Evaluates the activations of rows of units: `values` = act(sum_c x_c n_c - offset), the variates
/// n being `[component][row]`.
#[inline(always)]
pub(super) fn evaluate<const FMA: bool, A: Activation>(
    x: &[f64],
    offset: f64,
    variates: &[f64],
    values: &mut [f64],
) {
    // Zipped, not indexed: a check in the loop would leave its last turns without vectors.
    let rows = values.len();
    let (a, b) = (
        &variates[..rows],
        variates.get(rows..2 * rows).unwrap_or_default(),
    );
    match x[..] {
        [x] => {
            for (h, n) in values.iter_mut().zip(a) {
                *h = A::of::<FMA>(madd::<FMA>(*n, x, -offset));
            }
        }
        [x, y] => {
            for (h, (n, m)) in values.iter_mut().zip(a.iter().zip(b)) {
                *h = A::of::<FMA>(madd::<FMA>(*m, y, madd::<FMA>(*n, x, -offset)));
            }
        }
        _ => {
            values.fill(-offset);
            for (x, n) in x.iter().zip(variates.chunks_exact(rows)) {
                for (z, n) in values.iter_mut().zip(n) {
                    *z = madd::<FMA>(*n, *x, *z);
                }
            }
            for z in values {
                *z = A::of::<FMA>(*z);
            }
        }
    }
}

/// Does the work of [`evaluate`] and [`add_products`] in one loop.
#[inline(always)]
pub(super) fn add_outputs<const FMA: bool, A: Activation, const D: usize>(
    sum: &mut Tile,
    x: [f64; D],
    offset: f64,
    variates: &[f64],
    readout: &[f64],
) {
    let mut components: [&[Tile]; D] = [&[]; D];
    for (c, component) in components.iter_mut().enumerate() {
        *component = variates[c * readout.len()..][..readout.len()].as_chunks().0;
    }
    let mut total = *sum;
    for (unit, readout) in readout.as_chunks::<TILE>().0.iter().enumerate() {
        for l in 0..TILE {
            let mut z = -offset;
            for c in 0..D {
                z = madd::<FMA>(components[c][unit][l], x[c], z);
            }
            total[l] = madd::<FMA>(readout[l], A::of::<FMA>(z), total[l]);
        }
    }
    *sum = total;
}

/// Adds the products of two rows of units, network by network.
#[inline(always)]
pub(super) fn add_products<const FMA: bool>(sum: &mut Tile, a: &[f64], b: &[f64]) {
    let mut total = *sum;
    let rows = a.as_chunks::<TILE>().0.iter().zip(b.as_chunks::<TILE>().0);
    for (a, b) in rows {
        for l in 0..TILE {
            total[l] = madd::<FMA>(a[l], b[l], total[l]);
        }
    }
    *sum = total;
}
