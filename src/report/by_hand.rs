//! Documents made by hand, for tests that need no run.

use crate::analysis::{
    Breaking, Correlator, Coupling, Falloff, FalloffPoint, FalloffWidth, FixedPoint, Flow,
    FlowPoint, Known, Naturalness, OutputCoupling, Reference, SymmetryCheck, Verdict,
};
use crate::engine::{DeviceInfo, DeviceKind};
use crate::model::{EnsembleSpec, Inputs};
use crate::run::{
    CouplingRow, EftDocument, EftPoint, EnsembleDocument, FalloffDocument, Head, RgDocument,
    Source, SymmetryDocument, Timing,
};
use crate::tensor::multisets;
use crate::theory::{Vertex, kernel_matrix};
use serde_json::{Value, json};

/// The spec has two points, and two experiments of 1024 networks.
pub fn spec(orders: &[usize]) -> EnsembleSpec {
    EnsembleSpec {
        inputs: Inputs::new(vec![vec![0.5], vec![1.0]]).unwrap(),
        nets: 1024,
        experiments: 2,
        orders: orders.to_vec(),
        ..EnsembleSpec::preset("erf", 1).unwrap()
    }
}

pub fn device() -> DeviceInfo {
    DeviceInfo {
        backend: DeviceKind::Cpu,
        adapter: "a processor".into(),
        driver: "1 thread".into(),
    }
}

pub fn head(command: &'static str) -> Head {
    let source = Source::sampled(Vec::new());
    Head::new(command, spec(&[4]), device(), Timing::theory(0.5), source)
}

/// The n-point function is near one; its deviation from the GP is far below its rounding.
pub fn correlator(order: usize) -> Correlator {
    let indices = multisets(2, order);
    let elements = indices.len();
    let of = |value: f64| vec![value; elements];
    let count = |scale: f64| (0..elements).map(|e| scale * (e + 1) as f64).collect();
    Correlator {
        order,
        indices,
        outputs: Vec::new(),
        mean: of(1.0),
        std_err: count(1e-20),
        gp: of(1.0),
        reference: Reference::Exact(Known {
            mean: of(1.0),
            error: of(0.0),
            delta: of(2e-19),
            delta_error: of(0.0),
            deviation: vec![Some(2e-19); elements],
            deviation_mean: Some(2e-19),
            deviation_mean_error: Some(0.0),
            connected: None,
        }),
        pull: Some(vec![Some(0.5); elements]),
        first_order_verdict: None,
        deviation: vec![Some(3e-19); elements],
        connected: None,
        left_out: 0,
        background: Some(1e-20),
        deviation_mean: Some(3e-19),
        deviation_mean_std_err: Some(1e-20),
        deviation_mean_p_value: Some(0.0),
        deviation_mean_pull: Some(10.0),
        deviation_abs_mean: Some(3e-19),
        deviation_abs_max: Some(3e-19),
        verdict: Verdict::AboveBackground,
        largest_share: of(0.01),
        tail_index: vec![None; elements],
        converged: vec![true; elements],
        reason: None,
        why: None,
        experiments: vec![of(1.0), of(1.0)],
        delta: count(3e-19),
        delta_experiments: vec![count(2e-19), count(4e-19)],
    }
}

/// This n-point function lacks everything that can be undefined.
pub fn undefined_correlator(order: usize) -> Correlator {
    let correlator = correlator(order);
    let none = || vec![None; correlator.mean.len()];
    let known = correlator.reference.exact().expect("as above").clone();
    Correlator {
        reference: Reference::Exact(Known {
            deviation: none(),
            deviation_mean: None,
            deviation_mean_error: None,
            ..known
        }),
        pull: Some(none()),
        deviation: none(),
        background: None,
        deviation_mean: None,
        deviation_mean_std_err: None,
        deviation_mean_p_value: None,
        deviation_mean_pull: None,
        deviation_abs_mean: None,
        deviation_abs_max: None,
        verdict: Verdict::Undecided,
        ..correlator
    }
}

pub fn ensemble(correlators: Vec<Correlator>) -> EnsembleDocument {
    let orders: Vec<usize> = correlators.iter().map(|c| c.order).collect();
    EnsembleDocument {
        head: Head::new(
            EnsembleDocument::COMMAND,
            spec(&orders),
            device(),
            Timing::of(2048, 100, 0.5),
            (),
        ),
        partial: None,
        kernel: kernel_matrix(&spec(&orders)).into(),
        correlators,
    }
}

