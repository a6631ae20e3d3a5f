//! This module is the command `nnqft-gpu sample`.

use std::path::PathBuf;

use clap::Args;
use nnqft_gpu::Error;
use nnqft_gpu::report::{DrawsFile, sample_table};
use nnqft_gpu::run::{Sample, SampleDocument};
use nnqft_gpu::state::Shard;

use super::args::{EngineArgs, PartialSpec};
use super::flags;
use super::running::Running;
use super::shell::emit;
use super::terminal::Terminal;

/// Write the outputs of the drawn networks to a NumPy file
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu sample --arch relu --width 20 --nets 1e5 --experiments 1 --out draws.npy
         nnqft-gpu sample --nets 1e8 --shard 0/8 --out draws0.npy

The array is of shape (networks, points, d_out), [network][point][output], in C order: float32 from
the GPU, float64 from the CPU. The networks are those that `ensemble` averages with the same options;
there are --experiments x --nets of them, first the networks of experiment 0. Orders play no part.

The file is streamed to the disk, in memory that does not grow with the networks: --out must be a
name that ends in .npy, no pipe. It has its name when it is whole; before, it is FILE.part. Ctrl-C
and SIGTERM leave a file of the networks that are there (exit code 130)."
)]
pub struct Arguments {
    #[command(flatten)]
    spec: PartialSpec,
    #[command(flatten)]
    engine: EngineArgs,
    /// Draw part I of N, the first being 0; the files of all N, one after the other, are the sample
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<Shard>,
    /// File to write
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// One JSON document on stdout instead of lines of text
    #[arg(long)]
    json: bool,
}

/// Draws the networks, and says what is in the file.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (path, force) = (&arguments.out, arguments.force);
    if arguments.spec.tilts() {
        let reason = "importance sampling is for averages, and a sample has none; leave it out";
        return Err(Error::invalid("tilt", "auto", reason).into());
    }
    let sample = Sample::new(arguments.spec.networks()?, arguments.shard)?;
    DrawsFile::check(path, force)?;
    let choice = arguments.engine.choice();
    let mut running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
    let (float, shape) = (running.runner.float(), sample.shape());
    let file = DrawsFile::create(path, shape, float, force)?;
    let drawn = sample.draw(&mut running.runner, &file);
    running.last();
    let timing = drawn.map_err(|e| running.explain(e.into()))?;
    let device = running.runner.device();
    let of = (sample.spec(), sample.shard());
    let document = SampleDocument::new(path, of, (shape, float), device, timing);
    match arguments.json {
        true => emit(&format!("{}\n", serde_json::to_string(&document)?))?,
        false => emit(&flags::spelled(&sample_table(&document)))?,
    }
    eprintln!("wrote {}", path.display());
    Ok(())
}
