//! Couplings can be measured on what `ensemble --out DIR` has left in a folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use zip::ZipArchive;

use crate::analysis::{Interactions, Samples, Unconverged};
use crate::model::{EnsembleSpec, open_npy};
use crate::run::{EnsembleDocument, schema as schema_of};
use crate::{Error, Result};

const DOCUMENT: &str = "ensemble.json";
const ARRAYS: &str = "moments.npz";

/// A folder that `ensemble --out DIR` has written holds an ensemble: its spec, what couplings are
/// measured on, and what has not converged of it.
///
/// # Errors
/// [`Error::File`] with what is missing or wrong.
///
/// ```no_run
/// let (spec, interactions, unconverged) =
///     nnqft_gpu::report::read_moments("results".as_ref())?;
/// println!("{} elements of width {}", interactions.four.mean.len(), spec.net.width());
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

/// An `ensemble.json` tells this of the arrays beside it.
#[derive(Deserialize)]
struct Document {
    spec: EnsembleSpec,
    correlators: Vec<Convergence>,
}

/// An n-point function has converged, or there is a reason why not.
#[derive(Deserialize)]
struct Convergence {
    order: usize,
    reason: Option<String>,
}

/// The schema tells one kind of document from another.
#[derive(Deserialize)]
struct Schema {
    schema: String,
}

impl Document {
    fn read(dir: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(dir.join(DOCUMENT))
            .map_err(|e| format!("{e}; give a folder that ensemble has written"))?;
        if text.trim_start().starts_with('[') {
            return Err("it holds several widths; give the folder of a run with one".into());
        }
        // A document of another kind may have none of the fields that are needed here.
        let Schema { schema } = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let ours = schema_of(EnsembleDocument::COMMAND);
        if schema != ours {
            return Err(format!("schema \"{schema}\" is not {ours}"));
        }
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }
}

/// Couplings are measured on the 4-point function of one output.
fn check(spec: &EnsembleSpec) -> Result<(), String> {
    if spec.net.d_out() != 1 {
        return Err(format!(
            "the run has d_out {}; eft and rg take one output, and symmetry follows the coupling over d_out",
            spec.net.d_out()
        ));
    }
    match spec.orders.contains(&4) {
        true => Ok(()),
        false => Err("the run has no 4-point function; couplings need order 4".into()),
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
    let mut samples = BTreeMap::new();
    // With one hidden layer the 2-point function is the kernel.
    let needed: &[usize] = match spec.net.depth() {
        1 => &[4, 6],
        _ => &[2, 4, 6],
    };
    for &n in spec.orders.iter().filter(|n| needed.contains(n)) {
        samples.insert(n, of(n)?);
    }
    Interactions::of_deviations(spec, |n| samples.get(&n).cloned())
        .ok_or_else(|| "with several hidden layers couplings need order 2 as well".to_string())
}

/// The numbers of an array must be finite, and its shape the one that is expected.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{by_hand, write_npz};
    use crate::run::EnsembleDocument;

    fn folder(document: &EnsembleDocument) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = serde_json::to_string(document).unwrap();
        std::fs::write(folder.path().join(DOCUMENT), text).unwrap();
        write_npz(&folder.path().join(ARRAYS), document).unwrap();
        folder
    }

    /// The differences are below the rounding of the n-point functions, from which nothing of
    /// them could be formed.
    #[test]
    fn differences_are_those_that_were_written() {
        let mut six = by_hand::correlator(6);
        six.reason = Some("a tail".into());
        let document = by_hand::ensemble(vec![by_hand::correlator(4), six]);
        let folder = folder(&document);
        let (spec, read, unconverged) = read_moments(folder.path()).unwrap();
        assert_eq!(spec, document.head.spec);
        assert_eq!(unconverged.len(), 1);
        assert_eq!(unconverged[0].to_string(), "6-point function: a tail");
        let six = read.six.unwrap();
        for (samples, correlator) in [&read.four, &six].into_iter().zip(&document.correlators) {
            assert_eq!(samples.mean, correlator.delta);
            assert_eq!(samples.std_err, correlator.std_err);
            assert_eq!(samples.experiments, correlator.delta_experiments);
        }
    }

    #[test]
    fn what_is_no_run_with_one_output_and_order_four_is_refused() {
        let refused = |change: &dyn Fn(&mut EnsembleDocument), part: &str| {
            let mut document = by_hand::ensemble(vec![by_hand::correlator(4)]);
            change(&mut document);
            let error = read_moments(folder(&document).path()).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        refused(&|d| d.head.spec.orders = vec![2], "need order 4");
        refused(&|d| d.head.spec.orders = vec![4, 6], "G6_delta");
        refused(&|d| d.head.spec.experiments = 3, "instead of [3, 5]");
        refused(&|d| d.correlators[0].delta[1] = f64::NAN, "not finite");
        refused(&|d| d.correlators.clear(), "G4_delta");
    }

    #[test]
    fn other_documents_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let eft = serde_json::to_string(&by_hand::eft(Vec::new())).unwrap();
        for (text, part) in [
            ("[]", "several widths"),
            ("{", "EOF"),
            ("{}", "schema"),
            (&eft, "nnqft.eft/2\" is not nnqft.ensemble/2"),
            (r#"{"schema":"nnqft.ensemble/2"}"#, "spec"),
        ] {
            std::fs::write(folder.path().join(DOCUMENT), text).unwrap();
            let error = read_moments(folder.path()).unwrap_err().to_string();
            assert!(error.contains(DOCUMENT) && error.contains(part), "{error}");
        }
    }
}
