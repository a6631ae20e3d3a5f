//! Sums of terms c z^p v^q exp(a z + b v): sin, cos, exp and polynomials. Averages of products of any
//! number of them have closed forms.

use nalgebra::Complex;
use rayon::prelude::*;

use super::{Moment, dot};
use crate::model::activation::{Binary, Op, Tape, Unary};

pub(super) type C = Complex<f64>;

/// Most terms of a sum.
const MAX_TERMS: usize = 8;
/// Most products of terms, over all tuples.
const MAX_PRODUCTS: f64 = 1e7;
/// Highest degree of a product of polynomials: it has (degree - 1)!! pairings.
const MAX_DEGREE: u32 = 10;

/// `factor z^power v^variance_power exp(rate z + variance_rate v)`
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    pub factor: C,
    pub power: u32,
    pub variance_power: u32,
    pub rate: C,
    pub variance_rate: C,
}

/// A sum of such terms.
#[derive(Debug, Clone)]
pub struct Exponentials(Vec<Term>);

impl Exponentials {
    /// The sum that a tape is, if it is one.
    pub fn of(tape: &Tape) -> Option<Self> {
        let mut values = tape.interpret(|op, done: &[Option<Self>]| match op {
            Op::Z => Some(Self::monomial(1, 0)),
            Op::V => Some(Self::monomial(0, 1)),
            Op::Const(c) => Some(Self::constant(c.into())),
            Op::Unary(op, a) => done[a].as_ref()?.unary(op),
            Op::Binary(op, a, b) => done[a].as_ref()?.binary(op, done[b].as_ref()?),
        });
        values.pop().flatten()
    }

    fn monomial(power: u32, variance_power: u32) -> Self {
        Self(vec![Term {
            power,
            variance_power,
            ..Self::constant(1.0.into()).0[0]
        }])
    }

    fn constant(factor: C) -> Self {
        Self(vec![Term {
            factor,
            power: 0,
            variance_power: 0,
            rate: C::ZERO,
            variance_rate: C::ZERO,
        }])
    }

    fn times(&self, factor: C) -> Self {
        let scaled = self.0.iter().map(|term| Term {
            factor: term.factor * factor,
            ..*term
        });
        Self(scaled.collect())
    }

    /// Terms that differ by a factor only are one.
    fn sum(terms: impl Iterator<Item = Term>) -> Option<Self> {
        let mut sum: Vec<Term> = Vec::new();
        for term in terms {
            let same = |known: &&mut Term| {
                Term {
                    factor: term.factor,
                    ..**known
                } == term
            };
            match sum.iter_mut().find(same) {
                Some(known) => known.factor += term.factor,
                None => sum.push(term),
            }
        }
        sum.retain(|term| term.factor != C::ZERO);
        (sum.len() <= MAX_TERMS).then_some(Self(sum))
    }

    fn unary(&self, op: Unary) -> Option<Self> {
        let i = C::i();
        match op {
            Unary::Neg => Some(self.times((-1.0).into())),
            Unary::Exp => self.exp(1.0.into()),
            Unary::Cos | Unary::Sin => {
                let (plus, minus) = (self.exp(i)?, self.exp(-i)?);
                let (a, b) = match op {
                    Unary::Cos => (C::from(0.5), C::from(0.5)),
                    _ => (-0.5 * i, 0.5 * i),
                };
                Self::sum(plus.times(a).0.into_iter().chain(minus.times(b).0))
            }
            _ => None,
        }
    }

    /// exp(factor x) of what is linear in z and v.
    fn exp(&self, factor: C) -> Option<Self> {
        let mut exp = Self::constant(1.0.into());
        let only = &mut exp.0[0];
        for term in &self.0 {
            let part = factor * term.factor;
            match (
                term.rate,
                term.variance_rate,
                term.power,
                term.variance_power,
            ) {
                (C::ZERO, C::ZERO, 0, 0) => only.factor *= part.exp(),
                (C::ZERO, C::ZERO, 1, 0) => only.rate += part,
                (C::ZERO, C::ZERO, 0, 1) => only.variance_rate += part,
                _ => return None,
            }
        }
        Some(exp)
    }

