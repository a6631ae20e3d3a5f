use twice::Twice;

use super::*;

/// Numbers of either sign from every binade, subnormal and infinite ones included, and dense
/// where functions bend.
fn line() -> Vec<f64> {
    let infinity = f64::INFINITY.to_bits();
    let everywhere = (0..50_000).map(|k| f64::from_bits(infinity / 50_000 * k));
    let near_zero = (0..100_000).map(|k| f64::from(k) / 2_500.0);
    let near_one = (-20_000..=20_000).map(|k| 1.0 + f64::from(k) / 1e8);
    let exponential = (0..30_000).map(|k| f64::from(k) / 40.0);
    let edges = [
        f64::INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::MIN_POSITIVE.next_down(),
        5e-324,
        5.93,
        20.0,
    ];
    let all = everywhere.chain(near_zero).chain(near_one);
    let all = all.chain(exponential).chain(edges);
    all.flat_map(|x| [x, -x]).collect()
}

/// Numbers around multiples of pi / 2, as far as angles are reduced in vector code and beyond.
fn quarter_turns() -> Vec<f64> {
    let around = |k: u32| {
        let x = f64::from(k) * std::f64::consts::FRAC_PI_2;
        [x.next_down(), x, x.next_up()]
    };
    (1..700_000).flat_map(around).collect()
}

/// Holds values against exact ones: infinities and what is no number are the same, zeros are
/// zeros, and the rest has at most a relative error. The exponential may cut off.
fn hold(name: &str, bound: f64, points: &[f64], got: &[f64], exact: impl Fn(f64) -> f64) {
    let mut worst = (0.0, 0.0);
    for (&x, &got) in points.iter().zip(got) {
        let want = exact(x);
        let is_cut =
            (got == 0.0 && want.abs() < 3.4e-308) || (got == f64::INFINITY && want > 8.2e307);
        if got == want || (got.is_nan() && want.is_nan()) || is_cut {
            continue;
        }
        // Subnormal numbers are a fixed distance apart.
        let error = ((got - want).abs() - 5e-324).max(0.0) / want.abs();
        assert!(error.is_finite(), "{name} {x:e}: {got:e} {want:e}");
        if error > worst.0 {
            worst = (error, x);
        }
    }
    assert!(worst.0 <= bound, "{name} {worst:?}");
}

#[test]
fn functions_agree_with_libm_on_the_whole_line() {
    for op in Unary::ALL {
        let mut line = line();
        if matches!(op, Unary::Sin | Unary::Cos) {
            line.extend(quarter_turns());
        }
        // libm errs by up to 1e-16 itself.
        let bound = match op {
            Unary::Neg | Unary::Abs | Unary::Sign | Unary::Step | Unary::Sqrt => 0.0,
            _ => 1e-15,
        };
        for (name, run) in [
            ("fused", unary::<true> as fn(Unary, &mut [f64])),
            ("not fused", unary::<false>),
        ] {
            let mut row = line.clone();
            row.chunks_mut(256).for_each(|row| run(op, row));
            hold(&format!("{} {name}", op.name()), bound, &line, &row, |x| {
                op.apply(x)
            });
        }
    }
}

#[test]
fn powers_agree_with_libm_on_the_whole_line() {
    let line = line();
    for (b, bound) in [
        (0.5, 1e-15),
        (1.7, 1e-15),
        (-0.3, 1e-15),
        (1.0 / 3.0, 1e-15),
        (-2.5, 1e-15),
        (12.1, 1e-15),
        (-63.3, 1e-15),
        (200.5, 1e-15),
        (1e-3, 1e-15),
        (1e-300, 1e-15),
        (1000.5, 4e-15),
        (-2500.3, 4e-15),
        (1e5 + 0.1, 4e-15),
        (-1e12 - 0.1, 4e-15),
    ] {
        for (name, run) in [
            (
                "fused",
                binary::<true> as fn(Binary, &mut [f64], Operand, bool),
            ),
            ("not fused", binary::<false>),
        ] {
            let mut row = line.clone();
            run(Binary::Pow, &mut row, Operand::Scalar(b), false);
            hold(&format!("^{b} {name}"), bound, &line, &row, |x| {
                if x < 0.0 { f64::NAN } else { libm::pow(x, b) }
            });
        }
    }
}

