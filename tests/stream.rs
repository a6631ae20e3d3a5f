//! The random stream: published vectors, bit equality of the engines, and the law of the
//! normals.

mod common;

use common::gpu;
use nnqft_gpu::model::Law;
use nnqft_gpu::stream::{Part, Words, normals, variates};

/// ChaCha8 key streams from draft-strombergson-chacha-test-vectors-01, 256-bit keys:
/// (seed = first words of the key, stream = IV, first block, bytes).
const VECTORS: [(u64, u64, u32, &str); 4] = [
    // TC1, all zero, blocks 0 and 1
    (
        0,
        0,
        0,
        "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e\
         984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
    ),
    (
        0,
        0,
        1,
        "d2aefa0deaa5c151bf0adb6c01f2a5adc0fd581259f9a2aadcf20f8fd566a26b\
         5032ec38bbc5da98ee0c6f568b872a65a08abf251deb21bb4b56e5d8821e68aa",
    ),
    // TC2, a single bit in the key
    (
        1,
        0,
        0,
        "cf5ee9a0494aa9613e05d5ed725b804b12f4a465ee635acc3a311de8740489ea\
         289d04f43c7518db56eb4433e498a1238cd8464d3763ddbb9222ee3bd8fae3c8",
    ),
    // TC3, a single bit in the IV
    (
        0,
        1,
        0,
        "2b8f4bb3798306ca5130d47c4f8d4ed13aa0edccc1be6942090faeeca0d7599b\
         7ff0fe616bb25aa0153ad6fdc88b954903c22426d478b97b22b8f9b1db00cf06",
    ),
];

fn bytes(hex: &str) -> Vec<u32> {
    let byte = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len() / 8)
        .map(|w| u32::from_le_bytes(std::array::from_fn(|k| byte(8 * w + 2 * k))))
        .collect()
}

#[test]
fn both_engines_give_the_published_words() {
    let gpu = gpu();
    for (seed, stream, block, hex) in VECTORS {
        let mut words = vec![0; 16];
        Words::new(seed, stream, block.into()).fill(&mut words);
        assert_eq!(words, bytes(hex), "cpu, seed {seed}, stream {stream}");
        let (words, _) = gpu.draws(seed, stream, block, 1, Law::Gaussian).unwrap();
        assert_eq!(words, bytes(hex), "gpu, seed {seed}, stream {stream}");
    }
}

#[test]
fn words_are_equal_and_variates_agree_to_f32() {
    let gpu = gpu();
    let blocks = 20_000;
    for (seed, stream, first) in [
        (0, Part::Hidden.stream(0), 0),
        (u64::MAX, Part::Output.stream(9), u32::MAX - 10_000),
        (0x0123_4567_89ab_cdef, u64::MAX, 77),
    ] {
        for law in Law::ALL {
            let (got, got_variates) = gpu.draws(seed, stream, first, blocks, law).unwrap();
            let mut words = vec![0; got.len()];
            Words::new(seed, stream, first.into()).fill(&mut words);
            assert!(got == words, "words differ");
            let mut want = vec![0.0; words.len()];
            variates(law, &words, &mut want);
            let all = &want;
            for (u, (got, want)) in got_variates.iter().zip(all).enumerate() {
                let size = match law {
                    // Normals u and u ^ 8 of a block share r.
                    Law::Gaussian => want.hypot(all[u ^ 8]),
                    _ => want.abs(),
                };
                // In units of size x 2^-24: two roundings of the angle, three of the sine, three
                // of r (its logarithm can lose a factor of two between e ln 2 and the series).
                let bound = match law {
                    Law::Rademacher => 0.0,
                    _ => 8.0 * 2f64.powi(-24) * size,
                };
                assert!(
                    (f64::from(*got) - want).abs() <= bound,
                    "{law} {got} {want}"
                );
            }
        }
    }
}

/// 10^7 normals of the CPU engine.
fn ten_million() -> Vec<f64> {
    let mut words = vec![0; 10_000_000];
    Words::new(5, Part::Hidden.stream(0), 0).fill(&mut words);
    let mut draws = vec![0.0; words.len()];
    normals(&words, &mut draws);
    draws
}

