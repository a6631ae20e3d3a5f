//! The rules against each other, against rules for normals, and against closed forms.

use super::super::general;
use super::*;
use crate::model::EnsembleSpec;

fn act(text: &str) -> Activation {
    text.parse().unwrap()
}

fn unit(text: &str, laws: [Law; 2], points: &[&[f64]]) -> (Activation, Unit) {
    let net = Net::new(act(text), points[0].len())
        .with_law_w(vec![laws[0], Law::Gaussian])
        .unwrap()
        .with_law_b(vec![laws[1], Law::Gaussian])
        .unwrap();
    let unit = Unit::new(&net, points.iter().copied());
    (net.activation().clone(), unit)
}

const LINE: [&[f64]; 3] = [&[0.4], &[-0.9], &[1.3]];
const PLANE: [&[f64]; 3] = [&[0.4, 0.2], &[-0.9, 0.1], &[1.3, -0.7]];

/// Whether two sets agree within their errors.
fn agree(what: &str, got: &[Moment], want: &[Moment]) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        let distance = (got.value - want.value).abs();
        assert!(
            distance <= got.error + want.error,
            "{what}: {got:?} {want:?}"
        );
    }
}

#[test]
fn rules_agree_with_closed_forms() {
    for text in [
        "cos(z)",
        "sin(2*z-0.4)",
        "z^2-z",
        "z*sin(z)",
        "exp(0.1*z-v/9)",
    ] {
        for laws in [
            [Law::Uniform, Law::Uniform],
            [Law::Laplace, Law::Gaussian],
            [Law::Rademacher, Law::Laplace],
            [Law::Gaussian, Law::Phase],
        ] {
            for points in [&LINE, &PLANE] {
                for order in [2, 4] {
                    let (activation, unit) = unit(text, laws, points);
                    let sum = Exponentials::of(activation.tape()).unwrap();
                    let want = closed::moments(&sum, &unit, order).unwrap();
                    let got = numeric(&activation, &unit, order);
                    let what = format!("{text} {laws:?} {order}");
                    agree(&what, &got, &want);
                    for (got, size) in got.iter().zip(sizes(3, order, &want)) {
                        assert!(got.error < 1e-8 * size, "{what}: {got:?} {size:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn panels_and_lattices_agree() {
    for text in ["max(z,0)", "abs(z-0.5)", "max(min(z,1),-1)"] {
        for laws in [[Law::Uniform, Law::Laplace], [Law::Gaussian, Law::Uniform]] {
            for points in [&LINE, &PLANE] {
                let (activation, unit) = unit(text, laws, points);
                let neuron = Neuron::new(&activation, &unit, 4);
                let fine = panels::moments(&neuron).unwrap();
                let rough = lattice::moments(&activation, &unit, 4);
                agree(&format!("{text} {laws:?}"), &fine, &rough);
                for (rough, size) in rough.iter().zip(sizes(3, 4, &fine)) {
                    assert!(rough.error < 1e-3 * size, "{text} {laws:?} {rough:?}");
                }
            }
        }
    }
}

#[test]
fn normals_by_these_rules_are_normals() {
    for (text, points) in [
        ("tanh(z)", &LINE),
        ("max(z,0)", &LINE),
        ("sigmoid(z)", &PLANE),
        ("step(z)", &PLANE),
    ] {
        let (activation, unit) = unit(text, [Law::Gaussian; 2], points);
        for order in [2, 4] {
            let want = general::moments(&activation, &unit.forms, order);
            let got = numeric(&activation, &unit, order);
            agree(&format!("{text} {order}"), &got, &want);
            for (got, size) in got.iter().zip(sizes(3, order, &want)) {
                assert!(got.error < 1e-8 * size, "{text} {got:?} {size:e}");
            }
        }
    }
}

#[test]
fn variates_that_do_not_matter_are_left_out() {
    let laws = [Law::Uniform, Law::Gaussian];
    let (_, two) = unit("tanh(z)", laws, &[&[0.5, 0.0, 0.2], &[-1.0, 0.0, 0.1]]);
    assert_eq!(two.laws, [Law::Uniform, Law::Uniform, Law::Gaussian]);
    // Normals are as many as the points span.
    let laws = [Law::Gaussian, Law::Laplace];
    let (_, one) = unit("tanh(z)", laws, &[&[0.5, 0.2], &[1.0, 0.4]]);
    assert_eq!(one.laws, [Law::Laplace, Law::Gaussian]);
    assert!((one.variances[0] - (1.0 + 0.29 / 2.0)).abs() < 1e-15);
}

#[test]
fn pairs_are_those_of_all_points_together() {
    for text in ["tanh(z)", "max(z,0)", "cos(z)"] {
        let net = Net::new(act(text), 1)
            .with_law_w(vec![Law::Laplace, Law::Gaussian])
            .unwrap();
        let spec = EnsembleSpec::of_net(net).unwrap();
        let second = SecondMoments::new(&spec.net);
        let points = spec.inputs.points();
        let pairs = multisets(points.len(), 2);
        for (pair, together) in pairs.iter().zip(second.of_pairs(points, &pairs)) {
            let [x, y] = [0, 1].map(|k| second.point(&points[pair[k]]));
            agree(text, &[second.of(&x, &y)], &[together]);
            assert!(together.error < 1e-12, "{text} {together:?}");
        }
    }
}

#[test]
fn a_unit_that_does_not_vary_is_a_constant() {
    let laws = [Law::Uniform, Law::Gaussian];
    let net = Net::new(act("cos(z)+0*tanh(z)"), 1)
        .with_law_w(laws.to_vec())
        .unwrap()
        .with_sigma_b(0.0);
    let unit = Unit::new(&net, [&[0.0][..]]);
    assert!(unit.laws.is_empty());
    let all = moments(net.activation(), &unit, 4);
    assert_eq!(all.len(), 1);
    assert!((all[0].value - 1.0).abs() < 1e-15 && all[0].error < 1e-13);
}

/// A net whose hidden layer has these laws.
fn net(text: &str, d_in: usize, laws: [Law; 2]) -> Net {
    Net::new(act(text), d_in)
        .with_law_w(vec![laws[0], Law::Gaussian])
        .unwrap()
        .with_law_b(vec![laws[1], Law::Gaussian])
        .unwrap()
}

/// Holds the averages of fixed points with y against those of pairs one by one.
fn lines_against_pairs(net: &Net, points: &[&[f64]], y: &[f64], precision: f64) {
    let (lines, pairs) = (
        Lines::new(net, points.iter().copied()),
        SecondMoments::new(net),
    );
    for (x, got) in points.iter().zip(lines.with(y)) {
        let want = pairs.of(&pairs.point(x), &pairs.point(y));
        let first = net.first();
        let what = format!(
            "{} {} {} {x:?} {y:?}",
            net.activation(),
            first.law_w,
            first.law_b
        );
        agree(&what, &[got.moment], &[want]);
        let stated = got.moment.error;
        assert!(
            stated <= precision * got.size,
            "{what}: {stated:e} {:e}",
            got.size
        );
    }
}

/// The averages with a steep point, against those of pairs one by one.
#[test]
fn lines_agree_with_pairs() {
    for text in ["tanh(z)", "z*sigmoid(z)", "max(z,0)", "step(z)"] {
        for laws in [
            [Law::Uniform, Law::Gaussian],
            [Law::Laplace, Law::Gaussian],
            [Law::Gaussian, Law::Uniform],
            [Law::Rademacher, Law::Laplace],
        ] {
            for points in [&LINE, &PLANE] {
                let d_in = points[0].len();
                // With kinks a pair in the plane takes a second.
                let radii = match d_in > 1 && !act(text).kinks().is_empty() {
                    true => vec![0.3, 4.0],
                    false => vec![0.0, 0.3, 1.1, 4.0],
                };
                for r in radii {
                    let y = [r, -0.37 * r];
                    let precision = if d_in == 1 { 1e-7 } else { 5e-3 };
                    lines_against_pairs(&net(text, d_in, laws), &points[..], &y[..d_in], precision);
                }
            }
        }
    }
}

/// Between kinks products of polynomials under laws without tails are polynomials, and so are their averages
/// where panels end in the right places: near points, far out, along a point and beside it.
#[test]
fn lines_with_kinks_are_exact_where_averages_are_polynomials() {
    for text in [
        "max(z,0)",
        "step(z)",
        "abs(z-0.5)",
        "max(z,0.01*z)",
        "min(1,max(-1,z))",
    ] {
        for laws in [
            [Law::Uniform, Law::Uniform],
            [Law::Uniform, Law::Phase],
            [Law::Uniform, Law::Rademacher],
            [Law::Rademacher, Law::Uniform],
        ] {
            for y in [
                [0.4, 0.2],
                [0.41, 0.21],
                [4.0, -1.48],
                [-2.7, 0.3],
                [39.0, -21.0],
                [6e3, 1e4],
            ] {
                lines_against_pairs(&net(text, 2, laws), &PLANE, &y, 1e-12);
            }
        }
    }
}

/// Far out nearly parallel planes meet along lines that cross a density within a short stretch.
#[test]
fn lines_with_kinks_know_where_densities_are_crossed() {
    for text in ["max(z,0)", "step(z)"] {
        for laws in [[Law::Gaussian, Law::Uniform], [Law::Uniform, Law::Laplace]] {
            for y in [[40.0, 20.3], [0.5, 9.0], [-300.0, 50.0]] {
                lines_against_pairs(&net(text, 2, laws), &PLANE, &y, 5e-3);
            }
        }
    }
}

/// Midpoints so many that their steps are small beside the steepest structure.
#[test]
fn lines_with_kinks_and_other_structure() {
    const NODES: i32 = 3000;
    for text in ["max(tanh(z),0)", "abs(tanh(z)-0.3)"] {
        let net = net(text, 2, [Law::Uniform, Law::Uniform]).with_sigma_b(0.0);
        let x = [0.9, -0.4];
        for y in [[1.3, 0.8], [9.0, 11.0], [60.0, -50.0]] {
            let got = Lines::new(&net, [&x[..]]).with(&y)[0].moment;
            let place = |k: i32| 3f64.sqrt() * (f64::from(2 * k + 1) / f64::from(NODES) - 1.0);
            let at = |p: &[f64; 2], w: f64, u: f64| {
                let z = (p[0] * w + p[1] * u) / std::f64::consts::SQRT_2;
                net.activation().evaluate(z, 0.5 * dot(p, p))
            };
            let row = |k: i32| -> f64 {
                let of = |l: i32| at(&x, place(k), place(l)) * at(&y, place(k), place(l));
                (0..NODES).map(of).sum()
            };
            let want = (0..NODES).map(row).sum::<f64>() / f64::from(NODES).powi(2);
            // A step of 1e-3 times the steepness of 60, squared, over 24.
            let distance = (got.value - want).abs();
            assert!(distance < got.error + 2e-4, "{text} {y:?}: {got:?} {want}");
            assert!(got.error < 1e-3, "{text} {y:?}: {got:?}");
        }
    }
}

/// A pre-activation that changes by 1000 units: midpoints so many that each step is small beside one.
#[test]
fn lines_resolve_a_steep_point() {
    let net = Net::new(act("tanh(z)"), 1)
        .with_law_w(vec![Law::Uniform, Law::Gaussian])
        .unwrap();
    let (x, y) = (0.6, 1e3);
    let lines = Lines::new(&net, [&[x][..]]);
    let got = lines.with(&[y])[0].moment;
    const NODES: i32 = 40_000;
    let mut sum = 0.0;
    for k in -24..24 {
        let b = 0.35 * (f64::from(k) + 0.5);
        let density = 0.35 * (-0.5 * b * b).exp() / std::f64::consts::TAU.sqrt();
        let midpoint = |k: i32| {
            let w = 3f64.sqrt() * ((2 * k + 1) as f64 / f64::from(NODES) - 1.0);
            (x * w + b).tanh() * (y * w + b).tanh()
        };
        sum += density * (0..NODES).map(midpoint).sum::<f64>() / f64::from(NODES);
    }
    assert!((got.value - sum).abs() < 1e-8, "{got:?} {sum}");
    assert!(got.error < 1e-8, "{got:?}");
}
