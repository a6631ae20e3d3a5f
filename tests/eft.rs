//! Couplings, the 6-point prediction, function fits and the flow against the source's numbers
//! (arXiv:2008.08601), from exact moments, and against one-neuron limits.

use nnqft_gpu::analysis::{
    self, Coupling, FitSet, Interactions, MODELS, Naturalness, Samples, SixPoint, fit_function,
};
use nnqft_gpu::model::{CatalogueEntry, EnsembleSpec, Inputs};
use nnqft_gpu::theory::{Exact, Vertex, VertexIntegrals, kernel_matrix, vertex_integrals};

const CUTOFFS: [f64; 21] = [
    7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 7e3, 1e4,
    2e4, 4e4, 6e4, 8e4, 1e5,
];

/// The source's ensemble for the 6-point prediction.
fn spec(arch: &str, d_in: usize) -> EnsembleSpec {
    EnsembleSpec::preset(arch, d_in)
        .unwrap()
        .with_width(CatalogueEntry::find(arch).unwrap().eft_width)
}

fn exact(spec: &EnsembleSpec) -> Interactions {
    Interactions::exact(spec, &Exact::new(spec))
}

fn at(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> VertexIntegrals {
    vertex_integrals(spec, vertex, &[cutoff]).unwrap().remove(0)
}

/// Equal to the digits given.
fn close(got: f64, want: f64, relative: f64) {
    assert!((got / want - 1.0).abs() < relative, "{got} {want}");
}

#[test]
fn couplings_and_delta_of_the_source() {
    for (arch, lambda, digits, delta) in [
        ("erf", -1.1699e-5, 5e-5, 0.98638),
        ("relu", -6.25e-11, 1e-9, 1.1467),
        ("gauss", -2.9422e-4, 5e-5, 6.056),
    ] {
        let spec = spec(arch, 1);
        let v = at(&spec, Vertex::Full, 100.0);
        let moments = exact(&spec);
        let coupling = Coupling::measure(6, &moments.four, &v).unwrap();
        close(coupling.mean, lambda, digits);
        assert_eq!(coupling.std_err, Some(0.0));
        assert_eq!(coupling.undefined, 0);
        let six = SixPoint::predict(&kernel_matrix(&spec), &moments, &v).unwrap();
        close(six.delta_mean.unwrap(), delta, 1e-4);
        let misfit = six.misfit.unwrap();
        close(
            1.0 + misfit.constant_lambda + misfit.kappa,
            six.delta_mean.unwrap(),
            1e-12,
        );
        match arch {
            "erf" => {
                close(coupling.std, 5.995e-6, 1e-4);
                assert_eq!(coupling.verdict, Naturalness::Function);
            }
            // One number for all tuples: what is left of delta - 1 is the connected 6-point
            // function.
            "relu" => {
                assert!(coupling.std < 1e-12 * coupling.mean.abs());
                assert!(misfit.constant_lambda.abs() < 1e-9);
                assert_eq!(coupling.verdict, Naturalness::Constant);
            }
            // Translation invariance.
            _ => assert_eq!(coupling.verdict, Naturalness::Constant),
        }
    }
}

#[test]
fn relu_runs_exactly() {
    for d_in in 1..=3 {
        let spec = spec("relu", d_in);
        let flow = analysis::flow(&spec, Vertex::Full, &CUTOFFS, &exact(&spec).four).unwrap();
        let want = -(d_in as f64 + 4.0);
        assert_eq!(flow.theory_slope, Some(want));
        for p in &flow.points {
            assert!((p.slope.unwrap() - want).abs() < 1e-6);
            assert!(
                (p.beta_dimensionless.unwrap() / p.lambda_mean.unwrap()).abs()
                    < 1e-6 * p.cutoff.powf(-want)
            );
        }
        let fit = flow.fit.unwrap();
        assert!((fit.slope - want).abs() < 1e-6 && fit.r2 > 1.0 - 1e-12);
        assert!(flow.uv.reached == Some(true));
    }
}

#[test]
fn erf_and_gauss_approach_their_slopes() {
    for (arch, fitted, last_two) in [("erf", -0.9451, -0.9997), ("gauss", -0.9238, -0.9998)] {
        let spec = spec(arch, 1);
        let flow = analysis::flow(&spec, Vertex::Full, &CUTOFFS, &exact(&spec).four).unwrap();
        close(flow.fit.as_ref().unwrap().slope, fitted, 1e-4);
        let log = |k: usize| flow.points[k].lambda_mean.unwrap().abs().log10();
        let slope = (log(20) - log(19)) / (1e5f64 / 8e4).log10();
        close(slope, last_two, 1e-4);
        assert!(flow.uv.reached == Some(true));
        // beta is the derivative of lambda.
        let (a, b) = (&flow.points[10], &flow.points[11]);
        let beta = |p: &analysis::FlowPoint| p.beta.unwrap();
        let change = b.lambda_mean.unwrap() - a.lambda_mean.unwrap();
        let steps = (b.cutoff / a.cutoff).ln();
        assert!(change / steps < beta(a).max(beta(b)) && change / steps > beta(a).min(beta(b)));
    }
    for d_in in 2..=3 {
        for arch in ["erf", "gauss"] {
            let spec = spec(arch, d_in);
            let flow = analysis::flow(&spec, Vertex::Full, &CUTOFFS, &exact(&spec).four).unwrap();
            assert!((flow.asymptotic_slope.unwrap() + d_in as f64).abs() < 2e-3);
        }
    }
    let spec = spec("gauss", 1);
    let moments = exact(&spec);
    let weight = analysis::flow(&spec, Vertex::Weight, &CUTOFFS, &moments.four).unwrap();
    assert!(weight.asymptotic_slope.unwrap().abs() < 1e-9 && weight.uv.reached == Some(true));
    let full = analysis::flow(&spec, Vertex::Full, &CUTOFFS, &moments.four).unwrap();
    assert!(full.ir.reached == Some(true), "{:?}", full.ir);
}

#[test]
fn erf_with_weight_vertices_breaks_down_in_the_open() {
    let spec = spec("erf", 1);
    let flow = analysis::flow(&spec, Vertex::Weight, &CUTOFFS, &exact(&spec).four).unwrap();
    assert_eq!(flow.theory_slope, None);
    assert!(flow.points.iter().any(|p| p.opposite_sign > 0));
}

/// The v2 settings: train on x / sqrt(2), test on x.
fn fits(arch: &str) -> Vec<analysis::FunctionFit> {
    let fit = &CatalogueEntry::find(arch).unwrap().fit;
    let (width, cutoff) = (fit.width, fit.cutoff);
    let unit = if arch == "relu" { 1.0 } else { 0.01 };
    let at_scale = |scale: f64| EnsembleSpec {
        inputs: Inputs::new((1..=6).map(|k| vec![scale * 0.2 * f64::from(k)]).collect()).unwrap(),
        ..spec(arch, 1).with_width(width)
    };
    let (train, test) = (at_scale(unit * 0.5f64.sqrt()), at_scale(unit));
    let deltas = [&train, &test].map(|s| exact(s).four);
    let vertices = [&train, &test].map(|s| at(s, Vertex::Weight, cutoff));
    let tuples = |k: usize| FitSet {
        points: 6,
        four: &deltas[k],
        vertex: &vertices[k],
    };
    (MODELS.iter())
        .map(|terms| fit_function(terms, tuples(0), tuples(1)).unwrap())
        .collect()
}

#[test]
fn lambda_as_a_function() {
    let erf = fits("erf");
    close(erf[0].coefficients.as_ref().unwrap()[0], -0.037095, 2e-5);
    close(erf[0].train.mape.unwrap(), 0.0081, 0.01);
    close(erf[0].test.mape.unwrap(), 0.0197, 0.01);
    let gauss = fits("gauss");
    close(gauss[0].coefficients.as_ref().unwrap()[0], -0.0053462, 2e-5);
    close(gauss[0].test.mape.unwrap(), 0.0117, 0.01);
    for fits in [&erf, &gauss] {
        // Each model contains the one before.
        assert!(fits[1].train.mape.unwrap() < fits[0].train.mape.unwrap());
        assert!(fits[2].train.mape.unwrap() < 1.01 * fits[1].train.mape.unwrap());
    }
    // Three proportional columns: one number is all there is.
    for (fit, terms) in fits("relu").iter().zip(1..) {
        assert_eq!(fit.rank, 1);
        assert_eq!(fit.coefficients.is_some(), terms == 1);
        assert!(fit.test.mape.unwrap() < 1e-8);
    }
}

#[test]
fn too_few_tuples_are_refused() {
    let spec = EnsembleSpec {
        inputs: Inputs::new(vec![vec![0.3]]).unwrap(),
        ..spec("erf", 1)
    };
    let v = at(&spec, Vertex::Weight, 10.0);
    let tuples = FitSet {
        points: 1,
        four: &exact(&spec).four,
        vertex: &v,
    };
    let message = fit_function(MODELS[1], tuples, tuples)
        .unwrap_err()
        .to_string();
    assert!(message.contains("cannot fix 2 coefficients"), "{message}");
}

#[test]
fn tuples_without_a_vertex_are_counted() {
    // Antipodal ReLU points share no y.
    let spec = EnsembleSpec {
        inputs: Inputs::new(vec![vec![-0.5], vec![1.0]]).unwrap(),
        ..spec("relu", 1)
    };
    let v = at(&spec, Vertex::Full, 10.0);
    let coupling = Coupling::measure(2, &exact(&spec).four, &v).unwrap();
    assert_eq!(coupling.undefined, 3);
    assert_eq!(coupling.values.iter().flatten().count(), 2);
}

#[test]
fn nothing_is_predicted_without_an_interaction() {
    // No weights: the network is its bias, exactly Gaussian.
    let spec = spec("erf", 1).with_sigma_w(0.0);
    let v = at(&spec, Vertex::Full, 10.0);
    let moments = exact(&spec);
    assert_eq!(Coupling::measure(6, &moments.four, &v).unwrap().mean, 0.0);
    assert!(SixPoint::predict(&kernel_matrix(&spec), &moments, &v).is_none());
}

#[test]
fn one_neuron_and_one_point() {
    // ReLU, N = 1, x = 1: dG4 = 3 (3/2 - 1/4), int k^4 = L^5 / 5 / 16 on y > 0.
    let spec = EnsembleSpec {
        inputs: Inputs::new(vec![vec![1.0]]).unwrap(),
        ..spec("relu", 1).with_width(1)
    };
    let v = at(&spec, Vertex::Full, 2.0);
    let integral = 32.0 / 5.0 / 16.0;
    close(v.integral(&[0; 4]), integral, 1e-12);
    let moments = exact(&spec);
    let coupling = Coupling::measure(1, &moments.four, &v).unwrap();
    close(coupling.mean, -3.75 / (24.0 * integral), 1e-12);
    // G6 - GP = 15 (3/2 5/4 + 5.5) against 15 K 3 (5/4): the tree level has K dG4 alone.
    let six = SixPoint::predict(&kernel_matrix(&spec), &moments, &v).unwrap();
    let cumulant = 7.5 - 3.0 * 1.5 * 0.5 + 0.25;
    close(
        six.delta_mean.unwrap(),
        (1.5 * 1.25 + cumulant) / (1.5 * 1.25),
        1e-12,
    );
}

#[test]
fn errors_come_from_the_experiments() {
    let spec = spec("relu", 1);
    let v = at(&spec, Vertex::Full, 100.0);
    let mean = exact(&spec).four.mean;
    let scaled = |s: f64| mean.iter().map(|d| s * d).collect::<Vec<f64>>();
    let four = Samples {
        experiments: vec![scaled(0.9), scaled(1.1)],
        std_err: Vec::new(),
        mean: mean.clone(),
    };
    let coupling = Coupling::measure(6, &four, &v).unwrap();
    // Standard deviation 0.1 sqrt(2) of the mean, over sqrt(2) experiments.
    close(coupling.std_err.unwrap(), 0.1 * 6.25e-11, 1e-6);
}
