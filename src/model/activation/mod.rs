//! Activations are expressions in z, compiled to tapes, with the properties that theory asks for.

mod builder;
mod derivative;
mod error;
mod expression;
mod growth;
mod interval;
mod kinks;
mod op;
mod pieces;
mod range;
mod rounding;
mod symmetry;
mod tape;

use std::fmt::{self, Display};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use derivative::{Derivative, Dual, Slope};
pub use error::ExpressionError;
#[cfg(test)]
pub(crate) use expression::tests::expressions;
pub use expression::{Expression, MAX_DEPTH, MAX_LENGTH};
pub use growth::Growth;
pub use kinks::{KINKS_WITHIN, MAX_KINKS};
pub use op::{Binary, Op, Register, Unary};
pub use symmetry::Parity;
pub use tape::Tape;

/// A fault is a part of a tape for which the tape is no activation, with a sentence that goes on
/// from the part.
#[derive(Debug, Clone, PartialEq)]
struct Fault {
    register: Register,
    message: String,
}

/// An activation is a function of the pre-activation `z` and of its variance `v` at the point. The
/// function is real and fits 32-bit floats within its growth; clones share it.
///
/// Two activations are equal if their tapes are.
///
/// ```
/// use nnqft_gpu::model::activation::{Activation, Growth, Parity};
///
/// let relu: Activation = "max(z, 0)".parse()?;
/// assert_eq!(relu, "max(0,z)".parse()?);
/// assert_eq!(relu.evaluate(-1.5, 1.0), 0.0);
/// assert_eq!(relu.growth(), Growth::Power(1.0));
/// assert_eq!(relu.parity(), Parity::Neither);
/// assert_eq!(relu.homogeneous(), Some(1.0));
/// assert_eq!(relu.kinks(), [0.0]);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Activation(Arc<Compiled>);

struct Compiled {
    expression: String,
    tape: Tape,
    parity: Parity,
    homogeneous: Option<f64>,
    kinks: Vec<f64>,
    is_piecewise_polynomial: bool,
    /// Towards plus and minus infinity.
    growth: [Growth; 2],
}

impl Activation {
    fn of(compiled: Compiled) -> Self {
        Self(Arc::new(compiled))
    }

    /// Returns the expression, in its shortest usual spelling.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// Returns the tape of operations that the activation takes.
    pub fn tape(&self) -> &Tape {
        &self.0.tape
    }

    /// Evaluates the activation at `z`, where the variance of `z` is `v`.
    pub fn evaluate(&self, z: f64, v: f64) -> f64 {
        self.0.tape.evaluate(z, v)
    }

    /// Tells what becomes of the activation under z -> -z.
    pub fn parity(&self) -> Parity {
        self.0.parity
    }

    /// Returns the degree p of `act(c z) = c^p act(z)` for c > 0, if the tape shows one. With z its
    /// variance changes, so that v goes with c^2.
    pub fn homogeneous(&self) -> Option<f64> {
        self.0.homogeneous
    }

    /// Lists the places on the z line, in order, where the activation may jump, bend or have a
    /// singular derivative: the roots of the arguments of abs, sign, step, min, max, sqrt and
    /// powers that are not whole. Between these places it is analytic. Roots of arguments that are
    /// not linear in z are found up to |z| = [`KINKS_WITHIN`].
    pub fn kinks(&self) -> &[f64] {
        &self.0.kinks
    }

    /// Tells whether the activation is a polynomial in z between its [kinks](Self::kinks), as far as the
    /// tape shows it: then it has no other structure on any scale.
    pub fn is_piecewise_polynomial(&self) -> bool {
        self.0.is_piecewise_polynomial
    }

    /// Tells how the activation grows for large |z|.
    pub fn growth(&self) -> Growth {
        let [right, left] = self.0.growth;
        growth::faster(right, left)
    }

    /// Tells how the activation grows as z goes to plus and to minus infinity.
    pub fn growth_of_sides(&self) -> [Growth; 2] {
        self.0.growth
    }
}

impl FromStr for Activation {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let expression: Expression = text.parse()?;
        let (tape, places) = Tape::with_places(&expression)?;
        if !tape.ops().contains(&Op::Z) {
            let message = "does not depend on z, so that it is no activation";
            return Err(expression.error(expression.place(expression.nodes().len() - 1), message));
        }
        let at = |Fault { register, message }: Fault| {
            expression.error(places[register].clone(), &message)
        };
        // Where there is no value, how it grows is of no interest.
        let growth = growth::growth(&tape);
        let faster = |&[right, left]: &[Growth; 2]| growth::faster(right, left);
        range::check_domain(&tape, growth.as_ref().ok().map(faster)).map_err(at)?;
        let growth = growth.map_err(at)?;
        range::check_floats(&tape, faster(&growth)).map_err(at)?;
        Ok(Self(Arc::new(Compiled {
            expression: expression.to_string(),
            parity: symmetry::parity(&tape),
            homogeneous: symmetry::homogeneous(&tape),
            kinks: kinks::kinks(&tape).map_err(at)?,
            is_piecewise_polynomial: pieces::is_piecewise_polynomial(&tape),
            growth,
            tape,
        })))
    }
}

impl PartialEq for Activation {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.tape == other.0.tape
    }
}

impl Eq for Activation {}

impl Hash for Activation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.tape.hash(state);
    }
}

impl Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expression())
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Activation")
            .field(&self.expression())
            .finish()
    }
}

impl From<Activation> for String {
    fn from(activation: Activation) -> Self {
        activation.expression().into()
    }
}

impl TryFrom<String> for Activation {
    type Error = ExpressionError;

    fn try_from(text: String) -> Result<Self, ExpressionError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
