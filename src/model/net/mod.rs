mod data;

use data::Data;
use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::{Activation, CatalogueEntry, Law, PerLayer};
use crate::sentence::sentence;
use crate::{Error, Result};

/// The largest number of hidden layers.
pub const MAX_DEPTH: usize = 1000;

/// A net is the architecture and the parameter laws of a random network.
///
/// Affine maps and the activation alternate: `layers[0]` takes the d_in coordinates to the
/// hidden units, the last layer, the readout, takes the hidden units to the d_out outputs. All
/// parameters are independent, with mean 0 and the laws of their layer.
///
/// ```
/// use nnqft_gpu::model::{Law, Net};
///
/// let net = Net::named("relu", 2)?.with_width(20).with_sigma_b(0.1);
/// assert_eq!(net.activation().expression(), "max(z,0)");
/// assert_eq!((net.d_in(), net.width(), net.d_out()), (2, 20, 1));
///
/// let own = Net::new("z*exp(-z^2)".parse()?, 1).with_law_w(vec![Law::Gaussian, Law::Rademacher])?;
/// assert_eq!((own.name(), own.readout().law_w), (None, Law::Rademacher));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Data", into = "Data")]
pub struct Net {
    name: Option<String>,
    activation: Activation,
    builtin: Option<Builtin>,
    d_in: usize,
    layers: Vec<Layer>,
}

/// A layer is an affine map with random parameters: z_i(x) = b_i + sum_j W_ij x_j.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Layer {
    /// Number of units that the layer yields.
    pub width: u64,
    /// Standard deviation of the weights, before 1/sqrt(fan-in).
    pub sigma_w: f64,
    /// Standard deviation of the biases.
    pub sigma_b: f64,
    /// Law of the weights.
    pub law_w: Law,
    /// Law of the biases.
    pub law_b: Law,
}

impl Layer {
    /// Sets the law of the biases; a phase has its own standard deviation.
    fn set_law_b(&mut self, law: Law) {
        self.law_b = law;
        if law == Law::Phase {
            self.sigma_b = Law::PHASE_SIGMA;
        }
    }
}

impl Net {
    /// Makes a net of any activation, with 100 hidden units, one output, normal parameters and
    /// standard deviations of 1.
    pub fn new(activation: Activation, d_in: usize) -> Self {
        let layer = |width| Layer {
            width,
            sigma_w: 1.0,
            sigma_b: 1.0,
            law_w: Law::Gaussian,
            law_b: Law::Gaussian,
        };
        Self {
            name: None,
            builtin: Builtin::of(&activation),
            activation,
            d_in,
            layers: vec![layer(100), layer(1)],
        }
    }

    /// Returns a net of the catalogue with 100 hidden units and one output.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the catalogue has no such name.
    pub fn named(name: &str, d_in: usize) -> Result<Self> {
        let entry = CatalogueEntry::find(name)?;
        let net = Self {
            name: Some(entry.name.clone()),
            ..Self::new(entry.activation.parse()?, d_in)
        };
        (net.with_law_w(entry.law_w.clone())?)
            .with_law_b(entry.law_b.clone())?
            .with_each_sigma_w(entry.sigma_w.clone())?
            .with_each_sigma_b(entry.sigma_b.clone())
    }

    /// Returns the net's name in the catalogue, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns a name for prose: the catalogue's, or the expression of the activation.
    pub fn title(&self) -> &str {
        let entry = self.name().and_then(|name| CatalogueEntry::find(name).ok());
        entry.map_or(self.activation.expression(), |entry| &entry.title)
    }

    /// Returns the activation, which takes a hidden unit's pre-activation to its value.
    pub fn activation(&self) -> &Activation {
        &self.activation
    }

    /// Returns the activation as a builtin, for code that is written for one; `None` if it is
    /// evaluated by its tape.
    pub fn builtin(&self) -> Option<Builtin> {
        self.builtin
    }

    /// Tells whether pre-activations of the first layer are jointly normal, as closed forms of
    /// averages over a unit need.
    pub fn has_gaussian_units(&self) -> bool {
        let first = self.first();
        let is_gaussian = |law: Law, sigma: f64| law.is_gaussian() || sigma == 0.0;
        is_gaussian(first.law_w, first.sigma_w) && is_gaussian(first.law_b, first.sigma_b)
    }

    /// Tells whether the outputs are normal, given the hidden layer.
    pub fn has_gaussian_readout(&self) -> bool {
        let readout = self.readout();
        self.has_gaussian_readout_weights()
            && (readout.law_b.is_gaussian() || readout.sigma_b == 0.0)
    }

