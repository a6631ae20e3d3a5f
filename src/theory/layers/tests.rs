use super::*;
use crate::model::{EnsembleSpec, Inputs, Law};
use crate::theory::{Exact, kernel as deep_kernel};

mod references;
mod sampled;

fn net(activation: &str, hidden: &[u64], vw: f64, vb: f64, d_in: usize) -> Net {
    (Net::new(activation.parse().unwrap(), d_in).with_hidden(hidden))
        .unwrap()
        .with_sigma_w(vw.sqrt())
        .with_sigma_b(vb.sqrt())
}

fn close(name: &str, values: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(values.len(), want.len());
    let size = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (k, (value, want)) in values.iter().zip(want).enumerate() {
        let distance = (value - want).abs();
        assert!(
            distance <= tolerance * size.max(1e-3),
            "{name}[{k}]: {value}, not {want}"
        );
    }
}

/// The pairs of a covariance in ascending order.
fn unique(covariance: &[Vec<f64>], factor: f64) -> Vec<f64> {
    (covariance.iter().enumerate())
        .flat_map(|(a, row)| row[a..].iter().map(move |x| x * factor))
        .collect()
}

fn times(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|x| x * factor).collect()
}

fn kernel(layer: &LayerTheory) -> Vec<f64> {
    let count = layer.kernel.len();
    (0..count)
        .flat_map(|a| layer.kernel[a][a..].to_vec())
        .collect()
}

#[test]
fn three_layers_of_sine_have_the_known_kernels_corrections_and_covariances() {
    let net = net("sin(z)", &[80, 80, 80], 1.5, 0.1, 2);
    let layers = Layers::new(&net, &[vec![0.7, -0.4], vec![0.3, 1.1]], 4).unwrap();
    let layer = |l: usize| &layers.layers()[l];
    close(
        "K1",
        &kernel(layer(0)),
        &[0.61838577, 0.05259738, 0.76263688],
        2e-8,
    );
    close(
        "K2",
        &kernel(layer(1)),
        &[0.63226, 0.13957039, 0.68682888],
        2e-8,
    );
    close(
        "K3",
        &kernel(layer(2)),
        &[0.6382189, 0.20860683, 0.66011561],
        2e-8,
    );
    let g = |l: usize| times(&layer(l).mean_correction, 80.0);
    assert_eq!(g(0), [0.0; 3]);
    // The known g are good to some 2e-7.
    close("g2", &g(1), &[-0.1002315, 0.0261453, -0.08931], 4e-6);
    close("g3", &g(2), &[-0.1608341, 0.0573127, -0.1419239], 4e-6);
    let v = |l: usize| unique(&layer(l).covariance, 80.0);
    let v1 = [
        0.2301629, -0.0236336, 0.0008568, 0.3421114, -0.0211886, 0.2736695,
    ];
    close("v1", &v(0), &v1, 2e-7);
    let v3 = [
        0.2883281, 0.0505823, 0.0065779, 0.6069345, 0.0510588, 0.2873670,
    ];
    close("v3", &v(2), &v3, 2e-7);
    assert!(layer(2).error < 1e-9, "{}", layer(2).error);
}

#[test]
fn relu_at_its_critical_point_has_the_known_values() {
    let net = net("max(z,0)", &[50, 50, 50], 2.0, 0.0, 2);
    let points = [
        vec![-0.9895229339599609, -0.5992491841316223],
        vec![-0.17877478897571564, 2.253682851791382],
    ];
    let layers = Layers::new(&net, &points, 4).unwrap();
    let layer = |l: usize| &layers.layers()[l];
    close(
        "K1",
        &kernel(layer(0)),
        &[1.33825522, 0.33099363, 5.11104682],
        2e-9,
    );
    close(
        "K3",
        &kernel(layer(2)),
        &[1.33825522, 1.39702235, 5.11104682],
        2e-9,
    );
    close(
        "g3",
        &times(&layer(2).mean_correction, 50.0),
        &[0.0, -2.4002011, 0.0],
        1e-7,
    );
    let v1 = [
        8.9546352,
        0.6245441,
        -5.3264491,
        1.4038792,
        2.3852508,
        130.6139981,
    ];
    close("v1", &unique(&layer(0).covariance, 50.0), &v1, 1e-9);
    let v3 = [
        26.8639056,
        17.0339986,
        5.9782405,
        25.8962541,
        65.0560245,
        391.8419942,
    ];
    close("v3", &unique(&layer(2).covariance, 50.0), &v3, 1e-9);
    for layer in layers.layers() {
        close("chi", &layer.chi_par, &[1.0; 2], 1e-12);
        close("chi", &layer.chi_perp, &[1.0; 2], 1e-12);
    }
}

