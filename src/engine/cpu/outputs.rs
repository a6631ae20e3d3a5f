//! Network outputs (twin of `shaders/outputs.wgsl`).

use super::{Setup, activation::activation, normals::normals, words::Words};
use crate::engine::{GROUP, Layer, Parameters};
use crate::model::{Architecture, EnsembleSpec};

const UNITS: usize = GROUP as usize;
/// Groups drawn at once: enough to amortise a call, few enough for the first-level cache.
const TILE: usize = 16;

/// Draws networks one after the other and evaluates them at the input points.
#[derive(Debug)]
pub struct Outputs {
    setup: Setup,
    hidden_words: Words,
    output_words: Words,
    words: Vec<u32>,
    hidden: Vec<f64>,
    output: Vec<f64>,
    sums: Vec<[f64; UNITS]>,
}

impl Outputs {
    /// Starts at network 0 of experiment 0.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let setup = Setup::new(spec);
        let hidden = TILE * UNITS * setup.layout.hidden_components as usize;
        Self {
            hidden_words: Words::new(spec.seed, Layer::Hidden.stream(0), 0),
            output_words: Words::new(spec.seed, Layer::Output.stream(0), 0),
            words: vec![0; hidden],
            hidden: vec![0.0; hidden],
            output: vec![0.0; TILE * UNITS],
            sums: vec![[0.0; UNITS]; spec.inputs.len()],
            setup,
        }
    }

    /// Points, that is values per network.
    pub fn points(&self) -> usize {
        self.sums.len()
    }

    /// Goes to a network; counter-based words make that free.
    pub fn seek(&mut self, experiment: u32, network: u64) {
        let at = |layer: Layer| {
            let block = network * self.setup.layout.blocks(layer);
            Words::new(self.setup.seed, layer.stream(experiment), block)
        };
        self.hidden_words = at(Layer::Hidden);
        self.output_words = at(Layer::Output);
    }

    /// Draws the next network: f(x_p) for every point into `field`.
    pub fn next_network(&mut self, field: &mut [f64]) {
        let layout = self.setup.layout;
        let stride = UNITS * layout.hidden_components as usize;
        self.sums.fill([0.0; UNITS]);
        let mut left = layout.full_groups as usize;
        while left > 0 {
            let groups = left.min(TILE);
            self.draw(groups * stride, groups * UNITS);
            for g in 0..groups {
                let hidden = &self.hidden[g * stride..][..stride];
                let readout = self.output[g * UNITS..].first_chunk().expect("a group");
                self.setup.add_group(hidden, readout, &mut self.sums);
            }
            left -= groups;
        }
        let tail = layout.tail as usize;
        self.draw(layout.tail_hidden_blocks as usize * UNITS, UNITS);
        if tail > 0 {
            // Spread the packed units to a full group whose other units have no readout.
            let mut hidden = vec![0.0; stride];
            let mut readout = [0.0; UNITS];
            for c in 0..layout.hidden_components as usize {
                hidden[c * UNITS..][..tail].copy_from_slice(&self.hidden[c * tail..][..tail]);
            }
            readout[..tail].copy_from_slice(&self.output[..tail]);
            self.setup.add_group(&hidden, &readout, &mut self.sums);
        }
        let Parameters {
            readout,
            readout_bias,
            ..
        } = self.setup.parameters;
        let bias = readout_bias * self.output[tail];
        for (f, sums) in field.iter_mut().zip(&self.sums) {
            *f = bias + readout * sums.iter().sum::<f64>();
        }
    }

    fn draw(&mut self, hidden: usize, output: usize) {
        for (stream, to, n) in [
            (&mut self.hidden_words, &mut self.hidden, hidden),
            (&mut self.output_words, &mut self.output, output),
        ] {
            stream.fill(&mut self.words[..n]);
            normals(&self.words[..n], &mut to[..n]);
        }
    }
}

impl Setup {
    /// Adds 16 hidden units to the readout sums, `[point][unit]`.
    fn add_group(&self, hidden: &[f64], readout: &[f64; UNITS], sums: &mut [[f64; UNITS]]) {
        // One call per architecture, so that the choice is out of the loops.
        match self.arch {
            Architecture::Erf => add_group(
                |z| activation(Architecture::Erf, z),
                &self.parameters,
                hidden,
                readout,
                sums,
            ),
            Architecture::Relu => add_group(
                |z| activation(Architecture::Relu, z),
                &self.parameters,
                hidden,
                readout,
                sums,
            ),
            Architecture::Gauss => add_group(
                |z| activation(Architecture::Gauss, z),
                &self.parameters,
                hidden,
                readout,
                sums,
            ),
        }
    }
}

#[inline(always)]
fn add_group(
    act: impl Fn(f64) -> f64,
    p: &Parameters,
    hidden: &[f64],
    readout: &[f64; UNITS],
    sums: &mut [[f64; UNITS]],
) {
    let (components, _) = hidden.as_chunks::<UNITS>();
    let (bias, weights) = components.split_last().expect("W0 and b0");
    for ((sum, x), offset) in sums.iter_mut().zip(&p.weights).zip(&p.offset) {
        let mut z: [f64; UNITS] = std::array::from_fn(|u| p.bias * bias[u] - offset);
        for (w, x) in weights.iter().zip(x) {
            for u in 0..UNITS {
                z[u] += w[u] * x;
            }
        }
        for u in 0..UNITS {
            sum[u] += readout[u] * act(z[u]);
        }
    }
}
