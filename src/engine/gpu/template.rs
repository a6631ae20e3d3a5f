//! Shader texts are the templates of `shaders/`, rendered for one spec, so that a pipeline is
//! straight-line code for it.
//!
//! They are minijinja templates with delimiters that look like WGSL: `//#` starts a line with a
//! statement (`for`, `if`, `include`, ..), `${..}` is a value, `//` a comment that no driver sees.

use std::error::Error as _;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

/// A text is a shader as a driver gets it.
#[derive(Debug, Clone)]
pub struct Text {
    /// The name of the shader's file, without folder and ending.
    pub stage: &'static str,
    pub wgsl: String,
}

/// Defines the names of templates with their text.
macro_rules! shaders {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../shaders/", $name)))),*]
    };
}

const SHADERS: [(&str, &str); 77] = shaders![
    "activation.wgsl",
    "batch.wgsl",
    "deep.wgsl",
    "deep/factorise.wgsl",
    "deep/layer.wgsl",
    "deep/next.wgsl",
    "deep/put.wgsl",
    "draws.wgsl",
    "ensemble.wgsl",
    "evaluate.wgsl",
    "exponential.wgsl",
    "hidden_values.wgsl",
    "inverse_weight.wgsl",
    "join.wgsl",
    "looped/arguments.wgsl",
    "looped/best.wgsl",
    "looped/choose.wgsl",
    "looped/cumulants.wgsl",
    "looped/fields.wgsl",
    "looped/hidden.wgsl",
    "looped/keep.wgsl",
    "looped/lanes.wgsl",
    "looped/pass.wgsl",
    "looped/products.wgsl",
    "looped/put.wgsl",
    "looped/ratio.wgsl",
    "looped/readout.wgsl",
    "looped/score.wgsl",
    "looped/sums.wgsl",
    "moments.wgsl",
    "moments_end.wgsl",
    "moments_start.wgsl",
    "networks.wgsl",
    "normals.wgsl",
    "operations/cos.wgsl",
    "operations/erf.wgsl",
    "operations/exp.wgsl",
    "operations/exponential.wgsl",
    "operations/log.wgsl",
    "operations/log1p.wgsl",
    "operations/logarithm.wgsl",
    "operations/pow.wgsl",
    "operations/quarters.wgsl",
    "operations/sigmoid.wgsl",
    "operations/sin.wgsl",
    "operations/softplus.wgsl",
    "operations/sqrt.wgsl",
    "operations/tanh.wgsl",
    "parameters.wgsl",
    "peak_arithmetic.wgsl",
    "peak_bandwidth.wgsl",
    "points.wgsl",
    "quads.wgsl",
    "reduce.wgsl",
    "remainder.wgsl",
    "sample.wgsl",
    "sample_remainder.wgsl",
    "train/add.wgsl",
    "train/advance.wgsl",
    "train/covariance.wgsl",
    "train/descend.wgsl",
    "train/draw.wgsl",
    "train/draw_rest.wgsl",
    "train/dual.wgsl",
    "train/errors.wgsl",
    "train/errors_of_tile.wgsl",
    "train/forward.wgsl",
    "train/outputs.wgsl",
    "train/pass.wgsl",
    "train/points.wgsl",
    "train/put.wgsl",
    "train/step.wgsl",
    "train/sums_end.wgsl",
    "train/sums_start.wgsl",
    "train/unit.wgsl",
    "variates.wgsl",
    "words.wgsl",
];

/// Names of the four vectors of four hidden units, or networks, that make up a group of 16.
pub const QUADS: [&str; 4] = ["a", "b", "c", "d"];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("${", "}")
        .line_statement_prefix("//#")
        .line_comment_prefix("//")
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters differ"));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_global("quads", Value::from(QUADS.to_vec()));
    for (name, text) in SHADERS {
        (environment.add_template(name, text)).unwrap_or_else(|e| panic!("{e:#}"));
    }
    environment
});

/// Renders the text of `shaders/<path>.wgsl` for the values of `context`.
///
/// # Panics
/// If the template has a mistake, or a name that the context lacks: shaders are part of the build.
pub fn render(path: &'static str, context: &impl Serialize) -> Text {
    let wgsl = (TEMPLATES.get_template(&format!("{path}.wgsl")))
        .and_then(|template| template.render(Value::from(Serde(context))))
        .unwrap_or_else(|e| {
            // A mistake in an included file is the cause of its inclusion's.
            let causes = std::iter::successors(e.source(), |&cause| cause.source());
            let causes: Vec<String> = causes.map(|cause| format!("{cause:#}")).collect();
            panic!("shaders/{path}.wgsl: {e:#} {}", causes.join(" "))
        });
    Text {
        stage: path.rsplit('/').next().unwrap_or(path),
        wgsl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "undefined")]
    fn a_name_without_a_value_is_an_error() {
        render("parameters", &());
    }
}
