//! How activations grow: the leading behaviour of every operation as z goes to infinity.

use super::interval::Interval;
use super::op::{Binary, Op, Register, Unary};
use super::{Fault, Tape};

/// How an activation grows with |z|, on the side where it grows faster. It decides how heavy the
/// tails of products of neurons are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Growth {
    /// It stays within bounds.
    Bounded,
    /// At most like this power of |z|, up to logarithms: products have the tails of powers of
    /// normals. Power 0 is a logarithm.
    Power(f64),
    /// At most like `exp(rate |z|)`, up to slower factors: products are log-normal, and rare
    /// neurons carry them.
    Exponential {
        /// The factor of |z| in the exponent.
        rate: f64,
    },
}

/// Far enough out for bounds that hold at infinity.
const FAR: f64 = 1024.0;
/// Terms cancel if less than this part of them is left.
const CANCELLED: f64 = 1e-12;

/// The order `exp(rate t) t^power log(t)^log` as t = |z| grows, compared from the left. What
/// follows an infinite entry is not known.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Order {
    rate: f64,
    power: f64,
    log: f64,
}

impl Order {
    const CONSTANT: Self = Self::new(0.0, 0.0, 0.0);
    const LINEAR: Self = Self::new(0.0, 1.0, 0.0);
    /// Beyond any exponential, or not known.
    const UNKNOWN: Self = Self::new(f64::INFINITY, 0.0, 0.0);
    /// Below any exponential, or zero.
    const NOTHING: Self = Self::new(f64::NEG_INFINITY, 0.0, 0.0);

    const fn new(rate: f64, power: f64, log: f64) -> Self {
        Self { rate, power, log }
    }

    /// Of a product, one factor to a power.
    fn with(self, other: Self, power: f64) -> Self {
        let add = |a: f64, b: f64| a + power * b;
        let order = Self {
            rate: add(self.rate, other.rate),
            power: add(self.power, other.power),
            log: add(self.log, other.log),
        };
        if order.rate == f64::NEG_INFINITY {
            Self::NOTHING
        } else if order.rate == f64::INFINITY
            || [order.rate, order.power, order.log]
                .iter()
                .any(|x| x.is_nan())
        {
            Self::UNKNOWN
        } else {
            order
        }
    }

    fn to_power(self, power: f64) -> Self {
        Self::CONSTANT.with(self, power)
    }

    fn max(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
}

/// `slope t + intercept` up to what vanishes; up to what is bounded, if that is not known.
#[derive(Debug, Clone, Copy)]
struct Line {
    slope: f64,
    intercept: Option<f64>,
}

/// A value as t = |z| goes to infinity, on one side.
#[derive(Debug, Clone, Copy)]
struct Tail {
    /// It grows no faster than this,
    order: Order,
    /// and, if known, exactly so, with this factor, which is not 0.
    factor: Option<f64>,
    /// How it approaches a straight line, if it does.
    line: Option<Line>,
    /// All that it can be for t beyond [`FAR`].
    bounds: Interval,
}

impl Tail {
    /// Bounds are set for all operations alike, in [`Tail::settle`].
    fn new(order: Order, factor: Option<f64>) -> Self {
        Self {
            order,
            // Below all orders there is no telling which is less.
            factor: factor.filter(|c| c.is_finite() && *c != 0.0 && order != Order::NOTHING),
            line: None,
            bounds: Interval::ALL,
        }
    }

    fn at_most(order: Order) -> Self {
        Self::new(order, None)
    }

    fn constant(c: f64) -> Self {
        if c == 0.0 {
            Self::at_most(Order::NOTHING)
        } else {
            Self::new(Order::CONSTANT, Some(c))
        }
    }

    fn on(self, line: Option<Line>) -> Self {
        Self { line, ..self }
    }

    /// What bounds tell, and the line that a bounded value is on.
    fn settle(self, bounds: Interval) -> Self {
        let mut tail = Self { bounds, ..self };
        if bounds.is_bounded() && tail.order > Order::CONSTANT {
            tail = Self {
                bounds,
                ..Self::at_most(Order::CONSTANT)
            };
        }
        let flat = |intercept| {
            Some(Line {
                slope: 0.0,
                intercept,
            })
        };
        if tail.order < Order::CONSTANT {
            tail.line = flat(Some(0.0));
        } else if tail.order == Order::CONSTANT && tail.line.is_none() {
            tail.line = flat(tail.factor);
        }
        tail
    }