#[test]
fn points_on_a_ray_have_one_covariance_between_them() {
    // n v / K^2 = 5 L for ReLU at sigma_w^2 = 2, 2 L for linear nets, whatever the points of a ray.
    for (activation, vw, each) in [
        ("max(z,0)", 2.0, 5.0),
        ("z", 1.0, 2.0),
        ("max(z,0.1*z)", 1.0, 0.0),
    ] {
        let net = net(activation, &[100; 4], vw, 0.0, 1);
        let layers = Layers::new(&net, &[vec![0.5], vec![2.0]], 4).unwrap();
        // E[h^4] / E[h^2]^2 - 1 of leaky ReLU.
        let each = if each > 0.0 {
            each
        } else {
            6.0 * (1.0 + 1e-4) / 1.01f64.powi(2) - 1.0
        };
        for (l, layer) in layers.layers().iter().enumerate() {
            let k = &layer.kernel;
            for (a, &[i, j]) in layers.pairs().iter().enumerate() {
                for (b, &[m, n]) in layers.pairs().iter().enumerate() {
                    let value = 100.0 * layer.covariance[a][b] / (k[i][j] * k[m][n]);
                    let want = each * (l + 1) as f64;
                    assert!(
                        (value - want).abs() < 1e-9,
                        "{activation} {l} {a} {b}: {value} {want}"
                    );
                }
                assert!(layer.mean_correction[a].abs() < 1e-12);
            }
        }
    }
}

#[test]
fn exact_moments_on_a_ray_are_products_over_layers() {
    let widths = [10u64, 4, 7];
    for (activation, factors) in [("max(z,0)", [5.0, 15.0, 44.0]), ("z", [2.0, 6.0, 8.0])] {
        let net = net(activation, &widths, 1.7, 0.0, 2);
        let layers = Layers::new(&net, &[vec![0.5, 1.0], vec![1.0, 2.0]], 6).unwrap();
        let exact = layers.exact().unwrap();
        assert!(exact.is_exact());
        let product =
            |of: &dyn Fn(f64) -> f64| widths.iter().map(|&n| of(n as f64)).product::<f64>() - 1.0;
        let four = product(&|n| 1.0 + factors[0] / n);
        let six = product(&|n| 1.0 + factors[1] / n + factors[2] / (n * n));
        for (index, want) in [(vec![0, 0, 1, 1], four), (vec![0, 0, 0, 0, 1, 1], six)] {
            let deviation = exact.deviation(&index);
            let got = deviation / (exact.correlator(&index) - deviation);
            assert!(
                (got / want - 1.0).abs() < 1e-10,
                "{activation} {index:?}: {got} {want}"
            );
            assert_eq!(exact.neglected(&index), 0.0);
        }
    }
    // Opposite points are on no ray for ReLU, and biases leave none.
    let opposite = net("max(z,0)", &widths, 2.0, 0.0, 1);
    assert!(
        Layers::new(&opposite, &[vec![1.0], vec![-1.0]], 4)
            .unwrap()
            .exact()
            .is_none()
    );
    let biased = net("max(z,0)", &widths, 2.0, 0.1, 1);
    assert!(
        Layers::new(&biased, &[vec![1.0]], 4)
            .unwrap()
            .exact()
            .is_none()
    );
}

#[test]
fn deep_linear_nets_obey_the_recursion_of_their_fourth_moments() {
    // T(12)(34) = E C12 C34: T' = sw^4 { T(12)(34) + [T(13)(24) + T(14)(23)] / n }.
    let net = net("z", &[5, 3, 8], 1.3, 0.0, 2);
    let points = [vec![0.7, -0.4], vec![0.3, 1.1]];
    let layers = Layers::new(&net, &points, 4).unwrap();
    let exact = layers.exact().unwrap();
    let all: Vec<[usize; 4]> = (0..16)
        .map(|k| [k, k / 2, k / 4, k / 8].map(|k| k % 2))
        .collect();
    let number = |[a, b, c, d]: [usize; 4]| a + 2 * b + 4 * c + 8 * d;
    let k = |a: usize, b: usize| {
        0.65 * points[a]
            .iter()
            .zip(&points[b])
            .map(|(a, b)| a * b)
            .sum::<f64>()
    };
    let mut t: Vec<f64> = all.iter().map(|&[a, b, c, d]| k(a, b) * k(c, d)).collect();
    for n in [5.0, 3.0, 8.0] {
        t = (all.iter())
            .map(|&[a, b, c, d]| {
                let crossed = t[number([a, c, b, d])] + t[number([a, d, b, c])];
                1.3f64.powi(2) * (t[number([a, b, c, d])] + crossed / n)
            })
            .collect();
    }
    for &[a, b, c, d] in &all {
        let mean = |a: usize, b: usize| exact.kernel()[a][b];
        let got = exact.covariance([a, b], [c, d]) + mean(a, b) * mean(c, d);
        let want = t[number([a, b, c, d])];
        assert!(
            (got - want).abs() < 1e-12 * want.abs().max(1.0),
            "{got} {want}"
        );
    }
}

