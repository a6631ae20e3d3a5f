//! Exact finite-width values from pre-activations of 10^-3 to 10^9, in any dimension, against
//! averages taken another way: points on the axes have independent pre-activations once the bias
//! is given, so that a moment is an integral over the bias of products of one-dimensional ones.

use gauss_quad::GaussLegendre;
use nnqft_gpu::model::{EnsembleSpec, Inputs, Net};
use nnqft_gpu::tensor::multisets;
use nnqft_gpu::theory::{Exact, kernel};

fn spec(arch: &str, sigma_w: f64, sigma_b: f64, inputs: &str) -> EnsembleSpec {
    let inputs = Inputs::parse(inputs).unwrap();
    EnsembleSpec::preset(arch, 1)
        .unwrap()
        .with_width(1)
        .with_inputs(inputs)
        .with_sigma_w(sigma_w)
        .with_sigma_b(sigma_b)
        .validate()
        .unwrap()
}

/// Nodes and weights of a standard normal's average, resolving what happens within `fine` of
/// `centre`.
fn normal(centre: f64, fine: f64) -> Vec<(f64, f64)> {
    let rule = GaussLegendre::new(20.try_into().unwrap());
    let mut ends: Vec<f64> = (-11..=11).map(f64::from).collect();
    let mut distance = fine.min(1.0) / 8.0;
    ends.push(centre);
    while distance < 30.0 {
        ends.extend([centre - distance, centre + distance]);
        distance *= 2.0;
    }
    ends.retain(|x| x.abs() <= 11.0);
    ends.sort_by(f64::total_cmp);
    let mut nodes = Vec::new();
    for pair in ends.windows(2) {
        let half = 0.5 * (pair[1] - pair[0]);
        for (x, w) in rule.iter() {
            let g = pair[0] + half * (1.0 + x);
            let density = (-0.5 * g * g).exp() / std::f64::consts::TAU.sqrt();
            nodes.push((g, w * half * density));
        }
    }
    nodes
}

/// M of a multiset of points of which number i is `lengths[i]` along axis i (in units of the
/// pre-activation), given the bias.
fn moments(act: fn(f64) -> f64, lengths: &[f64], sigma_b: f64) -> impl Fn(&[usize]) -> f64 {
    let biases = normal(0.0, 1.0 / sigma_b);
    // [bias][point][power]
    let table: Vec<Vec<Vec<f64>>> = (biases.iter())
        .map(|(b, _)| {
            let given = |a: &f64| {
                let shift = b * sigma_b;
                let mut sums = vec![0.0; 7];
                for (g, w) in normal(-shift / a, 1.0 / a) {
                    let h = act(a * g + shift);
                    let mut power = w;
                    for sum in &mut sums {
                        *sum += power;
                        power *= h;
                    }
                }
                sums
            };
            lengths.iter().map(given).collect()
        })
        .collect();
    move |index: &[usize]| {
        let count = |i: usize| index.iter().filter(|j| **j == i).count();
        (biases.iter().zip(&table))
            .map(|((_, w), at)| {
                let factors = at.iter().enumerate().map(|(i, powers)| powers[count(i)]);
                w * factors.product::<f64>()
            })
            .sum()
    }
}

const PAIRINGS: [[[usize; 2]; 3]; 15] = [
    [[0, 1], [2, 3], [4, 5]],
    [[0, 1], [2, 4], [3, 5]],
    [[0, 1], [2, 5], [3, 4]],
    [[0, 2], [1, 3], [4, 5]],
    [[0, 2], [1, 4], [3, 5]],
    [[0, 2], [1, 5], [3, 4]],
    [[0, 3], [1, 2], [4, 5]],
    [[0, 3], [1, 4], [2, 5]],
    [[0, 3], [1, 5], [2, 4]],
    [[0, 4], [1, 2], [3, 5]],
    [[0, 4], [1, 3], [2, 5]],
    [[0, 4], [1, 5], [2, 3]],
    [[0, 5], [1, 2], [3, 4]],
    [[0, 5], [1, 3], [2, 4]],
    [[0, 5], [1, 4], [2, 3]],
];

