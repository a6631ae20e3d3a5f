//! Networks: hidden values, then outputs or covariances (twin of `shaders/networks.wgsl`).

use super::{Setup, activation::activation, normals::normals, words::Words};
use crate::engine::{GROUP, Layer, Parameters};
use crate::model::{Architecture, EnsembleSpec, Estimator};

const UNITS: usize = GROUP as usize;
/// Groups drawn at once: enough to amortise a call, few enough for the first-level cache.
const TILE: usize = 16;

type Units = [f64; UNITS];

/// Draws networks one after the other and reduces each to its fields: the outputs f_a(x_p),
/// or D(x_p, x_q) = C - K for p <= q.
#[derive(Debug)]
pub struct Networks {
    setup: Setup,
    hidden_words: Words,
    output_words: Words,
    tilt_words: Words,
    words: Vec<u32>,
    hidden: Vec<f64>,
    output: Vec<f64>,
    /// h_j(x_p) of one group, `[point][unit]`.
    values: Vec<Units>,
    /// Sums over units, `[field][unit in group]`.
    sums: Vec<Units>,
    ratio: Units,
    /// Hidden values of the groups of one network, if someone wants to see them.
    trace: Option<Vec<(usize, Vec<Units>)>>,
}

impl Networks {
    /// Starts at network 0 of experiment 0.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let setup = Setup::new(spec);
        let hidden = TILE * UNITS * setup.layout.hidden_components as usize;
        let output = TILE * UNITS * setup.layout.outputs as usize;
        let points = spec.inputs.len();
        let start = |layer: Layer| Words::new(spec.seed, layer.stream(0), 0);
        Self {
            hidden_words: start(Layer::Hidden),
            output_words: start(Layer::Output),
            tilt_words: start(Layer::Tilt),
            words: vec![0; hidden.max(output)],
            hidden: vec![0.0; hidden],
            output: vec![0.0; output],
            values: vec![[0.0; UNITS]; points],
            sums: vec![[0.0; UNITS]; setup.fields()],
            ratio: [0.0; UNITS],
            trace: None,
            setup,
        }
    }

    /// Fields per network.
    pub fn fields(&self) -> usize {
        self.sums.len()
    }

    /// Typical size of each field.
    pub fn scales(&self) -> &[f64] {
        &self.setup.scales
    }

    /// Whether networks have different weights.
    pub fn is_weighted(&self) -> bool {
        self.setup.tilt.is_some()
    }

    /// Goes to a network; counter-based words make that free.
    pub fn seek(&mut self, experiment: u32, network: u64) {
        let at = |layer: Layer| {
            let block = network * self.setup.layout.blocks(layer);
            Words::new(self.setup.seed, layer.stream(experiment), block)
        };
        self.hidden_words = at(Layer::Hidden);
        self.output_words = at(Layer::Output);
        self.tilt_words = at(Layer::Tilt);
    }

    /// Draws the next network into `field`; returns its weight.
    pub fn next_network(&mut self, field: &mut [f64]) -> f64 {
        let layout = self.setup.layout;
        let components = layout.hidden_components as usize;
        let stride = UNITS * components;
        let outputs = layout.outputs as usize;
        self.sums.fill([0.0; UNITS]);
        self.ratio = [0.0; UNITS];
        let shifted = self.pick_shift();
        let groups = layout.full_groups as usize;
        let mut done = 0;
        while done < groups {
            let tile = (groups - done).min(TILE);
            self.draw(tile * stride, tile * UNITS * outputs);
            for g in 0..tile {
                self.add_group(g, done + g, UNITS, shifted);
            }
            done += tile;
        }
        let tail = layout.tail as usize;
        self.draw(layout.tail_hidden_blocks as usize * UNITS, UNITS * outputs);
        if tail > 0 {
            // Spread the packed units to a full group.
            let packed = self.hidden[..tail * components].to_vec();
            for c in 0..components {
                self.hidden[c * UNITS..][..tail].copy_from_slice(&packed[c * tail..][..tail]);
            }
            self.add_group(0, groups, tail, shifted);
        }
        let Setup {
            parameters: p,
            estimator,
            centre,
            width,
            ..
        } = &self.setup;
        let sums = self.sums.iter().map(|s| s.iter().sum::<f64>());
        match estimator {
            Estimator::Direct => {
                let points = p.weights.len();
                for (k, (f, sum)) in field.iter_mut().zip(sums).enumerate() {
                    let b1 = self.output[k / points * UNITS + tail];
                    *f = p.readout_bias * b1 + p.readout * sum;
                }
            }
            Estimator::Connected => {
                for ((d, sum), centre) in field.iter_mut().zip(sums).zip(centre) {
                    *d = p.readout * p.readout * (sum - width * centre);
                }
            }
        }
        match &self.setup.tilt {
            None => 1.0,
            Some(tilt) => 1.0 / (tilt.probability + self.ratio.iter().sum::<f64>()),
        }
    }

    /// Draws the next network: h_j(x_p), `[unit][point]`.
    pub fn next_hidden_values(&mut self) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        let mut ignored = vec![0.0; self.fields()];
        self.trace = Some(Vec::new());
        self.next_network(&mut ignored);
        for (live, values) in self.trace.take().into_iter().flatten() {
            for u in 0..live {
                all.push(values.iter().map(|v| v[u]).collect());
            }
        }
        all
    }

    /// The hidden unit to shift and its shift, if any.
    fn pick_shift(&mut self) -> Option<(usize, usize)> {
        let tilt = self.setup.tilt.as_ref()?;
        let mut words = [0; UNITS];
        self.tilt_words.fill(&mut words);
        let choose = |word: u32, n: u64| (u64::from(word) * n) >> 32;
        let shift = choose(words[0], tilt.shifts.len() as u64 + 1) as usize;
        let unit = choose(words[1], self.setup.width as u64) as usize;
        // The first choice is none.
        Some((unit, shift.checked_sub(1)?))
    }

    fn draw(&mut self, hidden: usize, output: usize) {
        self.hidden_words.fill(&mut self.words[..hidden]);
        normals(&self.words[..hidden], &mut self.hidden[..hidden]);
        if self.setup.estimator == Estimator::Direct {
            self.output_words.fill(&mut self.words[..output]);
            normals(&self.words[..output], &mut self.output[..output]);
        }
    }

    /// Adds the first `live` hidden units of group `g` of the tile, the network's group
    /// `number`.
    fn add_group(&mut self, g: usize, number: usize, live: usize, shifted: Option<(usize, usize)>) {
        let setup = &self.setup;
        let stride = UNITS * setup.layout.hidden_components as usize;
        let hidden = &mut self.hidden[g * stride..][..stride];
        if let (Some(tilt), Some((unit, shift))) = (&setup.tilt, shifted)
            && unit / UNITS == number
        {
            for (c, t) in tilt.shifts[shift].iter().enumerate() {
                hidden[c * UNITS + unit % UNITS] += t;
            }
        }
        let (components, _) = hidden.as_chunks::<UNITS>();
        setup.hidden_values(components, &mut self.values);
        for value in &mut self.values {
            value[live..].fill(0.0);
        }
        if let Some(trace) = &mut self.trace {
            trace.push((live, self.values.clone()));
        }
        match setup.estimator {
            Estimator::Direct => {
                let outputs = setup.layout.outputs as usize;
                let (blocks, _) = self.output[g * outputs * UNITS..].as_chunks::<UNITS>();
                let sums = self.sums.chunks_mut(self.values.len());
                for (normals, sums) in blocks.iter().zip(sums) {
                    let mut readout = [0.0; UNITS];
                    readout[..live].copy_from_slice(&normals[..live]);
                    add_readout(&readout, &self.values, sums);
                }
            }
            Estimator::Connected => add_products(&self.values, &mut self.sums),
        }
        if let Some(tilt) = &setup.tilt {
            for (t, log) in tilt.shifts.iter().zip(&tilt.logarithms) {
                for u in 0..live {
                    let along: f64 = t.iter().zip(components).map(|(t, g)| t * g[u]).sum();
                    self.ratio[u] += (along + log).exp();
                }
            }
        }
    }
}

