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
