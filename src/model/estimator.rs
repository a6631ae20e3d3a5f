use serde::{Deserialize, Serialize};

/// `Estimator` says how n-point functions are estimated from networks.
///
/// ```
/// use nnqft_gpu::model::Estimator;
///
/// assert_eq!("connected".parse::<Estimator>()?, Estimator::Connected);
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Estimator {
    /// The estimator that averages products of outputs.
    Direct,
    /// The estimator with the output layer integrated out: it averages Wick sums of D = C - K over
    /// hidden layers.
    Connected,
}

impl std::str::FromStr for Estimator {
    type Err = crate::Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "direct" => Ok(Self::Direct),
            "connected" => Ok(Self::Connected),
            _ => Err(crate::Error::invalid(
                "estimator",
                format!("'{s}'"),
                "use direct or connected",
            )),
        }
    }
}

impl std::fmt::Display for Estimator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Connected => "connected",
        })
    }
}

/// `Tilt` is a defensive mixture importance sampling of the hidden layer.
///
/// With equal probabilities a network is left alone or has one of the shifts added to the
/// standard normals (W0, b0) / (their standard deviations) of one of its hidden units, drawn
/// uniformly. With p the probability of each and T shifts t, its weight is exactly
/// 1 / (p + p sum_t 1/N sum_j exp(t . g_j - t.t / 2)) <= T + 1, g_j being unit j's normals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tilt {
    /// Shifts, `[shift][d_in + 1]`: along W0, then b0, in standard deviations.
    pub shifts: Vec<Vec<f64>>,
    /// Largest distance of a tail that the orders need from the nearest shift, in standard
    /// deviations. A distance r costs a factor of about exp(r^2) in variance.
    pub reach: f64,
}

impl Tilt {
    /// Returns the probability of each shift, and of none.
    pub fn probability(&self) -> f64 {
        1.0 / (self.shifts.len() + 1) as f64
    }
    /// Computes ln(p / N) - t.t / 2 of each shift: with t . g_j added, the logarithm of what unit j
    /// of N contributes to the inverse weight.
    pub fn logarithms(&self, width: u64) -> Vec<f64> {
        let constant = (self.probability() / width as f64).ln();
        let half = |t: &Vec<f64>| t.iter().map(|t| t * t).sum::<f64>() / 2.0;
        self.shifts.iter().map(|t| constant - half(t)).collect()
    }
}