#[test]
fn operations_of_two_operands_keep_their_order() {
    let (a, b) = ([2.0, 9.0, 0.5], [4.0, 0.5, 3.0]);
    for op in Binary::ALL {
        for (operand, other) in [(Operand::Row(&b), b), (Operand::Scalar(b[0]), [b[0]; 3])] {
            let (mut straight, mut swapped) = (a, a);
            binary::<true>(op, &mut straight, operand, false);
            binary::<true>(op, &mut swapped, operand, true);
            for k in 0..3 {
                let close = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-15;
                assert!(
                    close(straight[k], op.apply(a[k], other[k])),
                    "{}",
                    op.name()
                );
                assert!(close(swapped[k], op.apply(other[k], a[k])), "{}", op.name());
            }
        }
    }
}

#[test]
fn what_a_lane_yields_does_not_depend_on_others() {
    let near: Vec<f64> = (0..64).map(|k| f64::from(k) * 1234.567).collect();
    for op in [Unary::Sin, Unary::Cos] {
        let (mut alone, mut beside) = (near.clone(), near.clone());
        beside.push(1e300);
        unary::<true>(op, &mut alone);
        unary::<true>(op, &mut beside);
        assert_eq!(alone[..], beside[..64]);
    }
}

/// Sums of two numbers, of which the second is below the rounding of the first: some 31 digits.
mod twice {
    use std::ops::{Add, Div, Mul};

    #[derive(Debug, Clone, Copy)]
    pub struct Twice(pub f64, pub f64);

    impl Twice {
        /// The exact sum of two numbers.
        fn sum(a: f64, b: f64) -> Self {
            let sum = a + b;
            let back = sum - a;
            Self(sum, (a - (sum - back)) + (b - back))
        }
    }

    impl Add for Twice {
        type Output = Self;

        fn add(self, other: Self) -> Self {
            let Self(sum, rest) = Self::sum(self.0, other.0);
            Self::sum(sum, rest + (self.1 + other.1))
        }
    }

    impl Mul for Twice {
        type Output = Self;

        fn mul(self, other: Self) -> Self {
            let product = self.0 * other.0;
            let rest = self.0.mul_add(other.0, -product);
            Self::sum(product, rest + (self.0 * other.1 + self.1 * other.0))
        }
    }

    impl Div for Twice {
        type Output = Self;

        fn div(self, other: Self) -> Self {
            let quotient = self.0 / other.0;
            let rest = (-quotient).mul_add(other.0, self.0) + (self.1 - quotient * other.1);
            Self::sum(quotient, rest / other.0)
        }
    }
}

/// tanh(x) to some 30 digits, by its continued fraction and the addition theorem.
fn exact_tanh(x: f64) -> Twice {
    let (mut z, mut halvings) = (x, 0);
    while z.abs() > 0.1 {
        (z, halvings) = (0.5 * z, halvings + 1);
    }
    let number = |x: f64| Twice(x, 0.0);
    let square = number(z) * number(z);
    let fraction = (0..12).rev().fold(number(25.0), |below, k| {
        number(f64::from(2 * k + 1)) + square / below
    });
    let mut t = number(z) / fraction;
    for _ in 0..halvings {
        t = (t + t) / (number(1.0) + t * t);
    }
    t
}

/// How far a number is from an exact one, relative to that; subnormal numbers are a fixed distance apart.
fn error(got: f64, exact: Twice) -> f64 {
    let error = ((got - exact.0) - exact.1).abs() - 5e-324;
    error.max(0.0) / exact.0.abs()
}

