//! Closed forms for sums of z^p exp(a z), whatever the laws: averages of products are products over
//! variates of derivatives of characteristic functions.

use rayon::prelude::*;

use super::super::Moment;
use super::super::exponential::{C, Exponentials, Term};
use super::{Unit, characteristic, dot};
use crate::model::Law;
use crate::tensor::multisets;

/// All products of `order` values; `None` where there are too many terms.
pub fn moments(sum: &Exponentials, unit: &Unit, order: usize) -> Option<Vec<Moment>> {
    let tuples = multisets(unit.points(), order);
    let each = |tuple: &Vec<usize>| moment(sum, &unit.laws, &unit.forms, tuple);
    (sum.has_few_products(&tuples)).then(|| tuples.par_iter().map(each).collect())
}

/// E of the product over a tuple of pre-activations, linear forms of variates with these laws.
pub fn moment<F: AsRef<[f64]>>(
    sum: &Exponentials,
    laws: &[Law],
    forms: &[F],
    tuple: &[usize],
) -> Moment {
    sum.over_products(tuple.len(), |chosen| {
        let parts = (chosen.iter().zip(tuple)).map(|(&c, &i)| (&sum.terms()[c], forms[i].as_ref()));
        product(parts, laws)
    })
}

/// E of a product of terms: with t_v = sum a_k l_kv the variate v brings E[x^m exp(t_v x)], m the
/// number of factors z that it is taken from.
fn product<'a>(parts: impl Iterator<Item = (&'a Term, &'a [f64])> + Clone, laws: &[Law]) -> Moment {
    let (mut factor, mut exponent, mut rounding) = (C::from(1.0), C::ZERO, 8.0);
    let mut degree = 0;
    for (term, form) in parts.clone() {
        factor *= term.factor;
        degree += term.power;
        if term.variance_power > 0 || term.variance_rate != C::ZERO {
            let variance = dot(form, form);
            factor *= variance.powi(term.variance_power as i32);
            exponent += term.variance_rate * variance;
            rounding += term.variance_rate.norm() * variance;
        }
    }
    if degree > 0 {
        return with_powers(parts, laws, factor * exponent.exp(), rounding);
    }
    let (mut value, mut size) = (factor, factor.norm());
    for (v, &law) in laws.iter().enumerate() {
        let t: C = parts.clone().map(|(term, form)| term.rate * form[v]).sum();
        if t != C::ZERO {
            rounding += characteristic::rounding(law, t, 0);
            let of_law = characteristic::function(law, t);
            value *= of_law.value;
            size *= of_law.bound;
            exponent += of_law.exponent;
        }
    }
    // Together, exponents that cancel have done so.
    let exp = exponent.exp();
    Moment {
        value: (value * exp).re,
        error: f64::EPSILON * (rounding + exponent.norm()) * size * exp.norm(),
    }
}

/// The same where some terms have factors z.
fn with_powers<'a>(
    parts: impl Iterator<Item = (&'a Term, &'a [f64])> + Clone,
    laws: &[Law],
    factor: C,
    mut rounding: f64,
) -> Moment {
    let mut powers = Powers::new(parts.clone().map(|(term, _)| term.power));
    rounding += 4.0 * powers.degree as f64;
    let (mut value, mut size) = (vec![C::ZERO; powers.states()], vec![0.0; powers.states()]);
    (value[0], size[0]) = (factor, factor.norm());
    for (v, &law) in laws.iter().enumerate() {
        let t: C = parts.clone().map(|(term, form)| term.rate * form[v]).sum();
        rounding += characteristic::rounding(law, t, powers.degree);
        let of_law = characteristic::moments(law, t, powers.degree);
        let bounds = characteristic::sizes(law, t, powers.degree);
        let slopes = parts.clone().filter(|(term, _)| term.power > 0);
        powers.take(&slopes.map(|(_, form)| form[v]).collect::<Vec<f64>>());
        value = powers.join(&value, |m, taken| of_law[m] * taken);
        size = powers.join(&size, |m, taken| bounds[m] * taken.abs());
    }
    let (Some(value), Some(size)) = (value.last(), size.last()) else {
        unreachable!("there is a state");
    };
    Moment {
        value: powers.factorials * value.re,
        error: f64::EPSILON * rounding * powers.factorials * size,
    }
}

/// How the factors z of a product are shared out among variates. A state says how many factors of
/// each kind are taken, as digits of one number.
struct Powers {
    /// Digits of each state: at most the power of each kind.
    digits: Vec<Vec<u32>>,
    degree: usize,
    factorials: f64,
    /// prod l^m / m! of each state for the variate at hand.
    taken: Vec<f64>,
}

impl Powers {
    fn new(powers: impl Iterator<Item = u32>) -> Self {
        let powers: Vec<u32> = powers.filter(|&p| p > 0).collect();
        let states: usize = powers.iter().map(|&p| p as usize + 1).product();
        let digits: Vec<Vec<u32>> = (0..states)
            .map(|mut state| {
                let digit = |&p: &u32| {
                    let digit = state % (p as usize + 1);
                    state /= p as usize + 1;
                    digit as u32
                };
                powers.iter().map(digit).collect()
            })
            .collect();
        Self {
            degree: powers.iter().sum::<u32>() as usize,
            factorials: powers.iter().map(|&p| factorial(p)).product(),
            taken: vec![1.0; digits.len()],
            digits,
        }
    }

    fn states(&self) -> usize {
        self.digits.len()
    }

    fn take(&mut self, slopes: &[f64]) {
        for (taken, digits) in self.taken.iter_mut().zip(&self.digits) {
            let of = |(&m, l): (&u32, &f64)| l.powi(m as i32) / factorial(m);
            *taken = digits.iter().zip(slopes).map(of).product();
        }
    }

    /// The sums over what one more variate takes of each state.
    fn join<T>(&self, before: &[T], of: impl Fn(usize, f64) -> T) -> Vec<T>
    where
        T: Copy + std::iter::Sum + std::ops::Mul<Output = T>,
    {
        let weights: Vec<T> = (self.taken.iter().zip(&self.digits))
            .map(|(&taken, digits)| of(digits.iter().sum::<u32>() as usize, taken))
            .collect();
        (self.digits.iter().enumerate())
            .map(|(state, all)| {
                // A smaller number of any digit is a smaller number.
                let parts = (0..=state).filter(|&part| {
                    let is_part = |(m, n): (&u32, &u32)| m <= n;
                    self.digits[part].iter().zip(all).all(is_part)
                });
                parts.map(|part| weights[part] * before[state - part]).sum()
            })
            .collect()
    }
}

fn factorial(n: u32) -> f64 {
    (1..=n).map(f64::from).product()
}
