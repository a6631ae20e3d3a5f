//! n-point functions drift away from the Gaussian process with depth: m_n against the number of
//! hidden layers.

use serde::{Deserialize, Serialize};

use super::average::average;
use super::{Agreement, Correlator, LogFit, Unconverged, Verdict};
use crate::model::EnsembleSpec;
use crate::theory::Values;

/// The depths of a sweep unless others are asked for.
pub const DEPTHS: [usize; 7] = [1, 2, 3, 5, 10, 20, 50];

/// `DepthPoint` is one n-point function at one depth, averaged over its elements.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepthPoint {
    /// Order n of the function; at n = 2, m_n is the correction of the mean.
    pub order: usize,
    /// Mean of m_n.
    pub deviation_mean: Option<f64>,
    /// Standard error of `deviation_mean`.
    pub std_err: Option<f64>,
    /// Mean of m_n to first order in 1/n, if that is what is known.
    pub first_order_mean: Option<f64>,
    /// Size of what first order leaves out.
    pub first_order_neglected: Option<f64>,
    /// Mean of the exact m_n, if it is known.
    pub exact_mean: Option<f64>,
    /// Whether `deviation_mean` differs from zero.
    pub verdict: Verdict,
    /// Whether it is as first order has it, where that is what is known.
    pub first_order_verdict: Option<String>,
    /// Largest |measured - exact| over the elements, in standard errors.
    pub largest_pull: Option<f64>,
    /// Why the average has not converged; `None` if it has.
    pub unconverged: Option<String>,
}

/// `VertexPoint` is n v / K^2 at one depth, averaged over points: v = Var C(x, x), where C is the
/// covariance of the outputs given the hidden layers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VertexPoint {
    /// Measured value; `None` if the 4-point function was not measured by the connected estimator.
    pub mean: Option<f64>,
    /// Standard error of `mean`, at most: errors of the points are added, as if they were one.
    pub std_err: Option<f64>,
    /// Value to first order in 1/n.
    pub first_order: Option<f64>,
    /// Exact value, if it is known.
    pub exact: Option<f64>,
}

/// `Depth` holds the n-point functions at one depth of a sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Depth {
    /// Number L of hidden layers.
    pub depth: usize,
    /// Width n of the hidden layers.
    pub width: u64,
    /// The n-point functions, one entry per order.
    pub orders: Vec<DepthPoint>,
    /// n v / K^2.
    pub vertex: VertexPoint,
}

/// `DepthFit` is a fitted power of L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepthFit {
    /// Width n of the nets; `None` if each depth has its own.
    pub width: Option<u64>,
    /// Order n of m_n; `None` for n v / K^2.
    pub order: Option<usize>,
    /// Slope of log10 of the absolute value against log10 L.
    pub slope: Option<f64>,
    /// Standard error of the slope.
    pub std_err: Option<f64>,
    /// Slope of the predicted values at the same depths, with the same relative errors.
    pub predicted_slope: Option<f64>,
    /// Depths at which the value differs from zero.
    pub depths_used: Vec<usize>,
}

/// `DepthSweep` is a sweep over depths with the fits to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DepthSweep {
    /// The depths, in the order given.
    pub depths: Vec<Depth>,
    /// Fits, one for each even order and one for n v / K^2, of the nets of each width.
    pub fits: Vec<DepthFit>,
}

impl Depth {
    /// Puts together what was measured at one depth and what theory has.
    pub fn new(spec: &EnsembleSpec, measured: &[Correlator], values: &Values) -> Self {
        let orders = measured.iter().map(point).collect();
        Self {
            depth: spec.net.depth(),
            width: spec.net.width(),
            orders,
            vertex: vertex(spec, measured, values),
        }
    }
}

fn point(c: &Correlator) -> DepthPoint {
    let (exact, first) = (c.reference.exact(), c.reference.first_order());
    DepthPoint {
        order: c.order,
        deviation_mean: c.deviation_mean,
        std_err: c.deviation_mean_std_err,
        first_order_mean: first.and_then(|x| x.deviation_mean),
        first_order_neglected: first.and_then(|x| x.deviation_mean_error),
        exact_mean: exact.and_then(|x| x.deviation_mean),
        verdict: c.verdict,
        first_order_verdict: c.first_order_verdict.as_ref().map(Agreement::to_string),
        largest_pull: c.largest_pull(),
        unconverged: c.reason.clone(),
    }
}

