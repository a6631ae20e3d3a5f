//! This module judges whether a sampled average, and its error bar, can be believed.

/// The largest tail index at which an average of feasible size is trusted (Vehtari, Simpson,
/// Gelman, Yao and Gabry, arXiv:1507.02646: above 0.7 the central limit theorem sets in too late
/// for any practical sample).
pub const MAX_TAIL_INDEX: f64 = 0.7;
/// The largest share of a sum that one network may carry.
pub const MAX_SHARE: f64 = 0.1;
/// The number of standard errors from the exact value beyond which an error bar is refuted: 6e-7
/// for a normal error, so that the thousands of elements of a run raise no false alarm.
pub const MAX_PULL: f64 = 5.0;

/// The largest part of a sum that networks too rare to be drawn may carry, in standard errors.
pub const MAX_MISSED: f64 = 1.0;

/// The smallest part of a sum's variance that the largest contribution of a heavy tail has: with an
/// index above 1/2 that part is a number of order one whatever the number of contributions.
const MIN_SHARE_OF_VARIANCE: f64 = 0.01;
/// The smallest ratio of the largest contribution to the threshold of a tail. Of 20 values with an
/// index of 0.7 the largest is below it once in 10^7 times; contributions that pile up at a bound
/// are all about the same.
const MIN_RATIO: f64 = 1.5;
/// The smallest number of tail values that a tail index is fitted to.
const MIN_TAIL: usize = 20;
const MAX_TAIL: usize = 128;
/// The number of values of which one may come from the last quarter of a sample: more than chance,
/// of an element whose tail the sample is, and less than the quarter of one that it knows nothing
/// of.
const FROM_THE_END: usize = 32;

/// `TailIndex` is a fitted tail index with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TailIndex {
    /// Index k: moments of order 1/k and above do not exist.
    pub value: f64,
    /// Standard error of the index, (1 + k) / sqrt(values in the tail).
    pub std_err: f64,
}

/// Fits the index of the generalised Pareto distribution to at most the upper half of `values`, the
/// contributions of a run's heaviest networks, heaviest first; `None` if they are too few, about
/// the same, or not the largest contributions there are.
///
/// Networks are heavy by their largest field. For an element whose fields are small beside it they
/// are like any others, and their contributions no tail: then those of the last quarter of the
/// networks are as large as the rest. In a tail they are the smallest.
///
/// Zhang and Stephens, Technometrics 51 (2009)
/// 316, with the weak prior of arXiv:1507.02646 appendix C (10 values at k = 1/2).
pub fn tail_index(values: &[f64]) -> Option<TailIndex> {
    let sizes: Vec<f64> = values.iter().map(|x| x.abs()).collect();
    let mut sorted = sizes.clone();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let end = &sizes[sizes.len() - sizes.len() / 4..];
    let largest = (sorted.len() / 2).min(MAX_TAIL);
    let n = std::iter::successors(Some(largest), |n| Some(n / 2))
        .take_while(|&n| n >= MIN_TAIL)
        .find(|&n| end.iter().filter(|&&x| x > sorted[n]).count() <= n / FROM_THE_END)?;
    let threshold = sorted[n];
    if sorted[0] < MIN_RATIO * threshold {
        return None;
    }
    let mut x: Vec<f64> = sorted[..n].iter().map(|v| v - threshold).collect();
    x.reverse();
    let quartile = x[(n as f64 / 4.0 + 0.5) as usize - 1];
    if quartile <= 0.0 {
        return None;
    }
    // Logarithms of products of four: they take the time.
    let logarithm = |b: f64, x: &[f64]| x.iter().map(|x| 1.0 - b * x).product::<f64>().ln();
    let average = |b: f64| x.chunks(4).map(|x| logarithm(b, x)).sum::<f64>() / n as f64;
    let m = 30 + (n as f64).sqrt() as usize;
    let (bs, likelihood): (Vec<f64>, Vec<f64>) = (1..=m)
        .map(|j| {
            let spread = 1.0 - (m as f64 / (j as f64 - 0.5)).sqrt();
            let b = spread / (3.0 * quartile) + 1.0 / x[n - 1];
            let k = average(b);
            (b, n as f64 * ((-b / k).ln() - k - 1.0))
        })
        .unzip();
    let best = likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = likelihood.iter().map(|l| (l - best).exp()).collect();
    let b = bs.iter().zip(&weights).map(|(b, w)| b * w).sum::<f64>() / weights.iter().sum::<f64>();
    let k = average(b);
    let (n, prior) = (n as f64, 10.0);
    let value = (k * n + 0.5 * prior) / (n + prior);
    k.is_finite().then(|| TailIndex {
        value,
        std_err: (1.0 + value) / n.sqrt(),
    })
}

