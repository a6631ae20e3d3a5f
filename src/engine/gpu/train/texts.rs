//! This module renders the texts of `shaders/train`. They depend on inputs, outputs, activation and laws, not on the
//! width and hardly on the data: a sweep over widths compiles them once.

use serde::Serialize;

use super::super::SAMPLE_THREADS;
use super::super::THREADS_PER_ROW;
use super::super::activation::Code;
use super::super::template::{Text, render};
use super::super::variates::Variates;
use super::shape::{self, Shape, Stage};
use crate::model::Learning;
use crate::plan::TrainPlan;

/// Numbers that every adapter can bind as a uniform: 16 KiB.
const UNIFORM: usize = 4096;

/// `Texts` are the shaders of a run.
pub struct Texts {
    /// What draws parameters: of full groups, if there are any, and of what is left.
    pub draw: Option<Text>,
    pub draw_rest: Text,
    pub stages: Vec<(Stage, Text)>,
}

impl Texts {
    /// Lists the texts.
    pub fn all(&self) -> Vec<&Text> {
        let stages = self.stages.iter().map(|(_, text)| text);
        (self.draw.iter())
            .chain([&self.draw_rest])
            .chain(stages)
            .collect()
    }
}

/// The code of an activation, alone and with its derivative where the hidden layer moves.
pub struct Codes {
    activation: Code,
    dual: Option<Code>,
}

impl Codes {
    pub fn new(plan: &TrainPlan) -> Self {
        Self {
            activation: Code::tape(plan.untrained().net.activation().tape()),
            dual: plan.dual().map(Code::dual),
        }
    }

    /// How many statements an evaluation takes, about.
    pub fn length(&self) -> usize {
        self.activation.length() + self.dual.as_ref().map_or(0, Code::length)
    }
}

#[derive(Serialize)]
struct Context<'a> {
    threads: u64,
    threads_per_row: u64,
    law: &'a Variates,
    laws: Vec<&'static str>,
    /// Components of a hidden unit, and those that are drawn.
    components: u64,
    drawn: usize,
    outputs: usize,
    has_bias: bool,
    tile: usize,
    is_fused: bool,
    activation: &'a Code,
    dual: Option<&'a Code>,
    wants_slope: bool,
    points_at: usize,
    /// Numbers of a point.
    stride: usize,
    at: Places,
}

/// `Places` are those of constants.
#[derive(Serialize)]
struct Places {
    is_uniform: bool,
    quads: usize,
    readout: usize,
    readout_bias: usize,
    step: usize,
    step_bias: usize,
    rate: usize,
    unit: usize,
    targets: usize,
}

/// Renders the texts of a training.
pub fn texts(shape: &Shape, codes: &Codes) -> Texts {
    let (setup, stream) = (&shape.setup, &shape.setup.stream);
    let numbers = shape::POINTS + shape.points * shape.stride();
    let is_uniform = numbers <= UNIFORM;
    let context = |wants_slope: bool| Context {
        threads: SAMPLE_THREADS,
        threads_per_row: THREADS_PER_ROW,
        law: &setup.variates,
        laws: setup.variates.all(),
        components: stream.hidden_components,
        drawn: shape.drawn,
        outputs: shape.outputs,
        has_bias: stream.has_bias(),
        tile: shape.tile,
        is_fused: shape.is_fused,
        activation: &codes.activation,
        dual: codes.dual.as_ref(),
        wants_slope,
        points_at: shape::POINTS,
        stride: shape.stride(),
        at: Places {
            is_uniform,
            quads: UNIFORM / 4,
            readout: shape::READOUT,
            readout_bias: shape::READOUT_BIAS,
            step: shape::STEP,
            step_bias: shape::STEP_BIAS,
            rate: shape::RATE,
            unit: shape::UNIT,
            targets: shape::TARGETS,
        },
    };
    let stage = |stage: Stage| {
        let (path, wants_slope) = match stage {
            Stage::Forward => ("train/forward", false),
            Stage::Outputs => ("train/outputs", false),
            Stage::Errors => ("train/errors", false),
            Stage::Step => ("train/step", true),
            Stage::Covariance => ("train/covariance", false),
            Stage::Advance => ("train/advance", false),
        };
        (stage, render(path, &context(wants_slope)))
    };
    let last = match shape.learning {
        Learning::All => [Stage::Step].iter(),
        Learning::Readout => [Stage::Covariance, Stage::Advance].iter(),
    };
    let first = [Stage::Forward, Stage::Outputs, Stage::Errors];
    Texts {
        draw: (stream.full_groups > 0).then(|| render("train/draw", &context(false))),
        draw_rest: render("train/draw_rest", &context(false)),
        stages: first.iter().chain(last).map(|&kind| stage(kind)).collect(),
    }
}

/// Counts the bytes of the buffer of constants, of which shaders expect a uniform to be full.
pub fn constant_bytes(numbers: usize) -> u64 {
    4 * numbers.max(UNIFORM) as u64
}