    /// 1 or -1 if it goes to infinity.
    fn diverges(&self) -> Option<f64> {
        self.factor
            .filter(|_| self.order > Order::CONSTANT)
            .map(f64::signum)
    }

    /// The limit, if it is known.
    fn limit(&self) -> Option<f64> {
        if self.order < Order::CONSTANT {
            Some(0.0)
        } else {
            self.factor.filter(|_| self.order == Order::CONSTANT)
        }
    }

    fn scale(self, c: f64) -> Self {
        if c == 0.0 {
            return Self::constant(0.0);
        }
        let line = self.line.map(|line| Line {
            slope: c * line.slope,
            intercept: line.intercept.map(|b| c * b),
        });
        Self::new(self.order, self.factor.map(|x| c * x)).on(line)
    }

    fn sum(self, other: Self) -> Self {
        let line = self.line.zip(other.line).map(|(a, b)| Line {
            slope: a.slope + b.slope,
            intercept: a.intercept.zip(b.intercept).map(|(a, b)| a + b),
        });
        let both = self.factor.zip(other.factor);
        let sum = if self.order > other.order {
            self
        } else if self.order < other.order {
            other
        } else if self.order == Order::UNKNOWN {
            // The same order may hide another scale.
            let agree = both.filter(|(a, b)| a.signum() == b.signum());
            Self::new(self.order, agree.map(|(a, _)| a))
        } else {
            let left = |(a, b): (f64, f64)| {
                let sum = a + b;
                (sum.abs() > CANCELLED * a.abs()).then_some(sum)
            };
            Self::new(self.order, both.and_then(left))
        };
        sum.on(line)
    }

    fn product(self, other: Self) -> Self {
        let factor = self.factor.zip(other.factor).map(|(a, b)| a * b);
        let order = self.order.with(other.order, 1.0);
        Self::new(order, factor.filter(|_| order.rate.is_finite()))
    }

    fn inverse(self) -> Self {
        match self.factor {
            Some(c) => Self::new(self.order.to_power(-1.0), Some(1.0 / c)),
            None if self.bounds.low > 0.0 || self.bounds.high < 0.0 => {
                Self::at_most(Order::CONSTANT)
            }
            None => Self::at_most(Order::UNKNOWN),
        }
    }

    fn power(self, p: f64) -> Self {
        match self.factor {
            Some(c) if c > 0.0 => Self::new(self.order.to_power(p), Some(libm::pow(c, p))),
            Some(_) => Self::at_most(Order::UNKNOWN),
            None if p > 0.0 => Self::at_most(self.order.to_power(p)),
            None if self.bounds.low > 0.0 => Self::at_most(Order::CONSTANT),
            None => Self::at_most(Order::UNKNOWN),
        }
    }

    fn exp(self) -> Self {
        if let Some(Line { slope, intercept }) = self.line {
            return Self::new(Order::new(slope, 0.0, 0.0), intercept.map(libm::exp));
        }
        let Some(c) = self.factor else {
            return Self::at_most(if self.bounds.high.is_finite() {
                Order::CONSTANT
            } else {
                Order::UNKNOWN
            });
        };
        let Order { rate, power, log } = self.order;
        let infinite = f64::INFINITY;
        let logarithm = (rate, power) == (0.0, 0.0);
        if self.order > Order::LINEAR {
            if c > 0.0 {
                Self::new(Order::UNKNOWN, Some(1.0))
            } else {
                Self::at_most(Order::NOTHING)
            }
        } else if self.order == Order::LINEAR {
            Self::at_most(Order::new(c, infinite, 0.0))
        } else if logarithm && log == 1.0 {
            Self::at_most(Order::new(0.0, c, infinite))
        } else if c < 0.0 {
            Self::at_most(Order::CONSTANT)
        } else if logarithm && log < 1.0 {
            Self::at_most(Order::new(0.0, 0.0, infinite))
        } else {
            Self::at_most(Order::new(0.0, infinite, 0.0))
        }
    }