    fn binary(&self, op: Binary, other: &Self) -> Option<Self> {
        match op {
            Binary::Add => Self::sum(self.0.iter().chain(&other.0).copied()),
            Binary::Sub => {
                let minus = other.times((-1.0).into());
                Self::sum(self.0.iter().copied().chain(minus.0))
            }
            Binary::Mul => Self::sum(self.0.iter().flat_map(|a| {
                other.0.iter().map(|b| Term {
                    factor: a.factor * b.factor,
                    power: a.power + b.power,
                    variance_power: a.variance_power + b.variance_power,
                    rate: a.rate + b.rate,
                    variance_rate: a.variance_rate + b.variance_rate,
                })
            })),
            Binary::Div => match other.0[..] {
                [one] if one.power == 0 && one.variance_power == 0 => {
                    let inverse = Self(vec![Term {
                        factor: 1.0 / one.factor,
                        rate: -one.rate,
                        variance_rate: -one.variance_rate,
                        ..one
                    }]);
                    self.binary(Binary::Mul, &inverse)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// E of the products over each tuple of pre-activations; `None` where there are too many terms.
    pub fn moments(&self, forms: &[Vec<f64>], tuples: &[Vec<usize>]) -> Option<Vec<Moment>> {
        let each = |tuple: &Vec<usize>| self.moment(forms, tuple);
        (self.has_few_products(tuples)).then(|| tuples.par_iter().map(each).collect())
    }

    /// Whether products over so many tuples have a number of terms that takes little time.
    pub(super) fn has_few_products(&self, tuples: &[Vec<usize>]) -> bool {
        let order = tuples.first().map_or(0, Vec::len) as i32;
        let products = (self.0.len() as f64).powi(order) * tuples.len() as f64;
        products <= MAX_PRODUCTS && self.degree() * order as u32 <= MAX_DEGREE
    }

    pub(super) fn terms(&self) -> &[Term] {
        &self.0
    }

    /// The power of |y| that E of a product goes with as one point y goes to infinity: infinite
    /// where it grows like an exponential, minus infinity where it falls like a Gaussian.
    pub fn far(&self) -> f64 {
        let of = |term: &Term| {
            // exp(a z + b v) has the average exp((a^2 / 2 + b) v).
            let rate = (0.5 * term.rate * term.rate + term.variance_rate).re;
            match rate {
                0.0 if term.rate == C::ZERO => f64::from(term.power + 2 * term.variance_power),
                0.0.. => f64::INFINITY,
                _ => f64::NEG_INFINITY,
            }
        };
        self.0.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The slope a and the constant b of a z + b, if it is that.
    pub fn affine(&self) -> Option<[f64; 2]> {
        let is_plain = |term: &Term| {
            let flat = term.rate == C::ZERO && term.variance_rate == C::ZERO;
            flat && term.variance_power == 0 && term.power <= 1 && term.factor.im == 0.0
        };
        let sum = |power: u32| {
            let terms = self.0.iter().filter(|term| term.power == power);
            terms.map(|term| term.factor.re).sum::<f64>()
        };
        self.0.iter().all(is_plain).then(|| [sum(1), sum(0)])
    }

    fn degree(&self) -> u32 {
        self.0.iter().map(|term| term.power).max().unwrap_or(0)
    }

    /// Whether products of two take less time than other rules.
    pub fn is_short(&self) -> bool {
        2 * self.degree() <= MAX_DEGREE
    }

    /// E of the product over a tuple of pre-activations.
    pub fn moment<F: AsRef<[f64]>>(&self, forms: &[F], tuple: &[usize]) -> Moment {
        self.over_products(tuple.len(), |chosen| self.product(forms, tuple, chosen))
    }

    /// The sum over all products of so many terms, each given by the numbers of its terms.
    pub(super) fn over_products(&self, order: usize, of: impl Fn(&[usize]) -> Moment) -> Moment {
        let count = self.0.len();
        if count == 0 {
            return Moment::ZERO;
        }
        let mut sum = Moment::ZERO;
        let mut chosen = [0; 6];
        let chosen = &mut chosen[..order];
        loop {
            sum = sum.plus(of(chosen));
            let Some(k) = chosen.iter().rposition(|&c| c + 1 < count) else {
                return sum;
            };
            chosen[k] += 1;
            chosen[k + 1..].fill(0);
        }
    }

    /// E of a product of terms. With t = sum a_k l_k the exponentials move the normals' mean:
    /// exp(t . t / 2) E[prod (z_k + l_k . t)^p_k].
    fn product<F: AsRef<[f64]>>(&self, forms: &[F], tuple: &[usize], chosen: &[usize]) -> Moment {
        let parts = || {
            let terms = chosen.iter().map(|&c| &self.0[c]);
            terms.zip(tuple.iter().map(|&i| forms[i].as_ref()))
        };
        let normals = forms[0].as_ref().len();
        let (mut exponent, mut factor, mut rounding) = (C::ZERO, C::from(1.0), 4.0);
        let mut degree = 0;
        for (term, form) in parts() {
            let variance = dot(form, form);
            factor *= term.factor * variance.powi(term.variance_power as i32);
            exponent += term.variance_rate * variance;
            rounding += term.variance_rate.norm() * variance;
            degree += term.power;
        }
        for g in 0..normals {
            let t: C = parts().map(|(term, form)| term.rate * form[g]).sum();
            let size: f64 = parts()
                .map(|(term, form)| term.rate.norm() * form[g].abs())
                .sum();
            exponent += 0.5 * t * t;
            rounding += t.norm() * size;
        }
        let mut value = factor;
        let mut size = factor.norm();
        if degree > 0 {
            let t: Vec<C> = (0..normals)
                .map(|g| parts().map(|(term, form)| term.rate * form[g]).sum())
                .collect();
            let mut powers = Vec::with_capacity(tuple.len());
            let mut moved = Vec::with_capacity(tuple.len());
            let mut rows: Vec<&[f64]> = Vec::with_capacity(tuple.len());
            for (term, form) in parts().filter(|(term, _)| term.power > 0) {
                powers.push(term.power);
                moved.push(form.iter().zip(&t).map(|(l, t)| t * *l).sum::<C>());
                rows.push(form);
            }
            let (of_powers, of_sizes) = pairings(&rows, &moved, &mut powers);
            value *= of_powers;
            size *= of_sizes;
            rounding += f64::from(degree);
        }
        let exp = exponent.exp();
        Moment {
            value: (value * exp).re,
            error: f64::EPSILON * rounding * size * exp.norm(),
        }
    }
}

/// E[prod (z_k + moved_k)^power_k] by Stein's lemma, and the sum of its terms' sizes.
fn pairings(rows: &[&[f64]], moved: &[C], powers: &mut [u32]) -> (C, f64) {
    let Some(k) = powers.iter().position(|&p| p > 0) else {
        return (C::from(1.0), 1.0);
    };
    powers[k] -= 1;
    let (mut sum, mut size) = (C::ZERO, 0.0);
    if moved[k] != C::ZERO {
        let (value, of_value) = pairings(rows, moved, powers);
        sum += moved[k] * value;
        size += moved[k].norm() * of_value;
    }
    for j in k..powers.len() {
        if powers[j] > 0 {
            let count = f64::from(powers[j]);
            powers[j] -= 1;
            let (value, of_value) = pairings(rows, moved, powers);
            powers[j] += 1;
            let covariance = dot(rows[k], rows[j]);
            sum += count * covariance * value;
            size += count * covariance.abs() * of_value;
        }
    }
    powers[k] += 1;
    (sum, size)
}
