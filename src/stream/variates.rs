//! This module makes variates of unit variance of every law (twin of `shaders/variates.wgsl`).
//!
//! Standard normals are made of pairs of words. A variate of another law is made of the word in its
//! own place alone.

use std::f64::consts::FRAC_1_SQRT_2;

use super::normals::{Halves, box_muller, box_muller_blocks, minus_two_ln_uniform};
use crate::model::Law;
use crate::simd::{has_fma, vectorised};

/// sqrt(3) / 2^31.
const UNIFORM_STEP: f64 = 1.732_050_807_568_877_2 / 2_147_483_648.0;

/// Turns whole blocks of 16 words into as many variates of a law, of mean 0 and unit variance.
///
/// ```
/// use nnqft_gpu::model::Law;
/// use nnqft_gpu::stream::variates;
///
/// let words = [0, 1 << 31, u32::MAX, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];
/// let mut signs = [0.0; 16];
/// variates(Law::Rademacher, &words, &mut signs);
/// assert_eq!(signs[..3], [1.0, -1.0, -1.0]);
/// ```
///
/// # Panics
/// If the lengths differ or are no multiple of 16.
pub fn variates(law: Law, words: &[u32], variates: &mut [f64]) {
    in_blocks(law, words, variates, &mut Halves::default());
}

vectorised! {
    fn in_blocks(law: Law, words: &[u32], variates: &mut [f64], halves: &mut Halves) {
        variates_of_blocks::<{ has_fma!() }>(law, words, variates, halves);
    }
}

/// Turns blocks as [`variates`] does, to be compiled into its caller.
#[inline(always)]
pub(crate) fn variates_of_blocks<const FMA: bool>(
    law: Law,
    words: &[u32],
    variates: &mut [f64],
    halves: &mut Halves,
) {
    assert!(words.len() == variates.len() && words.len().is_multiple_of(16));
    match law {
        Law::Gaussian => box_muller_blocks::<FMA>(words, variates, halves),
        Law::Uniform | Law::Phase => uniforms(words, variates),
        Law::Rademacher => signs(words, variates),
        Law::Laplace => laplaces::<FMA>(words, variates),
    }
}

/// Turns 16 blocks that lie side by side, word w of block l in `words[16 w + l]`, into as many
/// variates.
#[inline(always)]
pub(crate) fn variates_of_lanes<const FMA: bool>(law: Law, words: &[u32], variates: &mut [f64]) {
    match law {
        Law::Gaussian => {
            let (radii, angles) = words.split_at(words.len() / 2);
            let (x, y) = variates.split_at_mut(words.len() / 2);
            box_muller::<FMA>(radii, angles, x, y);
        }
        Law::Uniform | Law::Phase => uniforms(words, variates),
        Law::Rademacher => signs(words, variates),
        Law::Laplace => laplaces::<FMA>(words, variates),
    }
}

#[inline(always)]
fn uniforms(words: &[u32], variates: &mut [f64]) {
    for (word, x) in words.iter().zip(variates) {
        *x = uniform(*word);
    }
}

#[inline(always)]
fn signs(words: &[u32], variates: &mut [f64]) {
    for (word, x) in words.iter().zip(variates) {
        *x = signed(*word, 1.0);
    }
}

#[inline(always)]
fn laplaces<const FMA: bool>(words: &[u32], variates: &mut [f64]) {
    for (word, x) in words.iter().zip(variates) {
        *x = laplace::<FMA>(*word);
    }
}

/// Computes the variate on [-sqrt 3, sqrt 3] of a word: the middle of its cell of 2^32.
#[inline(always)]
fn uniform(word: u32) -> f64 {
    (f64::from((word ^ (1 << 31)) as i32) + 0.5) * UNIFORM_STEP
}

/// Gives a magnitude the sign of a word: minus if its top bit is set.
#[inline(always)]
fn signed(word: u32, magnitude: f64) -> f64 {
    let sign = u64::from(word >> 31) << 63;
    f64::from_bits(magnitude.to_bits() ^ sign)
}

