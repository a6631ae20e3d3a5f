use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::{Activation, CatalogueEntry, Law, PerLayer};
use crate::sentence::sentence;
use crate::{Error, Result};

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

/// `Data` is a net as JSON has it.
#[derive(Serialize, Deserialize)]
struct Data {
    arch: Option<String>,
    activation: Activation,
    hidden: Vec<u64>,
    d_in: usize,
    d_out: u64,
    sigma_w: Vec<f64>,
    sigma_b: Vec<f64>,
    law_w: Vec<Law>,
    law_b: Vec<Law>,
}

impl From<Net> for Data {
    fn from(net: Net) -> Self {
        let (readout, hidden) = net.layers.split_last().expect("a net has a readout");
        Self {
            hidden: hidden.iter().map(|layer| layer.width).collect(),
            d_out: readout.width,
            sigma_w: net.layers.iter().map(|layer| layer.sigma_w).collect(),
            sigma_b: net.layers.iter().map(|layer| layer.sigma_b).collect(),
            law_w: net.layers.iter().map(|layer| layer.law_w).collect(),
            law_b: net.layers.iter().map(|layer| layer.law_b).collect(),
            arch: net.name,
            activation: net.activation,
            d_in: net.d_in,
        }
    }
}

impl TryFrom<Data> for Net {
    type Error = Error;

    fn try_from(data: Data) -> Result<Self> {
        if data.hidden.len() != 1 {
            return Err(Error::invalid(
                "hidden",
                format!("{:?}", data.hidden),
                "a net has one hidden layer",
            ));
        }
        if let Some(name) = &data.arch
            && CatalogueEntry::find(name)?
                .activation
                .parse::<Activation>()?
                != data.activation
        {
            let reason = format!("this net has another activation than {}", data.activation);
            return Err(Error::invalid("arch", name, reason));
        }
        let mut net = Self::new(data.activation, data.d_in);
        net.name = data.arch;
        let widths = data.hidden.iter().chain([&data.d_out]);
        (net.layers.iter_mut().zip(widths)).for_each(|(layer, &width)| layer.width = width);
        let each = |list: usize| list == net.layers.len();
        for (name, list) in [
            ("sigma_w", data.sigma_w.len()),
            ("sigma_b", data.sigma_b.len()),
            ("law_w", data.law_w.len()),
            ("law_b", data.law_b.len()),
        ] {
            if !each(list) {
                let reason = format!(
                    "a net of {} affine layers has one for each",
                    net.layers.len()
                );
                return Err(Error::invalid(name, format!("with {list} entries"), reason));
            }
        }
        (net.with_law_w(data.law_w)?.with_law_b(data.law_b)?)
            .with_each_sigma_w(data.sigma_w)?
            .with_each_sigma_b(data.sigma_b)
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
        self.activation.homogeneous().filter(|_| !has_bias)
    }

    /// Returns a net of the catalogue, with its activation and standard deviations, in the
    /// dimensions of this one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the catalogue has no such name.
    pub fn like(&self, name: &str) -> Result<Self> {
        let net = Self::named(name, self.d_in)?;
        Ok(net.with_width(self.width()).with_d_out(self.d_out()))
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

    /// Returns the same net with hidden layers of another width.
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

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name().unwrap_or(self.activation.expression()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_every_layer_and_comes_back() {
        let net = Net::named("gauss", 3).unwrap().with_width(7).with_d_out(2);
        let json = serde_json::to_value(&net).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "arch": "gauss", "activation": "exp(z-v)", "hidden": [7], "d_in": 3,
                "d_out": 2, "sigma_w": [1.0, 1.0], "sigma_b": [1.0, 1.0],
                "law_w": ["gaussian", "gaussian"], "law_b": ["gaussian", "gaussian"],
            })
        );
        assert_eq!(serde_json::from_value::<Net>(json).unwrap(), net);
    }

    #[test]
    fn json_that_is_no_net_is_refused() {
        let net = serde_json::to_value(Net::named("erf", 1).unwrap()).unwrap();
        for (key, value) in [
            ("hidden", serde_json::json!([3, 4])),
            ("sigma_w", serde_json::json!([1.0])),
            ("sigma_b", serde_json::json!([])),
            ("law_w", serde_json::json!(["gaussian"])),
            ("law_w", serde_json::json!(["gaussian", "phase"])),
            ("law_b", serde_json::json!(["gaussian", "normal"])),
            ("law_b", serde_json::json!(["phase", "gaussian"])),
            ("activation", serde_json::json!("z + ")),
            ("activation", serde_json::json!("max(z, 0)")),
            ("arch", serde_json::json!("erff")),
            ("arch", serde_json::json!("relu")),
        ] {
            let mut bad = net.clone();
            bad[key] = value;
            assert!(serde_json::from_value::<Net>(bad).is_err(), "{key}");
        }
    }
    #[test]
    fn any_net_comes_back_from_json() {
        let own = Net::new("z*exp(-z^2) + v".parse().unwrap(), 2)
            .with_law_w(vec![Law::Uniform, Law::Rademacher])
            .unwrap()
            .with_law_b(vec![Law::Phase, Law::Laplace])
            .unwrap()
            .with_each_sigma_w(vec![1.3, 0.7])
            .unwrap()
            .with_sigma_b(0.4);
        assert_eq!(own.first().sigma_b, Law::PHASE_SIGMA);
        assert_eq!(own.readout().sigma_b, 0.4);
        assert!(!own.has_gaussian_units() && !own.has_gaussian_readout());
        for net in [own, Net::named("cos", 2).unwrap()] {
            let json = serde_json::to_value(&net).unwrap();
            assert_eq!(serde_json::from_value::<Net>(json).unwrap(), net);
        }
    }

    #[test]
    fn lists_have_one_entry_for_each_affine_layer() {
        let net = || Net::named("tanh", 1).unwrap();
        let wrong = net().with_each_sigma_w(vec![1.0; 3]).unwrap_err();
        assert!(wrong.to_string().starts_with("sigma_w"), "{wrong}");
        assert!(net().with_law_w(Law::Phase).is_err());
        let phase = net().with_law_b(vec![Law::Phase, Law::Gaussian]).unwrap();
        assert!(phase.clone().with_each_sigma_b(vec![0.5, 0.5]).is_err());
        assert_eq!(phase.with_sigma_b(0.0).readout().sigma_b, 0.0);
        // One number is for the other biases, of which there must be some.
        let phases = net().with_law_b(Law::Phase).unwrap();
        assert!(phases.with_each_sigma_b(0.5).is_err());
    }
}