    /// Tells whether outputs have cumulants of order 4 and 6 given the hidden layers, so that the connected estimator
    /// takes those of every network. With one hidden layer biases do not count: theirs are added to averages.
    pub fn has_cumulants(&self) -> bool {
        match self.depth() {
            1 => !self.has_gaussian_readout_weights(),
            _ => !self.has_gaussian_readout(),
        }
    }

    /// Tells whether the outputs less their biases are normal, given the hidden layer.
    pub fn has_gaussian_readout_weights(&self) -> bool {
        let readout = self.readout();
        readout.law_w.is_gaussian() || readout.sigma_w == 0.0
    }

    /// Returns the input dimension.
    pub fn d_in(&self) -> usize {
        self.d_in
    }

    /// Returns the output dimension.
    pub fn d_out(&self) -> usize {
        self.readout().width as usize
    }

    /// Returns the width N of the hidden layer that the readout sums over.
    pub fn width(&self) -> u64 {
        self.layers[self.layers.len() - 2].width
    }

    /// Counts the hidden layers.
    pub fn depth(&self) -> usize {
        self.layers.len() - 1
    }

    /// Counts the hidden units of all layers.
    pub fn units(&self) -> u64 {
        self.hidden().iter().sum()
    }

    /// Lists the widths of the hidden layers, from the inputs to the outputs.
    pub fn hidden(&self) -> Vec<u64> {
        let hidden = &self.layers[..self.depth()];
        hidden.iter().map(|layer| layer.width).collect()
    }

    /// Lists the affine maps, from the inputs to the outputs.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the affine map that takes the inputs to the first hidden layer.
    pub fn first(&self) -> Layer {
        self.layers[0]
    }

    /// Returns the affine map that takes the last hidden layer to the outputs.
    pub fn readout(&self) -> Layer {
        self.layers[self.layers.len() - 1]
    }

    /// Returns the pre-activation of a first-layer unit at `x` as a linear form of independent
    /// variates of unit variance: (sigma_w x / sqrt(d_in), sigma_b), d_in + 1 numbers.
    pub fn linear_form(&self, x: &[f64]) -> Vec<f64> {
        let first = self.first();
        let scale = first.sigma_w / (self.d_in as f64).sqrt();
        let weights = x.iter().map(|x| scale * x);
        weights.chain(std::iter::once(first.sigma_b)).collect()
    }

    /// Returns the degree p if f(c x) = c^p f(x) for all c > 0, network by network.
    pub fn homogeneous(&self) -> Option<f64> {
        let has_bias = self.layers.iter().any(|layer| layer.sigma_b != 0.0);
        let of_layer = self.activation.homogeneous().filter(|_| !has_bias)?;
        Some(of_layer.powi(self.depth() as i32))
    }

    /// Returns a net of the catalogue, with its activation and standard deviations, in the
    /// dimensions of this one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the catalogue has no such name.
    pub fn like(&self, name: &str) -> Result<Self> {
        let net = Self::named(name, self.d_in)?;
        let net = net.with_hidden(&self.hidden())?;
        Ok(net.with_d_out(self.d_out()))
    }

    /// Returns the same net with another input dimension.
    pub fn with_d_in(mut self, d_in: usize) -> Self {
        self.d_in = d_in;
        self
    }

    /// Returns the same net with another output dimension.
    pub fn with_d_out(mut self, d_out: usize) -> Self {
        let last = self.layers.len() - 1;
        self.layers[last].width = d_out as u64;
        self
    }

    /// Returns the same net with hidden layers of these widths, from the inputs to the outputs. The
    /// first ones keep their laws and standard deviations; new ones take those of the last hidden
    /// layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no layer, or more than [`MAX_DEPTH`].
    pub fn with_hidden(mut self, widths: &[u64]) -> Result<Self> {
        check_depth(widths.len())?;
        let readout = self.readout();
        let hidden = &self.layers[..self.depth()];
        let of = |l: usize| hidden[l.min(hidden.len() - 1)];
        self.layers = (widths.iter().enumerate())
            .map(|(l, &width)| Layer { width, ..of(l) })
            .chain([readout])
            .collect();
        Ok(self)
    }

    /// Returns the net of the first `depth` hidden layers, whose outputs are the pre-activations of
    /// the next one.
    ///
    /// # Panics
    /// If the net has fewer hidden layers, or `depth` is 0.
    pub(crate) fn up_to(&self, depth: usize) -> Self {
        assert!((1..=self.depth()).contains(&depth));
        let mut net = self.clone();
        net.layers.truncate(depth + 1);
        net
    }

