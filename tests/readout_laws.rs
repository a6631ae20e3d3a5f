//! Readouts of any law: the connected estimator on both engines, and O(d_out), which they break.

mod common;

use common::cli::{json, run};
use common::gpu;
use nnqft_gpu::analysis::{Breaking, correlators, symmetry_breaking, symmetry_checks};
use nnqft_gpu::engine::cpu::{CpuEngine, draw_networks};
use nnqft_gpu::engine::{self, BlockPlan, Engine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs, Law};
use nnqft_gpu::plan::Plan;
use nnqft_gpu::theory::Exact;

fn spec(law_w: Law, law_b: Law, width: u64, d_out: usize) -> EnsembleSpec {
    let spec = EnsembleSpec::preset("erf", 1).unwrap();
    let net = spec.net.with_width(width).with_d_out(d_out);
    let net = (net.with_sigma_b(0.6).with_law_w(vec![Law::Gaussian, law_w]))
        .and_then(|net| net.with_law_b(vec![Law::Gaussian, law_b]))
        .unwrap();
    EnsembleSpec {
        net,
        inputs: Inputs::parse("-0.8;0.3;1.1").unwrap(),
        nets: 20_000,
        experiments: 5,
        estimator: Estimator::Connected,
        ..spec
    }
}

/// Every law as that of weights, and of biases.
const LAWS: [(Law, Law, u64, usize); 5] = [
    (Law::Rademacher, Law::Gaussian, 3, 1),
    (Law::Uniform, Law::Rademacher, 20, 1),
    (Law::Laplace, Law::Gaussian, 21, 2),
    (Law::Gaussian, Law::Laplace, 5, 1),
    (Law::Rademacher, Law::Uniform, 33, 3),
];

#[test]
fn both_estimators_have_the_exact_values_of_every_law() {
    for (law_w, law_b, width, d_out) in LAWS {
        let connected = spec(law_w, law_b, width, d_out);
        let direct = EnsembleSpec {
            estimator: Estimator::Direct,
            ..connected.clone()
        };
        let four = [direct, connected].map(|spec| {
            let run = engine::run(&mut CpuEngine::new(), &spec, &|_| {}).unwrap();
            let all = correlators(&spec, &run).unwrap();
            for c in &all {
                // Some 3000 pulls in all, in groups that are strongly correlated.
                let worst = c
                    .pulls()
                    .flatten()
                    .fold(0.0, |most: f64, p| most.max(p.abs()));
                assert!(
                    worst < 4.5,
                    "{law_w} {law_b} {} {}: {worst}",
                    spec.estimator,
                    c.order
                );
                let Some(connected) = &c.connected else {
                    continue;
                };
                let exact = connected.exact.as_ref().unwrap();
                let errors = connected.std_err.as_ref().unwrap();
                for ((mean, exact), error) in connected.mean.iter().zip(exact).zip(errors) {
                    let off = (mean - exact).abs();
                    assert!(
                        off < 4.5 * error + 1e-12,
                        "{law_w} {law_b} {}: {mean} {exact}",
                        c.order
                    );
                }
            }
            // Of outputs (0, 0, 0, 0) at points 0, 1, 1, 2.
            let at = all[1]
                .indices
                .iter()
                .position(|i| i[..] == [0, 1, 1, 2])
                .unwrap();
            all[1].std_err[at]
        });
        assert!(four[1] < four[0] / 4.0, "{law_w} {law_b}: {four:?}");
    }
}

#[test]
fn both_engines_draw_the_same_cumulants() {
    let gpu = gpu();
    // Fewer units than a group; groups and a remainder; several chunks of groups.
    for (width, law_w, law_b) in [
        (3, Law::Rademacher, Law::Laplace),
        (37, Law::Laplace, Law::Gaussian),
        (5003, Law::Uniform, Law::Gaussian),
    ] {
        let spec = EnsembleSpec {
            nets: 64,
            experiments: 2,
            ..spec(law_w, law_b, width, 1)
        };
        let got = gpu.draw_networks(&spec, 1).unwrap();
        let block = BlockPlan::new(&spec).block(1);
        let want = draw_networks(&spec, block.experiment, block.first, got.len());
        assert_eq!(got.len() as u64, block.networks);
        assert_eq!(got[0].field.len(), 6 + 15 + 28);
        for field in 0..want[0].field.len() {
            let sizes = want.iter().map(|network| network.field[field].abs());
            let largest = sizes.fold(0.0, f64::max);
            for (got, want) in got.iter().zip(&want) {
                let off = (got.field[field] - want.field[field]).abs();
                // Roundings of erf in f32, six of which are multiplied, and of a sum over units.
                assert!(off < 1e-4 * largest, "{width} {field}: {off} of {largest}");
            }
        }
    }
}

