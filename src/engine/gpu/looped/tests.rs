//! Every text is valid WGSL, and none grows with the spec.

use super::{Shape, Tiles};
use crate::engine::BlockPlan;
use crate::model::{EnsembleSpec, Estimator, Inputs, source_nets};
use crate::plan::Plan;
use crate::theory;

fn spec(points: usize, d_in: usize, width: u64) -> EnsembleSpec {
    let coordinate = |p: usize, c: usize| ((7 * p + 3 * c) % 11) as f64 / 11.0 - 0.4;
    let inputs = (0..points)
        .map(|p| (0..d_in).map(|c| coordinate(p, c)).collect())
        .collect();
    EnsembleSpec {
        inputs: Inputs::new(inputs).unwrap(),
        nets: 1000,
        experiments: 2,
        orders: vec![2],
        ..EnsembleSpec::preset("erf", 1)
            .unwrap()
            .with_width(width)
            .with_d_in(d_in)
            .with_sigma_b(0.5)
    }
}

fn texts(spec: &EnsembleSpec, is_software: bool) -> Vec<super::Text> {
    let plan = Plan::new(spec.clone()).unwrap();
    let measurement = plan.measurement();
    let block = BlockPlan::new(spec).size;
    let shape = Shape::new(spec, block, measurement.moments(), Tiles::new(is_software));
    shape.texts(spec)
}

#[test]
fn every_text_is_valid() {
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};
    let mut specs = Vec::new();
    for (points, width) in [(1, 1), (5, 16), (40, 37)] {
        for arch in source_nets() {
            let direct = spec(points, 3, width).with_net_named(arch).unwrap();
            let connected = EnsembleSpec {
                estimator: Estimator::Connected,
                ..direct.clone()
            };
            let gauss = direct
                .clone()
                .with_net_named("gauss")
                .unwrap()
                .with_sigma_w(3.0);
            specs.push(EnsembleSpec {
                tilt: theory::tilt(&gauss),
                ..connected.clone()
            });
            specs.push(direct.clone().with_d_out(3));
            specs.push(direct.clone().with_sigma_b(0.0));
            specs.extend([direct, connected]);
        }
    }
    specs.push(EnsembleSpec {
        orders: vec![1, 2, 3, 4, 5, 6],
        ..spec(3, 2, 20)
    });
    for spec in specs {
        let spec = spec.validate().unwrap();
        for text in [texts(&spec, true), texts(&spec, false)].concat() {
            let module = wgpu::naga::front::wgsl::parse_str(&text.wgsl)
                .unwrap_or_else(|e| panic!("{}: {}", text.label, e.emit_to_string(&text.wgsl)));
            Validator::new(ValidationFlags::all(), Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{}: {e:?}", text.label));
        }
    }
}

#[test]
fn no_text_grows() {
    let longest = |spec: &EnsembleSpec| {
        let lengths = texts(spec, true).into_iter().map(|t| t.wgsl.len());
        lengths.max().unwrap()
    };
    for estimator in [Estimator::Direct, Estimator::Connected] {
        let of = |points, d_in| {
            longest(&EnsembleSpec {
                estimator,
                ..spec(points, d_in, 100)
            })
        };
        // Full tiles; what differs are the numbers' digits.
        let (few, many) = (of(32, 3), of(192, 784));
        assert!(many < few + few / 10, "{few} {many}");
        assert!(many < 60_000, "{many}");
    }
}
