//! The options that commands share.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use nnqft_gpu::engine::Engine;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{self, GpuEngine};
use nnqft_gpu::model::{Architecture, EnsembleSpec, Estimator, Inputs, Tilt, parse_count};
use nnqft_gpu::{Error, Result, theory};

/// The field theory: networks and points.
#[derive(Args)]
pub struct ModelOptions {
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
    /// Orders n of the n-point functions, 1 to 6
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "2,4,6",
        allow_hyphen_values = true
    )]
    orders: Vec<String>,
}

/// How it is sampled.
#[derive(Args)]
pub struct SamplingOptions {
    /// Networks per experiment: 1000000, 1_000_000, 1e6 and 1M are the same
    #[arg(long, default_value = "1e6", allow_hyphen_values = true)]
    nets: String,
    /// Independent experiments
    #[arg(long, default_value = "10", allow_hyphen_values = true)]
    experiments: String,
    /// direct: averages of products of outputs; connected: the output layer integrated out,
    /// which needs thousands to millions of times fewer networks
    #[arg(long, default_value = "direct")]
    estimator: String,
    /// Importance sampling of rare hidden units (connected estimator): auto or none
    #[arg(long, default_value = "none")]
    tilt: String,
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

impl ModelOptions {
    /// One validated spec per width, in the order given.
    pub fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        self.widths(self.spec()?)
    }

    fn widths(&self, spec: EnsembleSpec) -> Result<Vec<EnsembleSpec>> {
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

    fn spec(&self) -> Result<EnsembleSpec> {
        let arch: Architecture = self.arch.parse()?;
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
        spec.orders = self
            .orders
            .iter()
            .map(|t| count("--orders", t).map(|n| n as usize))
            .collect::<Result<_>>()?;
        Ok(spec)
    }
}

impl SamplingOptions {
    /// One validated spec per width, in the order given.
    pub fn specs(&self, model: &ModelOptions) -> Result<Vec<EnsembleSpec>> {
        let mut spec = model.spec()?;
        spec.nets = count("--nets", &self.nets)?;
        let experiments = count("--experiments", &self.experiments)?;
        spec.experiments = u32::try_from(experiments).unwrap_or(u32::MAX);
        spec.estimator = self.estimator.parse()?;
        spec.seed = count("--seed", &self.seed)?;
        let tilt = match &self.tilt[..] {
            "none" => false,
            "auto" => true,
            other => {
                return Err(Error::invalid(
                    "--tilt",
                    format!("'{other}'"),
                    "use auto or none",
                ));
            }
        };
        if tilt && spec.estimator == Estimator::Direct {
            return Err(Error::invalid(
                "--tilt",
                "auto",
                "importance sampling is for the connected estimator; add --estimator connected",
            ));
        }
        let mut specs = model.widths(spec)?;
        if tilt {
            // It does not depend on the width.
            let mixture = theory::tilt(&specs[0]);
            eprintln!("tilt: {}", tilt_choice(&specs[0], mixture.as_ref()));
            for spec in &mut specs {
                spec.tilt.clone_from(&mixture);
            }
        }
        Ok(specs)
    }
}

/// What `--tilt auto` chose, in words.
fn tilt_choice(spec: &EnsembleSpec, tilt: Option<&Tilt>) -> String {
    let Some(tilt) = tilt else {
        let why = match spec.arch {
            Architecture::Erf => "its hidden units are bounded",
            Architecture::Relu => "powers of its hidden units have light tails",
            Architecture::Gauss => "sigma_b, sigma_w and the inputs are small enough",
        };
        return format!("none, {} needs none: {why}", spec.arch.title());
    };
    let shifts = tilt.shifts.len();
    let biases_only = (tilt.shifts.iter()).all(|t| t[..spec.d_in].iter().all(|w| w.abs() < 0.1));
    let what = if biases_only {
        let mut biases: Vec<f64> = tilt.shifts.iter().map(|t| t[spec.d_in]).collect();
        biases.sort_by(f64::total_cmp);
        let list: Vec<String> = biases.iter().map(|b| format!("{b:.3}")).collect();
        format!("the bias by {} sigma_b", list.join(", "))
    } else {
        "weights and bias together".into()
    };
    let mut text = format!(
        "one hidden unit in {shifts} of {} networks is shifted, {what}",
        shifts + 1
    );
    if tilt.reach > 1.5 {
        text.push_str(&format!(
            "; these inputs have tails up to {:.1} standard deviations from any shift: expect wide error bars, or move the inputs together",
            tilt.reach
        ));
    }
    text
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

    /// Writes a document to the folder, if one was asked for.
    pub fn write(&self, dir: Option<&Path>, name: &str, text: &str) -> anyhow::Result<()> {
        let Some(dir) = dir else { return Ok(()) };
        let path = dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}