#[test]
fn both_engines_average_them_alike() {
    let mut gpu = gpu();
    for d_out in [1, 2] {
        let spec = EnsembleSpec {
            nets: 4000,
            experiments: 2,
            ..spec(Law::Rademacher, Law::Gaussian, 20, d_out)
        };
        let plan = Plan::new(spec.clone()).unwrap();
        let of = |engine: &mut dyn Engine| {
            engine::run(engine, &spec, &|_| {})
                .unwrap()
                .total()
                .unwrap()
        };
        let (got, want) = (of(&mut gpu), of(&mut CpuEngine::new()));
        assert_eq!(want.mean.len(), plan.measurement().means().end);
        let errors = want.std_err().unwrap();
        let both = got.mean.iter().zip(&want.mean).zip(errors);
        for (e, ((got, want), error)) in both.enumerate() {
            let off = (got - want).abs();
            assert!(off < 0.01 * error + 1e-9, "{d_out} {e}: {off} of {error}");
        }
    }
}

fn broken(law_w: Law, law_b: Law, d_out: usize) -> (Vec<(String, Option<bool>)>, Option<Breaking>) {
    let spec = EnsembleSpec {
        estimator: Estimator::Direct,
        orders: vec![2, 4],
        nets: 2000,
        experiments: 100,
        inputs: Inputs::parse("-0.8;1.1").unwrap(),
        ..spec(law_w, law_b, 3, d_out)
    };
    let plan = Plan::new(spec).unwrap();
    let run = engine::run(&mut CpuEngine::new(), plan.spec(), &|_| {}).unwrap();
    let checks = symmetry_checks(&plan, &exact(&plan), &run, None).unwrap();
    let checks = checks
        .into_iter()
        .map(|c| (c.name.into(), c.pass))
        .collect();
    (
        checks,
        symmetry_breaking(&plan, &exact(&plan), &run).unwrap(),
    )
}

#[test]
fn the_size_of_a_broken_symmetry_is_what_theory_says() {
    for (law_w, law_b, d_out) in [
        (Law::Rademacher, Law::Gaussian, 2),
        (Law::Laplace, Law::Gaussian, 3),
        (Law::Gaussian, Law::Rademacher, 2),
    ] {
        let (checks, breaking) = broken(law_w, law_b, d_out);
        let pass = |name: &str| (name.to_string(), Some(true));
        let names = ["exact", "unpaired", "hypercubic", "placements"].map(pass);
        assert_eq!(checks, names, "{law_w} {law_b}");
        let breaking = breaking.unwrap();
        assert!(breaking.found, "{law_w} {law_b}: {breaking:?}");
        let pull = breaking.pull().unwrap();
        assert!(pull.abs() < 4.0, "{law_w} {law_b}: {breaking:?}");
        // Below zero where signs or weights end, above zero where they have tails.
        let sign = if law_w == Law::Laplace { 1.0 } else { -1.0 };
        assert!(sign * breaking.measured > 10.0 * breaking.std_err);
    }
}

#[test]
fn gaussian_readouts_and_single_outputs_break_nothing() {
    let (checks, breaking) = broken(Law::Gaussian, Law::Gaussian, 2);
    let names: Vec<&str> = checks.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["exact", "unpaired", "rotation", "placements"]);
    assert!(breaking.is_none());
    let (checks, breaking) = broken(Law::Rademacher, Law::Gaussian, 1);
    assert_eq!(checks, [("exact".to_string(), Some(true))]);
    assert!(breaking.is_none());
}

#[test]
fn the_command_reports_it_as_a_finding() {
    let arguments = "symmetry --width 2 --law-w gaussian,rademacher --d-out 1,2 --nets 2000";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let document = json(&[&arguments[..], &["--json"]].concat());
    let found = document["breaking"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["d_out"]), (1, &2.into()));
    assert_eq!(found[0]["found"], true, "{found:?}");
    let of = |key: &str| found[0][key].as_f64().unwrap();
    assert!((of("measured") - of("predicted")).abs() < 4.0 * of("std_err"));
    for check in document["checks"].as_array().unwrap() {
        assert_eq!(check["pass"], true, "{check}");
    }
    // One loop holds where the action has one coupling.
    let rows = document["d_out"].as_array().unwrap();
    assert!(rows[0]["lambda_one_loop"].is_f64() && rows[1]["lambda_one_loop"].is_null());
    let output = run(&arguments);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}");
    assert!(
        table.contains("O(2) is broken to permutations and signs of outputs"),
        "{table}"
    );
}

fn exact(plan: &Plan) -> Exact {
    Exact::with_kernel(plan.spec(), plan.kernel().clone())
}
