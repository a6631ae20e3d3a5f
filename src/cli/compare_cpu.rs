//! `nnqft-gpu compare-cpu`

use std::time::Instant;

use clap::Args;
use nnqft_gpu::analysis::cross_check;
use nnqft_gpu::engine::Engine;
use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::report::{CompareDocument, Timing, cross_check_table};
use nnqft_gpu::{Error, Result};

use super::emit;
use super::output::OutputOptions;

/// Draw the same networks on the GPU and on the f64 CPU engine and compare every stage, down
/// to the GP and EFT fits; exit code 1 if a tolerance is missed
#[derive(Args)]
#[command(after_help = "Example: nnqft-gpu compare-cpu --adapter llvmpipe")]
pub struct Arguments {
    /// Adapter by any part of its name [default: the best, software ones included]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Compare some twenty times as many networks
    #[arg(long)]
    thorough: bool,
    #[command(flatten)]
    output: OutputOptions,
}

/// Compares and prints one table.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut files = arguments.output.prepare(None, None)?;
    let mut gpu = engine(arguments.adapter.as_deref())?;
    let start = Instant::now();
    let check = cross_check(&mut gpu, arguments.thorough)?;
    let timing = Timing::theory(start.elapsed().as_secs_f64());
    let device = gpu.device();
    if !arguments.output.json {
        let title = format!(
            "{} ({}) against the f64 CPU engine",
            device.adapter, device.driver
        );
        let verdict = match check.pass {
            true => "every stage and fit agrees",
            false => "the GPU computes wrongly",
        };
        emit(&format!(
            "{title}\n{}{verdict}, {:.1} s\n",
            cross_check_table(&check),
            timing.wall_s
        ))?;
    }
    let document = CompareDocument::new(arguments.thorough, device, timing, check);
    files.documents("compare-cpu.json", std::slice::from_ref(&document))?;
    files.finish()?;
    let check = &document.check;
    if !check.pass {
        let failed: Vec<&str> = (check.stages.iter())
            .filter(|s| !s.pass)
            .map(|s| s.stage)
            .chain(check.fits.iter().filter(|f| !f.pass).map(|f| &f.fit[..]))
            .collect();
        return Err(Error::Disagreement(failed.join(", ")).into());
    }
    Ok(())
}

fn engine(adapter: Option<&str>) -> Result<GpuEngine> {
    GpuEngine::new(adapter).map_err(|e| match e {
        Error::NoAdapter(reason) if adapter.is_none() => Error::NoAdapter(format!(
            "there is nothing to compare with the CPU: {reason}"
        )),
        other => other,
    })
}
