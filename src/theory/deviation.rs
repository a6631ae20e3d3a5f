//! This module says what deviations from the GP are measured in, to give m_n.

use crate::tensor::Tuple;

/// Smallest |G_GP| of an element that enters the mean of m_n over elements, in units of the fields'
/// own size. G fluctuates by at least that size, so that near a zero of the kernel one element's
/// m_n is all there is to see. The bound is low, so that the mean stays the source's, over all
/// elements, wherever a run can still measure it.
pub const MIN_MEAN_UNIT: f64 = 5e-4;

/// Returns the product of the fields' standard deviations, sqrt(prod K_ii), in the unit of f^n.
pub fn field_size(kernel: &[Vec<f64>], tuple: Tuple) -> f64 {
    (tuple.points().iter())
        .map(|&i| kernel[i][i].sqrt())
        .product()
}

/// Returns what m_n of one element is measured in: G_GP, or for odd n, where the GP vanishes, the
/// fields' own size; `None` if that vanishes.
pub fn deviation_unit(kernel: &[Vec<f64>], tuple: Tuple, gp: f64) -> Option<f64> {
    let size = field_size(kernel, tuple);
    let unit = if tuple.order() % 2 == 1 { size } else { gp };
    (unit.abs() > 1e-12 * size && unit != 0.0).then_some(unit)
}

/// Returns the [`deviation_unit`] of an element that enters the mean of m_n; `None` if the element
/// is left out, by [`MIN_MEAN_UNIT`].
pub fn mean_unit(kernel: &[Vec<f64>], tuple: Tuple, gp: f64) -> Option<f64> {
    let least = MIN_MEAN_UNIT * field_size(kernel, tuple);
    deviation_unit(kernel, tuple, gp).filter(|unit| unit.abs() >= least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EnsembleSpec, source_nets};
    use crate::tensor::Tuples;
    use crate::theory::{gp_correlator, kernel_matrix};

    #[test]
    fn the_source_s_means_are_over_all_elements() {
        for arch in source_nets() {
            for d_in in 1..=3 {
                let spec = EnsembleSpec::preset(arch, d_in).unwrap();
                let kernel = kernel_matrix(&spec);
                for &n in &spec.orders {
                    for t in Tuples::all(kernel.len(), 1, n).iter() {
                        let gp = gp_correlator(&kernel, t);
                        assert_eq!(mean_unit(&kernel, t, gp), Some(gp));
                    }
                }
            }
        }
    }

    #[test]
    fn what_nearly_vanishes_is_left_out_of_the_mean_only() {
        let kernel = vec![vec![2.0, 1e-8], vec![1e-8, 2.0]];
        let of = |index: &[usize]| {
            let gp = gp_correlator(&kernel, index);
            let [unit, mean] = [deviation_unit, mean_unit].map(|f| f(&kernel, index.into(), gp));
            (unit.is_some(), mean.is_some())
        };
        assert_eq!(of(&[0, 1]), (true, false));
        assert_eq!(of(&[0, 0, 0, 1]), (true, false));
        assert_eq!(of(&[0, 0, 1, 1]), (true, true));
        // Odd n has a unit of its own.
        assert_eq!(of(&[0, 0, 1]), (true, true));
        let none = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        assert_eq!(deviation_unit(&none, (&[0, 1]).into(), 0.0), None);
    }
}
