//! This module names the functions of `variates.wgsl` with which networks are drawn.

use serde::Serialize;

use crate::model::Law;
use crate::plan::Laws;
use crate::stream::StreamLayout;

/// `Variates` has the function for each kind of parameter: `law` in the texts.
#[derive(Debug, Clone, Serialize)]
pub struct Variates {
    /// Functions of the components of a hidden unit that are drawn.
    pub hidden: Vec<&'static str>,
    /// Function of the output weights, and of b1.
    pub readout: &'static str,
    pub readout_bias: &'static str,
}

impl Variates {
    pub fn new(laws: &Laws, stream: &StreamLayout) -> Self {
        // The bias is the last component, which may be left out.
        let bias = stream.hidden_components - 1;
        Self {
            hidden: (0..stream.drawn_components)
                .map(|c| function(if c == bias { laws.bias } else { laws.weights }))
                .collect(),
            readout: function(laws.readout),
            readout_bias: function(laws.readout_bias),
        }
    }

    /// Lists the functions, each once: `laws` in the texts.
    pub fn all(&self) -> Vec<&'static str> {
        let mut all = self.hidden.clone();
        all.extend([self.readout, self.readout_bias]);
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Names the function that makes variates of a law from a block of words.
pub fn function(law: Law) -> &'static str {
    match law {
        Law::Gaussian => "normals",
        Law::Uniform | Law::Phase => "uniform_variates",
        Law::Rademacher => "rademacher_variates",
        Law::Laplace => "laplace_variates",
    }
}
