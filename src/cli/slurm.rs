//! This module is the command `nnqft-gpu slurm`.

use std::path::{Path, PathBuf};

use clap::Args;
use minijinja::{Environment, context};
use nnqft_gpu::analysis::trained::check_trained_range;
use nnqft_gpu::engine::BlockPlan;
use nnqft_gpu::model::{EnsembleSpec, Inputs, parse_count};
use nnqft_gpu::run::VERSION;
use nnqft_gpu::state::{Ensemble, EnsembleState, TrainState, replace};
use nnqft_gpu::{Error, Result, analysis};

use super::args::{EngineArgs, Given, LearnArgs, PartialSpec, written};
use super::output::Force;
use super::shell::{emit, quote};

const TEMPLATE: &str = include_str!("../../assets/slurm.sh");
/// The name of the script in the folder of `--out`.
const NAME: &str = "slurm.sh";
/// The largest number of tasks of an array unless a cluster's MaxArraySize is another: Slurm's
/// default is 1001, and the largest index one less, that of the task numbered from 0.
const MAX_ARRAY: u64 = 1001;

/// Write a script that runs `ensemble` or `train` as a job array of Slurm and merges the shards
///
/// Takes the options of `ensemble`, or with --data those of `train`, and checks them now. `bash slurm.sh`
/// submits the array, whose tasks save their states, are tried again and go on after the time limit, and
/// a job that merges them.
#[derive(Args)]
#[command(
    after_help = "Example: nnqft-gpu slurm --arch relu --nets 1e9 --shards 64 --out run \\
             --sbatch=--partition=gpu --sbatch=--gres=gpu:1 --sbatch=--time=02:00:00
         bash run/slurm.sh
         nnqft-gpu slurm --arch tanh --data points.csv --nets 1e8 --shards 64 --out trained"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: Given<PartialSpec>,
    #[command(flatten)]
    learn: Given<LearnArgs>,
    #[command(flatten)]
    engine: Given<EngineArgs>,
    /// Shards: tasks of the array
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    shards: String,
    /// How often a shard that failed is tried again
    #[arg(
        long,
        value_name = "N",
        default_value = "2",
        allow_hyphen_values = true
    )]
    retries: String,
    /// An option of sbatch for the script's jobs, such as --sbatch=--partition=gpu; repeat it
    /// for several
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Write slurm.sh to this folder, which will hold states, logs and result, instead of
    /// printing it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// Checks everything that could fail in the queue, then writes the script.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let specs = arguments.specs()?;
    arguments.engine.value.choice().check()?;
    let script = arguments.script(&specs)?;
    match &arguments.out {
        None => emit(&script),
        Some(dir) => write(dir, &script, arguments.force),
    }
}

impl Arguments {
    /// Tells whether networks are trained.
    fn learns(&self) -> bool {
        !self.learn.list.is_empty()
    }

    /// Makes the spec of the networks of each width, and checks everything that is asked for of them.
    fn specs(&self) -> Result<Vec<EnsembleSpec>> {
        if !self.learns() {
            let specs = self.spec.value.specs()?;
            specs.iter().try_for_each(analysis::check_range)?;
            return Ok(specs);
        }
        let specs = self.learn.value.specs(&self.spec.value)?;
        specs.iter().try_for_each(check_trained_range)?;
        Ok(specs.into_iter().map(|spec| spec.ensemble).collect())
    }

