//! Exact values of nets whose parameters have other laws than the normal one, against networks gone
//! through one by one, closed forms and sums over cells.

use nnqft_gpu::analysis::check_range;
use nnqft_gpu::model::{EnsembleSpec, Inputs, Law, Net};
use nnqft_gpu::tensor::{Tuple, Tuples, multisets};
use nnqft_gpu::theory::{
    Exact, Vertex, gp_correlator, kernel, kernel_matrix, loop_integrals, tilt, vertex_integrals,
};

fn spec(net: Net, inputs: &str) -> EnsembleSpec {
    let inputs = Inputs::parse(inputs).unwrap();
    let spec = EnsembleSpec::of_net(net.with_d_in(1)).unwrap();
    spec.with_inputs(inputs).validate().unwrap()
}

fn net(activation: &str) -> Net {
    Net::new(activation.parse().unwrap(), 1)
}

/// All n-point functions of networks of signs, each network once, `[order][element]`.
fn enumerated(spec: &EnsembleSpec, orders: &[usize]) -> Vec<Vec<f64>> {
    let net = &spec.net;
    let (d_in, d_out, width) = (net.d_in(), net.d_out(), net.width() as usize);
    let points = spec.inputs.points();
    let (first, readout) = (net.first(), net.readout());
    let signs = width * (d_in + 1 + d_out) + d_out;
    let tuples: Vec<Tuples> = (orders.iter())
        .map(|&n| Tuples::all(points.len(), d_out, n))
        .collect();
    let mut sums: Vec<Vec<f64>> = tuples.iter().map(|t| vec![0.0; t.len()]).collect();
    for network in 0..1u32 << signs {
        let mut place = 0;
        let mut sign = || {
            place += 1;
            if network >> (place - 1) & 1 == 0 {
                1.0
            } else {
                -1.0
            }
        };
        let mut f = vec![0.0; points.len() * d_out];
        for _ in 0..width {
            let weights: Vec<f64> = (0..d_in)
                .map(|_| sign() * first.sigma_w / (d_in as f64).sqrt())
                .collect();
            let bias = sign() * first.sigma_b;
            let out: Vec<f64> = (0..d_out)
                .map(|_| sign() * readout.sigma_w / (width as f64).sqrt())
                .collect();
            for (p, x) in points.iter().enumerate() {
                let z = weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias;
                let form = net.linear_form(x);
                let v = form.iter().map(|l| l * l).sum();
                let h = net.activation().evaluate(z, v);
                (0..d_out).for_each(|a| f[a * points.len() + p] += out[a] * h);
            }
        }
        for a in 0..d_out {
            let bias = sign() * readout.sigma_b;
            (0..points.len()).for_each(|p| f[a * points.len() + p] += bias);
        }
        for (tuples, sums) in tuples.iter().zip(&mut sums) {
            for (sum, fields) in sums.iter_mut().zip(tuples.fields(points.len())) {
                *sum += fields.iter().map(|&k| f[k]).product::<f64>();
            }
        }
    }
    let count = f64::from(1u32 << signs);
    sums.iter_mut().flatten().for_each(|sum| *sum /= count);
    sums
}

