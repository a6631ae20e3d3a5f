use crate::tensor::Tuple;

/// Computes the GP prediction of an n-point function, Wick's sum over pairings of products of K.
///
/// `tuple` holds the points (rows of `kernel`), and outputs if there are several; odd orders
/// and outputs that do not pair give zero.
///
/// ```
/// use nnqft_gpu::theory::gp_correlator;
///
/// let kernel = vec![vec![2.0, 0.5], vec![0.5, 1.0]];
/// // K00 K11 + 2 K01^2
/// assert_eq!(gp_correlator(&kernel, &[0, 0, 1, 1][..]), 2.5);
/// assert_eq!(gp_correlator(&kernel, &[0, 0, 1][..]), 0.0);
/// ```
pub fn gp_correlator<'a>(kernel: &[Vec<f64>], tuple: impl Into<Tuple<'a>>) -> f64 {
    let tuple = tuple.into();
    let index = tuple.points();
    (tuple.pairings().iter())
        .map(|pairing| {
            pairing
                .iter()
                .map(|&(a, b)| kernel[index[a]][index[b]])
                .product::<f64>()
        })
        // An empty sum is -0.
        .fold(0.0, |sum, x| sum + x)
}

/// Returns a bound of what f64 rounds off [`gp_correlator`], and the kernel before it: a few units
/// in the last place of each of its products.
pub fn gp_rounding(kernel: &[Vec<f64>], tuple: Tuple) -> f64 {
    let index = tuple.points();
    let product = |pairing: &Vec<(usize, usize)>| -> f64 {
        let factors = pairing.iter().map(|&(a, b)| kernel[index[a]][index[b]]);
        factors.product::<f64>().abs()
    };
    let sum: f64 = tuple.pairings().iter().map(product).sum();
    4.0 * f64::EPSILON * index.len() as f64 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_gives_the_gaussian_moments() {
        let k = vec![vec![2.0]];
        assert_eq!(gp_correlator(&k, &[0; 2]), 2.0);
        assert_eq!(gp_correlator(&k, &[0; 4]), 12.0);
        assert_eq!(gp_correlator(&k, &[0; 6]), 120.0);
        assert_eq!(gp_correlator(&k, &[0; 3]), 0.0);
    }
}
