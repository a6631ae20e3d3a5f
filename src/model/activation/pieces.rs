//! This module tells whether activations are polynomials between their kinks.

use super::Tape;
use super::op::{Binary, Op, Unary};

/// `Piece` says what a value is between two kinks, as far as the operations tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// A number, though the variance may be in it.
    Constant,
    Polynomial,
    Other,
}

/// Tells whether a tape is a polynomial in z between its kinks, the variance being what it is.
pub(super) fn is_piecewise_polynomial(tape: &Tape) -> bool {
    let ops = tape.ops();
    let pieces = tape.interpret(|op, done: &[Piece]| match op {
        Op::Z => Piece::Polynomial,
        Op::V | Op::Const(_) => Piece::Constant,
        Op::Unary(op, a) => match op {
            Unary::Neg | Unary::Abs => done[a],
            // Between the roots of what it is of, which are kinks.
            Unary::Sign | Unary::Step => done[a],
            Unary::Exp
            | Unary::Log
            | Unary::Log1p
            | Unary::Softplus
            | Unary::Sqrt
            | Unary::Sin
            | Unary::Cos
            | Unary::Tanh
            | Unary::Sigmoid
            | Unary::Erf => of_constant(done[a]),
        },
        Op::Binary(op, a, b) => match op {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Min | Binary::Max => {
                done[a].max(done[b])
            }
            Binary::Div => done[a].max(of_constant(done[b])),
            Binary::Pow => match ops[b] {
                Op::Const(power) if power >= 0.0 && power.fract() == 0.0 => done[a],
                _ => of_constant(done[a].max(done[b])),
            },
        },
    });
    pieces.last().is_some_and(|piece| *piece != Piece::Other)
}

/// What a function that is no polynomial makes of a value.
fn of_constant(piece: Piece) -> Piece {
    match piece {
        Piece::Constant => Piece::Constant,
        Piece::Polynomial | Piece::Other => Piece::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Activation;

    #[test]
    fn pieces_are_polynomials_where_fourth_differences_vanish() {
        for text in [
            "max(z,0)",
            "max(z,0.01*z)",
            "step(z)",
            "min(1,max(-1,z))",
            "abs(z-0.5)*z^2/(1+v)",
            "abs(abs(z)-1)+sign(z)*exp(-v)",
            "max(tanh(z),0)",
            "sqrt(abs(z))",
            "abs(z)*exp(-z^2)",
            "1/(1+abs(z))",
            "abs(z)^2.5",
        ] {
            let activation: Activation = text.parse().unwrap();
            // Pieces between these places, of polynomials of degree 3 or less.
            let vanish = [-3.1, -0.9, 0.02, 0.52, 1.1].iter().all(|&from| {
                let at = |k: i32| activation.evaluate(from + 0.09 * f64::from(k), 0.7);
                let difference = at(0) - 4.0 * at(1) + 6.0 * at(2) - 4.0 * at(3) + at(4);
                difference.abs() < 1e-13
            });
            assert_eq!(activation.is_piecewise_polynomial(), vanish, "{text}");
        }
    }
}
