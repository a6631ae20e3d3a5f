//! What `ensemble --out DIR` has left in a folder, read back.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use zip::ZipArchive;

use super::document::SCHEMA;
use crate::analysis::{Interactions, Samples, Unconverged};
use crate::model::{EnsembleSpec, open_npy};
use crate::{Error, Result};

const DOCUMENT: &str = "ensemble.json";
const ARRAYS: &str = "moments.npz";

/// The ensemble that `ensemble --out DIR` left in a folder: its spec, what couplings are
/// measured on, and what has not converged of it.
///
/// # Errors
/// [`Error::File`] with what is missing or wrong.
///
/// ```no_run
/// let (spec, interactions, unconverged) =
///     nnqft_gpu::report::read_moments("results".as_ref())?;
/// println!("{} elements of width {}", interactions.four.mean.len(), spec.width);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn read_moments(dir: &Path) -> Result<(EnsembleSpec, Interactions, Vec<Unconverged>)> {
    let document = Document::read(dir).map_err(|reason| refusal(dir, DOCUMENT, reason))?;
    let spec = document.spec.validate()?;
    check(&spec).map_err(|reason| refusal(dir, DOCUMENT, reason))?;
    let interactions = interactions(dir, &spec).map_err(|reason| refusal(dir, ARRAYS, reason))?;
    let unconverged = document.correlators.into_iter().filter_map(|c| {
        Some(Unconverged {
            claim: None,
            order: c.order,
            reason: c.reason?,
        })
    });
    Ok((spec, interactions, unconverged.collect()))
}

fn refusal(dir: &Path, name: &str, reason: String) -> Error {
    Error::File {
        path: dir.join(name),
        line: None,
        reason,
    }
}

/// What an `ensemble.json` tells of the arrays beside it.
#[derive(Deserialize)]
struct Document {
    spec: EnsembleSpec,
    correlators: Vec<Convergence>,
}

/// Whether an n-point function has converged.
#[derive(Deserialize)]
struct Convergence {
    order: usize,
    reason: Option<String>,
}

/// What tells one kind of document from another.
#[derive(Deserialize)]
struct Schema {
    schema: String,
}

impl Document {
    fn read(dir: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(dir.join(DOCUMENT))
            .map_err(|e| format!("{e}; give a folder that ensemble --out has written"))?;
        if text.trim_start().starts_with('[') {
            return Err("it holds several widths; give the folder of a run with one".into());
        }
        // A document of another kind may have none of the fields that are needed here.
        let Schema { schema } = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        if schema != SCHEMA {
            return Err(format!("schema \"{schema}\" is not {SCHEMA}"));
        }
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }
}

/// Whether couplings can be measured on such an ensemble.
fn check(spec: &EnsembleSpec) -> Result<(), String> {
    if spec.d_out != 1 {
        return Err(format!(
            "the run has d_out {}; eft and rg take one output, and symmetry follows the coupling over d_out",
            spec.d_out
        ));
    }
    match spec.orders.contains(&4) {
        true => Ok(()),
        false => Err("the run has no 4-point function; couplings need --orders 4".into()),
    }
}

fn interactions(dir: &Path, spec: &EnsembleSpec) -> Result<Interactions, String> {
    let file = File::open(dir.join(ARRAYS)).map_err(|e| e.to_string())?;
    let mut npz = ZipArchive::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let mut get = |name: String, shape: &[usize]| {
        array(&mut npz, &name, shape).map_err(|reason| format!("{name}: {reason}"))
    };
    // Differences as they were measured: formed from G - G_GP they would be rounding.
    let mut of = |n: usize| -> Result<Samples, String> {
        let elements = spec.elements_of(n as u64) as usize;
        let shape = [spec.experiments as usize, elements];
        let all = get(format!("G{n}_delta_experiments"), &shape)?;
        Ok(Samples {
            mean: get(format!("G{n}_delta"), &[elements])?,
            std_err: get(format!("G{n}_std_err"), &[elements])?,
            experiments: all.chunks(elements).map(<[f64]>::to_vec).collect(),
        })
    };
    Ok(Interactions {
        four: of(4)?,
        six: spec.orders.contains(&6).then(|| of(6)).transpose()?,
        connected_six: None,
    })
}

/// An array of finite numbers, which must have this shape.
fn array(
    npz: &mut ZipArchive<BufReader<File>>,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f64>, String> {
    let entry = (npz.by_name(&format!("{name}.npy"))).map_err(|e| e.to_string())?;
    // Nothing is allocated from a length in the file.
    let limit = 8 * shape.iter().product::<usize>() as u64 + 4096;
    let mut bytes = Vec::new();
    (entry.take(limit).read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    let npy = open_npy(&bytes).map_err(|e| e.to_string())?;
    let found: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    if found != shape {
        return Err(format!("shape {found:?} instead of {shape:?}"));
    }
    let values = npy.data().map_err(|e| e.to_string())?;
    let values: Vec<f64> = values
        .collect::<io::Result<_>>()
        .map_err(|e| e.to_string())?;
    match values.iter().all(|x| x.is_finite()) {
        true => Ok(values),
        false => Err("a value is not finite".into()),
    }
}
