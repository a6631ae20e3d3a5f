use proptest::prelude::*;

use super::*;
use crate::model::CatalogueEntry;
use crate::model::activation::{Activation, Derivative, Op, expressions};

fn tape(text: &str) -> Tape {
    Tape::compile(&text.parse().unwrap()).unwrap()
}

fn apply(tape: &Tape, z: &[f64], v: f64) -> Vec<f64> {
    let evaluator = Evaluator::new(tape);
    let mut z = z.to_vec();
    evaluator.apply(&mut z, v, &mut Scratch::default());
    z
}

#[test]
fn catalogue_agrees_with_the_tape() {
    let mut z: Vec<f64> = (-30_000..=30_000).map(|k| f64::from(k) / 1000.0).collect();
    z.extend([1e-300, -1e-17, 1e5, -1e5, 700.0, -700.0]);
    for (text, bound) in [
        ("z", 0.0),
        ("abs(z)", 0.0),
        ("step(z)", 0.0),
        ("max(z,0)", 0.0),
        ("max(z,0)+0.01*min(z,0)", 0.0),
        ("erf(z)", 3e-15),
        ("tanh(z)", 1e-15),
        ("sin(z)", 1e-15),
        ("cos(z)", 1e-15),
        ("z*(1+erf(z/sqrt(2)))/2", 3e-15),
        ("z*sigmoid(z)", 2e-15),
        ("sigmoid(z)", 2e-15),
        ("softplus(z)", 2e-15),
        ("exp(-z^2)*z", 2e-15),
        ("exp(-z^2/(1+2*v))*sqrt(1+v)", 2e-15),
        ("abs(z)^1.7/(1+abs(z)^1.7)", 2e-15),
        ("log(1+z^2)", 1e-15),
        ("sign(z)*log1p(abs(z))", 1e-15),
    ] {
        let tape = tape(text);
        for (z, got) in z.iter().zip(apply(&tape, &z, 0.7)) {
            let want = tape.evaluate(*z, 0.7);
            let error = (got - want).abs() / want.abs().max(1.0);
            assert!(error <= bound, "{text} {z} {got} {want}");
        }
    }
}

#[test]
fn rows_of_any_length_are_evaluated_with_their_own_variance() {
    let tape = tape("exp(z-v)*z+v");
    let evaluator = Evaluator::new(&tape);
    let mut scratch = Scratch::default();
    for (len, v) in [
        (0, 1.0),
        (1, 2.0),
        (16, 0.5),
        (255, 0.0),
        (256, 3.0),
        (1000, 1.5),
    ] {
        let z: Vec<f64> = (0..len).map(|k| f64::from(k) / 500.0).collect();
        let mut values = z.clone();
        evaluator.apply(&mut values, v, &mut scratch);
        for (z, value) in z.iter().zip(values) {
            assert!((value - tape.evaluate(*z, v)).abs() < 1e-14, "{len} {z}");
        }
    }
}

#[test]
fn what_does_not_depend_on_z_fills_the_row() {
    assert_eq!(apply(&tape("2*v+1"), &[1.0, 2.0], 3.0), [7.0, 7.0]);
}

/// How far rounding may take a tape's value, from how far it may take each operation's and
/// their operands; none close to a jump or a pole, or where the exponential cuts off.
fn error_bound(tape: &Tape, z: f64, v: f64) -> Option<f64> {
    let values = tape.interpret(|op, done: &[(f64, f64)]| {
        let ends = |a: usize| [-1.0, 0.0, 1.0].map(|sign| done[a].0 + sign * done[a].1);
        let (all, value): (Vec<f64>, f64) = match op {
            Op::Z => return (z, 0.0),
            Op::V => return (v, 0.0),
            Op::Const(c) => return (c, 0.0),
            Op::Unary(op, a) => (ends(a).map(|x| op.apply(x)).into(), op.apply(done[a].0)),
            Op::Binary(op, a, b) => {
                let all = ends(a).into_iter();
                let all = all.flat_map(|x| ends(b).map(|y| op.apply(x, y)));
                (all.collect(), op.apply(done[a].0, done[b].0))
            }
        };
        let reach = |reach: f64, x: &f64| match (x - value).abs() {
            distance if distance < 1e-6 * value.abs().max(1.0) => reach.max(distance),
            _ => f64::NAN,
        };
        let reach = all.iter().fold(0.0, reach);
        (value, 1.01 * reach + 4e-15 * value.abs() + 1e-307)
    });
    let is_sane = |&(value, error): &(f64, f64)| value.abs() < 1e300 && error.is_finite();
    values
        .iter()
        .all(is_sane)
        .then(|| values[values.len() - 1].1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_tapes_agree_operation_by_operation(
        text in expressions(),
        z in prop::collection::vec(-4.0..4.0f64, 1..40),
        v in 0.0..2.0f64,
    ) {
        let Ok(tape) = Tape::compile(&text.parse().unwrap()) else {
            return Ok(());
        };
        for (&z, value) in z.iter().zip(apply(&tape, &z, v)) {
            let exact = tape.evaluate(z, v);
            let Some(bound) = error_bound(&tape, z, v) else { continue };
            prop_assert!((value - exact).abs() <= bound, "{} {} {} {}", text, z, value, exact);
        }
    }
}

#[test]
fn activations_and_derivatives_are_evaluated_together() {
    let own = [
        "exp(z-v)*z+v",
        "z*v",
        "max(sin(z),cos(z))",
        "z^3/(2+v)",
        "step(z)",
        "2*tanh(z/2)+z",
        "tanh(z)^2",
        "tanh(tanh(z))*v",
        "z+v",
    ];
    let catalogue = CatalogueEntry::all().iter().map(|e| &e.activation[..]);
    let z: Vec<f64> = (0..700).map(|k| f64::from(k) / 100.0 - 3.505).collect();
    let mut scratch = Scratch::default();
    for text in catalogue.chain(own) {
        let activation: Activation = text.parse().unwrap();
        let derivative = Derivative::of(&activation).unwrap();
        let (mut values, mut slopes) = (z.clone(), vec![f64::NAN; z.len()]);
        let evaluator = DualEvaluator::new(derivative.both());
        evaluator.apply(&mut values, &mut slopes, 0.7, &mut scratch);
        for ((z, value), slope) in z.iter().zip(values).zip(slopes) {
            let want = derivative.both().evaluate(*z, 0.7);
            for (got, want) in [value, slope].into_iter().zip(want) {
                let error = (got - want).abs() / want.abs().max(1.0);
                assert!(error <= 4e-15, "{text} {z} {got} {want}");
            }
        }
    }
}