/// Connected functions of one hidden unit, and the size of the terms that cancel in them.
fn connected(m: &dyn Fn(&[usize]) -> f64, index: &[usize]) -> (f64, f64) {
    let of = |positions: &[&[usize]]| {
        let points: Vec<usize> = (positions.iter().copied().flatten())
            .map(|&p| index[p])
            .collect();
        m(&points)
    };
    let mut sum = 0.0;
    let mut size = 0.0f64;
    let mut add = |term: f64| {
        sum += term;
        size = size.max(term.abs());
    };
    if index.len() == 4 {
        for [a, b] in [[[0, 1], [2, 3]], [[0, 2], [1, 3]], [[0, 3], [1, 2]]] {
            add(of(&[&a, &b]));
            add(-of(&[&a]) * of(&[&b]));
        }
    } else {
        for [a, b, d] in PAIRINGS {
            let (ma, mb, md) = (of(&[&a]), of(&[&b]), of(&[&d]));
            add(of(&[&a, &b, &d]));
            add(-of(&[&a, &b]) * md);
            add(-of(&[&a, &d]) * mb);
            add(-of(&[&b, &d]) * ma);
            add(2.0 * ma * mb * md);
        }
    }
    (sum, size)
}

#[test]
fn points_on_the_axes_of_any_length_in_any_dimension() {
    let relu: fn(f64) -> f64 = |z| z.max(0.0);
    for (arch, act) in [("erf", libm::erf as fn(f64) -> f64), ("relu", relu)] {
        for (sigma_w, sigma_b, d_in, points) in [
            (1e-3, 0.7, 2, 2),
            (1.0, 1.0, 3, 3),
            (5.0, 1.0, 3, 3),
            (50.0, 1.0, 2, 2),
            (1.0, 10.0, 3, 3),
            (1e3, 0.5, 8, 3),
            (3.0, 1.0, 8, 6),
            (300.0, 100.0, 8, 4),
        ] {
            let x = |i: usize| -> f64 { [1.0, -0.7, 2.0, 1.3, -0.4, 0.9][i] };
            let rows: Vec<String> = (0..points)
                .map(|i| {
                    let row = (0..d_in).map(|c| if c == i { x(i) } else { 0.0 });
                    row.map(|x| x.to_string()).collect::<Vec<_>>().join(",")
                })
                .collect();
            let spec = spec(arch, sigma_w, sigma_b, &rows.join(";"));
            let exact = Exact::new(&spec);
            let scale = sigma_w / (d_in as f64).sqrt();
            let lengths: Vec<f64> = (0..points).map(|i| scale * x(i).abs()).collect();
            // The sign of a point's coordinate is that of its normal alone.
            let m = moments(act, &lengths, sigma_b);
            for order in [4, 6] {
                for index in multisets(points, order) {
                    let (want, size) = connected(&m, &index);
                    let unit = sigma_w.powi(order as i32);
                    let got = match order {
                        4 => exact.deviation(&index[..]),
                        _ => exact.connected_six(&index[..]),
                    };
                    let stated = exact.error(&index[..]);
                    let difference = (got - want * unit).abs();
                    // The rules here cancel values of either sign.
                    let squares = index.iter().map(|&i| m(&[i, i]).sqrt());
                    let rounding = 3e-12 * size + 1e-13 * squares.product::<f64>();
                    assert!(
                        difference <= stated + rounding * unit,
                        "{arch} {sigma_w} {sigma_b} {d_in} {index:?}: {got} {} stated {stated}",
                        want * unit
                    );
                    // Where K dominates, the error of the full 6-point function is that of its
                    // disconnected part.
                    assert!(stated <= 1e-8 * (size * unit).max(exact.correlator(&index[..])));
                }
            }
        }
    }
}