#[test]
fn cumulants_to_leading_order_are_the_limits_of_exact_ones() {
    // Linear with biases and a constant: by averages of products of rules, and by the cones of degree 1.
    let points = [vec![0.7, -0.4], vec![0.3, 1.1]];
    for activation in ["z", "0.8*z+0.3"] {
        let net = net(activation, &[1_000_000, 2_000_000, 500_000], 1.2, 0.3, 2);
        let layers = Layers::new(&net, &points, 6).unwrap();
        let (first, exact) = (layers.first_order(), layers.exact().unwrap());
        for index in [
            vec![0, 0, 0, 1],
            vec![0, 0, 1, 1],
            vec![0, 0, 0, 0, 1, 1],
            vec![0, 0, 0, 1, 1, 1],
        ] {
            let (a, b) = (first.connected(&index), exact.connected(&index));
            assert!(
                (a / b - 1.0).abs() < 2e-5,
                "{activation} {index:?}: {a} {b}"
            );
            assert!((a - b).abs() <= first.connected_neglected(&index));
        }
    }
    // ReLU on a ray: n^2 u / K^3 = 44 L + 75 L (L - 1).
    let net = net("max(z,0)", &[1000; 3], 2.0, 0.0, 1);
    let layers = Layers::new(&net, &[vec![0.5], vec![2.0]], 6).unwrap();
    let first = layers.first_order();
    let u = first.connected(&[0, 0, 0, 1, 1, 1]) / (15.0 * first.kernel()[0][1].powi(3));
    assert!(
        (u * 1e6 / (44.0 * 3.0 + 75.0 * 6.0) - 1.0).abs() < 1e-7,
        "{u}"
    );
}

#[test]
fn first_order_leaves_out_what_it_says() {
    let points = [vec![0.7, -0.4], vec![0.3, 1.1]];
    for (activation, vw, x) in [("z", 1.0, &points[..]), ("max(z,0)", 2.0, &points[..1])] {
        for depth in [2, 5, 10] {
            let layers =
                Layers::new(&net(activation, &vec![100; depth], vw, 0.0, 2), x, 6).unwrap();
            let (first, exact) = (layers.first_order(), layers.exact().unwrap());
            for index in [vec![0; 4], vec![0; 6]] {
                let distance = (first.deviation(&index) - exact.deviation(&index)).abs();
                let left_out = first.neglected(&index);
                assert!(
                    distance > 0.3 * left_out && distance < 3.0 * left_out,
                    "{activation} {depth}: {distance} {left_out}"
                );
                let distance = (first.connected(&index) - exact.connected(&index)).abs();
                let left_out = first.connected_neglected(&index);
                assert!(
                    distance > 0.1 * left_out && distance < 3.0 * left_out,
                    "{activation} {depth}: {distance} {left_out}"
                );
            }
        }
    }
}

#[test]
fn one_hidden_layer_is_exact_whatever_the_laws() {
    let points = vec![vec![0.3], vec![-0.7], vec![1.2]];
    for (activation, laws) in [
        ("tanh(z)", [Law::Gaussian, Law::Gaussian]),
        ("tanh(z)", [Law::Gaussian, Law::Rademacher]),
        ("sin(z)", [Law::Laplace, Law::Uniform]),
        ("max(z,0)", [Law::Gaussian, Law::Laplace]),
        ("exp(z-v)", [Law::Gaussian, Law::Gaussian]),
    ] {
        let net = net(activation, &[7], 0.5, 0.2, 1)
            .with_law_w(laws.to_vec())
            .unwrap();
        let spec = EnsembleSpec {
            net: net.clone(),
            inputs: Inputs::new(points.clone()).unwrap(),
            ..EnsembleSpec::preset("erf", 1).unwrap()
        };
        let (exact, layers) = (Exact::new(&spec), Layers::new(&net, &points, 6).unwrap());
        let deep = layers.exact().unwrap();
        for index in [
            vec![0, 0, 1, 2],
            vec![0, 1, 1, 1],
            vec![0, 0, 1, 1, 2, 2],
            vec![0, 0, 0, 0, 0, 1],
        ] {
            let (a, b) = (deep.deviation(&index), exact.deviation(&index));
            assert!(
                (a - b).abs() < 1e-8 * b.abs() + exact.error(&index),
                "{activation} {laws:?} {index:?}: {a} {b}"
            );
        }
    }
}