    fn script(&self, specs: &[EnsembleSpec]) -> Result<String> {
        let whole = |name, text: &str, from, to: u64, why: &str| match parse_count(text) {
            Ok(n) if (from..=to).contains(&n) => Ok(n),
            _ => Err(Error::invalid(
                name,
                format!("'{text}'"),
                format!("must be a whole number from {from} to {to}{why}"),
            )),
        };
        let spec = &specs[0];
        let blocks = specs.iter().map(|spec| BlockPlan::new(spec).blocks()).min();
        let shards = whole(
            "shards",
            &self.shards,
            1,
            blocks.unwrap_or(0),
            ", the blocks of networks in this ensemble",
        )?;
        if shards > MAX_ARRAY {
            say!(
                "warning: an array of {shards} tasks is beyond Slurm's default MaxArraySize of {MAX_ARRAY}, and sbatch will refuse it; unless `scontrol show config` shows a larger one, use --shards {MAX_ARRAY} or fewer: a shard goes on after its time limit"
            );
        }
        let retries = whole("retries", &self.retries, 0, 1000, "")?;
        self.sbatch.iter().try_for_each(|line| check_sbatch(line))?;

        let mut options = [&self.spec.list[..], &self.learn.list, &self.engine.list].concat();
        // Without any option a shard would take all of them from its file, whatever that is.
        if !self.spec.has("--arch") {
            options.insert(0, ("--arch".into(), spec.net.to_string()));
        }
        if !self.engine.has("--backend") {
            options.push(("--backend".into(), "auto".into()));
        }
        let options: Vec<String> = (options.into_iter())
            .map(|(name, value)| {
                let value = match &name[..] {
                    "--inputs" => full_path("inputs", value)?,
                    "--data" if !value.contains('=') => full_path("data", value)?,
                    _ => value,
                };
                Ok(written(&name, &value).trim_start().to_string())
            })
            .collect::<Result<_>>()?;
        let widths: Vec<String> = specs
            .iter()
            .map(|spec| {
                let hidden = spec.net.hidden().into_iter();
                hidden.map(|n| n.to_string()).collect::<Vec<_>>().join("x")
            })
            .collect();
        let (command, trained) = match self.learns() {
            true => (TrainState::COMMAND, ", trained"),
            false => (EnsembleState::COMMAND, ""),
        };
        // What is no part of the run, and so not in its shards.
        let merging = match self.learn.value.allow_diverged {
            true => " --allow-diverged",
            false => "",
        };
        let title = format!(
            "{}, N = {}, {} x {} networks{trained}",
            spec.net.title(),
            widths.join(", "),
            spec.experiments,
            spec.nets
        );
        let context = context! {
            title, version => VERSION, name => NAME, command, merging,
            shards, retries, options, sbatch => &self.sbatch,
        };
        let script = Environment::new().render_str(TEMPLATE, context);
        // minijinja drops the last newline.
        Ok(script.expect("the template fits") + "\n")
    }
}

/// Writes points as they were given; a file by its full path, since the script runs in another
/// folder.
fn full_path(name: &'static str, text: String) -> Result<String> {
    let Some(file) = Inputs::file(&text) else {
        return Ok(text);
    };
    let refuse = |reason: &str| Err(Error::invalid(name, file.display(), reason));
    match std::path::absolute(file) {
        Ok(path) => match path.to_str() {
            Some(path) => Ok(format!("@{path}")),
            None => refuse("its folder's name is not UTF-8"),
        },
        Err(e) => refuse(&e.to_string()),
    }
}

/// Checks a line of sbatch options; those that hold the two jobs together are the script's own.
fn check_sbatch(line: &str) -> Result<()> {
    const OWN: [&str; 12] = [
        "--array",
        "-a",
        "--chdir",
        "-D",
        "--dependency",
        "-d",
        "--output",
        "-o",
        "--requeue",
        "--no-requeue",
        "--signal",
        "--open-mode",
    ];
    let shown = format!("'{}'", line.escape_debug());
    let refuse = |why: &str| Err(Error::invalid("sbatch", shown.clone(), why));
    if !line.starts_with('-') || line.contains(char::is_control) {
        return refuse("give one line of sbatch options, such as --sbatch=--time=02:00:00");
    }
    let own = |word: &str| {
        let name = word.split('=').next().unwrap_or(word);
        // A short option may have its value attached.
        OWN.iter()
            .any(|own| name == *own || (own.len() == 2 && name.starts_with(own)))
    };
    match line.split_whitespace().any(own) {
        true => refuse("the script sets it itself; edit the script instead"),
        false => Ok(()),
    }
}

/// Writes the script; a folder with another one, edited perhaps, is left alone.
fn write(dir: &Path, script: &str, force: Force) -> anyhow::Result<()> {
    let path = dir.join(NAME);
    let is_other = std::fs::read(&path).is_ok_and(|old| old != script.as_bytes());
    if is_other && !force.force {
        let reason = match dir.join("shards").exists() {
            true => {
                "it holds the shards of another script; give another folder, submit the script that is there, or add --force to write over it (shards of another run will be refused)"
            }
            false => {
                "it holds another slurm.sh; give another folder, or add --force to write over it"
            }
        };
        return Err(Error::invalid("out", dir.display(), reason).into());
    }
    std::fs::create_dir_all(dir)
        .and_then(|()| replace(&path, script.as_bytes()))
        .map_err(|e| {
            Error::invalid(
                "out",
                dir.display(),
                format!("the folder cannot be written: {e}"),
            )
        })?;
    note!("wrote {}", path.display());
    note!("submit with: bash {}", quote(&path.to_string_lossy()));
    Ok(())
}
