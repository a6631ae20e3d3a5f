//! The activations of the catalogue, and others that must be understood or refused.

use super::*;
use proptest::prelude::*;
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

fn activation(text: &str) -> Activation {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

const GELU: &str = "z*(1+erf(z/sqrt(2)))/2";
const SOFTPLUS: &str = "max(z,0)+log1p(exp(-abs(z)))";

#[test]
fn properties_of_the_catalogue() {
    use Growth::{Bounded, Exponential, Power};
    use Parity::{Even, Neither, Odd};
    type Row = (&'static str, Parity, Option<f64>, &'static [f64], Growth);
    let rows: [Row; 14] = [
        ("erf(z)", Odd, None, &[], Bounded),
        ("max(z,0)", Neither, Some(1.0), &[0.0], Power(1.0)),
        ("exp(z-v)", Neither, None, &[], Exponential { rate: 1.0 }),
        ("tanh(z)", Odd, None, &[], Bounded),
        ("sin(z)", Odd, None, &[], Bounded),
        ("cos(z)", Even, None, &[], Bounded),
        (GELU, Neither, None, &[], Power(1.0)),
        ("z*sigmoid(z)", Neither, None, &[], Power(1.0)),
        (SOFTPLUS, Neither, None, &[], Power(1.0)),
        ("sigmoid(z)", Neither, None, &[], Bounded),
        ("max(z,0.01*z)", Neither, Some(1.0), &[0.0], Power(1.0)),
        ("z", Odd, Some(1.0), &[], Power(1.0)),
        ("step(z)", Neither, Some(0.0), &[0.0], Bounded),
        ("abs(z)", Even, Some(1.0), &[0.0], Power(1.0)),
    ];
    for (text, parity, homogeneous, kinks, growth) in rows {
        let act = activation(text);
        assert_eq!(act.expression(), text);
        assert_eq!(act.parity(), parity, "{text}");
        assert_eq!(act.homogeneous(), homogeneous, "{text}");
        assert_eq!(act.kinks(), kinks, "{text}");
        assert_eq!(act.growth(), growth, "{text}");
    }
}

#[test]
fn values_of_the_catalogue() {
    type Formula = fn(f64, f64) -> f64;
    let rows: [(&str, Formula); 14] = [
        ("erf(z)", |z, _| statrs::function::erf::erf(z)),
        ("max(z,0)", |z, _| if z > 0.0 { z } else { 0.0 }),
        ("exp(z-v)", |z, v| z.exp() / v.exp()),
        ("tanh(z)", |z, _| z.tanh()),
        ("sin(z)", |z, _| z.sin()),
        ("cos(z)", |z, _| z.cos()),
        (GELU, |z, _| {
            z * statrs::function::erf::erfc(-z * FRAC_1_SQRT_2) / 2.0
        }),
        ("z*sigmoid(z)", |z, _| z * z.exp() / (1.0 + z.exp())),
        (SOFTPLUS, |z, _| z.exp().ln_1p()),
        ("sigmoid(z)", |z, _| (1.0 + (z / 2.0).tanh()) / 2.0),
        ("max(z,0.01*z)", |z, _| if z > 0.0 { z } else { z / 100.0 }),
        ("z", |z, _| z),
        ("step(z)", |z, _| if z > 0.0 { 1.0 } else { 0.0 }),
        ("abs(z)", |z, _| z.abs()),
    ];
    for (text, formula) in rows {
        for z in [-5.0, -SQRT_2, -0.3, 0.0, 1e-3, 0.7, 2.0, 6.5] {
            let (value, exact) = (activation(text).evaluate(z, 1.3), formula(z, 1.3));
            let error = (value - exact).abs();
            // statrs knows erf to 11 digits.
            assert!(error < 1e-10 * exact.abs().max(1.0), "{text} {z}: {error}");
        }
    }
    assert_eq!(
        activation(SOFTPLUS).evaluate(0.0, 1.0),
        std::f64::consts::LN_2
    );
    assert_eq!(activation(SOFTPLUS).evaluate(800.0, 1.0), 800.0);
    assert_eq!(activation("sign(z)").evaluate(0.0, 1.0), 0.0);
    assert_eq!(activation("step(z)").evaluate(0.0, 1.0), 0.0);
}

#[test]
fn what_is_no_activation_is_shown_with_its_part() {
    for (text, carets, sentence) in [
        (
            "1+v",
            "^^^",
            "1+v does not depend on z, so that it is no activation",
        ),
        (
            "z-z",
            "^^^",
            "z-z does not depend on z, so that it is no activation",
        ),
        (
            "1+exp(z^2)",
            "  ^^^^^^^^",
            "exp(z^2) grows faster with z than exp(c*z) for any c: its averages diverge",
        ),
        (
            "exp(exp(z))",
            "^^^^^^^^^^^",
            "exp(exp(z)) grows faster with z than exp(c*z) for any c: its averages diverge",
        ),
        (
            "z*sqrt(z)",
            "  ^^^^^^^",
            "sqrt(z) has no value at z = -1: the argument of sqrt must not be negative",
        ),
        (
            "log(z)",
            "^^^^^^",
            "log(z) has no value at z = 0: the argument of log must be positive",
        ),
        (
            "2+1/z",
            "  ^^^",
            "1/z has no value at z = 0: the denominator must not be 0",
        ),
        (
            "exp(z)/(1+exp(z))",
            "^^^^^^",
            "exp(z) is beyond 32-bit floats at z = 89, where the activation is not",
        ),
        (
            "abs(z-v)",
            "^^^^^^^^",
            "abs(z-v) has a kink whose place depends on v",
        ),
        ("z/0", "^^^", "z/0 is not a finite number"),
    ] {
        let error = text.parse::<Activation>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{sentence}\n    {text}\n    {carets}")
        );
    }
}