#[test]
fn critical_points_are_the_known_ones() {
    let of = |text: &str| critical(&text.parse().unwrap());
    let close = |text: &str, [vb, vw, k]: [f64; 3], class: CriticalClass| {
        let point = of(text).unwrap();
        assert_eq!(point.class, class, "{text}");
        let got = [
            point.sigma_b.powi(2),
            point.sigma_w.powi(2),
            point.kernel.unwrap_or(-1.0),
        ];
        for (got, want) in got.iter().zip([vb, vw, k]) {
            assert!(
                (got - want).abs() < 2e-8 * want.abs().max(1e-3),
                "{text}: {got} {want}"
            );
        }
    };
    close("max(z,0)", [0.0, 2.0, -1.0], CriticalClass::ScaleInvariant);
    close(
        "max(z,0.1*z)",
        [0.0, 2.0 / 1.01, -1.0],
        CriticalClass::ScaleInvariant,
    );
    close("tanh(2*z)", [0.0, 0.25, 0.0], CriticalClass::ZeroKernel);
    close("sin(z)", [0.0, 1.0, 0.0], CriticalClass::ZeroKernel);
    close(
        "erf(z)",
        [0.0, std::f64::consts::PI / 4.0, 0.0],
        CriticalClass::ZeroKernel,
    );
    let gelu = "z*(1+erf(z/sqrt(2)))/2";
    close(
        gelu,
        [0.17292239, 1.98305826, 3.56155281],
        CriticalClass::HalfStable,
    );
    close(
        "z*sigmoid(z)",
        [0.55514317, 1.98800468, 14.32017362],
        CriticalClass::HalfStable,
    );
    for none in [
        "step(z)",
        "exp(z)",
        "sigmoid(z)",
        "cos(z)",
        "log(1+exp(z))",
        "exp(z-v)",
    ] {
        assert!(of(none).is_err(), "{none}: {:?}", of(none));
    }
    // chi is 1 there, layer by layer.
    let point = of(gelu).unwrap();
    let k = (point.kernel.unwrap() - point.sigma_b.powi(2)).sqrt() / point.sigma_w;
    let net = net(
        gelu,
        &[10; 3],
        point.sigma_w.powi(2),
        point.sigma_b.powi(2),
        1,
    );
    let layers = Layers::new(&net, &[vec![k]], 2).unwrap();
    for layer in layers.layers() {
        assert!((layer.chi_par[0] - 1.0).abs() < 1e-8 && (layer.chi_perp[0] - 1.0).abs() < 1e-8);
    }
}

#[test]
fn tanh_at_its_critical_point_has_two_thirds_of_the_depth() {
    let net = net("tanh(z)", &[1000; 100], 1.0, 0.0, 1);
    let layers = Layers::new(&net, &[vec![0.5]], 4).unwrap();
    let of = |l: usize| {
        let layer = &layers.layers()[l];
        1000.0 * layer.covariance[0][0] / layer.kernel[0][0].powi(2)
    };
    let slope = (of(99) - of(49)) / 50.0;
    assert!((slope - 2.0 / 3.0).abs() < 0.01, "{slope}");
}

