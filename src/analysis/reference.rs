//! A measured n-point function is held against an exact value, a first order, or nothing.

use serde::{Serialize, Serializer};

use super::average::average;
use super::elements::Elements;
use super::jackknife::three_sigma;
use crate::theory::{DeepTheory, Exact, Values};

/// `Reference` is what theory says of an n-point function beyond the GP. An exact value may be
/// unknown; it is then absent, never zero.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reference {
    /// Values at this width, right to within their errors.
    Exact(Known),
    /// The GP and its first correction in 1 / n. The errors are the size of the next order, which
    /// is neglected.
    FirstOrder(Known),
    /// Nothing is known beyond the GP.
    None,
}

/// `Known` holds the values that theory has of one n-point function, over the elements of its
/// [`Correlator`](super::Correlator).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// G^(n) of each element.
    pub mean: Vec<f64>,
    /// Error of `mean`, the GP's rounding included.
    pub error: Vec<f64>,
    /// G^(n) - G_GP^(n): what `mean` loses to rounding where it is small.
    pub delta: Vec<f64>,
    /// Error of `delta`.
    pub delta_error: Vec<f64>,
    /// m_n of each element, `None` where it is undefined.
    pub deviation: Vec<Option<f64>>,
    /// Mean of m_n over elements.
    pub deviation_mean: Option<f64>,
    /// Error of `deviation_mean`, if those of the elements are all on one side.
    pub deviation_mean_error: Option<f64>,
    /// Connected n-point function, n = 4 and 6.
    pub connected: Option<Vec<f64>>,
}

impl Known {
    /// Makes the values of some elements from their deviations G - G_GP and the errors of these.
    pub(crate) fn new(
        elements: &Elements,
        delta: Vec<f64>,
        delta_error: Vec<f64>,
        connected: Option<Vec<f64>>,
    ) -> Self {
        let errors = elements.member_deviations(&delta_error).into_iter();
        let sizes: Vec<f64> = errors.map(f64::abs).collect();
        Self {
            mean: (elements.gp.iter().zip(&delta))
                .map(|(g, d)| g + d)
                .collect(),
            error: (delta_error.iter().zip(&elements.rounding))
                .map(|(error, rounding)| error + rounding)
                .collect(),
            deviation: elements.deviations(&delta),
            deviation_mean: elements.mean_deviation(&delta),
            deviation_mean_error: average(&sizes),
            delta,
            delta_error,
            connected,
        }
    }
}

impl Reference {
    /// Takes what is known of some elements.
    pub(crate) fn of(values: &Values, elements: &Elements) -> Self {
        match values {
            Values::Exact(exact) => Self::exact_values(exact, elements),
            Values::Layers { values, .. } => Self::of_layers(values, elements),
            Values::Kernel(_) => Self::None,
        }
    }

    fn of_layers(values: &DeepTheory, elements: &Elements) -> Self {
        let tuples = &elements.tuples;
        let delta = tuples.iter().map(|t| values.deviation(t)).collect();
        let connected = match elements.order {
            4 | 6 => Some(tuples.iter().map(|t| values.connected(t)).collect()),
            _ => None,
        };
        let error = |t| match values.is_exact() {
            true => values.error(t),
            false => values.neglected(t) + values.error(t),
        };
        let error = tuples.iter().map(error).collect();
        let known = Known::new(elements, delta, error, connected);
        match values.is_exact() || elements.order % 2 == 1 {
            true => Self::Exact(known),
            false => Self::FirstOrder(known),
        }
    }

    /// Takes the exact values of some elements.
    fn exact_values(exact: &Exact, elements: &Elements) -> Self {
        let tuples = &elements.tuples;
        let delta: Vec<f64> = tuples.iter().map(|t| exact.deviation(t)).collect();
        let error = tuples.iter().map(|t| exact.error(t)).collect();
        let connected = match elements.order {
            4 => Some(delta.clone()),
            6 => Some(tuples.iter().map(|t| exact.connected_six(t)).collect()),
            _ => None,
        };
        Self::Exact(Known::new(elements, delta, error, connected))
    }

    /// Returns the exact values, if they are known.
    pub fn exact(&self) -> Option<&Known> {
        match self {
            Self::Exact(known) => Some(known),
            _ => None,
        }
    }

