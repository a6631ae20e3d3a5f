use std::io::{self, Read};
use std::path::Path;

use npyz::WriterBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::EnsembleDocument;
use crate::analysis::{Interactions, Samples, Unconverged};
use crate::model::{EnsembleSpec, open_npy};
use crate::theory::kernel_matrix;
use crate::{Error, Result};

/// Writes a run's tensors as NumPy arrays.
///
/// `inputs` `(points, d_in)`, `kernel` `(points, points)` and for each order n, over its E
/// unique elements (values that are undefined are NaN):
///
/// | array | shape | holds |
/// |---|---|---|
/// | `G{n}_indices` | `(E, n)`, int64 | points of each element |
/// | `G{n}_outputs` | `(E, n)`, int64 | outputs of each, with several |
/// | `G{n}_mean`, `_std_err` | `(E,)` | estimate of G^(n), unit f^n |
/// | `G{n}_gp`, `_exact`, `_exact_error` | `(E,)` | Wick's and the exact value |
/// | `G{n}_delta` | `(E,)` | G^(n) - G_GP^(n), to its own precision |
/// | `G{n}_deviation`, `_deviation_exact` | `(E,)` | m_n and its exact value |
/// | `G{n}_pull` | `(E,)` | (mean - exact) / error |
/// | `G{n}_converged` | `(E,)`, bool | whether mean and error bar can be believed |
/// | `G{n}_connected`, `_connected_std_err`, `_connected_exact` | `(E,)` | connected n-point function (connected estimator, n = 4 and 6) |
/// | `G{n}_experiments`, `_delta_experiments` | `(experiments, E)` | mean and difference in each experiment |
///
/// # Errors
/// Those of writing the file.
pub fn write_npz(path: &Path, document: &EnsembleDocument) -> io::Result<()> {
    let mut npz = Arrays(ZipWriter::new(io::BufWriter::new(std::fs::File::create(
        path,
    )?)));
    let spec = &document.spec;
    let points = spec.inputs.len();
    npz.put("inputs", &[points, spec.d_in], flat(spec.inputs.points()))?;
    npz.put("kernel", &[points, points], flat(&kernel_matrix(spec)))?;
    for c in &document.correlators {
        let (n, elements) = (c.order, c.mean.len());
        let name = |what: &str| format!("G{n}_{what}");
        npz.put(&name("indices"), &[elements, n], whole(&c.indices))?;
        if spec.d_out > 1 {
            npz.put(&name("outputs"), &[elements, n], whole(&c.outputs))?;
        }
        let mut columns = vec![
            ("mean", &c.mean),
            ("std_err", &c.std_err),
            ("gp", &c.gp),
            ("exact", &c.exact),
            ("exact_error", &c.exact_error),
            ("delta", &c.delta),
        ];
        if let Some(connected) = &c.connected {
            columns.push(("connected", &connected.mean));
            columns.push(("connected_std_err", &connected.std_err));
            columns.push(("connected_exact", &connected.exact));
        }
        for (what, values) in columns {
            npz.put(&name(what), &[elements], values.iter().copied())?;
        }
        for (what, values) in [
            ("deviation", &c.deviation),
            ("deviation_exact", &c.deviation_exact),
            ("pull", &c.pull),
        ] {
            let values = values.iter().map(|x| x.unwrap_or(f64::NAN));
            npz.put(&name(what), &[elements], values)?;
        }
        npz.put(&name("converged"), &[elements], c.converged.iter().copied())?;
        for (what, rows) in [
            ("experiments", &c.experiments),
            ("delta_experiments", &c.delta_experiments),
        ] {
            npz.put(&name(what), &[rows.len(), elements], flat(rows))?;
        }
    }
    npz.0
        .finish()?
        .into_inner()
        .map_err(|e| e.into_error())?
        .sync_all()
}

fn flat(rows: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    rows.iter().flatten().copied()
}

fn whole(rows: &[Vec<usize>]) -> impl Iterator<Item = i64> {
    rows.iter().flatten().map(|&i| i as i64)
}

/// An archive of arrays.
struct Arrays<W: io::Write + io::Seek>(ZipWriter<W>);