#[test]
fn networks_of_signs_one_by_one() {
    for (activation, width, d_out, inputs) in [
        ("tanh(z)", 2, 1, "0.3;-0.7;1.1"),
        ("max(z,0)", 3, 1, "0.3;-0.7"),
        ("cos(z)", 2, 1, "0.3,0.5;-0.7,1"),
        ("step(z-0.1)+z", 2, 1, "0.3,0.5;-0.7,1"),
        ("z^2-z", 2, 2, "0.3;-0.7"),
        ("sigmoid(z)", 1, 3, "0.3;-0.7"),
    ] {
        let net = net(activation)
            .with_width(width)
            .with_d_out(d_out)
            .with_law_w(Law::Rademacher)
            .unwrap()
            .with_law_b(Law::Rademacher)
            .unwrap()
            .with_each_sigma_w(vec![1.3, 0.8])
            .unwrap()
            .with_each_sigma_b(vec![0.6, 0.4])
            .unwrap();
        let spec = spec(net, inputs);
        let exact = Exact::new(&spec);
        let points = spec.inputs.len();
        let orders = [2, 3, 4, 5, 6];
        for (order, sums) in orders.iter().zip(enumerated(&spec, &orders)) {
            let tuples = Tuples::all(points, d_out, *order);
            for (t, want) in tuples.iter().zip(sums) {
                let got = exact.correlator(t);
                let kernel = exact.kernel();
                let size: f64 = t.points().iter().map(|&i| kernel[i][i].sqrt()).product();
                assert!(
                    (got - want).abs() < 1e-13 * size,
                    "{activation} N = {width} {t:?}: {got} {want}"
                );
                assert!(exact.error(t) < 1e-11 * size, "{activation} {t:?}");
            }
        }
    }
}

