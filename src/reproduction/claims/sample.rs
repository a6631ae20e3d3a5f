//! The tests of verdicts have small documents made by hand here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::analysis::{
    ChiSquared, ConnectedPoint, Coupling, ErrorOf, Falloff, FalloffFit, FalloffPoint, FalloffWidth,
    FixedPoint, Flow, FunctionFit, Misses, Naturalness, OutputCoupling, SixPoint, SlopeFit,
    SymmetryCheck, Term, Unconverged, Verdict,
};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::model::{EnsembleSpec, Inputs, TrainSpec, TrainingData};
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::verdict::Claim;
use crate::run::{
    CouplingRow, EftDocument, EftPoint, FalloffDocument, Head, RgDocument, Runner, Source,
    SymmetryDocument, Timing, TrainDocument, train,
};
use crate::theory::Vertex;

/// Asserts that each number of the claims stands where it says in the documents' JSON.
pub fn assert_traced<T: Serialize>(claims: &[Claim], documents: &[(&str, &T)]) {
    let written: BTreeMap<String, Value> = (documents.iter())
        .map(|(name, d)| {
            (
                format!("data/{name}.json"),
                serde_json::to_value(d).unwrap(),
            )
        })
        .collect();
    for number in claims.iter().flat_map(|c| &c.numbers) {
        let (file, pointer) = number.from.split_once('#').unwrap();
        let value = written[file].pointer(pointer).and_then(Value::as_f64);
        assert_eq!(value, Some(number.value), "{number:?}");
    }
}

/// Returns one of the source's nets.
pub fn net() -> &'static SourceNet {
    &source().nets[0]
}

/// Returns a net of which the source says that its coupling is a constant, or a function.
pub fn net_whose_coupling_is(expected: Naturalness) -> &'static SourceNet {
    let mut nets = source().nets.iter();
    nets.find(|net| net.coupling.expected == expected).unwrap()
}

fn head() -> Head {
    Head::new(
        "sample",
        net().preset(1).unwrap(),
        CpuEngine::new().device(),
        Timing::theory(0.0),
        Source::sampled(Vec::new()),
    )
}

/// Makes n-point functions of these orders that have not converged.
pub fn unconverged(orders: &[usize]) -> Vec<Unconverged> {
    let of = |order: &usize| Unconverged {
        claim: None,
        order: *order,
        reason: "one network has it all".into(),
    };
    orders.iter().map(of).collect()
}

/// Makes a falloff, `[width][order]`, without fits.
pub fn falloff(widths: impl IntoIterator<Item = Vec<FalloffPoint>>) -> FalloffDocument {
    let widths =
        (widths.into_iter().zip(2..)).map(|(orders, width)| FalloffWidth { width, orders });
    FalloffDocument {
        head: head(),
        connected_spec: None,
        falloff: Falloff {
            widths: widths.collect(),
            fits: Vec::new(),
            connected_fits: Vec::new(),
        },
    }
}

/// Makes a converged n-point function of which nothing is known.
pub fn point(order: usize) -> FalloffPoint {
    FalloffPoint {
        order,
        elements: 1,
        left_out: 0,
        deviation_mean: None,
        std_err: None,
        deviation_abs_mean: None,
        background: None,
        exact_mean: None,
        exact_mean_error: None,
        first_order_mean: None,
        verdict: Verdict::Undecided,
        largest_pull: None,
        unconverged: None,
        connected: None,
    }
}

/// Makes a converged point of the connected estimator, with a known largest pull.
pub fn connected(largest_pull: f64) -> ConnectedPoint {
    ConnectedPoint {
        deviation_mean: None,
        std_err: None,
        background: None,
        verdict: Verdict::Undecided,
        largest_pull: Some(largest_pull),
        gain: None,
        unconverged: None,
    }
}

/// Makes a fit of nothing.
pub fn fit(order: usize) -> FalloffFit {
    FalloffFit {
        order,
        slope: None,
        std_err: None,
        chi2: None,
        exact_slope: None,
        widths_used: Vec::new(),
        unconverged: Vec::new(),
    }
}

/// Makes a document of couplings at some cutoffs.
pub fn eft(cutoffs: Vec<EftPoint>) -> EftDocument {
    EftDocument {
        train_unconverged: Vec::new(),
        head: head(),
        vertex: Vertex::Full,
        cutoffs,
        fits: Vec::new(),
    }
}

/// Makes a cutoff at which nothing was measured.
pub fn eft_point(cutoff: f64) -> EftPoint {
    EftPoint {
        cutoff,
        lambda: None,
        six_point: None,
        exact: None,
    }
}