/// `Convergence` holds what is known about one element's convergence.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Convergence {
    /// Largest contribution of one network, over the sum; where the sum vanishes within its error,
    /// the contribution's square over the sum of squares. It is that of the networks that are heavy
    /// by their largest field: at least so much.
    pub largest_share: f64,
    /// Tail index of the contributions.
    pub tail_index: Option<TailIndex>,
    /// Pull, (measured - exact) / error.
    pub pull: Option<f64>,
    /// What networks too rare to be drawn carry, in standard errors.
    pub missed: f64,
}

/// `Sum` is a sum over networks.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// Value of the sum.
    pub value: f64,
    /// Standard error of the value.
    pub std_err: f64,
    /// What networks too rare to be drawn would add, as far as that is known.
    pub missed: f64,
}

impl Convergence {
    /// Judges an element from the heaviest networks' contributions and the sum over all networks.
    /// The tail index is left out unless `has_tail`: the contributions must be the largest there
    /// are. The index is also left out where the largest contribution is nothing beside the sum's
    /// error: a tail that heavy would show.
    pub fn new(contributions: &[f64], sum: Sum, pull: Option<f64>, has_tail: bool) -> Self {
        let largest = contributions.iter().map(|x| x.abs()).fold(0.0, f64::max);
        let of_variance = match sum.std_err > 0.0 {
            true => (largest / sum.std_err).powi(2),
            false => 0.0,
        };
        Self {
            largest_share: match sum.value.abs() > MAX_PULL * sum.std_err {
                true => largest / sum.value.abs(),
                false => of_variance,
            },
            tail_index: (has_tail && of_variance > MIN_SHARE_OF_VARIANCE)
                .then(|| tail_index(contributions))
                .flatten(),
            pull,
            missed: match sum.missed > 0.0 {
                true => sum.missed / sum.std_err,
                false => 0.0,
            },
        }
    }

    /// Returns why the element is not to be believed, as a number beyond its limit; `None` if it
    /// is.
    pub fn failure(&self) -> Option<Failure> {
        if let Some(pull) = self.pull.filter(|p| p.abs() > MAX_PULL) {
            return Some(Failure::Refuted(pull.abs()));
        }
        if self.largest_share > MAX_SHARE {
            return Some(Failure::Dominated(self.largest_share));
        }
        if self.missed > MAX_MISSED {
            return Some(Failure::Missed(self.missed));
        }
        match self.tail_index {
            // Beyond doubt: small samples give noisy indices.
            Some(k) if k.value - k.std_err > MAX_TAIL_INDEX => Some(Failure::Tail(k.value)),
            _ => None,
        }
    }
}

/// A failure is one of the ways in which an average fails, worst first.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Failure {
    /// The mean is so many standard errors away from the exact value.
    Refuted(f64),
    /// One network has this share of the sum.
    Dominated(f64),
    /// Networks too rare to be drawn carry so many standard errors.
    Missed(f64),
    /// The tail index is so large.
    Tail(f64),
}

