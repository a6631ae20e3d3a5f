//! This module makes random rotations.

use nalgebra::DMatrix;

use crate::stream::spare_normals;

/// Makes a uniformly distributed rotation: Q of the QR decomposition of a matrix of normals, with
/// R's diagonal positive, and one column turned if it is a reflection.
pub(super) fn rotation(d: usize, number: u64) -> DMatrix<f64> {
    let square = DMatrix::from_vec(d, d, spare_normals(number, d * d));
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
