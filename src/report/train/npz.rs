use std::io;
use std::path::Path;

use crate::analysis::trained::{TrainedCorrelator, TrainedStep};
use crate::report::arrays::{Arrays, flat, whole};
use crate::run::TrainDocument;

/// A column has a name, and its values of one step, or of one correlator.
type OfStep = (&'static str, fn(&TrainedStep) -> Vec<Option<f64>>);
type OfCorrelator = (&'static str, fn(&TrainedCorrelator) -> &[f64]);

/// Writes what networks have learnt as NumPy arrays.
///
/// Over W widths, S numbers of steps, F fields (every point, output after output, first the data), D data points, and for
/// each order n the E unique elements of its n-point function; what is undefined is NaN:
///
/// | array | shape | holds |
/// |---|---|---|
/// | `width`, `step` | `(W,)`, `(S,)`, int64 | widths, and numbers of steps |
/// | `networks`, `diverged` | `(W, S)`, int64 | networks that are averaged over, and those that are not |
/// | `points`, `output`, `target` | `(F, d_in)`, `(F,)` int64, `(F,)` | the fields, with the targets of those at the data |
/// | `mean`, `mean_deviation`, `variance`, `kurtosis` | `(W, S, F)` | E f, its distance from infinite width, Var f, excess kurtosis; each with its `_std_err` |
/// | `infinite_mean`, `infinite_variance` | `(S, F)` | those of infinite width |
/// | `loss`, `loss_std_err`; `infinite_loss` | `(W, S)`; `(S,)` | the mean loss |
/// | `G{n}_indices`, `G{n}_outputs` | `(E, n)`, int64 | points, and with several the outputs, of each element |
/// | `G{n}_mean`, `G{n}_std_err` | `(W, S, E)` | n-point function |
/// | `G{n}_connected`, `G{n}_connected_std_err` | `(W, S, E)` | its connected part |
/// | `G{n}_infinite` | `(S, E)` | G^(n) at infinite width |
/// | `eigenvalues` | `(D,)` | those of the tangent kernel at the data |
/// | `curve_x`, `curve_step` | `(X,)`, `(T,)` int64 | points of a line for d_in = 1, and numbers of steps |
/// | `curve_mean`, `curve_variance` | `(T, d_out, X)`, `(T, X)` | infinite width along it |
///
/// # Errors
/// Those of writing the file.
pub fn write_train_npz(path: &Path, document: &TrainDocument) -> io::Result<()> {
    let mut npz = Arrays::create(path)?;
    let widths = &document.widths;
    let steps = || widths.iter().flat_map(|width| &width.steps);
    let Some(first) = widths.first() else {
        return npz.finish();
    };
    let Some(fields) = first.steps.first() else {
        return npz.finish();
    };
    let (w, s, f) = (widths.len(), first.steps.len(), fields.mean.len());
    let count = |n: u64| n as i64;
    npz.put("width", &[w], widths.iter().map(|width| count(width.width)))?;
    npz.put(
        "step",
        &[s],
        first.steps.iter().map(|step| count(step.step)),
    )?;
    npz.put(
        "networks",
        &[w, s],
        steps().map(|step| count(step.networks)),
    )?;
    npz.put(
        "diverged",
        &[w, s],
        steps().map(|step| count(step.diverged)),
    )?;
    let d_in = document.head.spec.data.d_in();
    npz.put("points", &[f, d_in], flat(&fields.points))?;
    let outputs = (0..f).map(|k| fields.outputs.get(k).map_or(0, |&a| a as i64));
    npz.put("output", &[f], outputs)?;
    let known = |x: &Option<f64>| x.unwrap_or(f64::NAN);
    npz.put("target", &[f], fields.targets.iter().map(known))?;
    let columns: [OfStep; 8] = [
        ("mean", |step| some(&step.mean)),
        ("mean_std_err", |step| some(&step.std_err)),
        ("mean_deviation", |step| or_none(&step.mean_deviation, step)),
        ("mean_deviation_std_err", |step| {
            or_none(&step.mean_deviation_std_err, step)
        }),
        ("variance", |step| some(&step.variance)),
        ("variance_std_err", |step| some(&step.variance_std_err)),
        ("kurtosis", |step| step.kurtosis.clone()),
        ("kurtosis_std_err", |step| step.kurtosis_std_err.clone()),
    ];
    for (name, of) in columns {
        let values = steps().flat_map(of).map(|x| known(&x));
        npz.put(name, &[w, s, f], values)?;
    }
    let infinite: [OfStep; 2] = [
        ("infinite_mean", |step| or_none(&step.infinite_mean, step)),
        ("infinite_variance", |step| {
            or_none(&step.infinite_variance, step)
        }),
    ];
    for (name, of) in infinite {
        let values = first.steps.iter().flat_map(of).map(|x| known(&x));
        npz.put(name, &[s, f], values)?;
    }
    npz.put("loss", &[w, s], steps().map(|step| step.loss))?;
    npz.put(
        "loss_std_err",
        &[w, s],
        steps().map(|step| step.loss_std_err),
    )?;
    let losses = first.steps.iter().map(|step| known(&step.infinite_loss));
    npz.put("infinite_loss", &[s], losses)?;
    correlators(&mut npz, document, [w, s])?;
    let eigenvalues = document.eigenvalues.iter().copied();
    npz.put("eigenvalues", &[document.eigenvalues.len()], eigenvalues)?;
    if let Some(curve) = &document.curve {
        let (t, x) = (curve.steps.len(), curve.x.len());
        npz.put("curve_x", &[x], curve.x.iter().copied())?;
        npz.put(
            "curve_step",
            &[t],
            curve.steps.iter().map(|c| count(c.step)),
        )?;
        let d_out = document.head.spec.data.d_out();
        let means = curve.steps.iter().flat_map(|c| flat(&c.mean));
        npz.put("curve_mean", &[t, d_out, x], means)?;
        let variances = curve.steps.iter().flat_map(|c| c.variance.iter().copied());
        npz.put("curve_variance", &[t, x], variances)?;
    }
    npz.finish()
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

/// Returns a list that may be missing, entry by entry.
fn or_none(values: &Option<Vec<f64>>, step: &TrainedStep) -> Vec<Option<f64>> {
    match values {
        Some(values) => some(values),
        None => vec![None; step.mean.len()],
    }
}

fn correlators(npz: &mut Arrays, document: &TrainDocument, [w, s]: [usize; 2]) -> io::Result<()> {
    let steps = || document.widths.iter().flat_map(|width| &width.steps);
    for (k, c) in steps()
        .next()
        .map_or(&[][..], |step| &step.correlators)
        .iter()
        .enumerate()
    {
        let (n, elements) = (c.order, c.mean.len());
        let name = |what: &str| format!("G{n}_{what}");
        npz.put(&name("indices"), &[elements, n], whole(&c.indices))?;
        if !c.outputs.is_empty() {
            npz.put(&name("outputs"), &[elements, n], whole(&c.outputs))?;
        }
        let columns: [OfCorrelator; 4] = [
            ("mean", |c| &c.mean),
            ("std_err", |c| &c.std_err),
            ("connected", |c| &c.connected),
            ("connected_std_err", |c| &c.connected_std_err),
        ];
        for (what, of) in columns {
            let values = steps().flat_map(|step| of(&step.correlators[k]).iter().copied());
            npz.put(&name(what), &[w, s, elements], values)?;
        }
        let infinite = document.widths[0].steps.iter().flat_map(|step| {
            let known = step.correlators[k].infinite.as_ref();
            (0..elements).map(move |e| known.map_or(f64::NAN, |known| known[e]))
        });
        npz.put(&name("infinite"), &[s, elements], infinite)?;
    }
    Ok(())
}
