use super::written_out::Network;
use super::*;
use crate::model::{EnsembleSpec, Inputs, Law};
use crate::plan::Plan;

fn plan(estimator: Estimator, d_in: usize, d_out: usize) -> Plan {
    let spec = EnsembleSpec::preset("erf", d_in).unwrap();
    let spec = EnsembleSpec {
        estimator,
        net: spec.net.with_width(37).with_d_out(d_out),
        ..spec
    };
    Plan::new(spec.validate().unwrap()).unwrap()
}

fn tape(text: &str) -> Tape {
    Tape::compile(&text.parse().unwrap()).unwrap()
}

#[test]
fn fields_of_a_tape_are_those_of_the_code_that_is_written_for_it() {
    for (estimator, d_in, d_out) in [
        (Estimator::Direct, 1, 1),
        (Estimator::Direct, 2, 3),
        (Estimator::Connected, 3, 1),
    ] {
        let plan = plan(estimator, d_in, d_out);
        let mut written = Networks::new(plan.drawn());
        let mut of_tape = Networks::with_tape(plan.drawn(), &tape("erf(z)"));
        let mut fields = [(); 2].map(|()| vec![[0.0; TILE]; written.fields()]);
        for number in 0..4 {
            written.draw(1, number, &mut fields[0]);
            of_tape.draw(1, number, &mut fields[1]);
            assert_eq!(fields[0], fields[1], "{estimator} {number}");
        }
    }
}

#[test]
fn hidden_values_of_a_tape_are_its_values_at_the_pre_activations() {
    let plan = plan(Estimator::Direct, 2, 1);
    let points = plan.drawn().spec().inputs.points();
    let variance = |x: &[f64]| -> f64 {
        let form = plan.drawn().spec().net.linear_form(x);
        form.iter().map(|c| c * c).sum()
    };
    let mut z = Networks::with_tape(plan.drawn(), &tape("z"));
    for text in ["tanh(z)", "z*exp(z-v)", "max(z,0.1*z)", "cos(z)+v*sin(z)"] {
        let tape = tape(text);
        let mut networks = Networks::with_tape(plan.drawn(), &tape);
        for network in [0, 5, 31] {
            let all = networks.hidden_values(0, network);
            let units = z.hidden_values(0, network).into_iter().zip(&all);
            assert_eq!(all.len(), 37);
            for (z, values) in units {
                for ((z, value), x) in z.iter().zip(values).zip(points) {
                    let want = tape.evaluate(*z, variance(x));
                    assert!(
                        (value - want).abs() < 1e-14 * want.abs().max(1.0),
                        "{text} {z}"
                    );
                }
            }
        }
    }
}

/// Nets of every law in every place, each with others beside it.
fn mixtures() -> impl Iterator<Item = EnsembleSpec> {
    let shapes = [(37, 1, 1), (16, 2, 2), (3, 3, 2), (21, 1, 3), (32, 2, 1)];
    let nets = ["sin(z)", "max(z,0)", "erf(z)", "exp(z-v)", "z*exp(-z^2)+v"];
    shapes
        .into_iter()
        .zip(nets)
        .enumerate()
        .map(|(k, ((width, d_in, d_out), activation))| {
            let weights = [Law::Gaussian, Law::Uniform, Law::Rademacher, Law::Laplace];
            let pick = |shift: usize| Law::ALL[(k + shift) % 5];
            let weight = |shift: usize| weights[(k + shift) % 4];
            let spec = EnsembleSpec::preset("erf", d_in).unwrap();
            let two = spec.inputs.points()[1..3].to_vec();
            let net = spec.net.with_activation(activation.parse().unwrap());
            let net = (net.with_width(width).with_d_out(d_out))
                .with_each_sigma_w(vec![0.8, 1.3])
                .and_then(|net| net.with_sigma_b(0.6).with_law_w(vec![weight(1), weight(2)]))
                .and_then(|net| net.with_law_b(vec![pick(3), pick(0)]))
                .unwrap();
            let spec = EnsembleSpec {
                net,
                inputs: Inputs::new(two).unwrap(),
                seed: 5,
                ..spec
            };
            spec.validate().unwrap()
        })
}