#[test]
fn long_expressions_take_no_longer_than_their_searches() {
    let start = std::time::Instant::now();
    for term in [
        "+abs(sin(9*z)+z*z*z-1)",
        "+1/(1.00001+sin(z*z))",
        "^999*z",
        "+sqrt(z*z-z^2+9e-9)",
    ] {
        let text = "z".to_string() + &term.repeat(expression::MAX_LENGTH / term.len() - 1);
        // Read or refused.
        let _ = text.parse::<Activation>();
    }
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn activations_are_strings_in_json() {
    let act = activation("exp( z - v )");
    let json = serde_json::to_string(&act).unwrap();
    assert_eq!(json, "\"exp(z-v)\"");
    assert_eq!(serde_json::from_str::<Activation>(&json).unwrap(), act);
    let error = serde_json::from_str::<Activation>("\"tahn(z)\"").unwrap_err();
    assert!(error.to_string().contains("did you mean tanh?"), "{error}");
}

#[test]
fn equal_activations_have_equal_hashes() {
    let hash = |act: &Activation| {
        let mut hasher = std::hash::DefaultHasher::new();
        act.hash(&mut hasher);
        hasher.finish()
    };
    let (a, b) = (activation("exp(z-v)"), activation("exp(-v+z)"));
    assert_eq!(a, b);
    assert_eq!(hash(&a), hash(&b));
    assert_ne!(a, activation("exp(z)"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn properties_hold_by_value(text in expression::tests::expressions(), z in 0.01..4.0f64) {
        let Ok(act) = text.parse::<Activation>() else { return Ok(()) };
        let v = 0.7;
        let value = |z: f64| act.evaluate(z, v);
        // Parts that cancel leave errors of this size.
        let parts = act.tape().interpret(|op, done: &[f64]| op.apply(done, z, v));
        let largest = parts.iter().fold(1.0f64, |most, x| most.max(x.abs()));
        prop_assume!(largest < 1e8);
        // Waves and steps of large numbers magnify them.
        let jitter = (value(z * (1.0 + 1e-14)) - value(z)).abs();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * largest + 10.0 * jitter;
        match act.parity() {
            Parity::Even => prop_assert!(near(value(-z), value(z)), "{}", act),
            Parity::Odd => prop_assert!(near(value(-z), -value(z)), "{}", act),
            Parity::Neither => {}
        }
        if let Some(p) = act.homogeneous() {
            let scaled = act.evaluate(2.0 * z, 4.0 * v) / 2f64.powf(p);
            prop_assert!(near(scaled, value(z)), "{} {}", act, p);
        }
    }
}
