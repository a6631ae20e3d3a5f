//! Every text is valid WGSL, and none that loops grows with the spec. No device is needed.

use std::collections::HashSet;

use wgpu::naga::front::wgsl::parse_str;
use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

use super::layout::Layout;
use super::looped::{Shape, Tiles};
use super::setup::Setup;
use super::template::Text;
use super::{moments, networks};
use crate::model::{EnsembleSpec, Estimator, Inputs, source_nets};
use crate::plan::Plan;
use crate::tensor::MomentPlan;
use crate::theory;

/// Points that are no progression.
fn spec(points: usize, d_in: usize, width: u64) -> EnsembleSpec {
    let coordinate =
        |p: usize, c: usize| ((7 * p + 3 * p * p + 5 * c + 1) % 19) as f64 / 19.0 - 0.4;
    let inputs = (0..points)
        .map(|p| (0..d_in).map(|c| coordinate(p, c)).collect())
        .collect();
    EnsembleSpec {
        inputs: Inputs::new(inputs).unwrap(),
        nets: 1000,
        experiments: 2,
        orders: vec![1, 2, 3, 4],
        ..EnsembleSpec::preset("erf", 1)
            .unwrap()
            .with_width(width)
            .with_d_in(d_in)
            .with_sigma_b(0.6)
    }
}

/// Lists specs with every net and estimator, with and without biases, importance sampling, several
/// outputs, exponents that leave f32, and equally spaced points.
fn variants(spec: &EnsembleSpec) -> Vec<EnsembleSpec> {
    let mut all = Vec::new();
    for arch in source_nets() {
        let direct = spec.clone().with_net_named(arch).unwrap();
        let connected = EnsembleSpec {
            estimator: Estimator::Connected,
            orders: vec![2, 4, 6],
            ..direct.clone()
        };
        let gauss = connected
            .clone()
            .with_net_named("gauss")
            .unwrap()
            .with_sigma_w(4.0);
        let tilt = theory::tilt(&gauss);
        assert!(tilt.is_some());
        all.extend([
            EnsembleSpec {
                tilt,
                ..connected.clone()
            },
            direct.clone().with_d_out(3),
        ]);
        for base in [direct, connected] {
            let steps = |p: usize| vec![0.01 * p as f64; base.net.d_in()];
            all.extend([
                base.clone().with_sigma_b(0.0),
                base.clone().with_sigma_w(90.0),
                EnsembleSpec {
                    inputs: Inputs::new((0..base.inputs.len()).map(steps).collect()).unwrap(),
                    ..base.clone()
                },
                base,
            ]);
        }
    }
    all
}

/// Renders the texts of every form, for software adapters and for others.
fn texts(spec: &EnsembleSpec) -> Vec<Text> {
    let compiled = Plan::new(spec.clone()).unwrap();
    let (setup, measurement) = (Setup::new(compiled.drawn()), compiled.measurement());
    let (layout, plan) = (Layout::new(&setup), measurement.moments());
    let mut all = looped(spec, true);
    all.extend(looped(spec, false));
    if networks::statements(&setup, plan) <= super::MAX_STATEMENTS {
        for records_hidden in [false, true] {
            let samplers = networks::texts(&setup, &layout, records_hidden);
            all.extend(samplers.into_iter().map(|sampler| sampler.stage));
        }
        for sums_per_thread in [96, 1024] {
            all.extend(moments::texts(&setup, plan, sums_per_thread));
        }
        all.push(moments::ensemble(&setup, &layout, plan));
    }
    all
}

fn looped(spec: &EnsembleSpec, is_software: bool) -> Vec<Text> {
    let plan = Plan::new(spec.clone()).unwrap();
    let setup = Setup::new(plan.drawn());
    let shape = Shape::new(
        &setup,
        plan.measurement().moments(),
        Tiles::new(is_software),
    );
    shape.texts(&setup)
}

fn check(text: &Text) {
    let module = parse_str(&text.wgsl)
        .unwrap_or_else(|e| panic!("{}: {}", text.stage, e.emit_to_string(&text.wgsl)));
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {e:?}", text.stage));
}

#[test]
fn every_text_is_valid() {
    // One point; full groups and a remainder, alone and together; chunks; a remainder of more
    // fields than one thread draws for 16 networks; what only loops can do.
    let shapes = [
        (1, 1, 1),
        (2, 1, 16),
        (3, 2, 37),
        (2, 1, 5003),
        (12, 1, 21),
        (40, 3, 37),
    ];
    let mut seen = HashSet::new();
    for (points, d_in, width) in shapes {
        for spec in variants(&spec(points, d_in, width)) {
            let orders = match points > 3 {
                true => vec![2],
                false => spec.orders.clone(),
            };
            for text in texts(&EnsembleSpec { orders, ..spec }) {
                if !seen.contains(&text.wgsl) {
                    check(&text);
                    seen.insert(text.wgsl);
                }
            }
        }
    }
    check(&networks::draws());
    check(&moments::quadrature(256, &MomentPlan::new(3, &[4])));
}

#[test]
fn no_looped_text_grows() {
    let longest = |spec: &EnsembleSpec| {
        let lengths = looped(spec, true).into_iter().map(|text| text.wgsl.len());
        lengths.max().unwrap()
    };
    for estimator in [Estimator::Direct, Estimator::Connected] {
        let of = |points, d_in| {
            longest(&EnsembleSpec {
                estimator,
                orders: vec![2],
                ..spec(points, d_in, 100)
            })
        };
        // Full tiles; what differs are the numbers' digits.
        let (few, many) = (of(32, 3), of(192, 784));
        assert!(many < few + few / 10, "{few} {many}");
        assert!(many < 60_000, "{many}");
    }
}