/// E[erf(a g)^4] and E[erf(a g)^6] by mpmath, 30 digits.
#[test]
fn one_point_far_out() {
    for (sigma_w, x, sigma_b, four, six) in [
        (50.0, "0.7", 0.5, 233142.551518535, -2275883709.47707),
        (1000.0, "-1.3", 10.0, 1030454513.29724, -4.19085089085166e15),
        (20.0, "1", 0.0, 10235.972141404, -15478207.2287163),
        (1.0, "1e6", 1.0, 1.34056460874079e-6, -5.45809716148571e-6),
    ] {
        let exact = Exact::new(&spec("erf", sigma_w, sigma_b, x));
        let got = [
            exact.deviation(&[0; 4]),
            exact.connected_six([0; 6].as_slice()),
        ];
        for (got, want) in got.iter().zip([four, six]) {
            assert!(
                (got - want).abs() < 1e-8 * f64::abs(want),
                "{x}: {got} {want}"
            );
        }
        let size = sigma_w.powi(4);
        assert!((got[0] - four).abs() < exact.error(&[0; 4]));
        assert!(exact.error(&[0; 4]) < 1e-12 * size);
    }
}

/// mpmath, 40 digits.
#[test]
fn kernels_where_the_angle_is_tiny() {
    let erf_net = Net::named("erf", 1).unwrap();
    let erf = |x: f64, y: f64| kernel(&erf_net, &[x], &[y]);
    for (x, y, want) in [
        (1e7, 1e7, 1.9999999363380228),
        (1e7, 1e8, 1.9999999269966147),
        (1e8, -1e8, 1.423525086834354e-8),
        (3e9, -1e8, 7.972587777605622e-9),
        (1e200, 1e200, 2.0),
    ] {
        let got = erf(x, y);
        assert!((got - want).abs() < 4e-16, "{x} {y}: {got} {want}");
    }
    let relu_net = Net::named("relu", 1).unwrap().with_sigma_b(1.0);
    let relu = |x: f64, y: f64| kernel(&relu_net, &[x], &[y]) - 1.0;
    let want = 0.008489851550285248;
    assert!((relu(-800.0, 1e5) / want - 1.0).abs() < 1e-13);
}

/// Nearly the same point twice, and one nearly opposite: as if they were.
#[test]
fn near_duplicates_are_duplicates() {
    let near = "1,1;1,1.0000000000003162;-1,-1.0000000000006324";
    let same = "1,1;1,1;-1,-1";
    for arch in ["relu", "erf"] {
        let [near, same] = [near, same].map(|inputs| {
            let spec = spec(arch, 1.0, 1.0, inputs);
            Exact::new(&spec)
        });
        for order in [4, 6] {
            for index in multisets(3, order) {
                let (a, b) = (near.deviation(&index[..]), same.deviation(&index[..]));
                let size = same.correlator(&index[..]);
                assert!((a - b).abs() < 1e-11 * size, "{arch} {index:?}: {a} {b}");
                assert!(near.error(&index[..]) < 1e-10 * size);
            }
        }
    }
}

#[test]
fn relu_far_from_the_origin() {
    let exact = Exact::new(&spec("relu", 1.0, 1.0, "-1000;1000;500"));
    // mpmath, 40 digits: the radius in closed form, the angle between the kinks by quadrature.
    let wants: [(&[usize], f64); 4] = [
        (&[0, 1, 1, 1], -636.6140427939045),
        (&[0, 0, 1, 1], -250000500000.24593),
        (&[1, 1, 2, 2], 937504062477.2242),
        (&[0, 0, 1, 2], -125000375013.50828),
    ];
    for (index, want) in wants {
        let got = exact.deviation(index);
        assert!((got / want - 1.0).abs() < 1e-10, "{index:?}: {got} {want}");
        assert!((got - want).abs() <= exact.error(index));
    }
}
