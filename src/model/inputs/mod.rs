mod cell;
mod fault;
mod file;
mod header;
mod names;
#[cfg(feature = "report")]
mod npy;
mod table;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

#[cfg(feature = "report")]
pub(crate) use npy::open as open_npy;

pub(super) use cell::typed as typed_number;

use crate::{Error, Result};

/// Extensions of files that people keep numbers in, or try to.
const EXTENSIONS: [&str; 20] = [
    "csv", "tsv", "txt", "dat", "data", "asc", "tab", "npy", "npz", "xls", "xlsx", "ods", "json",
    "parquet", "h5", "hdf5", "mat", "gz", "zip", "pkl",
];

/// `Inputs` are the input points x_1 .. x_P, each with d_in coordinates, at which the field is
/// measured.
///
/// ```
/// use nnqft_gpu::model::{Inputs, source_nets};
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
    /// [`Error::Invalid`] for `inputs` that names the first bad point.
    pub fn new(points: Vec<Vec<f64>>) -> Result<Self> {
        let Some(first) = points.first() else {
            return Err(Error::invalid("inputs", "''", "give at least one point"));
        };
        let d_in = first.len();
        for (i, point) in points.iter().enumerate() {
            let text = || format!("point {} ({})", i + 1, join(point));
            if point.is_empty() {
                return Err(Error::invalid("inputs", text(), "it has no coordinates"));
            }
            if point.len() != d_in {
                return Err(Error::invalid(
                    "inputs",
                    text(),
                    format!(
                        "it has {} coordinates, the first point has {d_in}",
                        point.len()
                    ),
                ));
            }
            if point.iter().any(|x| !x.is_finite()) {
                return Err(Error::invalid(
                    "inputs",
                    text(),
                    "coordinates must be finite numbers",
                ));
            }
        }
        Ok(Self { points })
    }

    /// Reads what `inputs` takes: a preset's name, `"x,y;x,y"`, or a file, `points.csv` or
    /// `@points.csv`.
    ///
    /// A file is text (commas, semicolons, tabs or blanks between the coordinates of a point, one
    /// point a line; a header and comments are skipped), a .npy array of any real type and shape
    /// (points, d_in) or (points,), or a .npz with one such array.
    ///
    /// # Errors
    /// One sentence that says which part of the text, or which line of the file, is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(points) = presets().remove(text) {
            return Self::new(points);
        }
        if let Some(path) = Self::file(text) {
            return Self::new(file::read(path)?);
        }
        Self::new(typed(text).map_err(|what| {
            Error::invalid(
                "inputs",
                format!("'{text}'"),
                format!(
                    "{what}; write points as \"0.5,1;1,1\", a file's name, or one of {}",
                    presets().into_keys().collect::<Vec<_>>().join(", ")
                ),
            )
        })?)
    }

    /// Returns the file that a value of `inputs` names, if it is neither points nor a preset: what
    /// follows `@`, what exists, or what looks like the name of one.
    pub fn file(text: &str) -> Option<&Path> {
        if let Some(path) = text.strip_prefix('@') {
            return Some(Path::new(path));
        }
        if presets().contains_key(text) || typed(text).is_ok() {
            return None;
        }
        let path = Path::new(text);
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let is_like_one = text.contains(std::path::is_separator)
            || EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e));
        (is_like_one || path.is_file()).then_some(path)
    }

    /// Returns the points of a net of the catalogue at some d_in, else those of its first net; the
    /// source has them for d_in 1, 2 and 3.
    pub fn preset(arch: &str, d_in: usize) -> Option<Self> {
        let mut all = presets();
        let first = &super::CatalogueEntry::all()[0].name;
        [arch, first]
            .iter()
            .find_map(|net| all.remove(&format!("{net}-d{d_in}")))
            .map(|points| Self { points })
    }

    /// Returns the points, shape `[points][d_in]`.
    pub fn points(&self) -> &[Vec<f64>] {
        &self.points
    }

    /// Returns the number of points P.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Tells whether there are no points, which is never true: there is at least one point.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns the input dimension.
    pub fn d_in(&self) -> usize {
        self.points[0].len()
    }
}

/// Parses points as they are typed, or says what is wrong with them.
fn typed(text: &str) -> Result<Vec<Vec<f64>>, String> {
    (text.split(';').enumerate())
        .map(|(i, point)| {
            (point.split(','))
                .map(|x| {
                    let x = x.trim();
                    cell::typed(x).map_err(|what| format!("'{x}' in point {} {what}", i + 1))
                })
                .collect()
        })
        .collect()
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
        toml::from_str(include_str!("../../../assets/inputs.toml"))
            .expect("assets/inputs.toml is part of the build and tested");
    presets.into_iter().map(|(k, v)| (k, v.points)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source_nets;

    #[test]
    fn presets_cover_the_source() {
        for arch in source_nets() {
            for d_in in 1..=3 {
                let inputs = Inputs::preset(arch, d_in).unwrap();
                assert_eq!(inputs.d_in(), d_in);
                assert_eq!(inputs.len(), if d_in == 1 { 6 } else { 4 });
            }
        }
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