    /// Returns the values to first order in 1 / n, if these are what is known.
    pub fn first_order(&self) -> Option<&Known> {
        match self {
            Self::FirstOrder(known) => Some(known),
            _ => None,
        }
    }

    /// Returns the values of either kind.
    pub fn known(&self) -> Option<&Known> {
        self.exact().or(self.first_order())
    }

    /// Returns the name of the kind: `exact`, `first order` or `none`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::FirstOrder(_) => "first order",
            Self::None => "none",
        }
    }

    /// Writes the columns of a prediction that stands alone, where m_n and the connected function
    /// need not be told from measured ones.
    pub(super) fn serialize_alone<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.known();
        Alone {
            columns: Columns::new(self),
            deviation: known.map(|k| &k.deviation[..]),
            connected: known.and_then(|k| k.connected.as_deref()),
            deviation_mean: known.and_then(|k| k.deviation_mean),
        }
        .serialize(serializer)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (exact, first) = (self.exact(), self.first_order());
        Beside {
            columns: Columns::new(self),
            deviation_exact: exact.map(|k| &k.deviation[..]),
            deviation_first_order: first.map(|k| &k.deviation[..]),
            deviation_mean_exact: exact.and_then(|k| k.deviation_mean),
            deviation_mean_exact_error: exact.and_then(|k| k.deviation_mean_error),
            deviation_mean_first_order: first.and_then(|k| k.deviation_mean),
            deviation_mean_first_order_neglected: first.and_then(|k| k.deviation_mean_error),
        }
        .serialize(serializer)
    }
}

/// `Columns` are those of G^(n) in JSON.
#[derive(Serialize)]
struct Columns<'a> {
    reference: &'static str,
    exact: Option<&'a [f64]>,
    exact_error: Option<&'a [f64]>,
    first_order: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_order_neglected: Option<&'a [f64]>,
}

impl<'a> Columns<'a> {
    fn new(reference: &'a Reference) -> Self {
        let (exact, first) = (reference.exact(), reference.first_order());
        Self {
            reference: reference.name(),
            exact: exact.map(|k| &k.mean[..]),
            exact_error: exact.map(|k| &k.error[..]),
            first_order: first.map(|k| &k.mean[..]),
            first_order_neglected: first.map(|k| &k.error[..]),
        }
    }
}

/// `Beside` has the columns of theory beside measured ones.
#[derive(Serialize)]
struct Beside<'a> {
    #[serde(flatten)]
    columns: Columns<'a>,
    deviation_exact: Option<&'a [Option<f64>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation_first_order: Option<&'a [Option<f64>]>,
    deviation_mean_exact: Option<f64>,
    deviation_mean_exact_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation_mean_first_order: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation_mean_first_order_neglected: Option<f64>,
}

/// `Alone` has the columns of theory alone.
#[derive(Serialize)]
struct Alone<'a> {
    #[serde(flatten)]
    columns: Columns<'a>,
    deviation: Option<&'a [Option<f64>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<&'a [f64]>,
    deviation_mean: Option<f64>,
}

/// `Agreement` says whether a measured mean of m_n is as predicted to first order in 1 / n. It is
/// no pull: what the prediction neglects is known by its size only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Agreement {
    /// Measured and predicted value differ by no more than what is neglected and three standard
    /// errors.
    #[serde(rename = "as predicted at first order")]
    AsPredicted,
    /// Measured and predicted value differ by more than what is neglected and three standard
    /// errors.
    #[serde(rename = "not as predicted at first order")]
    NotAsPredicted,
}

impl Agreement {
    /// Judges a difference, with the standard error of the measured value over so many blocks.
    pub(super) fn of(difference: f64, neglected: f64, std_err: f64, blocks: u64) -> Self {
        let degrees = blocks.saturating_sub(1).max(1) as usize;
        match difference.abs() <= neglected + three_sigma(degrees) * std_err {
            true => Self::AsPredicted,
            false => Self::NotAsPredicted,
        }
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AsPredicted => "as predicted at first order",
            Self::NotAsPredicted => "not as predicted at first order",
        })
    }
}
