use serde::{Deserialize, Serialize};

/// The single-hidden-layer networks of arXiv:2008.08601, by activation.
///
/// ```
/// use nnqft_gpu::model::Architecture;
///
/// let arch: Architecture = "relu".parse()?;
/// assert_eq!(arch.title(), "ReLU-net");
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// `erf(z)`
    Erf,
    /// `max(0, z)`
    Relu,
    /// `exp(z) / sqrt(exp(2 (sigma_b^2 + sigma_w^2 x.x / d_in)))`
    Gauss,
}

impl Architecture {
    /// All architectures, in the order of the source.
    pub const ALL: [Architecture; 3] = [Self::Erf, Self::Relu, Self::Gauss];

    /// Name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Erf => "erf",
            Self::Relu => "relu",
            Self::Gauss => "gauss",
        }
    }

    /// Name in prose.
    pub fn title(self) -> &'static str {
        match self {
            Self::Erf => "Erf-net",
            Self::Relu => "ReLU-net",
            Self::Gauss => "Gauss-net",
        }
    }

    /// How the activation grows as z does.
    pub fn growth(self) -> Growth {
        match self {
            Self::Erf => Growth::Bounded,
            Self::Relu => Growth::Power,
            Self::Gauss => Growth::Exponential,
        }
    }

    /// Width at which the source measures couplings and predicts 6-point functions.
    pub fn eft_width(self) -> u64 {
        match self {
            Self::Erf => 5,
            Self::Relu => 20,
            Self::Gauss => 100,
        }
    }

    /// The source's standard deviation of the weights.
    pub fn default_sigma_w(self) -> f64 {
        1.0
    }

    /// The source's standard deviation of the biases.
    pub fn default_sigma_b(self) -> f64 {
        match self {
            Self::Erf | Self::Gauss => 1.0,
            Self::Relu => 0.0,
        }
    }
}

/// How an activation grows, which decides how heavy the tails of its products are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// It stays within bounds.
    Bounded,
    /// Like a power of z: products have the tails of powers of normals.
    Power,
    /// As exp(z - Var z): products are log-normal, and rare neurons carry them.
    Exponential,
}

impl std::str::FromStr for Architecture {
    type Err = crate::Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|a| a.name() == s)
            .ok_or_else(|| crate::Error::invalid("arch", s, "use erf, relu or gauss"))
    }
}

impl std::fmt::Display for Architecture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
