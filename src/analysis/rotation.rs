//! This module makes random rotations, and permutations with signs.

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

/// Makes a random permutation of coordinates with random signs.
pub(super) fn signed_permutation(d: usize, number: u64) -> DMatrix<f64> {
    let normals = spare_normals(number, 2 * d);
    let (keys, signs) = normals.split_at(d);
    let mut places: Vec<usize> = (0..d).collect();
    places.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    let mut matrix = DMatrix::zeros(d, d);
    for (a, &b) in places.iter().enumerate() {
        matrix[(a, b)] = signs[a].signum();
    }
    matrix
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
    #[test]
    fn permutations_move_and_turn_axes() {
        for d in [2, 3, 8] {
            let r = signed_permutation(d, 1);
            assert_eq!(&r * r.transpose(), DMatrix::identity(d, d));
            assert!(r.iter().all(|x| [0.0, 1.0, -1.0].contains(x)));
        }
        let all: Vec<_> = (0..3).map(|k| signed_permutation(8, k)).collect();
        assert!(all[0] != all[1] && all[1] != all[2]);
    }
}
