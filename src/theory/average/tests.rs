//! Averages of any activation against closed forms.

use std::time::Instant;

use super::general::moments;
use super::rule::Neuron;
use super::*;
use crate::model::Activation;

fn act(text: &str) -> Activation {
    text.parse().unwrap()
}

/// Forms of points with sigma_w = sigma_b = 1.
fn forms_of(points: &[&[f64]]) -> Vec<Vec<f64>> {
    (points.iter())
        .map(|x| {
            let scale = 1.0 / (x.len() as f64).sqrt();
            x.iter().map(|x| scale * x).chain([1.0]).collect()
        })
        .collect()
}

fn line() -> Vec<Vec<f64>> {
    forms_of(&[&[-1.0], &[-0.6], &[-0.2], &[0.2], &[0.6], &[1.0]])
}

#[test]
fn general_time() {
    for text in [
        "tanh(z)",
        "sin(z)",
        "cos(z)",
        "z*(1+erf(z/sqrt(2)))/2",
        "z*sigmoid(z)",
        "softplus(z)",
        "sigmoid(z)",
        "max(z,0.01*z)",
        "z",
        "step(z)",
        "abs(z)",
        "max(min(z,1),-1)",
    ] {
        for order in [2, 4, 6] {
            let start = Instant::now();
            let all = moments(&act(text), &line(), order);
            let sizes = general::sizes(6, order, &all);
            let worst = all
                .iter()
                .zip(&sizes)
                .map(|(m, s)| m.error / s)
                .fold(0.0, f64::max);
            println!(
                "{text} {order} {:?} {worst:e} {}",
                start.elapsed(),
                all[0].value
            );
        }
    }
}
