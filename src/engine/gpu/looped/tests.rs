//! Every text is valid WGSL, and none grows with the spec.

use super::{Shape, Tiles};
use crate::engine::{BlockPlan, measurement};
use crate::model::{Architecture, EnsembleSpec, Estimator, Inputs};
use crate::theory;

fn spec(points: usize, d_in: usize, width: u64) -> EnsembleSpec {
    let coordinate = |p: usize, c: usize| ((7 * p + 3 * c) % 11) as f64 / 11.0 - 0.4;
    let inputs = (0..points)
        .map(|p| (0..d_in).map(|c| coordinate(p, c)).collect())
        .collect();
    EnsembleSpec {
        d_in,
        inputs: Inputs::new(inputs).unwrap(),
        width,
        nets: 1000,
        experiments: 2,
        orders: vec![2],
        sigma_b: 0.5,
        ..EnsembleSpec::preset(Architecture::Erf, 1).unwrap()
    }
}

fn texts(spec: &EnsembleSpec, is_software: bool) -> Vec<super::Text> {
    let measurement = measurement(spec);
    let block = BlockPlan::new(spec).size;
    let shape = Shape::new(spec, block, measurement.moments(), Tiles::new(is_software));
    shape.texts(spec)
}

#[test]
fn every_text_is_valid() {
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};
    let mut specs = Vec::new();
    for (points, width) in [(1, 1), (5, 16), (40, 37)] {
        for arch in Architecture::ALL {
            let direct = EnsembleSpec {
                arch,
                ..spec(points, 3, width)
            };
            let connected = EnsembleSpec {
                estimator: Estimator::Connected,
                ..direct.clone()
            };
            let gauss = EnsembleSpec {
                arch: Architecture::Gauss,
                sigma_w: 3.0,
                ..direct.clone()
            };
            specs.push(EnsembleSpec {
                tilt: theory::tilt(&gauss),
                ..connected.clone()
            });
            specs.push(EnsembleSpec {
                d_out: 3,
                ..direct.clone()
            });
            specs.push(EnsembleSpec {
                sigma_b: 0.0,
                ..direct.clone()
            });
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
