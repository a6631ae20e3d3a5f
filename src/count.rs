//! Elements of symmetric tensors are counted without being listed.

/// Counts the [multisets](crate::tensor::multisets) of `order` indices over `points` points:
/// C(points + order - 1, order). The product saturates, so that a count too large for 64 bits is at
/// least `u64::MAX / order`.
///
/// ```
/// use nnqft_gpu::tensor::multiset_count;
///
/// assert_eq!(multiset_count(6, 4), 126);
/// ```
pub fn multiset_count(points: u64, order: u64) -> u64 {
    (0..order).fold(1u64, |count, k| {
        count.saturating_mul(points.saturating_add(k)) / (k + 1)
    })
}

/// Counts the elements that [`Tuples::all`](crate::tensor::Tuples::all) lists.
pub(crate) fn all(points: u64, d_out: u64, order: u64) -> u64 {
    multiset_count(points.saturating_mul(d_out), order)
}

/// Counts the elements that [`Tuples::paired`](crate::tensor::Tuples::paired) lists.
pub(crate) fn paired(points: u64, d_out: u64, order: u64) -> u64 {
    let pairs = multiset_count(points, 2);
    let fours = multiset_count(points, 4);
    match order {
        _ if d_out == 1 => multiset_count(points, order),
        2 => pairs,
        4 => fours.saturating_add(multiset_count(pairs, 2)),
        6 => multiset_count(points, 6)
            .saturating_add(fours.saturating_mul(pairs))
            .saturating_add(match d_out {
                2 => 0,
                _ => multiset_count(pairs, 3),
            }),
        // Odd orders do not pair.
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Tuples, multisets};

    #[test]
    fn multisets_are_counted_as_they_are_listed() {
        for (points, order) in (1..6).flat_map(|p| (1..5).map(move |n| (p, n))) {
            let listed = multisets(points, order).len() as u64;
            assert_eq!(multiset_count(points as u64, order as u64), listed);
        }
        assert_eq!(multiset_count(u64::MAX, 2), u64::MAX / 2);
    }

    #[test]
    fn elements_are_counted_as_they_are_listed() {
        for (points, d_out, order) in
            (1..4).flat_map(|p| (1..5).flat_map(move |d| (1..7).map(move |n| (p, d, n))))
        {
            let [p, d, n] = [points, d_out, order].map(|x| x as u64);
            let listed = Tuples::all(points, d_out, order).len() as u64;
            assert_eq!(all(p, d, n), listed, "{p} {d} {n}");
            let listed = Tuples::paired(points, d_out, order).len() as u64;
            assert_eq!(paired(p, d, n), listed, "{p} {d} {n}");
        }
    }
}
