/// Lists all perfect pairings of positions `0..n`: 1, 3, 15 of them for n = 2, 4, 6; none for odd n.
///
/// ```
/// use nnqft_gpu::tensor::pairings;
///
/// assert_eq!(pairings(4)[0], [(0, 1), (2, 3)]);
/// assert_eq!(pairings(4).len(), 3);
/// ```
pub fn pairings(n: usize) -> Vec<Vec<(usize, usize)>> {
    fn pair_up(
        left: &[usize],
        so_far: &mut Vec<(usize, usize)>,
        all: &mut Vec<Vec<(usize, usize)>>,
    ) {
        let Some((&first, rest)) = left.split_first() else {
            all.push(so_far.clone());
            return;
        };
        for k in 0..rest.len() {
            let mut others = rest.to_vec();
            let partner = others.remove(k);
            so_far.push((first, partner));
            pair_up(&others, so_far, all);
            so_far.pop();
        }
    }
    let mut all = Vec::new();
    if n.is_multiple_of(2) {
        pair_up(&(0..n).collect::<Vec<_>>(), &mut Vec::new(), &mut all);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairings_are_counted_by_double_factorials() {
        let counts: Vec<usize> = (1..=8).map(|n| pairings(n).len()).collect();
        assert_eq!(counts, [0, 1, 0, 3, 0, 15, 0, 105]);
        for pairing in pairings(6) {
            let mut seen: Vec<usize> = pairing.iter().flat_map(|&(a, b)| [a, b]).collect();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        }
    }
}
