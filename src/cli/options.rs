//! The options that commands share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nnqft_gpu::engine::Engine;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{self, GpuEngine};
use nnqft_gpu::model::{Architecture, EnsembleSpec, Inputs, parse_count};
use nnqft_gpu::{Error, Result};

/// What is drawn.
#[derive(Args)]
pub struct EnsembleOptions {
    /// Architecture: erf, relu or gauss
    #[arg(long, default_value = "erf")]
    arch: String,
    /// Hidden width N; several, separated by commas, are run one after the other
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "100",
        allow_hyphen_values = true
    )]
    width: Vec<String>,
    /// Input dimension [default: that of --inputs, else 1]
    #[arg(long, allow_hyphen_values = true)]
    d_in: Option<String>,
    /// Output dimension
    #[arg(long, default_value = "1", allow_hyphen_values = true)]
    d_out: String,
    /// Standard deviation of the weights, before 1/sqrt(fan-in) [default: 1]
    #[arg(long, allow_hyphen_values = true)]
    sigma_w: Option<String>,
    /// Standard deviation of the biases [default: 1; relu: 0]
    #[arg(long, allow_hyphen_values = true)]
    sigma_b: Option<String>,
    /// Points "x;x;.." with coordinates by comma, @file (CSV or .npy), or a preset such as
    /// relu-d2 [default: the source's for --arch and --d-in]
    #[arg(long, allow_hyphen_values = true)]
    inputs: Option<String>,
    /// Networks per experiment: 1000000, 1_000_000, 1e6 and 1M are the same
    #[arg(long, default_value = "1e6", allow_hyphen_values = true)]
    nets: String,
    /// Independent experiments
    #[arg(long, default_value = "10", allow_hyphen_values = true)]
    experiments: String,
    /// Orders n of the n-point functions, 1 to 6
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "2,4,6",
        allow_hyphen_values = true
    )]
    orders: Vec<String>,
    /// Estimator: direct (averages of products of outputs)
    #[arg(long, default_value = "direct")]
    estimator: String,
    /// Seed of the random stream
    #[arg(long, default_value = "0", allow_hyphen_values = true)]
    seed: String,
}

fn count(name: &'static str, text: &str) -> Result<u64> {
    parse_count(text).map_err(|reason| Error::Invalid {
        name,
        value: format!("'{text}'"),
        reason,
    })
}

fn real(name: &'static str, text: &str) -> Result<f64> {
    text.parse()
        .map_err(|_| Error::invalid(name, format!("'{text}'"), "this is not a number"))
}

impl EnsembleOptions {
    /// One validated spec per width, in the order given.
    pub fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        let arch: Architecture = self.arch.parse()?;
        if self.estimator != "direct" {
            return Err(Error::invalid("--estimator", &self.estimator, "use direct"));
        }
        let d_in = self.d_in.as_ref().map(|t| count("--d-in", t)).transpose()?;
        if let Some(0) = d_in {
            return Err(Error::invalid("--d-in", 0, "must be 1 or more"));
        }
        let inputs = self.inputs.as_deref().map(Inputs::parse).transpose()?;
        let d_in = match (d_in, &inputs) {
            (Some(d), _) => d as usize,
            (None, Some(inputs)) => inputs.d_in(),
            (None, None) => 1,
        };
        let mut spec = match inputs {
            Some(inputs) => EnsembleSpec {
                inputs,
                d_in,
                ..EnsembleSpec::preset(arch, 1)?
            },
            None => EnsembleSpec::preset(arch, d_in)?,
        };
        spec.d_out = count("--d-out", &self.d_out)? as usize;
        if let Some(text) = &self.sigma_w {
            spec.sigma_w = real("--sigma-w", text)?;
        }
        if let Some(text) = &self.sigma_b {
            spec.sigma_b = real("--sigma-b", text)?;
        }
        spec.nets = count("--nets", &self.nets)?;
        let experiments = count("--experiments", &self.experiments)?;
        spec.experiments = u32::try_from(experiments).unwrap_or(u32::MAX);
        spec.orders = self
            .orders
            .iter()
            .map(|t| count("--orders", t).map(|n| n as usize))
            .collect::<Result<_>>()?;
        spec.seed = count("--seed", &self.seed)?;
        self.width
            .iter()
            .map(|text| {
                EnsembleSpec {
                    width: count("--width", text)?,
                    ..spec.clone()
                }
                .validate()
            })
            .collect()
    }
}

/// Where the work is done.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Backend {
    /// A hardware GPU if there is one, else the CPU
    Auto,
    /// WGSL shaders in f32, on a software adapter too
    Gpu,
    /// The reference in f64
    Cpu,
}

/// What it is computed on.
#[derive(Args)]
pub struct EngineOptions {
    /// auto takes a hardware GPU if there is one, else the f64 CPU engine
    #[arg(long, value_enum, default_value = "auto")]
    backend: Backend,
    /// Adapter by any part of its name; see `nnqft-gpu devices`
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

/// What `--backend auto` takes, in words.
pub fn auto_choice(adapters: &[gpu::AdapterSummary]) -> String {
    match adapters.first() {
        Some(a) if !a.is_software() => format!("gpu, {}: a hardware GPU", a.name),
        Some(a) => format!(
            "cpu, in f64: {} is a software adapter (--backend gpu takes it all the same)",
            a.name
        ),
        None => "cpu, in f64: there is no GPU adapter".into(),
    }
}

impl EngineOptions {
    /// Opens the engine; says on stderr which one `auto` took and why.
    pub fn engine(&self) -> Result<Box<dyn Engine>> {
        let gpu =
            || GpuEngine::new(self.adapter.as_deref()).map(|e| Box::new(e) as Box<dyn Engine>);
        match (self.backend, &self.adapter) {
            (Backend::Cpu, Some(name)) => Err(Error::invalid(
                "--adapter",
                format!("'{name}'"),
                "the cpu backend has no adapter; leave out one of the two",
            )),
            (Backend::Cpu, None) => Ok(Box::new(CpuEngine::new())),
            (Backend::Gpu, _) | (Backend::Auto, Some(_)) => gpu(),
            (Backend::Auto, None) => {
                let adapters = gpu::adapters();
                eprintln!("backend: {}", auto_choice(&adapters));
                match adapters.first() {
                    Some(a) if !a.is_software() => gpu(),
                    _ => Ok(Box::new(CpuEngine::new())),
                }
            }
        }
    }
}

/// How results are given.
#[derive(Args)]
pub struct OutputOptions {
    /// One JSON document on stdout instead of tables
    #[arg(long)]
    pub json: bool,
    /// Also write <command>.json and moments.npz to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl OutputOptions {
    /// Makes the folder and proves that it can be written, before the run.
    pub fn prepare(&self) -> Result<Option<&Path>> {
        let Some(dir) = self.out.as_deref() else {
            return Ok(None);
        };
        let probe = dir.join(".nnqft-gpu-probe");
        std::fs::create_dir_all(dir)
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| {
                Error::invalid(
                    "--out",
                    dir.display(),
                    format!("the folder cannot be written: {e}"),
                )
            })?;
        Ok(Some(dir))
    }
}
