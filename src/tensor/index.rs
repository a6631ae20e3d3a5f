/// Lists the index multisets i_1 <= i_2 <= .. <= i_n over `points` points, in lexicographic order.
///
/// A symmetric n-point tensor is known from these C(points + n - 1, n) elements.
///
/// ```
/// use nnqft_gpu::tensor::multisets;
///
/// assert_eq!(multisets(2, 2), [[0, 0], [0, 1], [1, 1]]);
/// assert_eq!(multisets(6, 4).len(), 126);
/// ```
pub fn multisets(points: usize, order: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut index = vec![0; order];
    if points == 0 || order == 0 {
        return all;
    }
    loop {
        all.push(index.clone());
        // Raise the last index that can still grow; all after it start from there.
        let Some(k) = index.iter().rposition(|&i| i + 1 < points) else {
            return all;
        };
        let next = index[k] + 1;
        index[k..].fill(next);
    }
}

/// Returns the position of the pair a, b among the multisets of two of `points`.
pub(super) fn pair_number(points: usize, a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    low * points - low * low.saturating_sub(1) / 2 - low + high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_source() {
        assert_eq!(multisets(6, 2).len(), 21);
        assert_eq!(multisets(6, 4).len(), 126);
        assert_eq!(multisets(6, 6).len(), 462);
    }

    #[test]
    fn are_sorted_and_unique() {
        for (points, order) in [(1, 6), (2, 3), (4, 5)] {
            let all = multisets(points, order);
            assert!(all.windows(2).all(|w| w[0] < w[1]));
            assert!(all.iter().all(|m| m.is_sorted() && m[order - 1] < points));
        }
    }

    #[test]
    fn numbers_are_positions() {
        for points in 1..6 {
            for (k, pair) in multisets(points, 2).iter().enumerate() {
                assert_eq!(pair_number(points, pair[0], pair[1]), k);
                assert_eq!(pair_number(points, pair[1], pair[0]), k);
            }
        }
    }
}