#[test]
fn networks_of_any_laws_are_those_written_out() {
    // Without biases none is drawn.
    let last = mixtures().last().unwrap().with_sigma_b(0.0);
    let law_b = vec![Law::Uniform, Law::Laplace];
    let last = EnsembleSpec {
        net: last.net.with_law_b(law_b).unwrap().with_sigma_b(0.0),
        ..last
    };
    let mut laws = std::collections::BTreeSet::new();
    for spec in mixtures().chain([last]) {
        let drawn = Drawn::at_all_points(&spec).unwrap();
        let mut networks = Networks::new(&drawn);
        let mut fields = vec![[0.0; TILE]; networks.fields()];
        let points = spec.inputs.points();
        for (experiment, number) in [(0, 0), (0, 9), (1, 33)] {
            let want = Network {
                spec: &spec,
                experiment,
                number,
            };
            networks.draw(experiment, number / 16, &mut fields);
            for (f, field) in fields.iter().enumerate() {
                let (a, p) = (f / points.len(), f % points.len());
                let (got, want) = (
                    field[number as usize % 16],
                    want.output(a as u64, &points[p]),
                );
                assert!(
                    (got - want).abs() < 1e-13 * want.abs().max(1.0),
                    "{} {f}: {got} {want}",
                    spec.net
                );
            }
            let values = networks.hidden_values(experiment, number);
            let (last, point) = (values.len() - 1, points.len() - 1);
            let value = want.value(last as u64, &points[point]);
            assert!((values[last][point] - value).abs() < 1e-13 * value.abs().max(1.0));
        }
        let layers = spec.net.layers();
        laws.extend(
            layers.iter().enumerate().flat_map(|(l, layer)| {
                [(l, "w", layer.law_w.name()), (l, "b", layer.law_b.name())]
            }),
        );
    }
    // All of them in all places: 4 laws of weights and 5 of biases in 2 layers.
    assert_eq!(laws.len(), 18);
}

#[test]
fn cumulants_are_sums_over_the_hidden_layer() {
    for (width, orders, laws) in [
        (37, vec![2, 4, 6], (Law::Rademacher, Law::Laplace)),
        (5, vec![4], (Law::Uniform, Law::Gaussian)),
        (16, vec![6], (Law::Laplace, Law::Uniform)),
    ] {
        let spec = EnsembleSpec::preset("erf", 1).unwrap();
        let net = spec
            .net
            .with_width(width)
            .with_each_sigma_w(vec![1.1, 0.7])
            .unwrap();
        let net = (net.with_law_w(vec![Law::Gaussian, laws.0]))
            .and_then(|net| net.with_law_b(vec![Law::Gaussian, laws.1]))
            .unwrap();
        let spec = EnsembleSpec {
            net: net.with_sigma_b(0.8),
            orders,
            estimator: Estimator::Connected,
            ..spec
        };
        let plan = Plan::new(spec.validate().unwrap()).unwrap();
        let spec = plan.spec();
        let index = crate::tensor::connected_fields(6, &spec.orders, false);
        let mut networks = Networks::new(plan.drawn());
        assert_eq!(
            (networks.fields(), networks.scored_fields()),
            (index.len(), 21)
        );
        assert_eq!(spec.fields(), index.len());
        let mut fields = vec![[0.0; TILE]; networks.fields()];
        networks.draw(1, 0, &mut fields);
        let hidden = networks.hidden_values(1, 3);
        for (field, index) in fields.iter().zip(&index) {
            let n = index.len();
            let units = hidden
                .iter()
                .map(|h| index.iter().map(|&p| h[p]).product::<f64>());
            // Cumulants of a sum of independent terms, each of order n in its scale.
            let of = |law: Law, scale: f64| law.cumulant(n as u32) * scale.powi(n as i32);
            let weight = 0.7 / (width as f64).sqrt();
            let mut want = of(laws.0, weight) * units.sum::<f64>();
            if n == 2 {
                want += 0.8 * 0.8 - plan.kernel()[index[0]][index[1]];
            }
            assert!(
                (field[3] - want).abs() < 1e-13,
                "{width} {index:?}: {} {want}",
                field[3]
            );
        }
    }
}