#[test]
fn widths_change_without_new_averages_and_pairs_alone_agree() {
    let points: Vec<Vec<f64>> = (0..7).map(|k| vec![0.3 * f64::from(k) - 0.8]).collect();
    let narrow = net("tanh(z)", &[20, 30], 1.4, 0.1, 1);
    let wide = net("tanh(z)", &[70, 50], 1.4, 0.1, 1);
    let a = Layers::new(&narrow, &points[..3], 4)
        .unwrap()
        .at_widths(&[70, 50]);
    let b = Layers::new(&wide, &points[..3], 4).unwrap();
    let alone = Layers::new(&narrow, &points, 2)
        .unwrap()
        .at_widths(&[70, 50]);
    for (a, b) in a.layers().iter().zip(b.layers()) {
        assert_eq!(
            (&a.mean_correction, &a.covariance),
            (&b.mean_correction, &b.covariance)
        );
    }
    for (pair, g) in b.pairs().iter().zip(&b.layers()[1].mean_correction) {
        let at = alone.pairs().iter().position(|p| p == pair).unwrap();
        let other = alone.layers()[1].mean_correction[at];
        assert!((g - other).abs() < 1e-9 * g.abs(), "{g} {other}");
        assert_eq!(alone.first_order().mean(*pair), other);
    }
    assert!(alone.layers()[1].covariance.is_empty());
}

#[test]
fn repeated_and_opposite_points_have_what_one_point_has() {
    for (activation, sign) in [
        ("tanh(z)", -1.0),
        ("max(z,0)", 1.0),
        ("abs(z)", 1.0),
        ("min(max(z,-1),1)", -1.0),
    ] {
        let net = net(activation, &[20, 30, 40], 1.4, 0.0, 2);
        let (x, y) = (vec![0.7, -0.4], vec![0.3, 1.1]);
        let moved: Vec<f64> = x.iter().map(|x| sign * x).collect();
        let layers = Layers::new(&net, &[x, y, moved], 4).unwrap();
        let first = layers.first_order();
        let (a, b) = (
            first.covariance([0, 0], [0, 1]),
            first.covariance([0, 2], [1, 2]),
        );
        assert!((a - b).abs() < 1e-6 * a.abs(), "{activation}: {a} {b}");
        let (a, b) = (first.mean([0, 1]), sign * first.mean([1, 2]));
        assert!(
            (a - b).abs() < 1e-6 * first.kernel()[0][0],
            "{activation}: {a} {b}"
        );
    }
}

#[test]
fn kernels_of_deep_nets_are_those_of_their_layers() {
    let points = [vec![0.7, -0.4], vec![0.3, 1.1]];
    for activation in [
        "z*(1+erf(z/sqrt(2)))/2",
        "tanh(z)",
        "max(z,0)",
        "cos(z)",
        "exp(z-v)",
        "z*sigmoid(z)",
    ] {
        let net = net(activation, &[20, 30, 40], 0.9, 0.3, 2);
        let layers = Layers::new(&net, &points, 0).unwrap();
        for (a, x) in points.iter().enumerate() {
            for (b, y) in points.iter().enumerate() {
                let (k, want) = (deep_kernel(&net, x, y), layers.layers()[2].kernel[a][b]);
                assert!(
                    (k - want).abs() < 1e-12 * want.abs(),
                    "{activation}: {k} {want}"
                );
            }
        }
        // One layer at a time: the kernel of a shallow net whose pre-activations have the covariance before.
        let before = &layers.layers()[1].kernel;
        let (s, t) = (before[0][0].sqrt(), before[0][1] / before[0][0].sqrt());
        let root = 2f64.sqrt() * 0.9f64.sqrt().recip();
        let x = vec![root * s, 0.0];
        let y = vec![root * t, root * (before[1][1] - t * t).sqrt()];
        let shallow = Net::new(activation.parse().unwrap(), 2)
            .with_sigma_w(0.9f64.sqrt())
            .with_each_sigma_b(vec![0.0, 0.3f64.sqrt()])
            .unwrap();
        let (k, want) = (
            layers.layers()[2].kernel[0][1],
            deep_kernel(&shallow, &x, &y),
        );
        assert!(
            (k - want).abs() < 1e-11 * want.abs().max(1.0),
            "{activation}: {k} {want}"
        );
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let phases = net("cos(z)", &[20, 30], 1.0, 0.0, 1).with_law_b(vec![
        Law::Phase,
        Law::Phase,
        Law::Gaussian,
    ]);
    assert!(Layers::new(&phases.unwrap(), &[vec![1.0]], 2).is_err());
    assert!(Layers::new(&net("exp(z-v)", &[20, 30], 1.0, 0.0, 1), &[vec![1.0]], 2).is_err());
    // A phase in the first layer, and the kernel alone, are known.
    let first = net("cos(z)", &[20, 30], 1.0, 0.0, 1).with_law_b(vec![
        Law::Phase,
        Law::Gaussian,
        Law::Gaussian,
    ]);
    assert!(Layers::new(&first.unwrap(), &[vec![1.0]], 4).is_ok());
}
