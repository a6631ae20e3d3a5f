use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nnqft_gpu::engine::{Draws, Float};
use nnqft_gpu::run::{Chunk, Sample, Sink};
use nnqft_gpu::{Error, Result};
use pyo3::prelude::*;

use crate::given::Given;
use crate::run::{Failure, Finished, Run, Session};
use crate::value::{Array, Value};

/// Draws networks whose outputs are wanted.
#[pyfunction]
pub fn sample(given: Given) -> Run {
    Run::start(move |session| draw(session, &given))
}

fn draw(session: &Arc<Session>, given: &Given) -> Result<Finished, Failure> {
    if given.tilts()? {
        let reason = "importance sampling is for averages, and a sample has none; leave it out";
        return Err(Error::invalid("tilt", "auto", reason).into());
    }
    let sample = Sample::new(given.plain()?, None)?;
    let choice = given.engine()?.sampling(sample.spec());
    let mut runner = session.runner(&choice, None)?;
    let draws = Outputs::new(sample.shape(), runner.float())?;
    match sample.draw(&mut runner, &draws) {
        Ok(_) => Ok(Finished::Value(draws.into_value())),
        Err(error) => Err(Failure {
            error,
            partial: Some(Box::new(Finished::Value(draws.into_value()))),
        }),
    }
}

/// The outputs while they come in, in the memory that NumPy takes over.
struct Outputs {
    shape: [u64; 3],
    /// Networks without a gap, once nothing more comes.
    networks: AtomicU64,
    values: Mutex<Values>,
}

enum Values {
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Outputs {
    fn new(shape: [u64; 3], float: Float) -> Result<Self> {
        let values = match float {
            Float::F32 => Values::Singles(zeros(shape)?),
            Float::F64 => Values::Doubles(zeros(shape)?),
        };
        Ok(Self {
            shape,
            networks: AtomicU64::new(u64::MAX),
            values: Mutex::new(values),
        })
    }

    fn row(&self) -> usize {
        (self.shape[1] * self.shape[2]) as usize
    }

    fn into_value(self) -> Value {
        let (row, [all, points, outputs]) = (self.row(), self.shape);
        let networks = self.networks.into_inner().min(all) as usize;
        let shape = vec![networks, points as usize, outputs as usize];
        let values = self.values.into_inner();
        match values.unwrap_or_else(PoisonError::into_inner) {
            Values::Singles(mut data) => {
                data.truncate(networks * row);
                Value::Singles(Array { shape, data })
            }
            Values::Doubles(mut data) => {
                data.truncate(networks * row);
                Value::Numbers(Array { shape, data })
            }
        }
    }
}

/// Makes room for all outputs, or refuses them.
fn zeros<T: Copy + Default>(shape: [u64; 3]) -> Result<Vec<T>> {
    let count = shape
        .iter()
        .try_fold(1u64, |n, &m| n.checked_mul(m))
        .and_then(|n| usize::try_from(n).ok());
    let mut values = Vec::new();
    match count.filter(|&n| values.try_reserve_exact(n).is_ok()) {
        Some(count) => {
            values.resize(count, T::default());
            Ok(values)
        }
        None => {
            let reason = "there is no memory for the outputs of all networks; draw fewer";
            Err(Error::invalid(
                "nets",
                format!("with shape {shape:?}"),
                reason,
            ))
        }
    }
}

impl Sink for Outputs {
    fn put(&self, chunk: Chunk) -> io::Result<()> {
        let at = chunk.first as usize * self.row();
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *values, &chunk.draws) {
            (Values::Singles(all), Draws::F32(new)) => {
                all[at..at + new.len()].copy_from_slice(new);
            }
            (Values::Doubles(all), Draws::F64(new)) => {
                all[at..at + new.len()].copy_from_slice(new);
            }
            _ => return Err(io::Error::other("outputs of two kinds in one sample")),
        }
        Ok(())
    }

    fn close(&self, networks: u64, of: u64) -> Result<String> {
        // What is heard after the first time changes nothing.
        self.networks.fetch_min(networks, Ordering::Relaxed);
        Ok(format!("{networks} of {of} networks are drawn"))
    }
}
