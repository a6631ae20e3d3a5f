//! The options that commands share.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Instant;

use clap::{Args, ValueEnum};
use nnqft_gpu::analysis::{self, Interactions, Unconverged};
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::gpu::{self, GpuEngine};
use nnqft_gpu::engine::{DeviceInfo, Engine, Fleet};
use nnqft_gpu::model::{
    Architecture, EnsembleSpec, Estimator, Inputs, MAX_D_OUT, MAX_EXPERIMENTS, MAX_NETS, MAX_ORDER,
    MAX_WIDTH, Tilt, parse_count_in,
};
use nnqft_gpu::report::{Head, Source, Timing, read_moments};
use nnqft_gpu::theory::{self, Vertex};
use nnqft_gpu::{Error, Result};

use super::progress::Progress;
use super::verdict::must_rest_on;

/// The field theory: networks and points.
#[derive(Args, Clone)]
pub struct ModelOptions {
    /// Architecture: erf, relu or gauss [default: erf]
    #[arg(long)]
    arch: Option<String>,
    /// Hidden width N; several, separated by commas, are run one after the other [default:
    /// 100; falloff: 2,3,4,5,10,20,50,100,500,1000; eft, rg and symmetry: the source's, erf 5,
    /// relu 20, gauss 100]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    width: Vec<String>,
    /// Input dimension [default: that of --inputs, else 1]
    #[arg(long, allow_hyphen_values = true)]
    d_in: Option<String>,
    /// Output dimension; symmetry takes several, separated by commas. The direct estimator has
    /// C(P d_out + n - 1, n) elements at P points (6 points, orders 2,4,6: 609 at d_out 1,
    /// 13819 at 2; order 2 alone 4656 at 16), connected those whose outputs pair (3486 at 2,
    /// 5257 from 3 on); a run may take 8 GiB, some millions [default: 1; symmetry: 1,2,4,8]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    d_out: Vec<String>,
    /// Standard deviation of the weights, before 1/sqrt(fan-in) [default: 1]
    #[arg(long, allow_hyphen_values = true)]
    sigma_w: Option<String>,
    /// Standard deviation of the biases [default: 1; relu: 0]
    #[arg(long, allow_hyphen_values = true)]
    sigma_b: Option<String>,
    /// Points "x;x;.." with coordinates by comma; a file, one point a line (CSV, TSV, blanks, a
    /// header, comments) or a NumPy array (.npy, .npz with one); or a preset such as relu-d2
    /// [default: the source's for --arch and --d-in]
    #[arg(long, allow_hyphen_values = true)]
    inputs: Option<String>,
    /// Orders n of the n-point functions, 1 to 6 [default: 2,4,6]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    orders: Vec<String>,
}

/// How it is sampled.
#[derive(Args)]
pub struct SamplingOptions {
    /// Networks per experiment: 1000000, 1_000_000, 1e6 and 1M are the same [default: 1e6;
    /// symmetry: 1e4]
    #[arg(long, allow_hyphen_values = true)]
    nets: Option<String>,
    /// Independent experiments [default: 10; symmetry: 100]
    #[arg(long, allow_hyphen_values = true)]
    experiments: Option<String>,
    /// direct: averages of products of outputs; connected: the output layer integrated out,
    /// which needs thousands to millions of times fewer networks [default: direct; falloff:
    /// both; symmetry: connected, for the couplings]
    #[arg(long)]
    estimator: Option<String>,
    /// Importance sampling of rare hidden units (connected estimator): auto or none [default:
    /// none; falloff: auto for the second curve]
    #[arg(long)]
    tilt: Option<String>,
    /// Seed of the random stream [default: 0]
    #[arg(long, allow_hyphen_values = true)]
    seed: Option<String>,
}

