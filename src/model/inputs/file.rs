//! This module reads files of points, and tells by their first bytes what they are.

use std::io::Read;
use std::path::Path;

use super::fault::Fault;
#[cfg(feature = "report")]
use super::npy;
use super::text;
use crate::{Error, Result};

/// Size of the largest file of points that is read, in MiB: 10^4 points in 800 dimensions as
/// float64, and little enough for a device or a pipe that never ends.
const MAX_MIB: u64 = 64;

/// Reads the points of a file, shape `[points][d_in]`: text, .npy, or .npz with one array.
pub fn read(path: &Path) -> Result<Vec<Vec<f64>>> {
    let fail = |fault: Fault| Error::File {
        path: path.into(),
        line: fault.line,
        reason: fault.reason,
    };
    let bytes = load(path).map_err(fail)?;
    parse(&bytes).map_err(fail)
}

fn load(path: &Path) -> Result<Vec<u8>, Fault> {
    let cannot = |e: std::io::Error| Fault::file(format!("cannot read it: {e}"));
    let limit = MAX_MIB << 20;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    match bytes.len() as u64 > limit {
        true => Err(Fault::file(format!(
            "it is larger than {MAX_MIB} MiB, the most that is read; keep fewer points, or write them as a float32 .npy"
        ))),
        false => Ok(bytes),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Vec<f64>>, Fault> {
    if bytes.is_empty() {
        return Err(Fault::file("the file is empty"));
    }
    if let Some(points) = arrays(bytes) {
        return points.map_err(Fault::file);
    }
    if let Some(format) = format(bytes) {
        return Err(Fault::file(format!(
            "this is {format}; give text (CSV, TSV, numbers between blanks) in UTF-8 or a NumPy array (.npy, .npz with one)"
        )));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Names in a header may be in any encoding that has ASCII's digits.
    text::parse(&String::from_utf8_lossy(bytes))
}

/// Reads the points of a NumPy array, if the file is one.
#[cfg(feature = "report")]
fn arrays(bytes: &[u8]) -> Option<Result<Vec<Vec<f64>>, String>> {
    let is_zip = bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06");
    match bytes.starts_with(b"\x93NUMPY") {
        true => Some(npy::parse(bytes)),
        false => is_zip.then(|| npy::parse_zip(bytes)),
    }
}

#[cfg(not(feature = "report"))]
fn arrays(bytes: &[u8]) -> Option<Result<Vec<Vec<f64>>, String>> {
    let is_array = bytes.starts_with(b"\x93NUMPY") || bytes.starts_with(b"PK");
    let refusal = "this is a NumPy array, which a build without the feature report does not read";
    is_array.then(|| Err(refusal.into()))
}

/// Tells what a file is that is neither text nor a NumPy array.
fn format(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 24] = [
        (b"\xff\xfe\x00\x00", "text in UTF-32"),
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
        (b"\x1f\x8b", "a gzip archive (unpack it first)"),
        (b"BZh", "a bzip2 archive (unpack it first)"),
        (b"\xfd7zXZ", "an xz archive (unpack it first)"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive (unpack it first)"),
        (b"7z\xbc\xaf", "a 7-Zip archive (unpack it first)"),
        (
            b"\xd0\xcf\x11\xe0",
            "an old Excel workbook (save it as CSV)",
        ),
        (b"\x89HDF", "an HDF5 file"),
        (b"MATLAB 5", "a MATLAB .mat file (use writematrix)"),
        (b"MATLAB 7", "a MATLAB .mat file (use writematrix)"),
        (b"CDF\x01", "a netCDF file"),
        (b"CDF\x02", "a netCDF file"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow or Feather file"),
        (b"FEA1", "a Feather file"),
        (b"SIMPLE  =", "a FITS file"),
        (b"SQLite format", "an SQLite database"),
        (b"\x80\x02", "a Python pickle (use numpy.save)"),
        (b"\x80\x03", "a Python pickle (use numpy.save)"),
        (b"\x80\x04", "a Python pickle (use numpy.save)"),
        (b"\x80\x05", "a Python pickle (use numpy.save)"),
        (b"%PDF-", "a PDF document"),
    ];
    let known = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, name)) = known {
        return Some(name);
    }
    let start = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| {
        start
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|&&b| b == 0)
            .count()
    };
    // Digits in UTF-16 have a zero byte each.
    if start.len() > 3 && 4 * zeros(0).max(zeros(1)) > start.len() && zeros(0).min(zeros(1)) == 0 {
        return Some("text in UTF-16");
    }
    if bytes.iter().any(|b| matches!(b, 0..=8 | 14..=25 | 27..=31)) {
        return Some("a binary file of an unknown kind");
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Some("JSON"),
        Some(b'<') => Some("XML or HTML"),
        _ => None,
    }
}