/// Positive numbers where the hyperbolic tangent may go wrong: small ones, all over where it bends, around the
/// places where its reduction takes another power of two, and beyond where it ends.
fn where_tanh_may_go_wrong() -> Vec<f64> {
    let ends = 1..=120u32;
    let steps = ends.flat_map(|k| {
        let at = f64::from(k) * std::f64::consts::LN_2 / 4.0;
        (-50..=50).map(move |ulp| f64::from_bits(at.to_bits().wrapping_add_signed(ulp)))
    });
    let small = (0..5000).map(|k| f64::from_bits(0.2f64.to_bits() / 5000 * k));
    let all = (0..150_000).map(|k| f64::from(k) * 1.000_000_123e-5);
    let large = (0..100_000).map(|k| 1.5 + f64::from(k) * 1.9e-4);
    let edges = [
        // The worst of 6 10^7 points where products and sums are apart.
        0.174_288_407_319_933_06,
        5e-324,
        f64::MIN_POSITIVE,
        19.06,
        20.0,
        709.0,
        1e300,
        f64::MAX,
    ];
    let around = edges
        .into_iter()
        .flat_map(|x| [x.next_down(), x, x.next_up()]);
    let all = steps.chain(small).chain(all).chain(large).chain(around);
    all.chain([0.0, f64::INFINITY]).collect()
}

#[test]
fn hyperbolic_tangents_and_their_derivatives_are_right_to_the_last_places() {
    let line = where_tanh_may_go_wrong();
    let exact: Vec<Twice> = (line.iter()).map(|&x| exact_tanh(x.min(400.0))).collect();
    let negative: Vec<f64> = line.iter().map(|x| -x).collect();
    for (name, run, both, bound) in [
        (
            "fused",
            unary::<true> as fn(Unary, &mut [f64]),
            tanh_and_slope::<true> as fn(&mut [f64], &mut [f64]),
            5e-16,
        ),
        ("not fused", unary::<false>, tanh_and_slope::<false>, 6e-16),
    ] {
        let mut values = line.clone();
        run(Unary::Tanh, &mut values);
        for ((x, &got), &want) in line.iter().zip(&values).zip(&exact) {
            assert!(
                error(got, want) <= bound || got == 0.0 && *x == 0.0,
                "{name} {x:e}: {got:e} {want:?}"
            );
            assert!(got <= 1.0, "{name} {x:e}: {got:e}");
        }
        // Odd to the bit, signs of zeros included.
        let mut mirrored = negative.clone();
        run(Unary::Tanh, &mut mirrored);
        for (x, (a, b)) in line.iter().zip(values.iter().zip(&mirrored)) {
            assert_eq!((-a).to_bits(), b.to_bits(), "{name} {x:e}");
        }
        let (mut again, mut slopes) = (line.clone(), vec![f64::NAN; line.len()]);
        both(&mut again, &mut slopes);
        assert_eq!(again, values, "{name}");
        for ((x, value), slope) in line.iter().zip(&values).zip(slopes) {
            // 1 - (1 - eps)^2 is the least number that is not 0.
            let want = (1.0 - value) * (1.0 + value);
            assert!(
                (slope - want).abs() <= 2.3e-16,
                "{name} {x:e}: {slope:e} {want:e}"
            );
            assert!((0.0..=1.0).contains(&slope), "{name} {x:e}: {slope:e}");
        }
        let (mut nan, mut slope) = ([f64::NAN], [0.0]);
        both(&mut nan, &mut slope);
        assert!(nan[0].is_nan() && slope[0].is_nan(), "{name}");
    }
}

#[test]
fn sigmoids_are_right_to_the_last_places() {
    // 1/2 + tanh(x/2)/2 cancels below 0: at -30 it leaves 17 of 30 digits.
    let line: Vec<f64> = (0..200_000).map(|k| f64::from(k) * 3.6e-4 - 30.0).collect();
    for (name, run) in [
        ("fused", unary::<true> as fn(Unary, &mut [f64])),
        ("not fused", unary::<false>),
    ] {
        let mut values = line.clone();
        run(Unary::Sigmoid, &mut values);
        for (x, got) in line.iter().zip(values) {
            let half = Twice(0.5, 0.0);
            let want = half + half * exact_tanh(0.5 * x);
            let error = error(got, want);
            assert!(error <= 5e-16, "{name} {x:e}: {got:e} {want:?} {error:e}");
        }
    }
}