impl Setup {
    /// h_j(x_p) of 16 hidden units from their normals, `[component][unit]`.
    fn hidden_values(&self, components: &[Units], values: &mut [Units]) {
        // One call per architecture, so that the choice is out of the loops.
        let p = &self.parameters;
        match self.arch {
            Architecture::Erf => {
                hidden_values(|z| activation(Architecture::Erf, z), p, components, values)
            }
            Architecture::Relu => {
                hidden_values(|z| activation(Architecture::Relu, z), p, components, values)
            }
            Architecture::Gauss => hidden_values(
                |z| activation(Architecture::Gauss, z),
                p,
                components,
                values,
            ),
        }
    }
}

#[inline(always)]
fn hidden_values(
    act: impl Fn(f64) -> f64,
    p: &Parameters,
    components: &[Units],
    values: &mut [Units],
) {
    let (bias, weights) = components.split_last().expect("W0 and b0");
    for ((value, x), offset) in values.iter_mut().zip(&p.weights).zip(&p.offset) {
        let mut z: Units = std::array::from_fn(|u| p.bias * bias[u] - offset);
        for (w, x) in weights.iter().zip(x) {
            for u in 0..UNITS {
                z[u] += w[u] * x;
            }
        }
        *value = z.map(&act);
    }
}

fn add_readout(readout: &Units, values: &[Units], sums: &mut [Units]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        for u in 0..UNITS {
            sum[u] += readout[u] * value[u];
        }
    }
}

fn add_products(values: &[Units], sums: &mut [Units]) {
    let mut sums = sums.iter_mut();
    for (p, a) in values.iter().enumerate() {
        for (b, sum) in values[p..].iter().zip(&mut sums) {
            for u in 0..UNITS {
                sum[u] += a[u] * b[u];
            }
        }
    }
}