/// A rule for averages over one variate: midpoints of the distribution function's cells would be
/// slow, so that these are midpoints on the line, whose errors fall like the cells' squares.
fn cells(law: Law, count: usize) -> Vec<(f64, f64)> {
    let line = |end: f64, density: fn(f64) -> f64| {
        let step = 2.0 * end / count as f64;
        let x = move |k: usize| -end + (k as f64 + 0.5) * step;
        (0..count)
            .map(move |k| (x(k), step * density(x(k))))
            .collect()
    };
    match law {
        Law::Gaussian => line(9.0, |x: f64| {
            (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
        }),
        Law::Uniform | Law::Phase => line(3f64.sqrt(), |_| 0.5 / 3f64.sqrt()),
        Law::Rademacher => vec![(-1.0, 0.5), (1.0, 0.5)],
        Law::Laplace => line(26.0, |x| (-(2f64.sqrt()) * x.abs()).exp() / 2f64.sqrt()),
        _ => panic!("{law} has no density here"),
    }
}

/// m_4 of one unit with readout 1 and no output bias: with N = 1, K = M(12) and G^(4) = mu_4 M(1234).
fn four_by_cells(spec: &EnsembleSpec, count: usize) -> Vec<f64> {
    let first = spec.net.first();
    let forms: Vec<Vec<f64>> = (spec.inputs.points().iter())
        .map(|x| spec.net.linear_form(x))
        .collect();
    let indices = multisets(forms.len(), 4);
    let mut sums = vec![0.0; indices.len()];
    for (w, p) in cells(first.law_w, count) {
        for (b, q) in cells(first.law_b, count) {
            let h: Vec<f64> = (forms.iter())
                .map(|l| {
                    let v = l[0] * l[0] + l[1] * l[1];
                    spec.net.activation().evaluate(l[0] * w + l[1] * b, v)
                })
                .collect();
            for (sum, index) in sums.iter_mut().zip(&indices) {
                *sum += p * q * index.iter().map(|&i| h[i]).product::<f64>();
            }
        }
    }
    sums
}

#[test]
fn all_laws_of_weights_and_biases_with_and_without_kinks() {
    let laws = [Law::Gaussian, Law::Uniform, Law::Rademacher, Law::Laplace];
    for activation in ["tanh(z)", "max(z,0)", "abs(z-0.3)", "sin(z)+z/4"] {
        for (law_w, law_b) in laws.iter().flat_map(|w| laws.map(|b| (*w, b))) {
            let net = net(activation)
                .with_width(1)
                .with_law_w(vec![law_w, Law::Gaussian])
                .unwrap()
                .with_law_b(vec![law_b, Law::Gaussian])
                .unwrap()
                .with_each_sigma_b(vec![0.7, 0.0])
                .unwrap();
            let spec = spec(net, "0.4;-1.2");
            let exact = Exact::new(&spec);
            // Without kinks midpoints err by a multiple of the step's square, which Richardson's rule
            // takes off; with kinks by as much, but not always the same.
            let [fine, coarse] = [600, 300].map(|count| four_by_cells(&spec, count));
            for ((index, fine), coarse) in multisets(2, 4).iter().zip(fine).zip(coarse) {
                let want = fine + (fine - coarse) / 3.0;
                let got = exact.correlator(&index[..]) / 3.0;
                let error = 3.0 * (fine - coarse).abs().max(1e-9);
                assert!(
                    (got - want).abs() < error,
                    "{activation} {law_w} {law_b} {index:?}: {got} {want} {error:e}"
                );
                let stated = exact.error(&index[..]);
                assert!(
                    stated < 1e-10 * exact.correlator(&[0; 4]).abs().max(1.0),
                    "{activation} {law_w} {law_b} {stated:e}"
                );
            }
        }
    }
}

#[test]
fn powers_of_one_variate_by_hand() {
    // Without biases max(z, 0) takes half of the law's moments: M = l^n mu_n / 2.
    for law in [Law::Uniform, Law::Rademacher, Law::Laplace] {
        let net = net("max(z,0)")
            .with_width(1)
            .with_law_w(vec![law, Law::Rademacher])
            .unwrap()
            .with_sigma_b(0.0);
        let exact = Exact::new(&spec(net, "0.7;-0.7"));
        for order in [2, 4, 6] {
            let want = 0.5 * 0.7f64.powi(order) * law.moment(order as u32);
            let index = vec![0; order as usize];
            let got = exact.correlator(&index[..]);
            assert!(
                (got / want - 1.0).abs() < 1e-12,
                "{law} {order}: {got} {want}"
            );
            // The other point's unit is off where this one's is on.
            let mixed = exact.correlator(&[vec![0; order as usize - 1], vec![1]].concat()[..]);
            assert!(mixed.abs() < 1e-13 * want, "{law} {order}: {mixed}");
        }
    }
}

#[test]
fn areas_between_two_kinks_by_hand() {
    let sigma: f64 = 0.7;
    for (activation, law, two, four) in [
        ("step(z)", Law::Uniform, sigma / 4.0, sigma / 4.0),
        (
            "max(z,0)",
            Law::Uniform,
            sigma.powi(3) / 4.0,
            0.4 * sigma.powi(5),
        ),
        // P(|w| < sigma b) of exponential variates.
        (
            "step(z)",
            Law::Laplace,
            0.5 * sigma / (1.0 + sigma),
            0.5 * sigma / (1.0 + sigma),
        ),
    ] {
        let net = net(activation)
            .with_width(1)
            .with_law_w(vec![law, Law::Rademacher])
            .unwrap()
            .with_law_b(vec![law, Law::Gaussian])
            .unwrap()
            .with_each_sigma_b(vec![sigma, 0.0])
            .unwrap();
        let exact = Exact::new(&spec(net, "1;-1"));
        for (index, want) in [(&[0, 1][..], two), (&[0, 0, 1, 1], four)] {
            let got = exact.correlator(index);
            assert!(
                (got / want - 1.0).abs() < 1e-11,
                "{activation} {law}: {got} {want}"
            );
        }
    }
}

#[test]
fn even_powers_of_a_modulus_are_powers() {
    // |z|^2 = z^2, which has a closed form.
    for (laws, bound) in [
        ([Law::Uniform, Law::Uniform], 1e-8),
        ([Law::Gaussian, Law::Uniform], 1e-7),
        ([Law::Laplace, Law::Rademacher], 1e-9),
        ([Law::Laplace, Law::Gaussian], 1e-6),
        ([Law::Rademacher, Law::Laplace], 1e-10),
    ] {
        let of = |activation: &str| {
            let net = net(activation)
                .with_law_w(vec![laws[0], Law::Gaussian])
                .unwrap()
                .with_law_b(vec![laws[1], Law::Gaussian])
                .unwrap();
            let inputs = Inputs::parse("0.3,-0.2;1,0.4;-0.6,0.8").unwrap();
            let spec = EnsembleSpec::of_net(net).unwrap().with_inputs(inputs);
            Exact::new(&spec.validate().unwrap())
        };
        let (modulus, line) = (of("abs(z)"), of("z"));
        for index in multisets(3, 4).iter().chain(&multisets(3, 6)) {
            let count = |p: usize| index.iter().filter(|&&i| i == p).count();
            if (0..3).any(|p| count(p) % 2 == 1) {
                continue;
            }
            // Of pairings with different points |z| is another function: the connected part of one
            // unit's highest moment is what both have in common, where all points are one.
            let is_one = (0..3).any(|p| count(p) == index.len());
            let size = line.correlator(&index[..]);
            let (a, b) = (modulus.deviation(&index[..]), line.deviation(&index[..]));
            let stated = modulus.error(&index[..]);
            if is_one {
                assert!(
                    (a - b).abs() <= stated,
                    "{laws:?} {index:?}: {a} {b} {stated:e}"
                );
            }
            assert!(
                stated <= bound * size,
                "{laws:?} {index:?}: {stated:e} of {size}"
            );
        }
    }
}

#[test]
fn more_variates_than_panels_take() {
    // Without a closed form in sight: cos by quadrature, as tanh(z)^2 - tanh(z)^2 + cos(z).
    for (d_in, inputs, bound) in [
        (2, "0.3,-0.2;1,0.4;-0.6,0.8", 1e-8),
        (4, "0.3,-0.2,0.5,1;1,0.4,-1,0.2", 1e-3),
    ] {
        for laws in [
            vec![Law::Uniform, Law::Gaussian],
            vec![Law::Laplace, Law::Gaussian],
        ] {
            let of = |activation: &str| {
                let net = net(activation)
                    .with_law_w(laws.clone())
                    .unwrap()
                    .with_law_b(vec![Law::Phase, Law::Gaussian])
                    .unwrap()
                    .with_d_in(d_in);
                let spec = EnsembleSpec {
                    inputs: Inputs::parse(inputs).unwrap(),
                    orders: vec![2, 4],
                    ..EnsembleSpec::of_net(net.with_d_in(1))
                        .unwrap()
                        .with_d_in(d_in)
                };
                Exact::new(&spec.validate().unwrap())
            };
            let (closed, numeric) = (of("cos(z)"), of("cos(z)+0*tanh(z)"));
            for index in multisets(2, 4) {
                let (a, b) = (closed.deviation(&index[..]), numeric.deviation(&index[..]));
                let error = closed.error(&index[..]) + numeric.error(&index[..]);
                assert!(
                    (a - b).abs() <= error,
                    "{laws:?} {index:?}: {a} {b} {error:e}"
                );
                assert!(
                    error < bound * closed.correlator(&[0; 4]),
                    "{laws:?} {error:e}"
                );
            }
        }
    }
}

#[test]
fn signs_in_the_readout_turn_the_sign_of_the_interaction() {
    let of = |law: Law| {
        let net = Net::named("cos", 1)
            .unwrap()
            .with_law_w(vec![Law::Gaussian, law])
            .unwrap();
        Exact::new(&spec(net, "-1;0.2;0.9")).deviation(&[0, 0, 0, 0])
    };
    // (sw^4 / N) [mu_4 M(1111) - 3 M(11)^2] with M(1111) = 3/8 and M(11) = 1/2.
    for (law, mu) in [
        (Law::Gaussian, 3.0),
        (Law::Rademacher, 1.0),
        (Law::Laplace, 6.0),
    ] {
        let want = (mu * 3.0 / 8.0 - 0.75) / 100.0;
        assert!((of(law) - want).abs() < 1e-15, "{law}: {} {want}", of(law));
    }
    assert!(of(Law::Rademacher) < 0.0 && of(Law::Gaussian) > 0.0);
}

#[test]
fn what_does_not_exist_is_refused() {
    let of = |activation: &str, sigma_w: f64, orders: &[usize]| {
        let net = net(activation)
            .with_law_w(vec![Law::Laplace, Law::Gaussian])
            .unwrap()
            .with_sigma_w(sigma_w);
        let spec = spec(net, "-1;0.5");
        check_range(&EnsembleSpec {
            orders: orders.to_vec(),
            ..spec
        })
    };
    // n sigma_w |x| < sqrt 2, whatever the sign of x.
    for (sigma_w, orders, fits) in [
        (0.2, &[2, 4, 6][..], true),
        (0.24, &[2, 4, 6], false),
        (0.24, &[2, 4], true),
        (0.7, &[2], true),
        (0.71, &[2], false),
        (0.71, &[1], false),
    ] {
        let result = of("exp(z)", sigma_w, orders);
        assert_eq!(result.is_ok(), fits, "{sigma_w} {orders:?}: {result:?}");
        if let Err(error) = result {
            let text = error.to_string();
            assert!(text.starts_with("law_w laplace: the "), "{text}");
        }
    }
    assert!(of("tanh(z)", 10.0, &[6]).is_ok());
    assert!(of("z^2", 1.0, &[6]).is_ok());
    assert!(of("exp(z/2)", 0.4, &[2, 4, 6]).is_ok());
}

#[test]
fn exponentials_of_laplace_variates_near_the_limit() {
    // E exp(t x) = 1 / (1 - t^2 / 2), t close to sqrt 2 for n = 6; by quadrature with a term that
    // has no closed form but vanishes.
    let of = |activation: &str| {
        let net = net(activation)
            .with_width(1)
            .with_law_w(vec![Law::Laplace, Law::Rademacher])
            .unwrap()
            .with_sigma_w(0.22)
            .with_sigma_b(0.0);
        Exact::new(&spec(net, "1"))
    };
    let want = 0.22f64.powi(6) / (1.0 - (6.0 * 0.22f64).powi(2) / 2.0);
    for activation in ["exp(z)", "exp(z)+0*erf(z)"] {
        let got = of(activation).correlator(&[0; 6]);
        assert!(
            (got / want - 1.0).abs() < 1e-10,
            "{activation}: {got} {want}"
        );
    }
}

#[test]
fn other_laws_have_other_kernels_and_no_tilt() {
    let normal = Net::named("gauss", 1).unwrap();
    let other = |law| normal.clone().with_law_w(vec![law, Law::Gaussian]).unwrap();
    let (x, y) = ([0.8], [0.5]);
    let first = kernel(&normal, &x, &y);
    // exp(z - v): E exp(t w) e^(b^2 / 2 ..) with t = x + y, t^2 from the biases alone.
    let v: f64 = 2.0 + 0.64 + 0.25;
    let closed = 1.0 + (3f64.sqrt() * 1.3).sinh() / (3f64.sqrt() * 1.3) * (2.0 - v).exp();
    let uniform = kernel(&other(Law::Uniform), &x, &y);
    assert!((uniform - closed).abs() < 1e-13, "{uniform} {closed}");
    assert!((uniform - first).abs() > 1e-3);
    let spec = spec(other(Law::Uniform), "0.8;0.5");
    assert!(tilt(&spec).is_none());
    let matrix = kernel_matrix(&spec);
    assert!((matrix[0][1] - uniform).abs() < 1e-14);
    let two = Tuple::new(&[0, 1], &[0, 0]);
    assert_eq!(gp_correlator(&matrix, two), matrix[0][1]);
}

#[test]
fn interactions_fall_with_the_width_as_theory_has_them() {
    for law in [Law::Gaussian, Law::Uniform, Law::Rademacher, Law::Laplace] {
        for activation in ["tanh(z)", "cos(z)+0.3*z", "max(z,0)"] {
            let net = Net::new(activation.parse().unwrap(), 1)
                .with_law_w(vec![Law::Gaussian, law])
                .unwrap();
            let spec = EnsembleSpec::of_net(net).unwrap().validate().unwrap();
            let exact = Exact::new(&spec);
            let four = |n: u64| n as f64 * exact.at_width(n).deviation(&[0usize, 1, 2, 4][..]);
            // kappa_4 is 1 / N and no more; m_6 has 1 / N^2 beside it, which dies out.
            let first = four(1);
            for n in [2, 7, 100, 1_000_000] {
                assert!(
                    (four(n) / first - 1.0).abs() < 1e-9,
                    "{law} {activation} {n}"
                );
            }
            let six = |n: u64| exact.at_width(n).deviation(&[0usize, 0, 1, 2, 3, 5][..]);
            let [far, farther] = [1_000_000, 2_000_000].map(six);
            assert!(
                (far / farther / 2.0 - 1.0).abs() < 1e-4,
                "{law} {activation}"
            );
            assert!(farther.abs() < 1e-4, "{law} {activation}: {farther}");
        }
    }
}

/// A net with these laws of the hidden layer.
fn hidden(activation: &str, d_in: usize, law_w: Law, law_b: Law) -> Net {
    Net::new(activation.parse().unwrap(), d_in)
        .with_law_w(vec![law_w, Law::Gaussian])
        .unwrap()
        .with_law_b(vec![law_b, Law::Gaussian])
        .unwrap()
}

/// A term that vanishes takes the closed form away: both routes are there.
#[test]
fn integrals_over_kernels_agree_with_those_of_closed_forms() {
    for (activation, points, laws, cutoff, bound) in [
        ("cos(z)", "-1;0.5", [Law::Uniform, Law::Gaussian], 6.0, 1e-6),
        ("z^2-1", "-1;0.5", [Law::Laplace, Law::Uniform], 30.0, 1e-6),
        (
            "sin(z)+z",
            "-1,0.3;0.5,1",
            [Law::Uniform, Law::Rademacher],
            1.5,
            1e-4,
        ),
    ] {
        let d_in = points.split(';').next().unwrap().split(',').count();
        let at = |activation: &str| {
            let spec = spec(hidden(activation, d_in, laws[0], laws[1]), points);
            let vertices = vertex_integrals(&spec, Vertex::Full, &[0.4 * cutoff, cutoff]).unwrap();
            let loops = (d_in == 1).then(|| loop_integrals(&spec, Vertex::Full, cutoff).unwrap());
            (vertices, loops)
        };
        let (want, loops) = at(activation);
        let (got, of_matrices) = at(&format!("{activation}+0*erf(z)"));
        for (got, want) in got.iter().zip(&want) {
            for index in [&[0, 0][..], &[0, 1, 1, 1], &[0, 0, 0, 0, 1, 1]] {
                let distance = (got.integral(index) - want.integral(index)).abs();
                let (stated, size) = (got.error(index), want.size(index));
                assert!(
                    distance <= stated + want.error(index),
                    "{activation} {index:?}: {distance:e} {stated:e} {size:e}"
                );
                assert!(
                    stated < bound * size,
                    "{activation} {index:?}: {stated:e} {size:e}"
                );
                let slope = (got.derivative(index) - want.derivative(index)).abs();
                assert!(
                    slope < bound * want.derivative(index).abs().max(size),
                    "{slope:e}"
                );
            }
        }
        if let Some((got, want)) = of_matrices.zip(loops) {
            let index = [0, 0, 1, 1];
            let distance = (got.channels(&index) - want.channels(&index)).abs();
            let allowed = 10.0 * got.error(&index) + 1e-3 * want.channels(&index).abs();
            assert!(distance < allowed, "{activation}: {distance:e} {allowed:e}");
        }
    }
}

/// Simpson's rule over kernels one by one.
#[test]
fn integrals_agree_with_sums_over_single_kernels() {
    const PANELS: usize = 240;
    let cutoff = 3.0;
    for (activation, law_w, law_b) in [
        ("tanh(z)", Law::Uniform, Law::Gaussian),
        ("z*(1+erf(z/sqrt(2)))/2", Law::Laplace, Law::Uniform),
        ("tanh(2*z)", Law::Rademacher, Law::Laplace),
    ] {
        let net = hidden(activation, 1, law_w, law_b);
        let points = [-0.6, 1.1];
        let got =
            vertex_integrals(&spec(net.clone(), "-0.6;1.1"), Vertex::Full, &[cutoff]).unwrap();
        let (mut four, mut two) = (0.0, 0.0);
        let step = 2.0 * cutoff / PANELS as f64;
        for node in 0..=PANELS {
            let y = step * node as f64 - cutoff;
            let [a, b] = points.map(|x| kernel(&net, &[x], &[y]));
            let weight = match node {
                0 | PANELS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            four += weight * step / 3.0 * a * a * b * b;
            two += weight * step / 3.0 * a * b;
        }
        for (index, want) in [(&[0, 0, 1, 1][..], four), (&[0, 1], two)] {
            let (value, stated) = (got[0].integral(index), got[0].error(index));
            // Simpson's own error is that of the fourth derivative, of order one: step^4.
            let allowed = stated + 2.0 * step.powi(4) * got[0].size(index);
            assert!(
                (value - want).abs() < allowed,
                "{activation} {index:?}: {value} {want}"
            );
            assert!(
                stated < 1e-6 * got[0].size(index),
                "{activation}: {stated:e}"
            );
        }
    }
}

/// Without biases kernels of these nets are homogeneous: the radius is done by hand, the angle by midpoints
/// over kernels one by one.
#[test]
fn integrals_over_kernels_with_kinks_agree_with_sums_over_angles() {
    const NODES: i32 = 400;
    let points = [[0.5, 1.0], [1.0, 0.5]];
    for (activation, degree, law, bound) in [
        ("max(z,0)", 1.0, Law::Uniform, 1e-4),
        ("abs(z)", 1.0, Law::Laplace, 1e-4),
        ("step(z)", 0.0, Law::Uniform, 1e-4),
    ] {
        let net = hidden(activation, 2, law, Law::Gaussian).with_sigma_b(0.0);
        let cutoffs = [2.0, 1e4];
        let spec = spec(net.clone(), "0.5,1;1,0.5");
        let got = vertex_integrals(&spec, Vertex::Full, &cutoffs).unwrap();
        let mut of_angles = 0.0;
        for k in 0..NODES {
            let u = f64::from(2 * k + 1) / f64::from(NODES) - 1.0;
            for y in [[1.0, u], [-1.0, u], [u, 1.0], [u, -1.0]] {
                let [a, b] = points.map(|x| kernel(&net, &x, &y));
                of_angles += 2.0 / f64::from(NODES) * a * a * b * b;
            }
        }
        for (got, cutoff) in got.iter().zip(cutoffs) {
            let power = 4.0 * degree + 2.0;
            let want = of_angles * cutoff.powf(power) / power;
            let (value, stated) = (got.integral(&[0, 0, 1, 1]), got.error(&[0, 0, 1, 1]));
            // Of midpoints next to cusps: the step's square.
            let allowed = stated + (2.0 / f64::from(NODES)).powi(2) * want;
            assert!(
                (value - want).abs() < allowed,
                "{activation}: {value} {want}"
            );
            assert!(stated < bound * value, "{activation}: {stated:e} {value:e}");
        }
    }
}

#[test]
fn kernels_that_outgrow_a_law_are_not_integrated() {
    let spec = spec(
        hidden("exp(z)+0*erf(z)", 1, Law::Laplace, Law::Gaussian),
        "-0.1;0.1",
    );
    assert!(vertex_integrals(&spec, Vertex::Full, &[0.2]).is_ok());
    let error = vertex_integrals(&spec, Vertex::Full, &[10.0])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("laplace") && error.contains("does not exist"),
        "{error}"
    );
}
