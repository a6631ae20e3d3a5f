//! A tape with its values assigned to rows.

use std::collections::BTreeSet;

use crate::model::activation::{Binary, Dual, Op, Register, Tape, Unary};

/// What is done to rows; row 0 holds z at first and the activation in the end, and row 1 its derivative where
/// that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Fill {
        row: usize,
        scalar: usize,
    },
    Copy {
        to: usize,
        from: usize,
    },
    Unary {
        op: Unary,
        row: usize,
    },
    Square {
        row: usize,
    },
    /// The hyperbolic tangent of a row, and 1 less its square in another.
    TanhAndSlope {
        row: usize,
        slope: usize,
    },
    /// The second operand comes first if `swapped`; it never is the same row.
    Binary {
        op: Binary,
        row: usize,
        other: Source,
        swapped: bool,
    },
}

impl Step {
    /// The same step with rows of other names.
    fn renamed(self, name: impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Fill { row, scalar } => Self::Fill {
                row: name(row),
                scalar,
            },
            Self::Copy { to, from } => Self::Copy {
                to: name(to),
                from: name(from),
            },
            Self::Unary { op, row } => Self::Unary { op, row: name(row) },
            Self::Square { row } => Self::Square { row: name(row) },
            Self::TanhAndSlope { row, slope } => Self::TanhAndSlope {
                row: name(row),
                slope: name(slope),
            },
            Self::Binary {
                op,
                row,
                other,
                swapped,
            } => Self::Binary {
                op,
                row: name(row),
                other: match other {
                    Source::Row(other) => Source::Row(name(other)),
                    Source::Scalar(_) => other,
                },
                swapped,
            },
        }
    }
}

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Source {
    Row(usize),
    /// The same for all z: constants, v, and what follows from these alone.
    Scalar(usize),
}

/// Steps, with as few rows as values are alive at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    /// What yields the scalars, each of earlier ones.
    pub scalars: Vec<Op>,
    pub steps: Vec<Step>,
    /// Rows in use, row 0 included.
    pub rows: usize,
    free: BTreeSet<usize>,
}

impl Steps {
    pub fn new(tape: &Tape) -> Self {
        let (mut steps, [value]) = Self::of(tape.ops(), [tape.ops().len() - 1]);
        steps.bring(value, 0);
        steps
    }

    /// The steps of an activation and of its derivative, which ends in row 1.
    pub fn dual(dual: &Dual) -> Self {
        let (mut steps, [value, mut slope]) = Self::of(dual.ops(), dual.results());
        // Row 0 is for the value.
        if slope == Source::Row(0) {
            let to = steps.free.pop_first().unwrap_or(steps.rows);
            steps.rows = steps.rows.max(to + 1);
            steps.steps.push(Step::Copy { to, from: 0 });
            slope = Source::Row(to);
        }
        steps.bring(value, 0);
        steps.rows = steps.rows.max(2);
        match slope {
            Source::Row(row) => {
                // Names of rows, but for row 0, are arbitrary: no need to copy.
                let exchanged = |r: usize| match r {
                    1 => row,
                    r if r == row => 1,
                    r => r,
                };
                (steps.steps.iter_mut()).for_each(|step| *step = step.renamed(exchanged));
            }
            Source::Scalar(_) => steps.bring(slope, 1),
        }
        steps.join();
        steps
    }

    /// Makes one step of hyperbolic tangents and what follows them in their derivative: one pass over the rows in
    /// place of four.
    fn join(&mut self) {
        let mut at = 0;
        while at < self.steps.len() {
            if let [
                Step::Unary {
                    op: Unary::Tanh,
                    row,
                },
                Step::Copy { to: slope, from },
                Step::Square { row: squared },
                Step::Binary {
                    op: Binary::Sub,
                    row: less,
                    other: Source::Scalar(one),
                    swapped: true,
                },
                ..,
            ] = self.steps[at..]
                && (from, squared, less) == (row, slope, slope)
                && self.scalars[one] == Op::Const(1.0)
            {
                let joined = Step::TanhAndSlope { row, slope };
                self.steps.splice(at..at + 4, [joined]);
            }
            at += 1;
        }
    }

    /// Puts a value in a row.
    fn bring(&mut self, value: Source, to: usize) {
        match value {
            Source::Row(row) if row == to => {}
            Source::Row(from) => self.steps.push(Step::Copy { to, from }),
            Source::Scalar(scalar) => self.steps.push(Step::Fill { row: to, scalar }),
        }
    }

