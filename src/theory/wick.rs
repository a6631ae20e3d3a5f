use crate::tensor::pairings;

/// GP prediction of an n-point function: Wick's sum over pairings of products of K.
///
/// `index` holds the points (rows of `kernel`); odd orders give zero.
pub fn gp_correlator(kernel: &[Vec<f64>], index: &[usize]) -> f64 {
    pairings(index.len())
        .iter()
        .map(|pairing| {
            pairing
                .iter()
                .map(|&(a, b)| kernel[index[a]][index[b]])
                .product::<f64>()
        })
        .sum()
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