    /// Returns the net whose outputs are weighted sums of the last hidden layer with the covariance
    /// of that layer's units: readout weights of standard deviation 1, and no bias.
    pub(crate) fn with_plain_readout(&self) -> Self {
        let mut net = self.clone();
        let readout = net.layers.last_mut().expect("a net has a readout");
        (readout.sigma_w, readout.sigma_b) = (1.0, 0.0);
        net
    }

    /// Returns the same net with all hidden layers of another width.
    pub fn with_width(mut self, width: u64) -> Self {
        let last = self.layers.len() - 1;
        (self.layers[..last].iter_mut()).for_each(|layer| layer.width = width);
        self
    }

    /// Returns the net with another activation, and no name unless the catalogue's entry has the
    /// same one.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        if activation != self.activation {
            self.name = None;
        }
        self.builtin = Builtin::of(&activation);
        self.activation = activation;
        self
    }

    /// Returns the same net with another standard deviation of all weights.
    pub fn with_sigma_w(mut self, sigma_w: f64) -> Self {
        (self.layers.iter_mut()).for_each(|layer| layer.sigma_w = sigma_w);
        self
    }

    /// Returns the same net with another standard deviation of all biases but phases, which have
    /// their own.
    pub fn with_sigma_b(mut self, sigma_b: f64) -> Self {
        (self.layers.iter_mut())
            .filter(|layer| layer.law_b != Law::Phase)
            .for_each(|layer| layer.sigma_b = sigma_b);
        self
    }

    /// Returns the same net with other standard deviations of the weights: one for all, or one for
    /// each affine layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the list has another length.
    pub fn with_each_sigma_w(mut self, sigma_w: impl Into<PerLayer<f64>>) -> Result<Self> {
        let each = sigma_w.into().each("sigma_w", self.layers.len())?;
        (self.layers.iter_mut().zip(each)).for_each(|(layer, sigma)| layer.sigma_w = sigma);
        Ok(self)
    }

    /// Returns the same net with other standard deviations of the biases: one for all but phases,
    /// or one for each affine layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the list has another length, or has another number for a phase than
    /// [`Law::PHASE_SIGMA`].
    pub fn with_each_sigma_b(mut self, sigma_b: impl Into<PerLayer<f64>>) -> Result<Self> {
        let sigma_b = sigma_b.into();
        let one = matches!(sigma_b, PerLayer::One(_));
        let each = sigma_b.each("sigma_b", self.layers.len())?;
        let is_phase = |layer: &Layer| layer.law_b == Law::Phase;
        // One number is for the biases that have no standard deviation of their own.
        let skipped = one && !self.layers.iter().all(is_phase);
        for (layer, sigma) in self.layers.iter_mut().zip(each) {
            if !is_phase(layer) {
                layer.sigma_b = sigma;
            } else if !skipped && (sigma - Law::PHASE_SIGMA).abs() > 1e-3 {
                return Err(Error::invalid(
                    "sigma_b",
                    super::short(sigma),
                    sentence!(
                        "a phase is uniform on [-pi, pi], with standard deviation 1.8138; give one number for the other biases, or another `law_b`"
                    ),
                ));
            }
        }
        Ok(self)
    }

    /// Returns the same net with other laws of the weights: one for all, or one for each affine
    /// layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the list has another length, or a law is for biases only.
    pub fn with_law_w(mut self, law_w: impl Into<PerLayer<Law>>) -> Result<Self> {
        let each = law_w.into().each("law_w", self.layers.len())?;
        if each.contains(&Law::Phase) {
            let reason = "a phase is for biases; use gaussian, uniform, rademacher or laplace";
            return Err(Error::invalid("law_w", Law::Phase, reason));
        }
        (self.layers.iter_mut().zip(each)).for_each(|(layer, law)| layer.law_w = law);
        Ok(self)
    }

    /// Returns the same net with other laws of the biases: one for all, or one for each affine
    /// layer. A phase brings its standard deviation along, which stays when another law takes its
    /// place.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the list has another length.
    pub fn with_law_b(mut self, law_b: impl Into<PerLayer<Law>>) -> Result<Self> {
        let each = law_b.into().each("law_b", self.layers.len())?;
        (self.layers.iter_mut().zip(each)).for_each(|(layer, law)| layer.set_law_b(law));
        Ok(self)
    }
}

fn check_depth(depth: usize) -> Result<()> {
    match depth {
        1..=MAX_DEPTH => Ok(()),
        _ => Err(Error::invalid(
            "depth",
            depth,
            format!("a net has from 1 to {MAX_DEPTH} hidden layers"),
        )),
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name().unwrap_or(self.activation.expression()))
    }
}

#[cfg(test)]
mod tests;
