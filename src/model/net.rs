use serde::{Deserialize, Serialize};

use super::builtin::Builtin;
use super::{Activation, CatalogueEntry};
use crate::{Error, Result};

/// A net is the architecture and the parameter laws of a random network.
///
/// Affine maps and the activation alternate: `layers[0]` takes the d_in coordinates to the
/// hidden units, the last layer, the readout, takes the hidden units to the d_out outputs. All
/// parameters are independent normals.
///
/// ```
/// use nnqft_gpu::model::Net;
///
/// let net = Net::named("relu", 2)?.with_width(20).with_sigma_b(0.1);
/// assert_eq!(net.activation().expression(), "max(z,0)");
/// assert_eq!((net.d_in(), net.width(), net.d_out()), (2, 20, 1));
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Data", into = "Data")]
pub struct Net {
    name: Option<String>,
    activation: Activation,
    builtin: Builtin,
    d_in: usize,
    layers: Vec<Layer>,
}

/// A layer is an affine map with random parameters: z_i(x) = b_i + sum_j W_ij x_j.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer {
    /// Number of units that the layer yields.
    pub width: u64,
    /// Standard deviation of the weights, before 1/sqrt(fan-in).
    pub sigma_w: f64,
    /// Standard deviation of the biases.
    pub sigma_b: f64,
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
}

impl From<Net> for Data {
    fn from(net: Net) -> Self {
        let (readout, hidden) = net.layers.split_last().expect("a net has a readout");
        Self {
            hidden: hidden.iter().map(|layer| layer.width).collect(),
            d_out: readout.width,
            sigma_w: net.layers.iter().map(|layer| layer.sigma_w).collect(),
            sigma_b: net.layers.iter().map(|layer| layer.sigma_b).collect(),
            arch: net.name,
            activation: net.activation,
            d_in: net.d_in,
        }
    }
}

impl TryFrom<Data> for Net {
    type Error = Error;

    fn try_from(data: Data) -> Result<Self> {
        let affine = data.hidden.len() + 1;
        for (name, sigmas) in [("sigma_w", &data.sigma_w), ("sigma_b", &data.sigma_b)] {
            if sigmas.len() != affine {
                return Err(Error::invalid(
                    name,
                    format!("{sigmas:?}"),
                    format!("there are {affine} affine layers"),
                ));
            }
        }
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
        let widths = data.hidden.iter().chain([&data.d_out]);
        let sigmas = data.sigma_w.iter().zip(&data.sigma_b);
        let layers = (widths.zip(sigmas))
            .map(|(&width, (&sigma_w, &sigma_b))| Layer {
                width,
                sigma_w,
                sigma_b,
            })
            .collect();
        Ok(Self {
            name: data.arch,
            builtin: builtin(&data.activation)?,
            activation: data.activation,
            d_in: data.d_in,
            layers,
        })
    }
}

/// Finds what evaluates an activation.
fn builtin(activation: &Activation) -> Result<Builtin> {
    Builtin::of(activation).ok_or_else(|| {
        Error::invalid(
            "activation",
            activation.expression(),
            "no engine evaluates it; use erf(z), max(z, 0) or exp(z - v)",
        )
    })
}

impl Net {
    /// Returns a net of the catalogue with 100 hidden units and one output.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the catalogue has no such name.
    pub fn named(name: &str, d_in: usize) -> Result<Self> {
        let entry = CatalogueEntry::find(name)?;
        let activation: Activation = entry.activation.parse()?;
        let layer = |width| Layer {
            width,
            sigma_w: entry.sigma_w,
            sigma_b: entry.sigma_b,
        };
        Ok(Self {
            name: Some(entry.name.clone()),
            builtin: builtin(&activation)?,
            activation,
            d_in,
            layers: vec![layer(100), layer(1)],
        })
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

    /// Returns the activation as a builtin, for code that is written for one.
    pub fn builtin(&self) -> Builtin {
        self.builtin
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
    /// standard normals: (sigma_w x / sqrt(d_in), sigma_b), d_in + 1 numbers.
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

    /// Returns the same net with another standard deviation of all weights.
    pub fn with_sigma_w(mut self, sigma_w: f64) -> Self {
        (self.layers.iter_mut()).for_each(|layer| layer.sigma_w = sigma_w);
        self
    }

    /// Returns the same net with another standard deviation of all biases.
    pub fn with_sigma_b(mut self, sigma_b: f64) -> Self {
        (self.layers.iter_mut()).for_each(|layer| layer.sigma_b = sigma_b);
        self
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
            ("activation", serde_json::json!("z + z^3")),
            ("activation", serde_json::json!("max(z, 0)")),
            ("arch", serde_json::json!("tanh")),
            ("arch", serde_json::json!("relu")),
        ] {
            let mut bad = net.clone();
            bad[key] = value;
            assert!(serde_json::from_value::<Net>(bad).is_err(), "{key}");
        }
    }
}
