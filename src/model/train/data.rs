use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Inputs;
use crate::model::inputs::typed_number;
use crate::{Error, Result};

/// The largest target: products of four outputs of its size are numbers.
const LARGEST: f64 = 1e70;

/// The largest number of data points.
pub const MAX_DATA: usize = 64;
/// The largest number of targets of a point.
pub const MAX_TARGETS: usize = 8;

/// `TrainingData` holds the points that networks learn with their targets, one for each output.
///
/// ```
/// use nnqft_gpu::model::TrainingData;
///
/// let data = TrainingData::parse("-1=0.5;0.2=-0.3;0.8=1")?;
/// assert_eq!((data.len(), data.d_in(), data.d_out()), (3, 1, 1));
/// let plane = TrainingData::parse("0,1=2,3; 1,1=0,0")?;
/// assert_eq!((plane.d_in(), plane.targets()[0].clone()), (2, vec![2.0, 3.0]));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
pub struct TrainingData {
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
}

/// `Lists` is how documents have data.
#[derive(Serialize, Deserialize)]
struct Lists {
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
}

impl TryFrom<Lists> for TrainingData {
    type Error = Error;

    fn try_from(lists: Lists) -> Result<Self> {
        Self::new(lists.inputs, lists.targets)
    }
}

impl From<TrainingData> for Lists {
    fn from(TrainingData { inputs, targets }: TrainingData) -> Self {
        Self { inputs, targets }
    }
}

impl TrainingData {
    /// Checks points and targets: from 1 to [`MAX_DATA`] points, with from 1 to [`MAX_TARGETS`] targets each, all
    /// finite and of one number.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `data` that names the first bad point.
    pub fn new(inputs: Vec<Vec<f64>>, targets: Vec<Vec<f64>>) -> Result<Self> {
        let refuse = |value: String, reason: String| Err(Error::invalid("data", value, reason));
        if inputs.len() != targets.len() {
            let value = format!("with {} points", inputs.len());
            return refuse(value, format!("there are targets for {}", targets.len()));
        }
        if inputs.len() > MAX_DATA {
            let value = format!("with {} points", inputs.len());
            return refuse(value, format!("networks learn at most {MAX_DATA} points"));
        }
        let inputs = Inputs::new(inputs).map_err(|error| match error {
            Error::Invalid { value, reason, .. } => Error::Invalid {
                name: "data",
                value,
                reason,
            },
            other => other,
        })?;
        let d_out = targets[0].len();
        for (k, target) in targets.iter().enumerate() {
            let value = || format!("at point {}", k + 1);
            if !(1..=MAX_TARGETS).contains(&target.len()) {
                let count = target.len();
                return refuse(
                    value(),
                    format!("it has {count} targets; a point has from 1 to {MAX_TARGETS}"),
                );
            }
            if target.len() != d_out {
                let count = target.len();
                return refuse(
                    value(),
                    format!("it has {count} targets, the first point has {d_out}"),
                );
            }
            if target.iter().any(|y| !y.is_finite()) {
                return refuse(value(), "targets must be finite numbers".into());
            }
            if target.iter().any(|y| y.abs() > LARGEST) {
                return refuse(
                    value(),
                    format!("targets are {LARGEST:e} at most, whose powers are numbers"),
                );
            }
        }
        Ok(Self {
            inputs: inputs.into(),
            targets,
        })
    }

    /// Parses data as they are typed, `x=y;x=y` with coordinates and targets by comma, or reads a file, whose rows
    /// are the coordinates of a point and then its one target.
    ///
    /// # Errors
    /// One sentence that says which part of the text, or which line of the file, is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, None, None)
    }

    /// Parses data as [`parse`](Self::parse) does, where rows of a file end with so many targets or begin with so
    /// many coordinates, if that is known.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_with(text: &str, d_in: Option<usize>, d_out: Option<usize>) -> Result<Self> {
        match Inputs::file(text) {
            Some(_) if !text.contains('=') => Self::of_rows(text, d_in, d_out),
            _ => Self::typed(text),
        }
    }

    fn of_rows(text: &str, d_in: Option<usize>, d_out: Option<usize>) -> Result<Self> {
        let rows: Vec<Vec<f64>> = Inputs::parse(text)?.into();
        let columns = rows[0].len();
        let coordinates = d_in.unwrap_or_else(|| columns.saturating_sub(d_out.unwrap_or(1)));
        if coordinates == 0 || coordinates >= columns {
            return Err(Error::invalid(
                "data",
                format!("'{text}'"),
                format!(
                    "its rows have {columns} columns; give the coordinates of a point and then its targets"
                ),
            ));
        }
        let (inputs, targets) = rows
            .into_iter()
            .map(|mut row| {
                let targets = row.split_off(coordinates);
                (row, targets)
            })
            .unzip();
        Self::new(inputs, targets)
    }

    fn typed(text: &str) -> Result<Self> {
        let refuse = |what: String| {
            let way = "write points with their targets as \"-1=0.5;0.2=-0.3\", or the name of a file with coordinates, then targets, in each row";
            Error::invalid("data", format!("'{text}'"), format!("{what}; {way}"))
        };
        let numbers = |list: &str, k: usize| -> Result<Vec<f64>> {
            (list.split(','))
                .map(|x| {
                    let x = x.trim();
                    typed_number(x)
                        .map_err(|what| refuse(format!("'{x}' in point {} {what}", k + 1)))
                })
                .collect()
        };
        let points = text.split(';').enumerate().map(|(k, point)| {
            let parts: Vec<&str> = point.split('=').collect();
            match parts[..] {
                [x, y] => Ok((numbers(x, k)?, numbers(y, k)?)),
                [_] => Err(refuse(format!("point {} has no target", k + 1))),
                _ => Err(refuse(format!("point {} has more than one '='", k + 1))),
            }
        });
        let points: Vec<(Vec<f64>, Vec<f64>)> = points.collect::<Result<_>>()?;
        let (inputs, targets) = points.into_iter().unzip();
        Self::new(inputs, targets)
    }

    /// Returns the points, shape `[points][d_in]`.
    pub fn inputs(&self) -> &[Vec<f64>] {
        &self.inputs
    }

    /// Returns the targets, shape `[points][d_out]`.
    pub fn targets(&self) -> &[Vec<f64>] {
        &self.targets
    }

    /// Counts the points.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Tells whether there are no points, which is never true.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Returns the input dimension.
    pub fn d_in(&self) -> usize {
        self.inputs[0].len()
    }

    /// Returns the number of targets of a point.
    pub fn d_out(&self) -> usize {
        self.targets[0].len()
    }

    /// Returns the same points with targets that a function makes of theirs.
    #[must_use]
    pub fn with_targets(mut self, of: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        for target in &mut self.targets {
            *target = of(target);
        }
        self
    }

    /// Lists the points that are there more than once, by their numbers from 0.
    pub fn repeated(&self) -> Vec<Vec<usize>> {
        let mut places: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
        for (k, x) in self.inputs.iter().enumerate() {
            // 0 and -0 are one point.
            let key = x.iter().map(|x| (x + 0.0).to_bits()).collect();
            places.entry(key).or_default().push(k);
        }
        let mut all: Vec<Vec<usize>> = places.into_values().filter(|p| p.len() > 1).collect();
        all.sort_unstable();
        all
    }
}