impl<W: io::Write + io::Seek> Arrays<W> {
    fn put<T: npyz::AutoSerialize>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl Iterator<Item = T>,
    ) -> io::Result<()> {
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let stored = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            // More than 4 GiB do not fit the sizes of a plain entry.
            .large_file(shape.iter().product::<u64>() >= 1 << 28);
        self.0.start_file(format!("{name}.npy"), stored)?;
        let mut array = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut self.0)
            .begin_nd()?;
        array.extend(values)?;
        array.finish()
    }
}

/// The ensemble that `ensemble --out DIR` left in a folder: its spec, what couplings are
/// measured on, and why it has not converged, if so.
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
    let bad = |name: &str, reason: String| Error::File {
        path: dir.join(name),
        line: None,
        reason,
    };
    let text = std::fs::read_to_string(dir.join("ensemble.json")).map_err(|e| {
        bad(
            "ensemble.json",
            format!("{e}; give a folder that ensemble `out` has written"),
        )
    })?;
    let document: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| bad("ensemble.json", e.to_string()))?;
    if document.is_array() {
        return Err(bad(
            "ensemble.json",
            "it holds several widths; give the folder of a run with one".into(),
        ));
    }
    if document["schema"] != "nnqft.ensemble/1" {
        return Err(bad(
            "ensemble.json",
            format!("schema {} is not nnqft.ensemble/1", document["schema"]),
        ));
    }
    let spec: EnsembleSpec = serde_json::from_value(document["spec"].clone())
        .map_err(|e| bad("ensemble.json", format!("spec: {e}")))?;
    let spec = spec.validate()?;
    if spec.d_out != 1 {
        return Err(bad(
            "ensemble.json",
            format!(
                "the run has d_out {}; eft and rg take one output, and symmetry follows the coupling over d_out",
                spec.d_out
            ),
        ));
    }
    if !spec.orders.contains(&4) {
        return Err(bad(
            "ensemble.json",
            "the run has no 4-point function; couplings need `orders` 4".into(),
        ));
    }

    let name = "moments.npz";
    let file = std::fs::File::open(dir.join(name)).map_err(|e| bad(name, e.to_string()))?;
    let mut npz =
        ZipArchive::new(io::BufReader::new(file)).map_err(|e| bad(name, e.to_string()))?;
    let mut get = |array: String, shape: &[usize]| -> Result<Vec<f64>> {
        let wrong = |reason: String| bad(name, format!("{array}: {reason}"));
        let entry = (npz.by_name(&format!("{array}.npy"))).map_err(|e| wrong(e.to_string()))?;
        let wanted: usize = shape.iter().product();
        // Nothing is allocated from a length in the file.
        let limit = 8 * wanted as u64 + 4096;
        let mut bytes = Vec::new();
        (entry.take(limit).read_to_end(&mut bytes)).map_err(|e| wrong(e.to_string()))?;
        let npy = open_npy(&bytes).map_err(|e| wrong(e.to_string()))?;
        let found: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
        if found != shape {
            return Err(wrong(format!("shape {found:?} instead of {shape:?}")));
        }
        let values: Vec<f64> = (npy.data().map_err(|e| wrong(e.to_string()))?)
            .collect::<io::Result<_>>()
            .map_err(|e| wrong(e.to_string()))?;
        match values.iter().all(|x| x.is_finite()) {
            true => Ok(values),
            false => Err(wrong("a value is not finite".into())),
        }
    };
    // Differences as they were measured: formed from G - G_GP they would be rounding.
    let mut of = |n: usize| -> Result<Samples> {
        let elements = spec.elements_of(n as u64) as usize;
        let experiments = spec.experiments as usize;
        let shape = [experiments, elements];
        let all = get(format!("G{n}_delta_experiments"), &shape)?;
        Ok(Samples {
            mean: get(format!("G{n}_delta"), &[elements])?,
            std_err: get(format!("G{n}_std_err"), &[elements])?,
            experiments: all.chunks(elements).map(<[f64]>::to_vec).collect(),
        })
    };
    let interactions = Interactions {
        four: of(4)?,
        six: spec.orders.contains(&6).then(|| of(6)).transpose()?,
        connected_six: None,
    };
    let correlators = document["correlators"].as_array();
    let reasons = (correlators.into_iter().flatten())
        .filter_map(|c| {
            Some(Unconverged {
                claim: None,
                order: c["order"].as_u64()? as usize,
                reason: c["reason"].as_str()?.into(),
            })
        })
        .collect();
    Ok((spec, interactions, reasons))
}