#[test]
fn normals_have_the_moments_of_a_gaussian() {
    let draws = ten_million();
    let n = draws.len() as f64;
    let double_factorial = |k: i32| (1..k).step_by(2).map(f64::from).product::<f64>();
    for k in 1..=8 {
        let mean: f64 = draws.iter().map(|x| x.powi(k)).sum::<f64>() / n;
        let want = if k % 2 == 0 { double_factorial(k) } else { 0.0 };
        // Var x^k = (2k-1)!! - ((k-1)!!)^2
        let error = ((double_factorial(2 * k) - want * want) / n).sqrt();
        assert!(
            (mean - want).abs() < 4.0 * error,
            "moment {k}: {mean} {want}"
        );
    }
}

#[test]
fn normals_have_the_tail_of_a_gaussian() {
    let draws = ten_million();
    for cut in [2.0f64, 3.0, 4.0, 4.5] {
        let beyond = draws.iter().filter(|x| x.abs() > cut).count() as f64;
        let expected = draws.len() as f64 * libm::erfc(cut / std::f64::consts::SQRT_2);
        assert!(
            (beyond - expected).abs() < 4.0 * expected.sqrt(),
            "beyond {cut}: {beyond}, expected {expected}"
        );
    }
    assert!(draws.iter().all(|x| x.abs() < 6.78));
}

/// Kolmogorov-Smirnov distance x sqrt(n), and with the limits of its law at 10^-4 on
/// either side: too good a fit is as wrong as a bad one.
fn kolmogorov_smirnov(mut draws: Vec<f64>) {
    draws.sort_unstable_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = draws.iter().enumerate().map(|(i, x)| {
        let cdf = 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        (cdf - i as f64 / n)
            .abs()
            .max((cdf - (i + 1) as f64 / n).abs())
    });
    let statistic = distance.fold(0.0, f64::max) * n.sqrt();
    assert!(
        (0.32..2.23).contains(&statistic),
        "KS statistic {statistic}"
    );
}

#[test]
fn normals_pass_kolmogorov_smirnov() {
    kolmogorov_smirnov(ten_million());
    let (_, draws) = gpu().draws(5, 0, 0, 60_000, Law::Gaussian).unwrap();
    kolmogorov_smirnov(draws.into_iter().map(f64::from).collect());
}

#[test]
fn the_two_normals_of_a_pair_and_neighbours_are_uncorrelated() {
    let draws = ten_million();
    for lag in [1, 2, 8, 16, 48] {
        let n = (draws.len() - lag) as f64;
        let mean: f64 = draws
            .iter()
            .zip(&draws[lag..])
            .map(|(a, b)| a * b)
            .sum::<f64>()
            / n;
        assert!(mean.abs() < 4.0 / n.sqrt(), "lag {lag}: {mean}");
        let squares: f64 = (draws.iter().zip(&draws[lag..]))
            .map(|(a, b)| (a * a - 1.0) * (b * b - 1.0))
            .sum::<f64>()
            / n;
        assert!(
            squares.abs() < 4.0 * 2.0 / n.sqrt(),
            "squares, lag {lag}: {squares}"
        );
    }
}

#[test]
fn the_stream_is_stable() {
    // A change here changes every published result: it must be deliberate.
    let mut words = vec![0; 16];
    Words::new(0, Part::Output.stream(3), 1000).fill(&mut words);
    let mut draws = vec![0.0; 16];
    normals(&words, &mut draws);
    assert_eq!(words[..2], STABLE_WORDS);
    assert!((draws[0] - STABLE_NORMALS[0]).abs() < 1e-15);
    assert!((draws[8] - STABLE_NORMALS[1]).abs() < 1e-15);
}

const STABLE_WORDS: [u32; 2] = [1_126_299_469, 1_187_568_231];
const STABLE_NORMALS: [f64; 2] = [-1.1229118984407052, 1.1899923714729075];
