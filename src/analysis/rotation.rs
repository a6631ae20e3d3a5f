//! Random rotations.

use nalgebra::DMatrix;

use crate::engine::GROUP;
use crate::engine::cpu::{normals::normals, words::Words};

/// A uniformly distributed rotation: Q of the QR decomposition of a matrix of normals, with
/// R's diagonal positive, and one column turned if it is a reflection.
pub(super) fn rotation(d: usize, number: u64) -> DMatrix<f64> {
    let square = DMatrix::from_vec(d, d, draw(d * d, number));
    let (mut q, r) = square.qr().unpack();
    for c in 0..d {
        if r[(c, c)] < 0.0 {
            q.column_mut(c).neg_mut();
        }
    }
    if q.determinant() < 0.0 {
        q.column_mut(0).neg_mut();
    }
    q
}

/// Draws standard normal numbers from a stream that no experiment has.
fn draw(count: usize, number: u64) -> Vec<f64> {
    let mut words = vec![0; count.next_multiple_of(GROUP as usize)];
    Words::new(number, u64::from(u32::MAX), 0).fill(&mut words);
    let mut all = vec![0.0; words.len()];
    normals(&words, &mut all);
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_are_rotations() {
        for d in [2, 3, 8] {
            let r = rotation(d, 5);
            let unit = &r * r.transpose() - DMatrix::identity(d, d);
            assert!(unit.norm() < 1e-13);
            assert!((r.determinant() - 1.0).abs() < 1e-12);
        }
    }
}