fn vertex(spec: &EnsembleSpec, measured: &[Correlator], values: &Values) -> VertexPoint {
    let width = spec.net.width() as f64;
    let kernel = values.kernel();
    let points = kernel.len();
    // Where a point has no variance there is nothing to divide by.
    let seen: Vec<usize> = (0..points).filter(|&p| kernel[p][p] > 0.0).collect();
    let mean = |of: &dyn Fn(usize) -> f64| {
        let all: Vec<f64> = (seen.iter())
            .map(|&p| width * of(p) / kernel[p][p].powi(2))
            .collect();
        average(&all)
    };
    let four = measured.iter().find(|c| c.order == 4);
    let connected = four.and_then(|c| Some((c, c.connected.as_ref()?)));
    let at = |c: &Correlator, p: usize| {
        let is = |(index, outputs): &(&Vec<usize>, Option<&Vec<usize>>)| {
            index.iter().all(|&i| i == p) && outputs.is_none_or(|o| o.iter().all(|&a| a == 0))
        };
        (c.indices.iter().enumerate())
            .map(|(e, index)| (index, c.outputs.get(e)))
            .position(|element| is(&element))
            .expect("an element of one point and one output")
    };
    // At one point the connected 4-point function is three times the variance of C.
    let estimate = connected.and_then(|(c, of)| mean(&|p| of.mean[at(c, p)] / 3.0));
    let std_err = connected.and_then(|(c, of)| {
        let errors = of.std_err.as_ref()?;
        mean(&|p| errors[at(c, p)] / 3.0)
    });
    let has_four = spec.orders.iter().any(|&n| n >= 4);
    let known = match values {
        _ if !has_four => None,
        Values::Exact(exact) => mean(&|p| exact.covariance([p, p], [p, p])),
        Values::Layers { values, .. } => mean(&|p| values.covariance([p, p], [p, p])),
        Values::Kernel(_) => None,
    };
    let is_exact = match values {
        Values::Exact(_) => true,
        Values::Layers { values, .. } => values.is_exact(),
        Values::Kernel(_) => false,
    };
    VertexPoint {
        mean: estimate,
        std_err,
        first_order: known.filter(|_| !is_exact),
        exact: known.filter(|_| is_exact),
    }
}

impl DepthSweep {
    /// Fits the slopes of a sweep: of the nets of each width, or of all if each depth has a width of its own.
    pub fn new(depths: Vec<Depth>) -> Self {
        let mut fits = Vec::new();
        match widths_of(&depths) {
            None => fits.extend(fits_of(None, &depths.iter().collect::<Vec<_>>())),
            Some(widths) => {
                for width in widths {
                    let of_width: Vec<&Depth> =
                        depths.iter().filter(|d| d.width == width).collect();
                    fits.extend(fits_of(Some(width), &of_width));
                }
            }
        }
        Self { depths, fits }
    }

    /// Lists the widths of the sweep, in the order given; `None` if each depth has its own.
    pub fn widths(&self) -> Option<Vec<u64>> {
        widths_of(&self.depths)
    }

    /// Lists the even orders that were measured.
    pub fn even_orders(&self) -> Vec<usize> {
        let first: Vec<&Depth> = self.depths.first().into_iter().collect();
        even_orders(&first)
    }

    /// Lists the n-point functions whose averages have not converged, with their depths.
    pub fn unconverged(&self) -> Vec<Unconverged> {
        let has_widths = self.widths().is_some_and(|widths| widths.len() > 1);
        let all = (self.depths.iter()).flat_map(|d| d.orders.iter().map(move |p| (d, p)));
        all.filter_map(|(d, p)| {
            Some(Unconverged {
                claim: Some(match has_widths {
                    true => format!("N = {}, L = {}", d.width, d.depth).into(),
                    false => format!("L = {}", d.depth).into(),
                }),
                order: p.order,
                reason: p.unconverged.clone()?,
            })
        })
        .collect()
    }
}