/// A whole number with its limits.
pub fn count(name: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<u64> {
    parse_count_in(text, range).map_err(|reason| Error::Invalid {
        name,
        value: match text.parse::<f64>() {
            Ok(_) => text.into(),
            Err(_) => format!("'{text}'"),
        },
        reason,
    })
}

/// The key of the random stream.
pub fn seed(text: &str) -> Result<u64> {
    count("--seed", text, 0..=u64::MAX)
}

fn real(name: &'static str, text: &str) -> Result<f64> {
    let refuse = |reason: &str| Err(Error::invalid(name, format!("'{text}'"), reason));
    let Ok(value) = text.parse::<f64>() else {
        return refuse("this is not a number");
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    if value.is_infinite() && mantissa.contains(|c: char| c.is_ascii_digit()) {
        return refuse("this is beyond the range of f64");
    }
    if value == 0.0 && mantissa.contains(|c| ('1'..='9').contains(&c)) {
        return refuse("this is below the range of f64");
    }
    Ok(value)
}

/// An option and its value.
pub type Given = (&'static str, String);

fn given<const N: usize>(options: [(&'static str, Option<String>); N]) -> Vec<Given> {
    (options.into_iter())
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// `@file` with the file's full path.
fn full_path(file: &std::path::Path) -> Result<String> {
    let refuse = |reason: &str| Err(Error::invalid("--inputs", file.display(), reason));
    match std::path::absolute(file) {
        Ok(path) => match path.to_str() {
            Some(path) => Ok(format!("@{path}")),
            None => refuse("its folder's name is not UTF-8"),
        },
        Err(e) => refuse(&e.to_string()),
    }
}

impl ModelOptions {
    /// One validated spec per width, in the order given.
    pub fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        self.widths(self.spec()?)
    }

    /// The same for theory: with several outputs only the components whose outputs pair.
    pub fn paired_specs(&self) -> Result<Vec<EnsembleSpec>> {
        let mut spec = self.spec()?;
        if spec.d_out > 1 && spec.orders.iter().all(|n| n % 2 == 0) {
            spec.estimator = Estimator::Connected;
        }
        self.widths(spec)
    }

    /// With other widths than 100 where the user gave none.
    pub fn or_width(mut self, width: impl Fn(Architecture) -> u64) -> Result<Self> {
        if self.width.is_empty() {
            self.width = vec![width(self.arch()?).to_string()];
        }
        Ok(self)
    }

    /// With these widths where the user gave none.
    pub fn or_widths(mut self, widths: &[u64]) -> Self {
        if self.width.is_empty() {
            self.width = widths.iter().map(u64::to_string).collect();
        }
        self
    }

    /// How many widths there will be.
    pub fn widths_given(&self) -> usize {
        self.width.len().max(1)
    }

    /// The architecture.
    pub fn arch(&self) -> Result<Architecture> {
        self.arch.as_deref().unwrap_or("erf").parse()
    }

    /// With other inputs than the preset's where the user gave none.
    pub fn or_inputs(mut self, name: &str) -> Self {
        if self.inputs.is_none() && self.d_in.is_none() {
            self.inputs = Some(name.into());
        }
        self
    }

    /// With these inputs.
    pub fn with_inputs(mut self, inputs: &Inputs) -> Self {
        let points = (inputs.points().iter())
            .map(|x| x.iter().map(f64::to_string).collect::<Vec<_>>().join(","));
        self.inputs = Some(points.collect::<Vec<_>>().join(";"));
        self
    }

    /// One copy for each output dimension, or for each of `default` if the user gave none.
    pub fn each_d_out(&self, default: &[u32]) -> Vec<Self> {
        let given = match self.d_out.is_empty() {
            true => default.iter().map(u32::to_string).collect(),
            false => self.d_out.clone(),
        };
        (given.into_iter())
            .map(|d| Self {
                d_out: vec![d],
                ..self.clone()
            })
            .collect()
    }

    /// The output dimension.
    pub fn d_out(&self) -> Result<usize> {
        let text = self.d_out.first().map_or("1", |d| d);
        count("--d-out", text, 1..=MAX_D_OUT).map(|d_out| d_out as usize)
    }

    /// With this output dimension.
    pub fn with_d_out(mut self, d_out: usize) -> Self {
        self.d_out = vec![d_out.to_string()];
        self
    }

    /// With these orders; refuses the user's own.
    pub fn only_orders(mut self, orders: &[usize], why: &str) -> Result<Self> {
        if !self.orders.is_empty() {
            return Err(Error::invalid("--orders", self.orders.join(","), why));
        }
        self.orders = orders.iter().map(usize::to_string).collect();
        Ok(self)
    }

    /// The options as they were given; a file by its full path, since the command line may be
    /// used from another folder.
    pub fn given(&self) -> Result<Vec<Given>> {
        let inputs = match self.inputs.as_deref() {
            Some(text) => Some(match Inputs::file(text) {
                Some(file) => full_path(file)?,
                None => text.into(),
            }),
            None => None,
        };
        let list = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
        Ok(given([
            ("--arch", self.arch.clone()),
            ("--width", list(&self.width)),
            ("--d-in", self.d_in.clone()),
            ("--d-out", list(&self.d_out)),
            ("--sigma-w", self.sigma_w.clone()),
            ("--sigma-b", self.sigma_b.clone()),
            ("--inputs", inputs),
            ("--orders", list(&self.orders)),
        ]))
    }

    fn widths(&self, spec: EnsembleSpec) -> Result<Vec<EnsembleSpec>> {
        match self.width.is_empty() {
            true => Ok(vec![spec.validate()?]),
            false => (self.given_widths(&spec)?.into_iter())
                .map(EnsembleSpec::validate)
                .collect(),
        }
    }

    /// One copy for each width that was given.
    fn given_widths(&self, spec: &EnsembleSpec) -> Result<Vec<EnsembleSpec>> {
        (self.width.iter())
            .map(|text| {
                Ok(EnsembleSpec {
                    width: count("--width", text, 1..=MAX_WIDTH)?,
                    ..spec.clone()
                })
            })
            .collect()
    }

    fn spec(&self) -> Result<EnsembleSpec> {
        let d_in = match (&self.d_in, &self.inputs) {
            (Some(text), None) => count("--d-in", text, 1..=u64::MAX)? as usize,
            _ => 1,
        };
        let mut spec = EnsembleSpec::preset(self.arch()?, d_in)?;
        self.apply(&mut spec)?;
        if self.d_in.is_none() {
            remark_on_one_point(self.inputs.as_deref(), &spec);
        }
        Ok(spec)
    }

    /// Sets what was given, but for the width.
    fn apply(&self, spec: &mut EnsembleSpec) -> Result<()> {
        if self.arch.is_some() {
            spec.arch = self.arch()?;
        }
        if let Some(text) = &self.inputs {
            spec.inputs = Inputs::parse(text)?;
            spec.d_in = spec.inputs.d_in();
        }
        if let Some(text) = &self.d_in {
            spec.d_in = count("--d-in", text, 1..=u64::MAX)? as usize;
        }
        if self.d_out.len() > 1 {
            return Err(Error::invalid(
                "--d-out",
                self.d_out.join(","),
                "one value at a time; only symmetry takes several",
            ));
        }
        if !self.d_out.is_empty() {
            spec.d_out = self.d_out()?;
        }
        if let Some(text) = &self.sigma_w {
            spec.sigma_w = real("--sigma-w", text)?;
        }
        if let Some(text) = &self.sigma_b {
            spec.sigma_b = real("--sigma-b", text)?;
        }
        if !self.orders.is_empty() {
            spec.orders = (self.orders.iter())
                .map(|t| count("--orders", t, 1..=MAX_ORDER as u64).map(|n| n as usize))
                .collect::<Result<_>>()?;
        }
        Ok(())
    }
}

/// Says once what a list of numbers without a semicolon is: often several points were meant.
fn remark_on_one_point(text: Option<&str>, spec: &EnsembleSpec) {
    static SAID: Once = Once::new();
    let numbers: Vec<&str> = text.unwrap_or("").split(',').map(str::trim).collect();
    let is_list = numbers.len() > 1 && numbers.iter().all(|n| n.parse::<f64>().is_ok());
    if is_list && spec.inputs.len() == 1 {
        let count = numbers.len();
        SAID.call_once(|| {
            eprintln!(
                "inputs: one point of {count} coordinates; {count} points of one coordinate are written \"{}\"",
                numbers.join(";")
            );
        });
    }
}

impl SamplingOptions {
    /// The options as they were given.
    pub fn given(&self) -> Vec<Given> {
        given([
            ("--nets", self.nets.clone()),
            ("--experiments", self.experiments.clone()),
            ("--estimator", self.estimator.clone()),
            ("--tilt", self.tilt.clone()),
            ("--seed", self.seed.clone()),
        ])
    }

    /// Whether the user chose the estimator.
    pub fn has_estimator(&self) -> bool {
        self.estimator.is_some()
    }

    /// Whether `--tilt` asks for importance sampling; `None` if it is not given.
    pub fn tilt(&self) -> Result<Option<bool>> {
        match self.tilt.as_deref() {
            None => Ok(None),
            Some("none") => Ok(Some(false)),
            Some("auto") => Ok(Some(true)),
            Some(other) => Err(Error::invalid(
                "--tilt",
                format!("'{other}'"),
                "use auto or none",
            )),
        }
    }

    /// One validated spec per width, in the order given.
    pub fn specs(&self, model: &ModelOptions) -> Result<Vec<EnsembleSpec>> {
        self.specs_or(model, ["1e6", "10", "direct"])
    }

    /// The same, with networks, experiments and estimator where the user gave none.
    pub fn specs_or(
        &self,
        model: &ModelOptions,
        [nets, experiments, estimator]: [&str; 3],
    ) -> Result<Vec<EnsembleSpec>> {
        let mut spec = model.spec()?;
        spec.nets = count("--nets", nets, 1..=MAX_NETS)?;
        spec.experiments = count("--experiments", experiments, 1..=MAX_EXPERIMENTS)? as u32;
        spec.estimator = estimator.parse()?;
        self.apply(&mut spec)?;
        let tilt = self.tilt()?.unwrap_or(false);
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

impl SamplingOptions {
    /// Sets what was given, but for the tilt.
    fn apply(&self, spec: &mut EnsembleSpec) -> Result<()> {
        if let Some(text) = &self.nets {
            spec.nets = count("--nets", text, 1..=MAX_NETS)?;
        }
        if let Some(text) = &self.experiments {
            spec.experiments = count("--experiments", text, 1..=MAX_EXPERIMENTS)? as u32;
        }
        if let Some(text) = &self.estimator {
            spec.estimator = text.parse()?;
        }
        if let Some(text) = &self.seed {
            spec.seed = seed(text)?;
        }
        Ok(())
    }

    /// A run with the options that were given: what was not given stays.
    pub fn over(&self, model: &ModelOptions, run: &[EnsembleSpec]) -> Result<Vec<EnsembleSpec>> {
        (run.iter().cloned())
            .map(|mut spec| {
                model.apply(&mut spec)?;
                // Orders are kept ascending, each once.
                spec.orders.sort_unstable();
                spec.orders.dedup();
                self.apply(&mut spec)?;
                match self.tilt()? {
                    Some(true) => spec.tilt = theory::tilt(&spec),
                    Some(false) => spec.tilt = None,
                    None => {}
                }
                Ok(spec)
            })
            .collect::<Result<Vec<_>>>()
            .and_then(|specs| match model.width.is_empty() {
                true => Ok(specs),
                false => model.given_widths(&specs[0]),
            })
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
    /// Adapter by any part of its name (see `nnqft-gpu devices`), or all: every hardware GPU,
    /// each at its own speed; if one is lost the others go on
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
    /// The options as they were given, for a command line that does the same.
    pub fn command_line(&self) -> String {
        let backend = match self.backend {
            Backend::Auto => "",
            Backend::Gpu => " --backend gpu",
            Backend::Cpu => " --backend cpu",
        };
        let adapter = (self.adapter.as_ref()).map(|name| format!(" --adapter '{name}'"));
        format!("{backend}{}", adapter.unwrap_or_default())
    }

    /// The options as they were given.
    pub fn given(&self) -> Vec<Given> {
        let backend = match self.backend {
            Backend::Auto => "auto",
            Backend::Gpu => "gpu",
            Backend::Cpu => "cpu",
        };
        given([
            ("--backend", Some(backend.into())),
            ("--adapter", self.adapter.clone()),
        ])
    }

    /// Refuses what no machine could do.
    pub fn check(&self) -> Result<()> {
        match (self.backend, &self.adapter) {
            (Backend::Cpu, Some(name)) => Err(Error::invalid(
                "--adapter",
                format!("'{name}'"),
                "the cpu backend has no adapter; leave out one of the two",
            )),
            _ => Ok(()),
        }
    }

    /// Opens the engine; says on stderr which one `auto` took and why.
    pub fn engine(&self) -> Result<Box<dyn Engine>> {
        self.check()?;
        match (self.backend, &self.adapter) {
            (Backend::Cpu, _) => Ok(Box::new(CpuEngine::new())),
            (Backend::Gpu, _) | (Backend::Auto, Some(_)) => self.gpu(),
            (Backend::Auto, None) => {
                let adapters = gpu::adapters();
                eprintln!("backend: {}", auto_choice(&adapters));
                match adapters.first() {
                    Some(a) if !a.is_software() => self.gpu(),
                    _ => Ok(Box::new(CpuEngine::new())),
                }
            }
        }
    }

    /// The same for a run that `device` has begun: `auto` takes its backend.
    pub fn engine_like(&self, device: Option<&DeviceInfo>) -> Result<Box<dyn Engine>> {
        match (self.backend, &self.adapter, device) {
            (Backend::Auto, None, Some(begun)) if begun.backend == "cpu" => {
                Ok(Box::new(CpuEngine::new()))
            }
            (Backend::Auto, None, Some(_)) => self.gpu(),
            _ => self.engine(),
        }
    }

    fn gpu(&self) -> Result<Box<dyn Engine>> {
        match self.adapter.as_deref() {
            Some("all") => fleet(),
            name => Ok(Box::new(GpuEngine::new(name)?)),
        }
    }
}

/// All adapters of `--adapter all` that open.
fn fleet() -> Result<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine + Send>> = Vec::new();
    let mut refused = None;
    for engine in GpuEngine::all()? {
        match engine {
            Ok(engine) => engines.push(Box::new(engine)),
            Err(error) => {
                eprintln!("warning: left out: {error}");
                refused = Some(error);
            }
        }
    }
    if engines.is_empty()
        && let Some(error) = refused
    {
        return Err(error);
    }
    let fleet = Fleet::new(engines, |device, error| {
        eprintln!(
            "warning: {} is lost, others go on if there are any: {error}",
            device.adapter
        );
    });
    eprintln!("adapters: {}", fleet.device().adapter);
    Ok(Box::new(fleet))
}

/// Where the moments come from.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Moments {
    /// An ensemble, drawn now or read with --from
    Sampled,
    /// Exact finite-width values
    Exact,
}

/// The effective field theory.
#[derive(Args)]
pub struct EftOptions {
    /// Moments that the couplings are measured on
    #[arg(long, value_enum, default_value = "sampled")]
    moments: Moments,
    /// Read the ensemble from a folder that `ensemble --out` has written
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "arch", "width", "d_in", "d_out", "sigma_w", "sigma_b", "inputs", "orders", "nets",
        "experiments", "estimator", "tilt", "seed",
    ])]
    from: Option<PathBuf>,
    /// Lines into the vertex: full (K) or weight (K - sigma_b^2) [default: full; with --fit
    /// weight]
    #[arg(long)]
    vertex: Option<String>,
    /// Cutoffs L of the box [-L, L]^d_in, or inf [default: the source's 21, 7 to 1e5]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    cutoffs: Vec<String>,
}

/// The source's cutoffs.
pub const CUTOFFS: [f64; 21] = [
    7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 7e3, 1e4,
    2e4, 4e4, 6e4, 8e4, 1e5,
];

/// A cutoff: a number, or inf.
pub fn cutoff(text: &str) -> Result<f64> {
    let value = real("--cutoffs", text)?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let has = |digits: std::ops::RangeInclusive<char>| mantissa.contains(|c| digits.contains(&c));
    let refuse = |reason: &str| Err(Error::invalid("--cutoffs", format!("'{text}'"), reason));
    if value.is_infinite() && has('0'..='9') {
        return refuse("this is beyond the range of f64; write inf for an infinite cutoff");
    }
    if value == 0.0 && has('1'..='9') {
        return refuse(
            "this is below the range of f64; a cutoff is a positive length, the source's are 7 to 100000",
        );
    }
    Ok(value)
}

impl EftOptions {
    /// Propagator of the vertices, or the command's default.
    pub fn vertex(&self, default: Vertex) -> Result<Vertex> {
        self.vertex.as_deref().map_or(Ok(default), str::parse)
    }

    /// The cutoffs, in the order given, or the command's default.
    pub fn cutoffs(&self, default: &[f64]) -> Result<Vec<f64>> {
        if self.cutoffs.is_empty() {
            return Ok(default.to_vec());
        }
        self.cutoffs.iter().map(|text| cutoff(text)).collect()
    }

    /// The source's 21 cutoffs.
    pub fn source_cutoffs(&self) -> Result<Vec<f64>> {
        self.cutoffs(&CUTOFFS)
    }

    /// The folder of `--from`.
    pub fn source(&self) -> Option<&Path> {
        self.from.as_deref()
    }

    /// The interactions of every width, measured or exact, with what they were made by.
    pub fn interactions(
        &self,
        model: &ModelOptions,
        sampling: &SamplingOptions,
        engine: &EngineOptions,
        check: &dyn Fn(&EnsembleSpec) -> Result<()>,
    ) -> Result<Vec<Moment>> {
        if let Some(dir) = &self.from {
            if self.moments == Moments::Exact {
                return Err(Error::invalid(
                    "--from",
                    dir.display(),
                    "exact moments need no ensemble; leave out one of the two",
                ));
            }
            let start = Instant::now();
            let (spec, interactions, unconverged) = read_moments(dir)?;
            analysis::check_interacting(&spec)?;
            check(&spec)?;
            return Ok(vec![Moment {
                spec,
                interactions,
                device: CpuEngine::new().device(),
                timing: Timing::theory(start.elapsed().as_secs_f64()),
                source: Source {
                    moments: "sampled".into(),
                    unconverged,
                },
            }]);
        }
        let specs = match self.moments {
            Moments::Exact => model.specs()?,
            Moments::Sampled => sampling.specs(model)?,
        };
        for spec in &specs {
            if spec.d_out != 1 {
                return Err(Error::invalid(
                    "--d-out",
                    spec.d_out,
                    "couplings are measured with one output; symmetry follows them over d_out",
                ));
            }
            analysis::check_range(spec)?;
            analysis::check_interacting(spec)?;
            check(spec)?;
            if self.moments == Moments::Sampled && !spec.orders.contains(&4) {
                return Err(Error::invalid(
                    "--orders",
                    format!("{:?}", spec.orders),
                    "couplings are measured on the 4-point function; include 4",
                ));
            }
        }
        if self.moments == Moments::Exact {
            let exact = Moment::neurons(&specs[0]);
            return Ok((specs.into_iter())
                .map(|spec| Moment::exact(spec, &exact))
                .collect());
        }
        let mut engine = engine.engine()?;
        let exact = theory::Exact::new(&specs[0]);
        (specs.into_iter())
            .map(|spec| {
                let bar = Progress::new(spec.nets * u64::from(spec.experiments), 0);
                let moment = Moment::sampled(engine.as_mut(), spec, &exact, &|n| bar.inc(n));
                bar.finish();
                moment
            })
            .collect()
    }
}

/// The way out of averages that have not converged, where theory has the moments.
pub const EXACT_MOMENTS: &str = "--moments exact gives it from theory";

/// The moments of one width and where they come from.
pub struct Moment {
    /// The ensemble.
    pub spec: EnsembleSpec,
    /// What couplings are measured on.
    pub interactions: Interactions,
    device: DeviceInfo,
    timing: Timing,
    source: Source,
}

impl Moment {
    /// Draws an ensemble with the 4-point function; `exact` may be of another width.
    pub fn sampled(
        engine: &mut dyn Engine,
        spec: EnsembleSpec,
        exact: &theory::Exact,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        let (correlators, timing) = super::ensemble::measure_with(engine, &spec, exact, progress)?;
        Ok(Self {
            interactions: Interactions::measured(&correlators)
                .expect("the 4-point function is among the orders"),
            device: engine.device(),
            timing,
            source: Source {
                moments: "sampled".into(),
                unconverged: Unconverged::of(&correlators),
            },
            spec,
        })
    }

    /// What exact moments of this net and these inputs are made of, at any width.
    pub fn neurons(spec: &EnsembleSpec) -> theory::Exact {
        theory::Exact::new(&EnsembleSpec {
            orders: vec![2, 4, 6],
            ..spec.clone()
        })
    }

    /// Exact moments.
    pub fn exact(spec: EnsembleSpec, neurons: &theory::Exact) -> Self {
        let start = Instant::now();
        let interactions = Interactions::exact(&spec, &neurons.at_width(spec.width));
        Self {
            interactions,
            spec,
            device: CpuEngine::new().device(),
            timing: Timing::theory(start.elapsed().as_secs_f64()),
            source: Source {
                moments: "exact".into(),
                unconverged: Vec::new(),
            },
        }
    }

    /// Whether what was concluded from n-point functions of some orders rests on averages that
    /// have converged, and on a coupling that was measured.
    pub fn supports(&self, orders: &[usize], unmeasured: Option<String>) -> Result<()> {
        let all = self.source.unconverged.iter();
        let concerned = all.filter(|u| orders.contains(&u.order));
        let reasons = concerned.map(ToString::to_string).chain(unmeasured);
        let reasons: Vec<String> = reasons.collect();
        must_rest_on(&reasons, Some(EXACT_MOMENTS))
    }

    /// The start of a document.
    pub fn head(&self, schema: &'static str) -> Head {
        let (device, source) = (self.device.clone(), self.source.clone());
        Head::new(schema, self.spec.clone(), device, self.timing, source)
    }
}
