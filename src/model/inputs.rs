use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Largest file of points that is read: far more than the 20 000 elements of a run need, and
/// little enough for a device or a pipe that never ends.
const MAX_FILE: u64 = 1 << 26;

/// Input points x_1 .. x_P, each with d_in coordinates, at which the field is measured.
///
/// ```
/// use nnqft_gpu::model::Inputs;
///
/// let inputs = Inputs::parse("0.5,1; 1,1")?;
/// assert_eq!((inputs.len(), inputs.d_in()), (2, 2));
/// assert_eq!(Inputs::parse("relu-d1")?.len(), 6);
/// let message = Inputs::parse("0.5;one").unwrap_err().to_string();
/// assert!(message.contains("'one' in point 2 is not a number"));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub struct Inputs {
    points: Vec<Vec<f64>>,
}

/// Points of a document pass the same gate as those of the command line.
impl TryFrom<Vec<Vec<f64>>> for Inputs {
    type Error = Error;

    fn try_from(points: Vec<Vec<f64>>) -> Result<Self> {
        Self::new(points)
    }
}

impl From<Inputs> for Vec<Vec<f64>> {
    fn from(inputs: Inputs) -> Self {
        inputs.points
    }
}

impl Inputs {
    /// Checks the points: at least one, all of one dimension, all finite.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `--inputs` that names the first bad point.
    pub fn new(points: Vec<Vec<f64>>) -> Result<Self> {
        let Some(first) = points.first() else {
            return Err(Error::invalid("--inputs", "''", "give at least one point"));
        };
        let d_in = first.len();
        for (i, point) in points.iter().enumerate() {
            let text = || format!("point {} ({})", i + 1, join(point));
            if point.is_empty() {
                return Err(Error::invalid("--inputs", text(), "it has no coordinates"));
            }
            if point.len() != d_in {
                return Err(Error::invalid(
                    "--inputs",
                    text(),
                    format!(
                        "it has {} coordinates, the first point has {d_in}",
                        point.len()
                    ),
                ));
            }
            if point.iter().any(|x| !x.is_finite()) {
                return Err(Error::invalid(
                    "--inputs",
                    text(),
                    "coordinates must be finite numbers",
                ));
            }
        }
        Ok(Self { points })
    }

    /// Reads what `--inputs` takes: `"x,y;x,y"`, `@file` (CSV or .npy), or a preset's name.
    ///
    /// # Errors
    /// One sentence that says which part of the text, or which line of the file, is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix('@') {
            return Self::read(Path::new(path));
        }
        if let Some(points) = presets().remove(text) {
            return Self::new(points);
        }
        let bad = |what: &str| {
            Error::invalid(
                "--inputs",
                format!("'{text}'"),
                format!(
                    "{what}; write points as \"0.5,1;1,1\", @file, or one of {}",
                    presets().into_keys().collect::<Vec<_>>().join(", ")
                ),
            )
        };
        let mut points = Vec::new();
        for (i, point) in text.split(';').enumerate() {
            let mut coordinates = Vec::new();
            for x in point.split(',') {
                let x = x.trim();
                coordinates.push(
                    x.parse::<f64>()
                        .map_err(|_| bad(&format!("'{x}' in point {} is not a number", i + 1)))?,
                );
            }
            points.push(coordinates);
        }
        Self::new(points)
    }

    /// The source's points for an architecture and d_in (1, 2 or 3), if it has them.
    pub fn preset(arch: super::Architecture, d_in: usize) -> Option<Self> {
        presets()
            .remove(&format!("{arch}-d{d_in}"))
            .map(|points| Self { points })
    }

    /// The points, shape `[points][d_in]`.
    pub fn points(&self) -> &[Vec<f64>] {
        &self.points
    }

    /// Number of points P.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Never true: there is at least one point.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Input dimension.
    pub fn d_in(&self) -> usize {
        self.points[0].len()
    }

    fn read(path: &Path) -> Result<Self> {
        let fail = |line: Option<u64>, reason: String| Error::File {
            path: path.into(),
            line,
            reason,
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
            .map_err(|e| fail(None, format!("cannot read it: {e}")))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(fail(
                None,
                format!("it is larger than {MAX_FILE} bytes, more points than any run can have"),
            ));
        }
        if bytes.is_empty() {
            return Err(fail(None, "the file is empty".into()));
        }
        if bytes.starts_with(b"\x93NUMPY") {
            return read_npy(&bytes).map_err(|reason| fail(None, reason));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(bytes.as_slice());
        let mut points: Vec<Vec<f64>> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                fail(
                    e.position().map(|p| p.line()),
                    "this is neither CSV text nor a .npy array".into(),
                )
            })?;
            let line = record.position().map(|p| p.line());
            let mut point = Vec::with_capacity(record.len());
            for x in &record {
                let value: f64 = x
                    .parse()
                    .map_err(|_| fail(line, format!("'{x}' is not a number")))?;
                if !value.is_finite() {
                    return Err(fail(line, format!("'{x}' is not finite")));
                }
                point.push(value);
            }
            if let Some(first) = points.first()
                && first.len() != point.len()
            {
                return Err(fail(
                    line,
                    format!(
                        "{} coordinates, the first point has {}",
                        point.len(),
                        first.len()
                    ),
                ));
            }
            points.push(point);
        }
        if points.is_empty() {
            return Err(fail(None, "the file holds no points".into()));
        }
        Self::new(points)
    }
}

