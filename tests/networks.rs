//! Networks that a user may write down, drawn on both engines and held against their exact values.

mod common;

use nnqft_gpu::analysis::correlators;
use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{self, Engine};
use nnqft_gpu::model::{Activation, EnsembleSpec, Inputs, Law, Net};
use nnqft_gpu::stream::{Part, Words};

/// Sums of shapes, with scales and shifts from the random stream: analytic, with kinks, with jumps; even,
/// odd, neither; bounded and not.
fn expressions(count: usize) -> Vec<Activation> {
    const SHAPES: [&str; 15] = [
        "tanh(Z)",
        "sin(Z)",
        "cos(Z)",
        "erf(Z)",
        "sigmoid(Z)",
        "exp(-Z^2)",
        "Z*exp(-Z^2)",
        "abs(Z)",
        "max(Z,0)",
        "log(1+exp(Z))",
        "sqrt(1+Z^2)",
        "log1p(Z^2)",
        "sign(Z)",
        "step(Z)",
        "min(max(Z,-1),1)",
    ];
    let mut words = vec![0; 64 * count];
    Words::new(2008, Part::Hidden.stream(0), 8601).fill(&mut words);
    let mut words = words.into_iter();
    let mut word = || words.next().unwrap();
    let mut all = Vec::new();
    while all.len() < count {
        let term = |k: usize, scale: u32, shift: u32| {
            let shape = SHAPES[k % SHAPES.len()];
            let (scale, shift) = (
                0.3 + f64::from(scale % 17) / 10.0,
                f64::from(shift % 9) / 10.0 - 0.4,
            );
            shape.replace('Z', &format!("({scale:.1}*z+({shift:.1}))"))
        };
        // Every shape comes, beside one at random.
        let text = format!(
            "{} - 0.5*{}",
            term(all.len() * 4 + 1, word(), word()),
            term(word() as usize, word(), word())
        );
        let activation: Activation = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        if !all.contains(&activation) {
            all.push(activation);
        }
    }
    all
}

/// Draws networks and bounds the pull of each element: one in 10^5 is beyond 4.5 by chance.
fn hold(engine: &mut dyn Engine, net: &Net, orders: &[usize]) {
    let spec = EnsembleSpec {
        inputs: Inputs::new(vec![vec![-0.7], vec![0.4], vec![1.3]]).unwrap(),
        orders: orders.to_vec(),
        nets: 20_000,
        experiments: 5,
        seed: 3,
        ..EnsembleSpec::of_net(net.clone()).unwrap()
    };
    let spec = spec.validate().unwrap();
    let moments = engine::run(engine, &spec, &|_| {}).unwrap();
    for c in correlators(&spec, &moments).unwrap() {
        let pulls = c.pull.expect("exact values of one hidden layer");
        for (e, pull) in pulls.into_iter().enumerate() {
            let pull = pull.expect("an error");
            assert!(
                pull.abs() < 4.5,
                "{net} on {}: order {} element {e} is {} +- {}, pull {pull}",
                engine.device().adapter,
                c.order,
                c.mean[e],
                c.std_err[e]
            );
        }
    }
}

#[test]
fn twelve_random_activations_have_their_exact_functions_on_both_engines() {
    let mut gpu = common::gpu();
    for activation in expressions(12) {
        let net = Net::new(activation, 1)
            .with_width(6)
            .with_sigma_w(1.2)
            .with_sigma_b(0.7);
        hold(&mut CpuEngine::new(), &net, &[2, 4]);
        hold(&mut gpu, &net, &[2, 4]);
    }
}

#[test]
fn every_law_has_its_exact_functions_in_every_place_on_both_engines() {
    let mut gpu = common::gpu();
    let weights = [Law::Uniform, Law::Rademacher, Law::Laplace];
    let biases = [Law::Uniform, Law::Rademacher, Law::Laplace, Law::Phase];
    let base = Net::new("tanh(z)".parse().unwrap(), 1)
        .with_width(3)
        .with_sigma_b(0.8);
    let of = |weights: [Law; 2], biases: [Law; 2]| {
        let net = base.clone().with_law_w(weights.to_vec()).unwrap();
        net.with_law_b(biases.to_vec()).unwrap()
    };
    const G: Law = Law::Gaussian;
    let nets = (weights.into_iter())
        .flat_map(|law| [of([law, G], [G, G]), of([G, law], [G, G])])
        .chain(
            biases
                .into_iter()
                .flat_map(|law| [of([G, G], [law, G]), of([G, G], [G, law])]),
        );
    for net in nets {
        hold(&mut CpuEngine::new(), &net, &[2, 4, 6]);
        hold(&mut gpu, &net, &[2, 4]);
    }
}
