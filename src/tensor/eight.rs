//! Eight neighbouring blocks are formed and joined side by side, one in each lane of a vector: the numbers of one block
//! are added in a fixed order, which leaves a processor nothing to do at a time.

use super::accumulator::Chan;
use crate::simd::vectorised;

/// Number of blocks side by side.
pub const SIDE_BY_SIDE: usize = 8;

/// `Eight` holds one number of each of eight blocks, in the order of [`PLACES`].
pub type Eight = [f64; SIDE_BY_SIDE];

/// Block of each lane: at every level of the tree those that join are in the two halves of what is left.
pub const PLACES: [usize; SIDE_BY_SIDE] = [0, 4, 2, 6, 1, 5, 3, 7];

/// Joins the elements of eight blocks of so many networks, lane after lane; returns the number of all networks.
pub fn join_eight(elements: &[Eight], networks: Eight, mean: &mut [f64], m2: &mut [f64]) -> f64 {
    let mut left = networks;
    let factors = HALVES.map(|half| {
        let chan = |k| Chan::new(left[k], left[k + half]);
        let level: [Chan; SIDE_BY_SIDE / 2] = std::array::from_fn(|k| chan(k % half));
        level
            .iter()
            .take(half)
            .zip(&mut left)
            .for_each(|(chan, left)| *left = chan.networks);
        (level.map(|chan| chan.to_mean), level.map(|chan| chan.to_m2))
    });
    join_lanes(elements, &factors, mean, m2);
    left[0]
}

/// Number of joins at each level of the tree.
const HALVES: [usize; 3] = [4, 2, 1];

type Level = ([f64; SIDE_BY_SIDE / 2], [f64; SIDE_BY_SIDE / 2]);

vectorised! {
    fn join_lanes(elements: &[Eight], factors: &[Level; 3], mean: &mut [f64], m2: &mut [f64]) {
        let [first, second, third] = factors;
        for ((lanes, mean), m2) in elements.iter().zip(mean).zip(m2) {
            let ones = level::<8, 4>(*lanes, [0.0; 8], first);
            let twos = level::<4, 2>(ones.0, ones.1, second);
            let fours = level::<2, 1>(twos.0, twos.1, third);
            [*mean] = fours.0;
            [*m2] = fours.1;
        }
    }
}

/// Joins the two halves of some lanes.
#[inline(always)]
fn level<const N: usize, const HALF: usize>(
    means: [f64; N],
    m2s: [f64; N],
    (to_mean, to_m2): &Level,
) -> ([f64; HALF], [f64; HALF]) {
    let (mut mean, mut m2) = ([0.0; HALF], [0.0; HALF]);
    for k in 0..HALF {
        let delta = means[k + HALF] - means[k];
        mean[k] = means[k] + delta * to_mean[k];
        m2[k] = m2s[k] + (m2s[k + HALF] + delta * delta * to_m2[k]);
    }
    (mean, m2)
}