/// Opens an array whose header is no longer than the bytes that are there: npyz reserves what a
/// header of version 2 or 3 says, which may be 4 GB.
pub(crate) fn open_npy(bytes: &[u8]) -> std::io::Result<npyz::NpyFile<&[u8]>> {
    let long = bytes.get(6).is_some_and(|&version| version >= 2);
    let length = bytes.get(8..).and_then(|rest| rest.first_chunk());
    if long && length.is_some_and(|&length| u32::from_le_bytes(length) as usize > bytes.len()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    npyz::NpyFile::new(bytes)
}

fn read_npy(bytes: &[u8]) -> Result<Inputs, String> {
    let npy = open_npy(bytes).map_err(|e| format!("not a readable .npy file: {e}"))?;
    let shape = npy.shape().to_vec();
    let (rows, columns) = match shape[..] {
        [p] => (p, 1),
        [p, d] => (p, d),
        _ => {
            return Err(format!(
                "the array has shape {shape:?}; it must be (points,) or (points, d_in)"
            ));
        }
    };
    // The header's shape is untrusted: it must fit the bytes that are there.
    if rows
        .checked_mul(columns)
        .is_none_or(|n| n > bytes.len() as u64)
    {
        return Err(format!("the file is too short for its shape {shape:?}"));
    }
    let fortran = npy.order() == npyz::Order::Fortran;
    let values: Vec<f64> = match npy.try_data::<f64>() {
        Ok(data) => data.collect::<Result<_, _>>(),
        Err(npy) => match npy.try_data::<f32>() {
            Ok(data) => data.map(|x| x.map(f64::from)).collect(),
            Err(npy) => match npy.try_data::<i64>() {
                Ok(data) => data.map(|x| x.map(|x| x as f64)).collect(),
                Err(_) => return Err("the array must be float64, float32 or int64".into()),
            },
        },
    }
    .map_err(|e| format!("the file ends early or is damaged: {e}"))?;
    let (rows, columns) = (rows as usize, columns as usize);
    let at = |r: usize, c: usize| {
        if fortran {
            c * rows + r
        } else {
            r * columns + c
        }
    };
    let points = (0..rows)
        .map(|r| (0..columns).map(|c| values[at(r, c)]).collect())
        .collect();
    Inputs::new(points).map_err(|e| e.to_string())
}

fn join(point: &[f64]) -> String {
    point
        .iter()
        .map(f64::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

fn presets() -> BTreeMap<String, Vec<Vec<f64>>> {
    #[derive(Deserialize)]
    struct Preset {
        points: Vec<Vec<f64>>,
    }
    let presets: BTreeMap<String, Preset> =
        toml::from_str(include_str!("../../assets/presets.toml"))
            .expect("assets/presets.toml is part of the build and tested");
    presets.into_iter().map(|(k, v)| (k, v.points)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    #[test]
    fn presets_cover_the_source() {
        for arch in Architecture::ALL {
            for d_in in 1..=3 {
                let inputs = Inputs::preset(arch, d_in).unwrap();
                assert_eq!(inputs.d_in(), d_in);
                assert_eq!(inputs.len(), if d_in == 1 { 6 } else { 4 });
            }
        }
        assert_eq!(presets().len(), 12);
    }

    #[test]
    fn parses_points_and_names() {
        let inputs = Inputs::parse("-1,0.5; 2,3e-1").unwrap();
        assert_eq!(inputs.points(), [[-1.0, 0.5], [2.0, 0.3]]);
        assert_eq!(Inputs::parse("relu-d3").unwrap().d_in(), 3);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("", "'' in point 1"),
            ("1;;2", "'' in point 2"),
            ("1,2;3", "1 coordinates, the first point has 2"),
            ("1;nan", "finite"),
            ("1;inf", "finite"),
            ("no-such-preset", "erf-d1"),
        ] {
            let message = Inputs::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
