//! Fast paths of a plan give what every point by itself gives.

use nnqft_gpu::engine::cpu::CpuEngine;
use nnqft_gpu::engine::{Engine, Queue};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Law};
use nnqft_gpu::plan::{Passes, Plan};
use nnqft_gpu::tensor::Accumulator;
use nnqft_gpu::theory;

fn run(plan: &Plan) -> Accumulator {
    let queue = Queue::new(plan.spec());
    CpuEngine::new().accumulate(plan, &queue).unwrap();
    queue.into_elements()
}

/// Every element with and without fast paths, to roundings of the products that it averages.
fn same_with_and_without(spec: &EnsembleSpec) {
    let what = format!("{} {} {}", spec.net, spec.estimator, spec.net.d_out());
    let fast = Plan::new(spec.clone()).unwrap();
    let slow = Plan::with_passes(spec.clone(), Passes::NONE).unwrap();
    assert_eq!(slow.drawn().spec().inputs, spec.inputs);
    let [got, want] = [&fast, &slow].map(|plan| run(plan).total().unwrap());
    let kernel = fast.kernel();
    let mut compared = 0;
    for (order, range) in slow.measurement().orders() {
        for e in range.clone() {
            let points = slow.measurement().tuples().get(e).points();
            let size: f64 = points.iter().map(|&p| kernel[p][p].sqrt()).product();
            let (got, want) = (got.mean[e], want.mean[e]);
            let bound = 1e-11 * (size + want.abs());
            assert!(
                (got - want).abs() <= bound,
                "{what} {order} {points:?}: {got} {want}"
            );
            compared += 1;
        }
    }
    assert!(compared > 20);
}

fn ensembles(arch: &str, inputs: &Inputs) -> Vec<EnsembleSpec> {
    let preset = EnsembleSpec::preset(arch, 1).unwrap();
    let preset = preset.with_inputs(inputs.clone()).with_width(5);
    let direct = EnsembleSpec {
        nets: 100,
        experiments: 2,
        orders: vec![2, 3, 4],
        ..preset
    };
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        orders: vec![2, 4, 6],
        ..direct.clone()
    };
    let tilted = EnsembleSpec {
        tilt: theory::tilt(&connected),
        ..connected.clone()
    };
    let net = connected.net.clone();
    let signs = EnsembleSpec {
        net: net
            .with_law_w(vec![Law::Gaussian, Law::Rademacher])
            .unwrap(),
        ..connected.clone()
    };
    vec![
        direct.clone().with_d_out(2),
        direct,
        signs.clone().with_d_out(2),
        signs,
        connected.clone().with_d_out(2),
        connected,
        tilted,
    ]
}

#[test]
fn one_point_of_every_ray_tells_all() {
    let inputs = Inputs::parse("0.5,1;-1,2;0,0;1,2;-0.25,0.5;3,-1").unwrap();
    for spec in ensembles("relu", &inputs) {
        let plan = Plan::new(spec.clone()).unwrap();
        assert_eq!(plan.drawn().spec().inputs.len(), 3);
        same_with_and_without(&spec);
        // What is kept of single networks is what was drawn.
        let fields = plan.drawn().fields();
        assert!(
            run(&plan)
                .extremes()
                .iter()
                .all(|x| x.field.len() == fields)
        );
    }
}

#[test]
fn equally_spaced_points_are_a_geometric_progression() {
    let inputs = Inputs::parse("-0.3;-0.1;0.1;0.3").unwrap();
    for spec in ensembles("gauss", &inputs) {
        let plan = Plan::new(spec.clone()).unwrap();
        assert!(plan.drawn().progression(600.0).is_some());
        let without = Plan::with_passes(spec.clone(), Passes::NONE).unwrap();
        assert!(without.drawn().progression(600.0).is_none());
        same_with_and_without(&spec);
    }
}

#[test]
fn a_plan_beside_another_is_that_of_its_spec() {
    let spec = EnsembleSpec::preset("erf", 2).unwrap();
    let plan = Plan::new(spec.clone()).unwrap();
    for other in [
        spec.clone().with_width(7),
        spec.clone().with_sigma_b(0.3),
        EnsembleSpec::preset("relu", 2).unwrap(),
    ] {
        let got = plan.beside(other.clone()).unwrap();
        let want = Plan::new(other).unwrap();
        assert_eq!(got.spec(), want.spec());
        assert_eq!(got.kernel(), want.kernel());
        assert_eq!(got.drawn().scales(), want.drawn().scales());
    }
    assert!(plan.beside(spec.with_width(0)).is_err());
}