impl Failure {
    /// Returns the graver of two failures: that of the worse kind, or the larger number.
    pub fn worse(self, other: Self) -> Self {
        let kind = |f: &Self| match f {
            Self::Refuted(_) => 0,
            Self::Dominated(_) => 1,
            Self::Missed(_) => 2,
            Self::Tail(_) => 3,
        };
        match kind(&self).cmp(&kind(&other)) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal if self > other => self,
            std::cmp::Ordering::Equal => other,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refuted(pull) if *pull < 1e6 => {
                write!(f, "the exact value is {pull:.0} error bars away")
            }
            Self::Refuted(pull) => write!(f, "the exact value is {pull:.0e} error bars away"),
            Self::Dominated(share) => {
                write!(
                    f,
                    "a single network carries {:.0}% of the sum",
                    100.0 * share
                )
            }
            Self::Missed(errors) => write!(
                f,
                "networks too rare to be drawn carry {errors:.1} error bars of the sum"
            ),
            Self::Tail(k) => write!(
                f,
                "the contributions' tail index is {k:.2}, above {MAX_TAIL_INDEX}: networks too rare to be drawn matter"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the largest of 10^5 quantiles of a generalised Pareto distribution.
    fn pareto(k: f64) -> Vec<f64> {
        (0..256)
            .map(|i| {
                let p: f64 = (f64::from(i) + 0.5) / 1e5;
                if k == 0.0 {
                    -p.ln()
                } else {
                    (p.powf(-k) - 1.0) / k
                }
            })
            .collect()
    }

    #[test]
    fn the_index_of_known_tails() {
        for k in [0.0, 0.3, 0.7, 1.5] {
            let got = tail_index(&pareto(k)).unwrap().value;
            // The prior pulls 7% of the way to 1/2.
            let want = (128.0 * k + 5.0) / 138.0;
            assert!((got - want).abs() < 0.06, "{k}: {got} {want}");
        }
        assert_eq!(tail_index(&[1.0; 30]), None);
        assert_eq!(tail_index(&[2.0; 256]), None);
    }

    #[test]
    fn no_index_of_what_is_no_tail() {
        // Heaviest by something else: 7 is prime to 256, so that sizes come in no order.
        let tail = pareto(2.0);
        let shuffled: Vec<f64> = (0..256).map(|i| tail[i * 7 % 256]).collect();
        assert_eq!(tail_index(&shuffled), None);
        // Small disorder, as of fields that go together, leaves the index.
        let nearly: Vec<f64> = (0..256).map(|i| tail[i ^ 3]).collect();
        let index = |values: &[f64]| tail_index(values).unwrap().value;
        assert_eq!(index(&nearly), index(&tail));
    }

    fn sum(value: f64, std_err: f64) -> Sum {
        Sum {
            value,
            std_err,
            missed: 0.0,
        }
    }

    #[test]
    fn no_index_of_what_piles_up_at_a_bound() {
        // Distances from the bound over many decades: a fit of the excess means nothing.
        let bounded: Vec<f64> = (0..256).map(|i| 1.0 - 1e-9 * 1.1f64.powi(i)).collect();
        assert_eq!(tail_index(&bounded), None);
        // A heavy tail is seen in the variance; these are nothing beside it.
        let small = Convergence::new(&pareto(1.0), sum(1e9, 1e7), None, true);
        assert_eq!((small.tail_index, small.failure()), (None, None));
    }

    #[test]
    fn verdicts() {
        let fine = Convergence::new(&pareto(0.2), sum(1e5, 300.0), Some(-2.0), true);
        assert_eq!(fine.failure(), None);
        let far = Convergence::new(&pareto(0.2), sum(1e5, 300.0), Some(-6.0), true);
        assert_eq!(far.failure(), Some(Failure::Refuted(6.0)));
        let heavy = Convergence::new(&pareto(1.0), sum(1e9, 1e3), None, true);
        assert!(matches!(heavy.failure(), Some(Failure::Tail(k)) if k > 0.9));
        let one = Convergence::new(&[3.0, 1.0], sum(10.0, 1.5), None, true);
        assert_eq!(one.failure(), Some(Failure::Dominated(0.3)));
        // A mean of zero is judged by its error.
        let zero =
            |std_err| Convergence::new(&[3.0, -3.0], sum(0.0, std_err), None, true).failure();
        assert_eq!(zero(100.0), None);
        assert_eq!(zero(6.0), Some(Failure::Dominated(0.25)));
        // What is known to be missing counts against the error.
        let missing = |missed| {
            let sum = Sum {
                missed,
                ..sum(1e5, 300.0)
            };
            Convergence::new(&pareto(0.2), sum, Some(-2.0), true).failure()
        };
        assert_eq!(missing(250.0), None);
        assert_eq!(missing(600.0), Some(Failure::Missed(2.0)));
    }
}
