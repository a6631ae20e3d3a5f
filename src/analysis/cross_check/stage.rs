//! This module collects the errors of one stage, and the worst of them.

use serde::Serialize;

/// `Stage` holds the worst error of one stage.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Stage {
    /// Name of the stage.
    pub stage: &'static str,
    /// Worst error, in `unit`.
    pub max_abs: f64,
    /// What the error is measured in.
    pub unit: &'static str,
    /// Where the worst error occurred: architecture, network, element.
    pub at: String,
    /// Largest error that f32 explains.
    pub tolerance: f64,
    /// Whether the worst error is within `tolerance`.
    pub pass: bool,
    /// How many numbers were compared.
    pub compared: u64,
    /// More about the errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Stage {
    /// Takes the worse of two checks of one stage, the other with shaders that loop over buffers.
    pub(super) fn join(&mut self, looped: Self) {
        self.compared += looped.compared;
        self.pass &= looped.pass;
        if looped.max_abs > self.max_abs {
            self.max_abs = looped.max_abs;
            self.at = format!("{}, looped", looped.at);
        }
    }
}

/// `Worst` collects the worst error of a stage.
pub(super) struct Worst(pub Stage);

impl Worst {
    pub fn new(stage: &'static str, unit: &'static str, tolerance: f64) -> Self {
        Self(Stage {
            stage,
            max_abs: 0.0,
            unit,
            at: String::new(),
            tolerance,
            pass: true,
            compared: 0,
            detail: None,
        })
    }

    pub fn add(&mut self, error: f64, at: impl FnOnce() -> String) {
        let stage = &mut self.0;
        stage.compared += 1;
        // NaN is an error of any size.
        if error.is_nan() || error > stage.max_abs {
            stage.max_abs = if error.is_nan() { f64::INFINITY } else { error };
            stage.at = at();
        }
        stage.pass = stage.max_abs <= stage.tolerance;
    }

    /// Adds an error as its share of a bound. An error without a bound is none.
    pub fn add_share(&mut self, error: f64, bound: f64, at: impl FnOnce() -> String) {
        if bound.is_finite() {
            let error = error.abs();
            self.add(if error == 0.0 { 0.0 } else { error / bound }, at);
        }
    }
}
