//! Subsets of a few of many things.

/// The subsets of `count` of the numbers below `of`, each ascending, in lexicographic order.
pub fn subsets(of: usize, count: usize) -> impl Iterator<Item = Vec<usize>> {
    let first = (count <= of).then(|| (0..count).collect());
    std::iter::successors(first, move |chosen: &Vec<usize>| {
        let k = (0..count).rev().find(|&k| chosen[k] < of - count + k)?;
        let from = chosen[k] + 1;
        Some(
            chosen[..k]
                .iter()
                .copied()
                .chain(from..from + count - k)
                .collect(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_all_there_once() {
        let of_four: Vec<Vec<usize>> = subsets(4, 2).collect();
        let want = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
        assert_eq!(of_four, want);
        assert_eq!(subsets(7, 3).count(), 35);
        assert_eq!(subsets(3, 3).count(), 1);
        assert_eq!(subsets(2, 3).count(), 0);
    }
}
