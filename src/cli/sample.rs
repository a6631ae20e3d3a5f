//! This module is the command `nnqft-gpu sample`.

use std::path::PathBuf;

use clap::Args;
use nnqft_gpu::Error;
use nnqft_gpu::report::DrawsFile;
use nnqft_gpu::run::{Sample, SampleDocument};
use nnqft_gpu::state::Shard;

use super::args::{EngineArgs, PartialSpec};
use super::interrupt::{guard, would_cost};
use super::present::print;
use super::running::Running;
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
    let path = &arguments.out;
    let (sample, file, mut running) = guard(|| {
        if arguments.spec.tilts() {
            let reason = "importance sampling is for averages, and a sample has none; leave it out";
            return Err(Error::invalid("tilt", "auto", reason).into());
        }
        let sample = Sample::new(arguments.spec.networks()?, arguments.shard)?;
        DrawsFile::check(path, arguments.force)?;
        let choice = arguments.engine.choice().sampling(sample.spec());
        let running = Running::begin(Terminal::new(""), |progress| choice.open(progress))?;
        let float = running.runner.float();
        let file = DrawsFile::create(path, sample.shape(), float, arguments.force)?;
        Ok((sample, file, running))
    })?;
    // A signal ends it by itself, with the networks that were drawn in the file.
    let timing = sample.draw(&mut running.runner, &file)?;
    let (shape, float) = (sample.shape(), running.runner.float());
    would_cost(format!(
        "all {} networks are in {}",
        shape[0],
        path.display()
    ));
    guard(|| {
        let device = running.runner.device();
        let of = (sample.spec(), sample.shard());
        let document = SampleDocument::new(path, of, (shape, float), device, timing);
        print(&document, arguments.json)?;
        note!("wrote {}", path.display());
        Ok(())
    })
}
