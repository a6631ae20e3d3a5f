//! This module reads expressions in z and v as people write them.

mod parser;

use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

use super::error::{ExpressionError, excerpt};
use super::op::{Binary, Unary};
use crate::model::short;
use parser::Parser;

/// The largest length of an expression in bytes.
pub const MAX_LENGTH: usize = 1000;
/// The largest depth of expressions within one another: parentheses, signs and powers.
pub const MAX_DEPTH: usize = 100;

/// How tightly signs bind: more than products, less than powers.
const SIGN: u8 = 3;

/// A node is a part of an expression; operands stand before what they are operands of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Z,
    V,
    Pi,
    E,
    /// A number that is finite and not negative.
    Number(f64),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
}

/// `Expression` is an expression in `z` and `v`, whose `Display` is its shortest usual spelling.
///
/// ```
/// use nnqft_gpu::model::activation::Expression;
///
/// let expression: Expression = "max( 0, (z) ) + 1.50".parse()?;
/// assert_eq!(expression.to_string(), "max(0,z)+1.5");
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    nodes: Vec<Node>,
    /// The bytes of the source that each node was read from.
    places: Vec<Range<usize>>,
}

impl Expression {
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the bytes of the source that a node was read from.
    pub(super) fn place(&self, node: usize) -> Range<usize> {
        self.places[node].clone()
    }

    /// Makes an error about a part, whose text begins the sentence.
    pub(super) fn error(&self, place: Range<usize>, message: &str) -> ExpressionError {
        let part = excerpt(&self.source[place.clone()]);
        ExpressionError::new(&self.source, place, format!("{part} {message}"))
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(source: &str) -> Result<Self, ExpressionError> {
        Parser::new(source)?.expression()
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How tightly each part holds together, with its text.
        let mut parts: Vec<(u8, String)> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let at_least = |binding: u8, part: usize| match &parts[part] {
                (own, text) if *own >= binding => text.clone(),
                (_, text) => format!("({text})"),
            };
            let part = match *node {
                Node::Z => (5, "z".into()),
                Node::V => (5, "v".into()),
                Node::Pi => (5, "pi".into()),
                Node::E => (5, "e".into()),
                Node::Number(x) => (5, short(x)),
                Node::Unary(Unary::Neg, a) => (SIGN, format!("-{}", at_least(4, a))),
                Node::Unary(op, a) => (5, format!("{}({})", op.name(), parts[a].1)),
                Node::Binary(op, a, b) => match operator(op) {
                    None => {
                        let (name, a, b) = (op.name(), &parts[a].1, &parts[b].1);
                        (5, format!("{name}({a},{b})"))
                    }
                    Some(binding) => {
                        let (left, right) = match op {
                            Binary::Pow => (5, SIGN),
                            // A sign after an operator would be read, but not by people.
                            _ if parts[b].1.starts_with('-') => (binding, 4),
                            _ => (binding, binding + 1),
                        };
                        let (a, b) = (at_least(left, a), at_least(right, b));
                        (binding, format!("{a}{}{b}", op.name()))
                    }
                },
            };
            parts.push(part);
        }
        f.write_str(parts.last().map_or("", |(_, text)| text))
    }
}

/// Tells how tightly an operator binds; `None` if it is written as a function.
fn operator(op: Binary) -> Option<u8> {
    match op {
        Binary::Add | Binary::Sub => Some(1),
        Binary::Mul | Binary::Div => Some(2),
        Binary::Pow => Some(4),
        Binary::Min | Binary::Max => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