fn widths_of(depths: &[Depth]) -> Option<Vec<u64>> {
    let mut widths: Vec<u64> = Vec::new();
    for d in depths {
        if !widths.contains(&d.width) {
            widths.push(d.width);
        }
    }
    let is_swept = |width: &u64| depths.iter().filter(|d| d.width == *width).count() > 1;
    (widths.len() <= 1 || widths.iter().any(is_swept)).then_some(widths)
}

fn even_orders(depths: &[&Depth]) -> Vec<usize> {
    (depths.first().into_iter())
        .flat_map(|d| d.orders.iter().map(|p| p.order))
        .filter(|n| n % 2 == 0)
        .collect()
}

/// Fits every even order, and n v / K^2.
fn fits_of(width: Option<u64>, depths: &[&Depth]) -> Vec<DepthFit> {
    let of_order = |n: usize| {
        let rows = depths.iter().filter_map(|d| {
            let p = d.orders.iter().find(|p| p.order == n)?;
            let predicted = p.exact_mean.or(p.first_order_mean);
            Some((d.depth, p.deviation_mean?, p.std_err?, predicted))
        });
        fit(width, Some(n), rows.collect())
    };
    let mut fits: Vec<DepthFit> = even_orders(depths).into_iter().map(of_order).collect();
    let vertices = depths.iter().filter_map(|d| {
        let v = d.vertex;
        Some((d.depth, v.mean?, v.std_err?, v.exact.or(v.first_order)))
    });
    fits.push(fit(width, None, vertices.collect()));
    fits
}

/// Fits rows of depth, value, standard error and predicted value, of those that stand out.
fn fit(
    width: Option<u64>,
    order: Option<usize>,
    rows: Vec<(usize, f64, f64, Option<f64>)>,
) -> DepthFit {
    let rows: Vec<_> = (rows.into_iter())
        .filter(|(_, value, error, _)| value.abs() > 3.0 * error)
        .collect();
    let measured = rows.iter().map(|&(depth, y, e, _)| (depth as f64, y, e));
    let measured = LogFit::new(&measured.collect::<Vec<_>>());
    let predicted: Option<Vec<_>> = (rows.iter())
        .map(|&(depth, y, e, predicted)| {
            let predicted = predicted?;
            Some((depth as f64, predicted, e * (predicted / y).abs()))
        })
        .collect();
    DepthFit {
        width,
        order,
        slope: measured.map(|f| f.slope),
        std_err: measured.map(|f| f.std_err),
        predicted_slope: predicted.and_then(|rows| Some(LogFit::new(&rows)?.slope)),
        depths_used: rows.iter().map(|row| row.0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_of_depths_that_stand_out() {
        let rows = vec![
            (1, 0.05, 0.001, Some(0.05)),
            (2, -0.1, 0.001, Some(-0.11)),
            (4, 0.2, 0.1, Some(0.2)),
        ];
        let fit = fit(None, Some(4), rows);
        assert_eq!(fit.depths_used, [1, 2]);
        assert!((fit.slope.unwrap() - 1.0).abs() < 1e-9);
        assert!(fit.predicted_slope.unwrap() > 1.1);
    }

    #[test]
    fn each_width_that_is_swept_has_its_own_slopes() {
        let of = |shapes: &[(usize, u64)]| {
            let depth = |&(depth, width): &(usize, u64)| {
                let mean = Some(depth as f64 / width as f64);
                let vertex = VertexPoint {
                    mean,
                    std_err: mean.map(|v| 0.01 * v),
                    first_order: None,
                    exact: mean,
                };
                Depth {
                    depth,
                    width,
                    orders: Vec::new(),
                    vertex,
                }
            };
            let sweep = DepthSweep::new(shapes.iter().map(depth).collect());
            (sweep.fits.iter())
                .map(|f| (f.width, f.depths_used.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[(1, 10), (2, 10)]), [(Some(10), vec![1, 2])]);
        assert_eq!(of(&[(1, 10), (2, 20)]), [(None, vec![1, 2])]);
        assert_eq!(
            of(&[(1, 10), (1, 20), (2, 10), (2, 20)]),
            [(Some(10), vec![1, 2]), (Some(20), vec![1, 2])]
        );
    }
}
