use std::io;
use std::path::Path;

use npyz::WriterBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::EnsembleDocument;
use crate::theory::kernel_matrix;

/// Writes a run's tensors as NumPy arrays.
///
/// `inputs` `(points, d_in)`, `kernel` `(points, points)` and for each order n, over its E
/// unique elements: `G{n}_indices` `(E, n)`, `G{n}_mean`, `G{n}_std_err`, `G{n}_gp`, `G{n}_exact` `(E,)`
/// and `G{n}_experiments` `(experiments, E)`.
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
