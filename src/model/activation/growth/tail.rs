//! This module follows the values of a tape as |z| goes to infinity.

use super::super::interval::Interval;
use super::super::op::Unary;

/// A |z| that is far enough out for bounds that hold at infinity.
pub const FAR: f64 = 1024.0;
/// Two terms cancel if less than this part of them is left.
const CANCELLED: f64 = 1e-12;

/// `Order` is the order of growth `exp(rate t) t^power log(t)^log` for t = |z|, compared from the
/// left. What follows an infinite entry is not known.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Order {
    pub rate: f64,
    pub power: f64,
    pub log: f64,
}

impl Order {
    pub const CONSTANT: Self = Self::new(0.0, 0.0, 0.0);
    pub const LINEAR: Self = Self::new(0.0, 1.0, 0.0);
    /// The order of a value beyond any exponential, or of an unknown one.
    pub const UNKNOWN: Self = Self::new(f64::INFINITY, 0.0, 0.0);
    /// The order of a value below any exponential, or of zero.
    pub const NOTHING: Self = Self::new(f64::NEG_INFINITY, 0.0, 0.0);

    pub const fn new(rate: f64, power: f64, log: f64) -> Self {
        Self { rate, power, log }
    }

    /// Returns the order of a product, of which one factor is raised to a power.
    pub fn with(self, other: Self, power: f64) -> Self {
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

    pub fn to_power(self, power: f64) -> Self {
        Self::CONSTANT.with(self, power)
    }

    pub fn max(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
}

/// `Line` is the straight line `slope t + intercept` that a value approaches up to what vanishes;
/// if the intercept is not known, up to what is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub slope: f64,
    pub intercept: Option<f64>,
}

/// `Tail` is a value as t = |z| goes to infinity, on one side.
#[derive(Debug, Clone, Copy)]
pub struct Tail {
    /// The order that the value grows no faster than.
    pub order: Order,
    /// The factor of that order, not 0, if the value is known to grow exactly so.
    pub factor: Option<f64>,
    /// The straight line that the value approaches, if any.
    pub line: Option<Line>,
    /// All that the value can be for t beyond [`FAR`].
    pub bounds: Interval,
}

impl Tail {
    /// Makes a tail without bounds: [`Tail::settle`] sets them for all operations alike.
    pub fn new(order: Order, factor: Option<f64>) -> Self {
        Self {
            order,
            // Below all orders there is no telling which is less.
            factor: factor.filter(|c| c.is_finite() && *c != 0.0 && order != Order::NOTHING),
            line: None,
            bounds: Interval::ALL,
        }
    }

    pub fn at_most(order: Order) -> Self {
        Self::new(order, None)
    }

    pub fn constant(c: f64) -> Self {
        if c == 0.0 {
            Self::at_most(Order::NOTHING)
        } else {
            Self::new(Order::CONSTANT, Some(c))
        }
    }

    pub fn on(self, line: Option<Line>) -> Self {
        Self { line, ..self }
    }

    /// Sets the bounds with what they tell, and the line that a bounded value is on.
    pub fn settle(self, bounds: Interval) -> Self {
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

    /// Returns the sign, 1 or -1, of a value that goes to infinity.
    pub fn diverges(&self) -> Option<f64> {
        self.factor
            .filter(|_| self.order > Order::CONSTANT)
            .map(f64::signum)
    }

    /// Returns the limit, if it is known.
    pub fn limit(&self) -> Option<f64> {
        if self.order < Order::CONSTANT {
            Some(0.0)
        } else {
            self.factor.filter(|_| self.order == Order::CONSTANT)
        }
    }

    pub fn scale(self, c: f64) -> Self {
        if c == 0.0 {
            return Self::constant(0.0);
        }
        let line = self.line.map(|line| Line {
            slope: c * line.slope,
            intercept: line.intercept.map(|b| c * b),
        });
        Self::new(self.order, self.factor.map(|x| c * x)).on(line)
    }

    pub fn sum(self, other: Self) -> Self {
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

    pub fn product(self, other: Self) -> Self {
        let factor = self.factor.zip(other.factor).map(|(a, b)| a * b);
        let order = self.order.with(other.order, 1.0);
        Self::new(order, factor.filter(|_| order.rate.is_finite()))
    }

    pub fn inverse(self) -> Self {
        match self.factor {
            Some(c) => Self::new(self.order.to_power(-1.0), Some(1.0 / c)),
            None if self.bounds.low > 0.0 || self.bounds.high < 0.0 => {
                Self::at_most(Order::CONSTANT)
            }
            None => Self::at_most(Order::UNKNOWN),
        }
    }

    pub fn power(self, p: f64) -> Self {
        match self.factor {
            Some(c) if c > 0.0 => Self::new(self.order.to_power(p), Some(libm::pow(c, p))),
            Some(_) => Self::at_most(Order::UNKNOWN),
            None if p > 0.0 => Self::at_most(self.order.to_power(p)),
            None if self.bounds.low > 0.0 => Self::at_most(Order::CONSTANT),
            None => Self::at_most(Order::UNKNOWN),
        }
    }

    pub fn exp(self) -> Self {
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

    pub fn log(self) -> Self {
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

    /// Returns the tail of a function that goes to `low` and `high`, and vanishes like `slope x`
    /// with its argument.
    pub fn saturate(self, op: Unary, low: f64, high: f64, slope: Option<f64>) -> Self {
        match (self.diverges(), self.limit()) {
            (Some(sign), _) => Self::constant(if sign > 0.0 { high } else { low }),
            (None, Some(0.0)) if slope.is_some() => self.scale(slope.unwrap_or(0.0)).on(None),
            (None, Some(c)) => Self::constant(op.apply(c)),
            (None, None) => Self::at_most(Order::CONSTANT),
        }
    }

    pub fn unary(self, op: Unary) -> Self {
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

    /// Returns the greater of two tails for `sign` 1, the lesser for -1.
    pub fn extreme(self, other: Self, sign: f64) -> Self {
        match self.sum(other.scale(-1.0)).factor {
            Some(difference) if difference * sign > 0.0 => self,
            Some(_) => other,
            None => Self::at_most(self.order.max(other.order)),
        }
    }
}
