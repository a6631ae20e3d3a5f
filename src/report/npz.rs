use std::io::{self, Read};
use std::path::Path;

use npyz::WriterBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{EnsembleDocument, unconverged};
use crate::analysis::{Interactions, Samples};
use crate::model::{EnsembleSpec, open_npy};
use crate::tensor::multisets;
use crate::theory::{gp_correlator, kernel_matrix};
use crate::{Error, Result};

/// Writes a run's tensors as NumPy arrays.
///
/// `inputs` `(points, d_in)`, `kernel` `(points, points)` and for each order n, over its E
/// unique elements: `G{n}_indices` `(E, n)`, `G{n}_mean`, `G{n}_std_err`, `G{n}_gp`, `G{n}_exact` `(E,)`
/// and `G{n}_experiments` `(experiments, E)`; with several outputs also `G{n}_outputs` `(E, n)`.
///
/// # Errors
/// Those of writing the file.
pub fn write_npz(path: &Path, document: &EnsembleDocument) -> io::Result<()> {
    let mut npz = ZipWriter::new(io::BufWriter::new(std::fs::File::create(path)?));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut put = |name: &str, shape: &[usize], values: &mut dyn Iterator<Item = f64>| {
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        npz.start_file(format!("{name}.npy"), stored)?;
        let mut array = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut npz)
            .begin_nd()?;
        array.extend(values)?;
        array.finish()
    };
    let spec = &document.spec;
    let points = spec.inputs.len();
    let flat = |rows: &[Vec<f64>]| rows.concat().into_iter();
    put(
        "inputs",
        &[points, spec.d_in],
        &mut flat(spec.inputs.points()),
    )?;
    put("kernel", &[points, points], &mut flat(&kernel_matrix(spec)))?;
    for c in &document.correlators {
        let (n, elements) = (c.order, c.mean.len());
        let indices = c.indices.concat();
        put(
            &format!("G{n}_indices"),
            &[elements, n],
            &mut indices.iter().map(|&i| i as f64),
        )?;
        if spec.d_out > 1 {
            let outputs = c.outputs.concat();
            put(
                &format!("G{n}_outputs"),
                &[elements, n],
                &mut outputs.iter().map(|&a| a as f64),
            )?;
        }
        for (what, values) in [
            ("mean", &c.mean),
            ("std_err", &c.std_err),
            ("gp", &c.gp),
            ("exact", &c.exact),
        ] {
            put(
                &format!("G{n}_{what}"),
                &[elements],
                &mut values.iter().copied(),
            )?;
        }
        put(
            &format!("G{n}_experiments"),
            &[c.experiments.len(), elements],
            &mut flat(&c.experiments),
        )?;
    }
    npz.finish()?
        .into_inner()
        .map_err(|e| e.into_error())?
        .sync_all()
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
pub fn read_moments(dir: &Path) -> Result<(EnsembleSpec, Interactions, Vec<String>)> {
    let bad = |name: &str, reason: String| Error::File {
        path: dir.join(name),
        line: None,
        reason,
    };
    let text = std::fs::read_to_string(dir.join("ensemble.json")).map_err(|e| {
        bad(
            "ensemble.json",
            format!("{e}; give a folder that ensemble --out has written"),
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
            "the run has no 4-point function; couplings need --orders 4".into(),
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
    let kernel = kernel_matrix(&spec);
    let mut of = |n: usize| -> Result<Samples> {
        let indices = multisets(spec.inputs.len(), n);
        let gp: Vec<f64> = indices.iter().map(|i| gp_correlator(&kernel, i)).collect();
        let delta = |g: &[f64]| -> Vec<f64> { g.iter().zip(&gp).map(|(g, gp)| g - gp).collect() };
        let experiments = spec.experiments as usize;
        let all = get(format!("G{n}_experiments"), &[experiments, indices.len()])?;
        Ok(Samples {
            mean: delta(&get(format!("G{n}_mean"), &[indices.len()])?),
            std_err: get(format!("G{n}_std_err"), &[indices.len()])?,
            experiments: all.chunks(indices.len()).map(delta).collect(),
        })
    };
    let interactions = Interactions {
        four: of(4)?,
        six: spec.orders.contains(&6).then(|| of(6)).transpose()?,
        connected_six: None,
    };
    let correlators = document["correlators"].as_array();
    let reasons = (correlators.into_iter().flatten())
        .filter_map(|c| Some(unconverged(c["order"].as_u64()?, c["reason"].as_str()?)))
        .collect();
    Ok((spec, interactions, reasons))
}