    fn log(self) -> Self {
        let Order { rate, power, log } = self.order;
        let logarithm = Order::new(0.0, 0.0, 1.0);
        match self.factor {
            Some(c) if c > 0.0 && rate.is_finite() => {
                if rate != 0.0 {
                    let exact = (power, log) == (0.0, 0.0);
                    let line = exact.then_some(Line {
                        slope: rate,
                        intercept: Some(libm::log(c)),
                    });
                    Self::new(Order::LINEAR, Some(rate)).on(line)
                } else if power != 0.0 {
                    Self::new(logarithm, Some(power))
                } else if log != 0.0 {
                    Self::at_most(logarithm)
                } else {
                    Self::constant(libm::log(c))
                }
            }
            None if self.bounds.low > 0.0 && rate.is_finite() => {
                Self::at_most(if self.order <= Order::CONSTANT {
                    Order::CONSTANT
                } else if rate > 0.0 {
                    Order::LINEAR
                } else if power.is_finite() {
                    logarithm
                } else {
                    Order::LINEAR
                })
            }
            _ => Self::at_most(Order::UNKNOWN),
        }
    }

    /// A function that goes to `low` and `high`, and vanishes like `slope x` with its argument.
    fn saturate(self, op: Unary, low: f64, high: f64, slope: Option<f64>) -> Self {
        match (self.diverges(), self.limit()) {
            (Some(sign), _) => Self::constant(if sign > 0.0 { high } else { low }),
            (None, Some(0.0)) if slope.is_some() => self.scale(slope.unwrap_or(0.0)).on(None),
            (None, Some(c)) => Self::constant(op.apply(c)),
            (None, None) => Self::at_most(Order::CONSTANT),
        }
    }

    fn unary(self, op: Unary) -> Self {
        // The sign is that of what it is exactly like.
        let sign = self.factor.map(f64::signum);
        match op {
            Unary::Neg => self.scale(-1.0),
            Unary::Abs => match sign {
                Some(sign) => self.scale(sign),
                None => Self::at_most(self.order),
            },
            Unary::Sign => sign.map_or(Self::at_most(Order::CONSTANT), Self::constant),
            Unary::Step => sign.map_or(Self::at_most(Order::CONSTANT), |sign| {
                Self::constant(sign.max(0.0))
            }),
            Unary::Exp => self.exp(),
            Unary::Log => self.log(),
            Unary::Log1p if self.limit() == Some(0.0) => self.on(None),
            Unary::Log1p => {
                let bounds = self.bounds.sum(Interval::new(1.0, 1.0));
                self.sum(Self::constant(1.0)).settle(bounds).log()
            }
            Unary::Softplus => match (self.diverges(), self.limit()) {
                (Some(sign), _) if sign > 0.0 => self,
                (Some(_), _) => self.exp(),
                (None, Some(c)) => Self::constant(op.apply(c)),
                (None, None) => Self::at_most(self.order.max(Order::CONSTANT)),
            },
            Unary::Sqrt => self.power(0.5),
            Unary::Sin => match self.limit() {
                Some(0.0) => self.on(None),
                Some(c) if op.apply(c).abs() > CANCELLED => Self::constant(op.apply(c)),
                _ => Self::at_most(Order::CONSTANT),
            },
            Unary::Cos => match self.limit() {
                Some(c) if op.apply(c).abs() > CANCELLED => Self::constant(op.apply(c)),
                _ => Self::at_most(Order::CONSTANT),
            },
            Unary::Tanh => self.saturate(op, -1.0, 1.0, Some(1.0)),
            Unary::Erf => self.saturate(op, -1.0, 1.0, Some(std::f64::consts::FRAC_2_SQRT_PI)),
            Unary::Sigmoid => match self.diverges() {
                Some(sign) if sign < 0.0 => self.exp(),
                _ => self.saturate(op, 0.0, 1.0, None),
            },
        }
    }