    /// The steps that yield some of the operations, which stay where they are to the end.
    fn of<const N: usize>(ops: &[Op], results: [Register; N]) -> (Self, [Source; N]) {
        let mut last_use = vec![0; ops.len()];
        for (i, op) in ops.iter().enumerate() {
            match *op {
                Op::Z | Op::V | Op::Const(_) => {}
                Op::Unary(_, a) => last_use[a] = i,
                Op::Binary(_, a, b) => (last_use[a], last_use[b]) = (i, i),
            }
        }
        for result in results {
            last_use[result] = ops.len();
        }
        let mut steps = Self {
            rows: 1,
            ..Self::default()
        };
        let mut values: Vec<Source> = Vec::with_capacity(ops.len());
        for (i, &op) in ops.iter().enumerate() {
            let is_last = |a: Register| last_use[a] == i;
            let value = match op {
                Op::Z => Source::Row(0),
                Op::V | Op::Const(_) => steps.scalar(op),
                Op::Unary(op, a) => steps.unary(op, values[a], is_last(a)),
                Op::Binary(op, a, b) => {
                    steps.binary(op, [values[a], values[b]], [is_last(a), is_last(b)])
                }
            };
            values.push(value);
        }
        (steps, results.map(|result| values[result]))
    }

    fn scalar(&mut self, op: Op) -> Source {
        self.scalars.push(op);
        Source::Scalar(self.scalars.len() - 1)
    }

    /// A row that holds the same as `from` and may be overwritten.
    fn own(&mut self, from: usize, is_last: bool) -> usize {
        if is_last {
            return from;
        }
        let to = self.free.pop_first().unwrap_or(self.rows);
        self.rows = self.rows.max(to + 1);
        self.steps.push(Step::Copy { to, from });
        to
    }

    fn unary(&mut self, op: Unary, a: Source, is_last: bool) -> Source {
        match a {
            Source::Scalar(a) => self.scalar(Op::Unary(op, a)),
            Source::Row(a) => {
                let row = self.own(a, is_last);
                self.steps.push(Step::Unary { op, row });
                Source::Row(row)
            }
        }
    }

    fn binary(&mut self, op: Binary, operands: [Source; 2], is_last: [bool; 2]) -> Source {
        let (a, other, swapped, is_last) = match operands {
            [Source::Scalar(a), Source::Scalar(b)] => return self.scalar(Op::Binary(op, a, b)),
            [Source::Row(a), Source::Row(b)] if a == b && op == Binary::Mul => {
                let row = self.own(a, is_last[0]);
                self.steps.push(Step::Square { row });
                return Source::Row(row);
            }
            [Source::Row(a), Source::Scalar(_)] => (a, operands[1], false, is_last),
            [Source::Scalar(_), Source::Row(b)] => (b, operands[0], true, [is_last[1], is_last[0]]),
            // What is needed no more is overwritten, row 0 for choice: the value ends up there.
            [Source::Row(a), Source::Row(b)] if is_last[1] && (!is_last[0] || b == 0) => {
                (b, Source::Row(a), true, [is_last[1], is_last[0]])
            }
            [Source::Row(a), Source::Row(_)] => (a, operands[1], false, is_last),
        };
        // A value with itself needs a second row.
        let row = self.own(a, is_last[0] && other != Source::Row(a));
        self.steps.push(Step::Binary {
            op,
            row,
            other,
            swapped,
        });
        if let (Source::Row(other), true) = (other, is_last[1]) {
            self.free.insert(other);
        }
        Source::Row(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activation::Derivative;

    fn rows(text: &str) -> (usize, usize) {
        let steps = Steps::new(&Tape::compile(&text.parse().unwrap()).unwrap());
        let is_copy = |step: &&Step| matches!(step, Step::Copy { .. });
        (steps.rows, steps.steps.iter().filter(is_copy).count())
    }

    #[test]
    fn rows_are_as_few_as_values_that_are_needed_at_a_time() {
        for (text, expected) in [
            ("z", (1, 0)),
            ("2*v", (1, 0)),
            ("tanh(z)", (1, 0)),
            ("exp(z-v)/sqrt(1+v)", (1, 0)),
            ("max(z,0)+0.1*min(z,0)", (2, 1)),
            ("z*(1+erf(z/sqrt(2)))/2", (2, 1)),
            ("z/(1+exp(-z))", (2, 1)),
            ("z^8", (1, 0)),
            ("exp(-z^2)*z", (2, 1)),
            ("sin(z)+sin(sin(z))+sin(sin(sin(z)))", (2, 1)),
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    fn dual(text: &str) -> Steps {
        Steps::dual(Derivative::of(&text.parse().unwrap()).unwrap().both())
    }

    #[test]
    fn a_hyperbolic_tangent_and_its_derivative_are_one_step() {
        let joined = Step::TanhAndSlope { row: 0, slope: 1 };
        assert_eq!(dual("tanh(z)").steps, [joined]);
        assert_eq!(dual("tanh(z)").rows, 2);
        let is_joined = |step: &&Step| matches!(step, Step::TanhAndSlope { .. });
        // Nothing to be joined: the square has another use, or there is none.
        for text in ["tanh(z)^2", "sigmoid(z)"] {
            let steps = dual(text).steps;
            assert_eq!(steps.iter().filter(is_joined).count(), 0, "{steps:?}");
        }
    }
}