/// The mean m_n of one width has an error of a tenth.
pub fn falloff_point(order: usize, deviation_mean: Option<f64>) -> FalloffPoint {
    FalloffPoint {
        order,
        elements: 1,
        left_out: 0,
        deviation_mean,
        std_err: deviation_mean.map(|m| 0.1 * m.abs()),
        deviation_abs_mean: deviation_mean.map(f64::abs),
        background: None,
        exact_mean: None,
        exact_mean_error: None,
        first_order_mean: None,
        verdict: match deviation_mean {
            Some(_) => Verdict::AboveBackground,
            None => Verdict::Undecided,
        },
        largest_pull: None,
        unconverged: None,
        connected: None,
    }
}

pub fn falloff(widths: Vec<(u64, FalloffPoint)>) -> FalloffDocument {
    let widths = widths.into_iter().map(|(width, point)| FalloffWidth {
        width,
        orders: vec![point],
    });
    FalloffDocument {
        head: head(FalloffDocument::COMMAND),
        connected_spec: None,
        falloff: Falloff::new(widths.collect()),
    }
}

pub fn coupling(mean: f64) -> Coupling {
    Coupling {
        integral_error: 0.0,
        mean,
        std: 0.0,
        std_err: None,
        degrees_of_freedom: None,
        measured: true,
        verdict: Naturalness::Undecided,
        values: vec![Some(mean), None],
        undefined: 1,
    }
}

pub fn eft(cutoffs: Vec<(f64, Option<Coupling>)>) -> EftDocument {
    let cutoffs = cutoffs.into_iter().map(|(cutoff, lambda)| EftPoint {
        cutoff,
        lambda,
        six_point: None,
        exact: None,
    });
    EftDocument {
        head: head(EftDocument::COMMAND),
        vertex: Vertex::Full,
        cutoffs: cutoffs.collect(),
        fits: Vec::new(),
        train_unconverged: Vec::new(),
    }
}

/// The flow goes through these cutoffs and couplings, and nothing else is known of it.
pub fn rg(points: &[(f64, Option<f64>)]) -> RgDocument {
    let points = points.iter().map(|&(cutoff, lambda_mean)| FlowPoint {
        lambda_integral_error: 0.0,
        cutoff,
        lambda_mean,
        lambda_std_err: None,
        lambda_std: None,
        measured: true,
        beta: None,
        beta_std_err: None,
        beta_dimensionless: None,
        beta_dimensionless_std_err: None,
        slope: None,
        slope_std_err: None,
        undefined: 0,
        opposite_sign: 0,
    });
    let end = |cutoff| FixedPoint {
        cutoff,
        relative_beta: None,
        relative_beta_std_err: None,
        reached: None,
    };
    RgDocument {
        head: head(RgDocument::COMMAND),
        vertex: Vertex::Full,
        flow: Flow {
            points: points.collect(),
            degrees_of_freedom: None,
            fit: None,
            asymptotic_slope: None,
            asymptotic_slope_std_err: None,
            theory_slope: Some(-1.0),
            dimension: 1.0,
            uv: end(1e3),
            ir: end(1e-3),
        },
    }
}

/// The document lists numbers of outputs, each with its one-loop coupling if it has one.
pub fn symmetry(couplings: &[(usize, Option<f64>)]) -> SymmetryDocument {
    let row = |&(d_out, lambda_one_loop): &(usize, Option<f64>)| CouplingRow {
        coupling: OutputCoupling {
            d_out,
            lambda_tree: -0.5,
            lambda_tree_std_err: Some(0.25),
            measured: true,
            lambda_one_loop,
            lambda_one_loop_std_err: None,
            loop_over_tree: None,
            loop_over_tree_std_err: None,
            undefined: 0,
        },
        lambda_tree_exact: 0.0,
        lambda_one_loop_exact: None,
    };
    SymmetryDocument {
        head: head(SymmetryDocument::COMMAND),
        vertex: Vertex::Full,
        cutoff: 100.0,
        couplings: couplings.iter().map(row).collect(),
        checks: Vec::new(),
        breaking: Vec::new(),
        ensembles: Vec::new(),
        notes: Vec::new(),
    }
}

/// Makes a check of a symmetry at two outputs.
pub fn check(name: &'static str, pass: Option<bool>) -> SymmetryCheck {
    from_json(json!({
        "d_out": 2, "name": name, "value": 1.0, "std_err": 0.5, "pass": pass,
        "chi2": 3.0, "components": 3, "degrees_of_freedom": 3.0, "p_value": 0.5,
        "largest_pull": 1.0,
    }))
}

/// Makes the size by which O(d_out) is broken.
pub fn broken(d_out: usize, found: bool) -> Breaking {
    from_json(json!({
        "d_out": d_out, "measured": -0.12, "std_err": 0.01, "predicted": -0.1,
        "predicted_error": 0.0, "found": found, "chi2": 90.0, "components": 3,
        "degrees_of_freedom": 3.0, "p_value": if found { 1e-12 } else { 0.2 },
        "largest_pull": 9.0,
    }))
}

fn from_json<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("every field")
}
