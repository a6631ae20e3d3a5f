//! Networks drawn one by one with explicit weights, against theory.

use super::*;

/// Numbers that look random (splitmix64).
struct Draws(u64);

impl Draws {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn uniform(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) / 2f64.powi(53)
    }

    fn of(&mut self, law: Law) -> f64 {
        match law {
            Law::Gaussian => {
                (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
            }
            Law::Rademacher => [-1.0, 1.0][(self.word() >> 63) as usize],
            _ => unreachable!("laws of these tests"),
        }
    }
}

/// The covariance of the outputs at two points, given the hidden layers of one network: 11, 12, 22.
fn covariance(net: &Net, points: &[Vec<f64>], draws: &mut Draws) -> [f64; 3] {
    let mut below = points.to_vec();
    for layer in &net.layers()[..net.depth()] {
        let fan_in = below[0].len();
        let mut above = vec![Vec::with_capacity(layer.width as usize); points.len()];
        for _ in 0..layer.width {
            let bias = layer.sigma_b * draws.of(layer.law_b);
            let mut z = vec![bias; points.len()];
            for j in 0..fan_in {
                let w = layer.sigma_w / (fan_in as f64).sqrt() * draws.of(layer.law_w);
                z.iter_mut()
                    .zip(&below)
                    .for_each(|(z, below)| *z += w * below[j]);
            }
            for (above, z) in above.iter_mut().zip(z) {
                above.push(net.activation().evaluate(z, 0.0));
            }
        }
        below = above;
    }
    let readout = net.readout();
    [[0, 0], [0, 1], [1, 1]].map(|[a, b]| {
        let sum: f64 = below[a].iter().zip(&below[b]).map(|(x, y)| x * y).sum();
        readout.sigma_b.powi(2) + readout.sigma_w.powi(2) * sum / net.width() as f64
    })
}

/// Means and their standard errors of the covariance, of products of two deviations from `kernel`, and of three.
fn measured(net: &Net, points: &[Vec<f64>], networks: usize, mean: [f64; 3]) -> [Vec<[f64; 2]>; 3] {
    let mut draws = Draws(7);
    let mut sums = [vec![[0.0; 2]; 3], vec![[0.0; 2]; 9], vec![[0.0; 2]; 27]];
    for _ in 0..networks {
        let c = covariance(net, points, &mut draws);
        let d: [f64; 3] = std::array::from_fn(|a| c[a] - mean[a]);
        let mut note = |order: usize, at: usize, x: f64| {
            sums[order][at][0] += x;
            sums[order][at][1] += x * x;
        };
        for a in 0..3 {
            note(0, a, d[a]);
            for b in 0..3 {
                note(1, 3 * a + b, d[a] * d[b]);
                for e in 0..3 {
                    note(2, 9 * a + 3 * b + e, d[a] * d[b] * d[e]);
                }
            }
        }
    }
    let n = networks as f64;
    sums.map(|sums| {
        (sums.iter())
            .map(|[sum, square]| {
                let mean = sum / n;
                [mean, ((square / n - mean * mean) / n).sqrt()]
            })
            .collect()
    })
}

fn points() -> [Vec<f64>; 2] {
    [vec![0.9, -0.4], vec![0.3, 1.1]]
}

#[test]
fn deep_linear_nets_with_biases_are_exact_at_small_widths() {
    let net = net("0.8*z+0.3", &[3, 4], 1.2, 0.3, 2);
    let layers = Layers::new(&net, &points(), 6).unwrap();
    let exact = layers.exact().unwrap();
    let k = exact.kernel();
    let [mean, second, third] = measured(&net, &points(), 200_000, [k[0][0], k[0][1], k[1][1]]);
    let pairs = layers.pairs();
    for a in 0..3 {
        assert!(mean[a][0].abs() < 4.5 * mean[a][1], "{a}: {:?}", mean[a]);
        for b in 0..3 {
            let [got, error] = second[3 * a + b];
            let want = exact.covariance(pairs[a], pairs[b]);
            assert!(
                (got - want).abs() < 4.5 * error,
                "{a} {b}: {got} +- {error}, not {want}"
            );
            for d in 0..3 {
                let [got, error] = third[9 * a + 3 * b + d];
                let want = exact.third[9 * a + 3 * b + d];
                assert!(
                    (got - want).abs() < 4.5 * error,
                    "{a} {b} {d}: {got} +- {error}, not {want}"
                );
            }
        }
    }
}

#[test]
fn first_order_is_what_networks_do_up_to_what_it_neglects() {
    for (activation, law) in [
        ("tanh(z)", Law::Gaussian),
        ("tanh(z)", Law::Rademacher),
        ("max(z,0.2*z)", Law::Gaussian),
    ] {
        let laws = vec![Law::Gaussian, law, Law::Gaussian];
        let net = net(activation, &[24, 24], 1.8, 0.1, 2)
            .with_law_w(laws)
            .unwrap();
        let layers = Layers::new(&net, &points(), 6).unwrap();
        let first = layers.first_order();
        let k = first.kernel();
        let known: [f64; 3] = std::array::from_fn(|a| {
            let [i, j] = layers.pairs()[a];
            k[i][j] + first.mean([i, j])
        });
        let [mean, second, third] = measured(&net, &points(), 60_000, known);
        let strength = first.strength[0].max(first.strength[1]);
        let pairs = layers.pairs();
        let size = |a: usize| second[4 * a][0].sqrt();
        for a in 0..3 {
            let [i, j] = pairs[a];
            let allowed = 4.5 * mean[a][1] + first.neglected(&[i, j]);
            assert!(
                mean[a][0].abs() < allowed,
                "{activation} {law} {a}: {:?} {allowed}",
                mean[a]
            );
            for b in 0..3 {
                let [got, error] = second[3 * a + b];
                let want = first.covariance(pairs[a], pairs[b]);
                let allowed = 4.5 * error + strength * size(a) * size(b);
                assert!(
                    (got - want).abs() < allowed,
                    "{activation} {law} {a} {b}: {got} +- {error}, not {want}"
                );
                for d in 0..3 {
                    let [got, error] = third[9 * a + 3 * b + d];
                    let want = first.third[9 * a + 3 * b + d];
                    let allowed = 4.5 * error
                        + 1.5
                            * strength
                            * want
                                .abs()
                                .max(0.5 * size(a) * size(b) * size(d) * strength.sqrt());
                    assert!(
                        (got - want).abs() < allowed,
                        "{activation} {law} {a} {b} {d}: {got} +- {error}, not {want}"
                    );
                }
            }
        }
        if law == Law::Rademacher {
            let normal = Layers::new(
                &net.clone().with_law_w(Law::Gaussian).unwrap(),
                &points(),
                4,
            )
            .unwrap();
            let apart = (normal.first_order().mean([0, 0]) - first.mean([0, 0])).abs();
            assert!(
                apart > 6.0 * mean[0][1],
                "the law makes no difference: {apart} {:?}",
                mean[0]
            );
        }
    }
}