/// Makes a coupling with its error, 0 for an exact one.
pub fn coupling(mean: f64, std_err: f64) -> Coupling {
    Coupling {
        integral_error: 0.0,
        mean,
        std: 0.01,
        std_err: Some(std_err),
        degrees_of_freedom: (std_err > 0.0).then_some(9),
        measured: true,
        verdict: Naturalness::Constant,
        values: vec![Some(mean)],
        undefined: 0,
    }
}

/// Makes a 6-point prediction that has delta with its error.
pub fn six_point(delta: f64, std_err: f64) -> SixPoint {
    SixPoint {
        delta_mean: Some(delta),
        delta_std_err: Some(std_err),
        delta_interval: None,
        delta_min: Some(delta),
        delta_max: Some(delta),
        gp_ratio_mean: None,
        gp_ratio_std_err: None,
        ratio_mean: None,
        ratio_std_err: None,
        delta: vec![Some(delta)],
        delta_std_errs: vec![Some(std_err)],
        delta_undefined: 0,
        gp_ratio: vec![None],
        ratio: vec![None],
        ratio_undefined: 0,
        misfit: None,
    }
}

/// Makes a fit of the coupling as a function, with a mean absolute error in percent.
pub fn function_fit(terms: &[Term], rank: usize, mape: Option<f64>) -> FunctionFit {
    let misses = Misses {
        mape,
        std_err: None,
        noise: None,
        max: mape,
        unmeasured: 0,
    };
    FunctionFit {
        terms: terms.into(),
        rank,
        coefficients: (rank == terms.len()).then(|| vec![0.5; rank]),
        coefficients_std_err: None,
        measured: true,
        train: misses,
        test: misses,
    }
}

/// Makes a flow with its slope at the largest cutoff beside theory's -1, and R² of a line of that
/// slope, if there is one.
pub fn flow((slope, std_err): (f64, Option<f64>), r2: Option<f64>) -> RgDocument {
    let end = |cutoff| FixedPoint {
        cutoff,
        relative_beta: None,
        relative_beta_std_err: None,
        reached: None,
    };
    RgDocument {
        head: head(),
        vertex: Vertex::Full,
        flow: Flow {
            points: Vec::new(),
            degrees_of_freedom: Some(9),
            fit: r2.map(|r2| SlopeFit {
                slope,
                std_err,
                error_of: ErrorOf::Experiments,
                line_std_err: None,
                r2,
            }),
            asymptotic_slope: Some(slope),
            asymptotic_slope_std_err: std_err,
            theory_slope: Some(-1.0),
            dimension: 1.0,
            uv: end(1e5),
            ir: end(1e-6),
        },
    }
}

/// Trains networks of three widths to two points, and looks at them there and at two more, before and after.
pub fn training() -> TrainDocument {
    let ensemble = EnsembleSpec {
        nets: 600,
        experiments: 1,
        ..net().preset(1).unwrap()
    };
    let ensemble = ensemble.with_inputs(Inputs::parse("0;2").unwrap());
    let data = TrainingData::parse("-1=0.5;1=-0.3").unwrap();
    let mut spec = TrainSpec::new(ensemble, data, vec![0, 3]);
    spec.ensemble.orders = vec![1];
    let sweep = [3, 4, 5].map(|width| spec.clone().with_width(width));
    train(&mut Runner::new(Box::new(CpuEngine::new())), &sweep, false).unwrap()
}

/// Makes tests with their outcomes, and one-loop couplings at 1, 2, .. outputs.
pub fn symmetry(passes: &[Option<bool>], couplings: &[Option<f64>]) -> SymmetryDocument {
    let check = |pass: &Option<bool>| SymmetryCheck {
        d_out: 2,
        name: "rotation".into(),
        value: 1.0,
        std_err: 0.1,
        pass: *pass,
        reason: None,
        test: ChiSquared {
            chi2: 10.0,
            components: 10,
            degrees_of_freedom: 10.0,
            p_value: 0.5,
            largest_pull: 2.0,
        },
    };
    let row = |(lambda, d_out): (&Option<f64>, usize)| CouplingRow {
        coupling: OutputCoupling {
            d_out,
            lambda_tree: -1.0,
            lambda_tree_std_err: None,
            measured: true,
            lambda_one_loop: *lambda,
            lambda_one_loop_std_err: None,
            loop_over_tree: None,
            loop_over_tree_std_err: None,
            undefined: 0,
        },
        lambda_tree_exact: -1.0,
        lambda_one_loop_exact: None,
    };
    SymmetryDocument {
        head: head(),
        vertex: Vertex::Full,
        cutoff: 100.0,
        couplings: couplings.iter().zip(1..).map(row).collect(),
        checks: passes.iter().map(check).collect(),
        breaking: Vec::new(),
        ensembles: Vec::new(),
        notes: Vec::new(),
    }
}
