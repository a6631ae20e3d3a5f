//! This module tells how a kernel K(x, y) behaves as y goes to infinity, from how the activation
//! grows.

use super::Vertex;
use super::bump::Bump;
use crate::model::{Growth, Net};

/// `Far` says what K(x, y) does as |y| grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Far {
    /// The kernel falls to sigma_b^2.
    Decays,
    /// The kernel stays of order one.
    Stays,
    /// The kernel grows like |y|^p.
    Grows(f64),
    /// The kernel grows faster than any power.
    GrowsExponentially,
}

impl Far {
    /// Tells what the kernel of a net does.
    pub fn of(net: &Net) -> Self {
        match (Bump::of(net), net.activation().growth()) {
            (Some(_), _) => Self::Decays,
            (None, Growth::Bounded) => Self::Stays,
            (None, Growth::Power(p)) => Self::Grows(p),
            (None, Growth::Exponential { .. }) => Self::GrowsExponentially,
        }
    }
}

/// Returns the power p with which the lines k(x, y) of a vertex grow like |y|^p; `None` if the
/// lines vanish far out or grow faster.
pub(crate) fn line_growth(net: &Net, vertex: Vertex) -> Option<f64> {
    match Far::of(net) {
        Far::Decays if vertex.constant_left(net) == 0.0 => None,
        Far::Decays | Far::Stays => Some(0.0),
        Far::Grows(p) => Some(p),
        Far::GrowsExponentially => None,
    }
}
