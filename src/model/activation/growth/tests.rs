//! Kinds of growth, held against what is known of functions.

use super::*;
use Growth::{Bounded, Exponential, Power};

fn of(text: &str) -> Result<Growth, Fault> {
    let [right, left] = growth(&Tape::compile(&text.parse().unwrap()).unwrap())?;
    Ok(faster(right, left))
}

#[test]
fn growth_is_that_of_the_faster_side() {
    let half = Exponential { rate: 0.5 };
    let one = Exponential { rate: 1.0 };
    let two = Exponential { rate: 2.0 };
    for (text, growth) in [
        ("z", Power(1.0)),
        ("z^3-z", Power(3.0)),
        ("(z+1)^3-z^3+v*z", Power(3.0)),
        ("abs(z)^1.5", Power(1.5)),
        ("sqrt(1+z^2)", Power(1.0)),
        ("1/(1+z^2)", Bounded),
        ("z/(1+z^2+v)", Bounded),
        ("z^5/(1+z^2)", Power(3.0)),
        ("1/(2+sin(z))", Bounded),
        ("z/(1.1+cos(z))", Power(1.0)),
        ("log(1+z^2)", Power(0.0)),
        ("z*log(1+abs(z))", Power(1.0)),
        ("exp(2*log(1+abs(z)))", Power(2.0)),
        ("(1+abs(z))^1.2", Power(1.2)),
        ("exp(-z^2)", Bounded),
        ("z^4*exp(-z^2)", Bounded),
        ("z*exp(-abs(z))", Bounded),
        ("exp(-exp(z))", Bounded),
        ("exp(z-v)", one),
        ("exp(v-2*z)", two),
        ("z^2*exp(z/2)", half),
        ("exp(z)-exp(-z)", one),
        ("exp(z+sin(z))", one),
        ("exp(abs(z)+log(1+z^2))", one),
        ("exp(max(z,2*z))", two),
        ("exp(min(z,1))", Bounded),
        ("exp(sqrt(1+4*z^2))", two),
        ("log(2+exp(3*z))", Power(1.0)),
        ("exp(log1p(exp(z)))", one),
        ("exp(z)/(1+exp(z))", Bounded),
        ("exp(3*z)/(1+exp(z))", two),
        ("exp(3*z)*(1-tanh(z))", Exponential { rate: 3.0 }),
        ("tanh(exp(z^2))", Bounded),
        ("1/(1+exp(z^2))", Bounded),
        ("z*tanh(softplus(z))", Power(1.0)),
        ("sin(z^3)*z", Power(1.0)),
        ("step(z)*z+sign(z)", Power(1.0)),
        ("max(min(z,1),-1)", Bounded),
        ("exp(-sqrt(abs(z)))", Bounded),
        (
            "2^z",
            Exponential {
                rate: std::f64::consts::LN_2,
            },
        ),
    ] {
        match (of(text).unwrap(), growth) {
            (Power(a), Power(b)) => assert!((a - b).abs() < 1e-12, "{text}: {a}"),
            (found, growth) => assert_eq!(found, growth, "{text}"),
        }
    }
}

#[test]
fn what_is_beyond_exponentials_or_unclear_is_refused() {
    for (text, sentence) in [
        ("exp(z^2)", "faster"),
        ("z*exp(exp(z))", "faster"),
        ("exp(-z^3)", "faster"),
        ("exp(z*abs(z))", "faster"),
        ("abs(z)^abs(z)", "faster"),
        ("exp(sqrt(abs(z)))", "neither"),
        ("exp(v*z)", "parts"),
        ("1/sin(z)", "parts"),
        ("z/max(z,0)", "parts"),
        ("log(-z)", "parts"),
        ("exp(z*sin(z))", "parts"),
    ] {
        let fault = of(text).unwrap_err();
        assert!(
            fault.message.contains(sentence),
            "{text}: {}",
            fault.message
        );
    }
}

/// The logarithm of |act| along the line is held against what the growth claims.
#[test]
fn no_value_exceeds_its_growth() {
    for text in [
        "z*(1+erf(z/sqrt(2)))/2",
        "z*sigmoid(z)",
        "exp(z-v)*cos(z)",
        "z^3*tanh(z)-z^2",
        "softplus(2*z)",
        "sqrt(1+z^2)-z",
        "exp(abs(z)/4)/(1+z^2)",
        "z*log(1+z^2)",
    ] {
        let tape = Tape::compile(&text.parse().unwrap()).unwrap();
        let sides = [1.0, -1.0].into_iter().zip(growth(&tape).unwrap());
        for (side, growth) in sides {
            for z in [1e2f64, 1e3] {
                let value = libm::log(tape.evaluate(side * z, 0.5).abs().max(1e-300));
                let bound = match growth {
                    Bounded => 0.0,
                    Power(p) => p * z.ln(),
                    Exponential { rate } => rate * z,
                };
                // Constants and logarithms.
                assert!(
                    value.is_infinite() || value <= bound + 4.0,
                    "{text} {side} {z}: {value}"
                );
            }
        }
    }
}
