use crate::model::{Builtin, EnsembleSpec, Law};

/// `Parameters` is the network as both engines compute it, with every constant folded: z_j(p) =
/// sum_c n_cj `weights[p][c]` + n_bj `bias` - `offset[p]` for variates n of unit variance, f_a(p) =
/// `readout` sum_j n_aj act(z_j(p)) + `readout_bias` n_b1a.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Weights sigma_w / sqrt(d_in) x_c, shape `[points][d_in]`.
    pub weights: Vec<Vec<f64>>,
    /// Factor sigma_b of the normal of b0.
    pub bias: f64,
    /// Offset that an activation of z - v takes off, v = sigma_b^2 + sigma_w^2 x.x / d_in, else 0;
    /// shape `[points]`.
    pub offset: Vec<f64>,
    /// Factor sigma_w / sqrt(N) of the readout.
    pub readout: f64,
    /// Factor sigma_b of the output's bias.
    pub readout_bias: f64,
    /// Laws of the variates of unit variance.
    pub laws: Laws,
}

/// `Laws` says how the variates of a network are distributed, those called n above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laws {
    /// Law of the hidden layer's weights.
    pub weights: Law,
    /// Law of the hidden layer's biases.
    pub bias: Law,
    /// Law of the readout's weights.
    pub readout: Law,
    /// Law of the outputs' biases.
    pub readout_bias: Law,
}

impl Parameters {
    /// Returns the cumulant of order n of an output, given the hidden layer: a factor of sum_j
    /// h_j(x_1) .. h_j(x_n), and what the output's bias adds.
    pub fn cumulant(&self, n: u32) -> (f64, f64) {
        let of = |law: Law, scale: f64| law.cumulant(n) * scale.powi(n as i32);
        (
            of(self.laws.readout, self.readout),
            of(self.laws.readout_bias, self.readout_bias),
        )
    }

    /// Folds the spec's constants.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let (first, readout) = (spec.net.first(), spec.net.readout());
        let weights: Vec<Vec<f64>> = (spec.inputs.points().iter())
            .map(|x| {
                let mut form = spec.net.linear_form(x);
                form.pop();
                form
            })
            .collect();
        let offset = weights
            .iter()
            .map(|w| match spec.net.builtin() {
                Some(Builtin::ExpNormalised) => {
                    first.sigma_b * first.sigma_b + w.iter().map(|x| x * x).sum::<f64>()
                }
                Some(Builtin::Erf | Builtin::Relu) | None => 0.0,
            })
            .collect();
        Self {
            weights,
            bias: first.sigma_b,
            offset,
            readout: readout.sigma_w / (spec.net.width() as f64).sqrt(),
            readout_bias: readout.sigma_b,
            laws: Laws {
                weights: first.law_w,
                bias: first.law_b,
                readout: readout.law_w,
                readout_bias: readout.law_b,
            },
        }
    }
}