    /// The greater of two for `sign` 1, the lesser for -1.
    fn extreme(self, other: Self, sign: f64) -> Self {
        match self.sum(other.scale(-1.0)).factor {
            Some(difference) if difference * sign > 0.0 => self,
            Some(_) => other,
            None => Self::at_most(self.order.max(other.order)),
        }
    }
}

/// The tails of all operations on one side.
fn tails(tape: &Tape, side: f64) -> Vec<Tail> {
    let (near, far) = (side * FAR, side * f64::INFINITY);
    let z = Interval::new(near.min(far), near.max(far));
    let v = Interval::new(0.0, f64::INFINITY);
    let bounds = tape.interpret(|op, done| Interval::apply(op, done, z, v));
    let ops = tape.ops();
    tape.interpret(|op, done: &[Tail]| {
        let tail = match op {
            Op::Z => Tail::new(Order::LINEAR, Some(side)).on(Some(Line {
                slope: side,
                intercept: Some(0.0),
            })),
            // Some number: what it is depends on the point.
            Op::V => Tail::at_most(Order::CONSTANT),
            Op::Const(c) => Tail::constant(c),
            Op::Unary(op, a) => done[a].unary(op),
            Op::Binary(op, a, b) => match (op, done[a], done[b]) {
                (Binary::Add, a, b) => a.sum(b),
                (Binary::Sub, a, b) => a.sum(b.scale(-1.0)),
                (Binary::Mul, x, y) => match ops[b] {
                    Op::Const(c) => x.scale(c),
                    _ => x.product(y),
                },
                (Binary::Div, x, y) => match ops[b] {
                    Op::Const(c) => x.scale(1.0 / c),
                    _ => x.product(y.inverse()),
                },
                (Binary::Pow, x, _) => match ops[b] {
                    Op::Const(p) => x.power(p),
                    _ => Tail::at_most(Order::UNKNOWN),
                },
                (Binary::Min, a, b) => a.extreme(b, -1.0),
                (Binary::Max, a, b) => a.extreme(b, 1.0),
            },
        };
        tail.settle(bounds[done.len()])
    })
}

fn class(tail: &Tail) -> Option<Growth> {
    let Order { rate, power, log } = tail.order;
    if rate == f64::INFINITY || (rate == 0.0 && power == f64::INFINITY) {
        None
    } else if rate > 0.0 {
        Some(Growth::Exponential { rate })
    } else if rate < 0.0 || power < 0.0 {
        Some(Growth::Bounded)
    } else if power > 0.0 || log > 0.0 {
        Some(Growth::Power(power))
    } else {
        Some(Growth::Bounded)
    }
}

/// The faster of two growths.
fn faster(a: Growth, b: Growth) -> Growth {
    match (a, b) {
        (Growth::Exponential { rate: a }, Growth::Exponential { rate: b }) => {
            Growth::Exponential { rate: a.max(b) }
        }
        (Growth::Exponential { .. }, _) => a,
        (_, Growth::Exponential { .. }) => b,
        (Growth::Power(a), Growth::Power(b)) => Growth::Power(a.max(b)),
        (Growth::Power(_), Growth::Bounded) => a,
        (Growth::Bounded, _) => b,
    }
}

/// How a tape grows.
///
/// # Errors
/// It grows faster than any exponential of z, or it cannot be told how.
pub(super) fn growth(tape: &Tape) -> Result<Growth, Fault> {
    let mut growth = Growth::Bounded;
    for side in [1.0, -1.0] {
        let tails = tails(tape, side);
        let result = tails.len() - 1;
        match class(&tails[result]) {
            Some(one) => growth = faster(growth, one),
            None => return Err(cause(&tails)),
        }
    }
    Ok(growth)
}

/// The first operation whose growth is that of no activation.
fn cause(tails: &[Tail]) -> Fault {
    let first = |tail: &Tail| class(tail).is_none();
    let register: Register = tails.iter().position(first).unwrap_or(tails.len() - 1);
    let Tail { order, factor, .. } = tails[register];
    let message = if order == Order::UNKNOWN && factor.is_none() {
        "grows with z in a way that its parts do not tell"
    } else if order.rate == f64::INFINITY {
        "grows faster with z than exp(c*z) for any c: its averages diverge"
    } else {
        "grows with z like neither a power nor an exponential"
    };
    Fault {
        register,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests;
