//! This module parses the values of options; each error names the option and what would be right.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use nnqft_gpu::model::{
    Activation, CatalogueEntry, Law, MAX_D_OUT, MAX_DEPTH, MAX_EXPERIMENTS, MAX_NETS, MAX_ORDER,
    MAX_WIDTH, parse_count_in,
};
use nnqft_gpu::run::Backend;
use nnqft_gpu::{Error, Result};

/// Parses a whole number with its limits.
fn count(name: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<u64> {
    parse_count_in(text, range).map_err(|reason| Error::Invalid {
        name,
        value: match text.parse::<f64>() {
            Ok(_) => text.into(),
            Err(_) => format!("'{text}'"),
        },
        reason: reason.into(),
    })
}

/// Parses the expression of an activation.
pub fn activation(text: &str) -> Result<Activation> {
    Ok(text.parse()?)
}

/// Parses the law of weights.
pub fn law_w(text: &str) -> Result<Law> {
    match text.parse() {
        Ok(Law::Phase) | Err(_) => {
            let reason = "use gaussian, uniform, rademacher or laplace";
            Err(Error::invalid("law_w", format!("'{text}'"), reason))
        }
        Ok(law) => Ok(law),
    }
}

/// Parses the law of biases.
pub fn law_b(text: &str) -> Result<Law> {
    text.parse().map_err(|_| {
        let reason = "use gaussian, uniform, rademacher, laplace or phase";
        Error::invalid("law_b", format!("'{text}'"), reason)
    })
}

/// Parses a net of the catalogue.
pub fn arch(text: &str) -> Result<&'static CatalogueEntry> {
    CatalogueEntry::find(text)
}

pub fn width(text: &str) -> Result<u64> {
    count("width", text, 1..=MAX_WIDTH)
}

pub fn hidden(text: &str) -> Result<u64> {
    count("hidden", text, 1..=MAX_WIDTH)
}

pub fn depth(text: &str) -> Result<usize> {
    count("depth", text, 1..=MAX_DEPTH as u64).map(|n| n as usize)
}

/// Parses depth over width.
pub fn aspect(text: &str) -> Result<f64> {
    real("aspect", text)
}

pub fn d_in(text: &str) -> Result<usize> {
    count("d_in", text, 1..=u64::MAX).map(|n| n as usize)
}

pub fn d_out(text: &str) -> Result<usize> {
    count("d_out", text, 1..=MAX_D_OUT).map(|n| n as usize)
}

pub fn order(text: &str) -> Result<usize> {
    count("orders", text, 1..=MAX_ORDER as u64).map(|n| n as usize)
}

pub fn nets(text: &str) -> Result<u64> {
    count("nets", text, 1..=MAX_NETS)
}

pub fn experiments(text: &str) -> Result<u32> {
    count("experiments", text, 1..=MAX_EXPERIMENTS).map(|n| n as u32)
}

/// Parses the key of the random stream.
pub fn seed(text: &str) -> Result<u64> {
    count("seed", text, 0..=u64::MAX)
}

pub fn sigma_w(text: &str) -> Result<f64> {
    real("sigma_w", text)
}

pub fn sigma_b(text: &str) -> Result<f64> {
    real("sigma_b", text)
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

/// Parses a cutoff: a number, or inf.
pub fn cutoff(text: &str) -> Result<f64> {
    real("cutoffs", text)
}

/// Parses the cutoff of a command that has one.
pub fn one_cutoff(text: &str) -> Result<f64> {
    match text.contains(',') {
        true => Err(Error::invalid(
            "cutoffs",
            format!("'{text}'"),
            "symmetry uses one cutoff, a number",
        )),
        false => cutoff(text),
    }
}

/// Parses whether to sample by importance.
pub fn tilt(text: &str) -> Result<bool> {
    match text {
        "none" => Ok(false),
        "auto" => Ok(true),
        other => Err(Error::invalid(
            "tilt",
            format!("'{other}'"),
            "use auto or none",
        )),
    }
}

/// Parses the seconds between saves.
pub fn interval(text: &str) -> Result<Duration> {
    (text.parse::<f64>().ok())
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            let reason = "give seconds, more than 0";
            Error::invalid("checkpoint_interval", format!("'{text}'"), reason)
        })
}

/// Parses a backend, and lists all of them with their help.
pub fn backend() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new([
        PossibleValue::new("auto").help("A hardware GPU if there is one, else the CPU"),
        PossibleValue::new("gpu").help("WGSL shaders in f32, on a software adapter too"),
        PossibleValue::new("cpu").help("The reference in f64"),
    ])
    .try_map(|text| text.parse::<Backend>())
}
