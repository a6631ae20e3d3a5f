//! Theory of other activations and laws against independently computed values.

use nnqft_gpu::model::{Activation, EnsembleSpec, Inputs, Law, Net};
use nnqft_gpu::theory::{Exact, gp_correlator, kernel, kernel_matrix};
use serde::Deserialize;

/// A file net_*.json of tests/reference.
#[derive(Deserialize)]
struct Reference {
    activation: String,
    hidden: [u64; 1],
    sigma_w: Vec<f64>,
    sigma_b: [SigmaB; 2],
    law_w: Vec<Law>,
    inputs: Vec<Vec<f64>>,
    kernel: Vec<Vec<f64>>,
    correlators: Vec<Correlators>,
}

/// A standard deviation, or the word that the biases are phases.
#[derive(Deserialize)]
#[serde(untagged)]
enum SigmaB {
    Is(f64),
    Phase(String),
}

#[derive(Deserialize)]
struct Correlators {
    order: usize,
    indices: Vec<Vec<usize>>,
    gp: Vec<f64>,
    exact: Vec<f64>,
}

fn references() -> Vec<Reference> {
    [
        include_str!("reference/net_cos_d1_n3.json"),
        include_str!("reference/net_cos_rademacher_d2_n4.json"),
        include_str!("reference/net_erf_laplace_d2_n6.json"),
        include_str!("reference/net_expression_d1_n8.json"),
        include_str!("reference/net_gelu_d1_n20.json"),
        include_str!("reference/net_sin_d2_n7.json"),
        include_str!("reference/net_softplus_d1_n10.json"),
        include_str!("reference/net_tanh_d1_n5.json"),
        include_str!("reference/net_tanh_rademacher_d1_n5.json"),
    ]
    .map(|text| serde_json::from_str(text).unwrap())
    .into()
}

impl Reference {
    fn spec(&self) -> EnsembleSpec {
        let activation: Activation = match self.activation.as_str() {
            "gelu" => "z*(1+erf(z/sqrt(2)))/2".parse().unwrap(),
            name if name.contains('z') => name.parse().unwrap(),
            name => format!("{name}(z)").parse().unwrap(),
        };
        let mut net = Net::new(activation, self.inputs[0].len())
            .with_width(self.hidden[0])
            .with_each_sigma_w(self.sigma_w.clone())
            .unwrap()
            .with_law_w(self.law_w.clone())
            .unwrap();
        net = match &self.sigma_b {
            [SigmaB::Is(hidden), SigmaB::Is(readout)] => {
                net.with_each_sigma_b(vec![*hidden, *readout]).unwrap()
            }
            [SigmaB::Phase(name), SigmaB::Is(readout)] if name.starts_with("phase") => {
                let laws = vec![Law::Phase, Law::Gaussian];
                net.with_law_b(laws).unwrap().with_sigma_b(*readout)
            }
            _ => panic!("{} has other biases", self.activation),
        };
        let inputs = Inputs::new(self.inputs.clone()).unwrap();
        let spec = EnsembleSpec::of_net(net).unwrap().with_inputs(inputs);
        spec.validate().unwrap()
    }
}

#[test]
fn kernels_and_gp_values() {
    for reference in references() {
        let spec = reference.spec();
        let matrix = kernel_matrix(&spec);
        for (i, (row, want)) in matrix.iter().zip(&reference.kernel).enumerate() {
            for (j, (k, want)) in row.iter().zip(want).enumerate() {
                let size = (matrix[i][i] * matrix[j][j]).sqrt();
                let points = spec.inputs.points();
                let alone = kernel(&spec.net, &points[i], &points[j]);
                for k in [*k, alone] {
                    assert!((k - want).abs() <= 2e-12 * size, "{} {k} {want}", spec.net);
                }
            }
        }
        for c in &reference.correlators {
            for (index, want) in c.indices.iter().zip(&c.gp) {
                let gp = gp_correlator(&matrix, index);
                let size: f64 = index.iter().map(|&i| matrix[i][i].sqrt()).product();
                assert!((gp - want).abs() <= 1e-11 * size, "{index:?}: {gp} {want}");
            }
        }
    }
}

#[test]
fn exact_finite_width_values() {
    for reference in references() {
        let spec = reference.spec();
        let exact = Exact::new(&spec);
        // The references are good to 1e-10.
        let tolerance = 1e-9;
        for c in &reference.correlators {
            for (index, want) in c.indices.iter().zip(&c.exact) {
                let got = exact.correlator(&index[..]);
                let kernel = exact.kernel();
                let size: f64 = index.iter().map(|&i| kernel[i][i].sqrt()).product();
                let (net, n) = (&spec.net, c.order);
                assert!(
                    (got - want).abs() < tolerance * size,
                    "{net} {n} {index:?}: {got} {want}"
                );
                let error = exact.error(&index[..]);
                assert!(error < tolerance * size, "{net} {n} {index:?}: {error}");
            }
        }
    }
}