/// Computes the variate of a word whose density is exp(-sqrt 2 |x|) / sqrt 2: the magnitude is
/// -ln(u) / sqrt 2, and u has the bits that the sign leaves.
#[inline(always)]
fn laplace<const FMA: bool>(word: u32) -> f64 {
    let magnitude = 0.5 * FRAC_1_SQRT_2 * minus_two_ln_uniform::<FMA>(word << 1);
    signed(word, magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Part, Words};

    const OTHERS: [Law; 4] = [Law::Uniform, Law::Rademacher, Law::Laplace, Law::Phase];

    fn draws(law: Law, count: usize) -> Vec<f64> {
        let mut words = vec![0; count];
        Words::new(11, Part::Hidden.stream(2), 0).fill(&mut words);
        let mut draws = vec![0.0; count];
        variates(law, &words, &mut draws);
        draws
    }

    #[test]
    fn variates_are_stable() {
        // A change here changes every published result: it must be deliberate. Words, uniform and
        // Laplace variates by arithmetic of 30 digits.
        let known = [
            (0, -1.732050807165603, 16.174259367231027),
            (1, -1.7320508063590538, 15.036214905450155),
            (0x7fff_ffff, -4.032745043674664e-10, 2.469541905366436e-10),
            (0x8000_0000, 4.032745043674664e-10, -16.174259367231027),
            (0xffff_ffff, 1.732050807165603, -2.469541905366436e-10),
            (0x1234_5678, -1.4857146927988765, 1.3791159641351731),
            (0xdead_beef, 1.281_158_668_800_373, -0.213_221_874_006_867_8),
        ];
        for (word, uniform, laplace) in known {
            let sign = if word < 1 << 31 { 1.0 } else { -1.0 };
            for (law, want) in OTHERS.into_iter().zip([uniform, sign, laplace, uniform]) {
                let mut got = [0.0; 16];
                variates(law, &[word; 16], &mut got);
                for x in got {
                    assert!((x / want - 1.0).abs() < 1e-15, "{law} {word}: {x} {want}");
                }
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_law() {
        const COUNT: usize = 4_000_000;
        for law in OTHERS {
            let draws = draws(law, COUNT);
            for k in 1..=8 {
                let mean: f64 = draws.iter().map(|x| x.powi(k as i32)).sum::<f64>() / COUNT as f64;
                let want = law.moment(k);
                let error = ((law.moment(2 * k) - want * want) / COUNT as f64).sqrt();
                // Where x^k is constant there is the rounding of the sum.
                let bound = 4.0 * error + 1e-12;
                assert!((mean - want).abs() < bound, "{law}, {k}: {mean} {want}");
            }
            assert!(draws.iter().all(|x| x.abs() <= law.reach()), "{law}");
        }
    }

    #[test]
    fn continuous_laws_pass_kolmogorov_smirnov() {
        let uniform = |x: f64| 0.5 + x / 12f64.sqrt();
        let laplace = |x: f64| {
            let beyond = 0.5 * (-2f64.sqrt() * x.abs()).exp();
            if x < 0.0 { beyond } else { 1.0 - beyond }
        };
        let laws: [(Law, &dyn Fn(f64) -> f64); 2] =
            [(Law::Uniform, &uniform), (Law::Laplace, &laplace)];
        for (law, distribution) in laws {
            let mut draws = draws(law, 4_000_000);
            draws.sort_unstable_by(f64::total_cmp);
            let n = draws.len() as f64;
            let distances = draws.iter().enumerate().map(|(i, x)| {
                let cdf = distribution(*x);
                let below = (cdf - i as f64 / n).abs();
                below.max((cdf - (i + 1) as f64 / n).abs())
            });
            let statistic = distances.fold(0.0, f64::max) * n.sqrt();
            // Limits of its law at 10^-4 on either side: too good a fit is as wrong as a bad one.
            assert!((0.32..2.23).contains(&statistic), "{law}: {statistic}");
        }
    }

    #[test]
    fn blocks_side_by_side_have_the_variates_of_each() {
        let mut blocks = [0; 256];
        Words::new(3, 1, 0).fill(&mut blocks);
        let lanes: Vec<u32> = (0..256).map(|i| blocks[i % 16 * 16 + i / 16]).collect();
        for law in Law::ALL {
            let (mut together, mut each) = ([0.0; 256], [0.0; 256]);
            variates_of_lanes::<false>(law, &lanes, &mut together);
            variates_of_blocks::<false>(law, &blocks, &mut each, &mut Halves::default());
            for (i, x) in together.into_iter().enumerate() {
                assert_eq!(x, each[i % 16 * 16 + i / 16], "{law}");
            }
        }
    }
}
