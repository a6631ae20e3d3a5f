//! This module computes the one-loop integrals of the quartic vertex.

use rayon::prelude::*;

use super::average::Moment;
use super::average::features;
use super::average::laws::Unit;
use super::bump::Bump;
use super::bump::line;
use super::cubature::{Integrand, legendre};
use super::kernel::{Field, Kernel};
use super::range::check_loops;
use super::vertex::{Vertex, check_cutoffs, natural_scale};
use crate::model::{EnsembleSpec, short};
use crate::tensor::{MomentPlan, multisets, pairings};
use crate::{Error, Result};

/// `LoopIntegrals` holds I2(12|34) = int int k(x1,y) k(x2,y) k(y,z)^2 k(x3,z) k(x4,z) dy dz over
/// the box [-L, L]^d_in twice, for all pairs of points. Every line touches a vertex and is k.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoopIntegrals {
    /// The cutoff L, in the unit of the inputs.
    pub cutoff: f64,
    points: usize,
    /// Values of I2, `[pair][pair]`, pairs in lexicographic order.
    values: Vec<Vec<f64>>,
    /// Distances of the values from a rule with fewer nodes.
    errors: Vec<Vec<f64>>,
}

impl LoopIntegrals {
    /// Returns I2(a|b).
    pub fn integral(&self, a: [usize; 2], b: [usize; 2]) -> f64 {
        self.values[self.pair(a)][self.pair(b)]
    }

    /// Returns the sum of I2 over the three channels 12|34, 13|24, 14|23.
    pub fn channels(&self, index: &[usize]) -> f64 {
        self.over_channels(&self.values, index)
    }

    /// Returns the estimated error of [`channels`](Self::channels).
    pub fn error(&self, index: &[usize]) -> f64 {
        self.over_channels(&self.errors, index)
    }

    fn over_channels(&self, of: &[Vec<f64>], index: &[usize]) -> f64 {
        (pairings(4).iter())
            .map(|p| {
                let [a, b] = [p[0], p[1]].map(|(i, j)| self.pair([index[i], index[j]]));
                of[a][b]
            })
            .sum()
    }

    fn pair(&self, [a, b]: [usize; 2]) -> usize {
        let (low, high) = (a.min(b), a.max(b));
        // Pairs that start below `low`, then those from it.
        low * (2 * self.points + 1 - low) / 2 + high - low
    }
}

/// Checks that [`loop_integrals`] can be computed, before a run that needs them.
///
/// # Errors
/// Those of [`loop_integrals`].
pub fn check_loop_cutoff(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Result<()> {
    check_cutoffs(spec, vertex, &[cutoff])?;
    if cutoff.is_infinite() && Bump::of(&spec.net).is_none() {
        let reason = "one-loop integrals need a finite box; the source's are 7 to 100000";
        return Err(Error::invalid("cutoffs", short(cutoff), reason));
    }
    check_loops(spec, vertex, cutoff)
}

/// Computes the one-loop integrals of a spec's inputs at one cutoff.
///
/// For a kernel with a Gaussian bump they are products over coordinates of one-dimensional
/// integrals over z, that over y being an error function. For any other they are the double sum
/// over the nodes of a fixed rule, good to about 1e-10 of I2 for d_in = 1, 1e-4 for d_in = 2 and
/// 1e-3 for d_in = 3 (Erf), with [`LoopIntegrals::error`] beside it. Where the kernel has no closed
/// form it is an average over one set of neurons for all pairs of nodes.
///
/// # Errors
/// Those of [`super::vertex_integrals`], and [`crate::Error::Invalid`] where they leave the range of
/// f64.
pub fn loop_integrals(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64) -> Result<LoopIntegrals> {
    check_loop_cutoff(spec, vertex, cutoff)?;
    let [fine, coarse] = match Bump::of(&spec.net) {
        Some(bump) => [24, 16].map(|rule| of_bump(spec, &bump, vertex, cutoff, rule)),
        None => {
            let (most, fewest) = if Kernel::new(&spec.net).is_slow() {
                (MAX_MATRIX, 2)
            } else if spec.net.builtin().is_none() {
                (MAX_NODES / 3, 2)
            } else {
                (MAX_NODES, 4)
            };
            let mut rules = (fewest..=16).rev();
            let largest = rules.find(|&n| node_count(spec, cutoff, n) <= most);
            let n = largest.unwrap_or(fewest);
            [n, n - 1].map(|rule| numeric(spec, vertex, cutoff, rule))
        }
    };
    let errors = (fine.iter().zip(&coarse))
        .map(|(f, c)| f.iter().zip(c).map(|(f, c)| (f - c).abs()).collect())
        .collect();
    Ok(LoopIntegrals {
        cutoff,
        points: spec.inputs.len(),
        values: fine,
        errors,
    })
}

/// The largest number of nodes of the double sum: 10^8 kernels, a second or two, if they are
/// builtins'. Other closed forms take ten times as long.
const MAX_NODES: usize = 9000;
/// The same of kernels without a closed form.
const MAX_MATRIX: usize = 400;

/// Lists the marks that split the cells; three dimensions cannot afford it.
fn marks(spec: &EnsembleSpec) -> &[Vec<f64>] {
    if spec.net.d_in() < 3 {
        spec.inputs.points()
    } else {
        &[]
    }
}

fn with_nodes<T>(spec: &EnsembleSpec, vertex: Vertex, of: impl FnOnce(&Integrand) -> T) -> T {
    let points = spec.inputs.points();
    let constant = vertex.constant(&spec.net);
    // The coordinates of the nodes themselves follow the fields.
    let kernel = Kernel::new(&spec.net);
    let of_points = Field::new(&kernel, points);
    let field = |y: &[f64], values: &mut [f64], errors: &mut [f64]| {
        let (lines, coordinates) = values.split_at_mut(points.len());
        coordinates.copy_from_slice(y);
        of_points.at(y, lines, &mut errors[..points.len()]);
        lines.iter_mut().for_each(|k| *k -= constant);
    };
    let plan = MomentPlan::new(points.len() + spec.net.d_in(), &[]);
    of(&Integrand {
        plan: &plan,
        quadratic: &plan,
        d_in: spec.net.d_in(),
        field: &field,
        homogeneous: spec.net.homogeneous() == Some(1.0),
        marks: marks(spec),
        scale: natural_scale(spec),
        tolerance: 0.0,
    })
}

fn node_count(spec: &EnsembleSpec, cutoff: f64, rule: usize) -> usize {
    with_nodes(spec, Vertex::Full, |i| i.node_count(cutoff, rule))
}

/// Computes the double sum over quadrature nodes, `[pair][pair]`.
fn numeric(spec: &EnsembleSpec, vertex: Vertex, cutoff: f64, rule: usize) -> Vec<Vec<f64>> {
    let points = spec.inputs.len();
    let constant = vertex.constant(&spec.net);
    let (fields, weights) = with_nodes(spec, vertex, |i| i.nodes(cutoff, rule));
    let pairs = multisets(points, 2);
    // Weight times the product of a pair's lines, `[node][pair]`.
    let ends: Vec<Vec<f64>> = (fields.iter().zip(&weights))
        .map(|(f, w)| pairs.iter().map(|p| w * f[p[0]] * f[p[1]]).collect())
        .collect();
    // A node is [fields, coordinates].
    let kernel = Kernel::new(&spec.net);
    let row = |lines: &mut dyn Iterator<Item = f64>| {
        let mut row = vec![0.0; pairs.len()];
        for (k, end) in lines.zip(&ends) {
            let square = (k - constant).powi(2);
            row.iter_mut().zip(end).for_each(|(r, e)| *r += square * e);
        }
        row
    };
    let places = fields.iter().map(|node| &node[points..]);
    // Kernels between vertices without a closed form are averages over one set of neurons: pairs of nodes
    // are nearly parallel by the thousand, and one by one each would take a quadrature.
    let rows: Vec<Vec<f64>> = if kernel.lacks_closed_form() {
        let unit = Unit::new(&spec.net, places);
        // Rules of different sizes have different neurons, so that the distance of the integrals
        // has the error of both.
        let shift = 0.37 * rule as f64;
        let second = features::second_moments(spec.net.activation(), &unit, shift);
        // Later layers are functions of these moments.
        let count = second.ncols();
        let of = |j: usize, k: usize| Moment::from(second[(j, k)]);
        let later: Vec<_> = (0..count).map(|k| kernel.places(of(k, k))).collect();
        (0..count)
            .into_par_iter()
            .map(|k| {
                let moment = |j: usize| kernel.after_first(of(j, k), &later[j], &later[k]);
                row(&mut (0..count).map(|j| kernel.of_hidden(moment(j).value)))
            })
            .collect()
    } else {
        let nodes: Vec<_> = places.map(|y| kernel.point(y)).collect();
        (nodes.par_iter())
            .map(|y| row(&mut nodes.iter().map(|z| kernel.at(y, z))))
            .collect()
    };
    let mut sums = vec![vec![0.0; pairs.len()]; pairs.len()];
    for (end, row) in ends.iter().zip(&rows) {
        for (sum, e) in sums.iter_mut().zip(end) {
            sum.iter_mut().zip(row).for_each(|(s, r)| *s += e * r);
        }
    }
    sums
}

/// Computes the integrals of a kernel with a Gaussian bump: k = c + sigma_w^2 e^(-a |x - y|^2)
/// expands over which lines carry the bump, and each term factorises over coordinates.
fn of_bump(
    spec: &EnsembleSpec,
    bump: &Bump,
    vertex: Vertex,
    cutoff: f64,
    rule: usize,
) -> Vec<Vec<f64>> {
    let c = vertex.constant_left(&spec.net);
    let (vw, a) = (bump.height, bump.rate);
    let points = spec.inputs.points();
    // The bumps at one vertex: none, one or two external points.
    let mut bumps: Vec<Vec<usize>> = vec![Vec::new()];
    bumps.extend(multisets(points.len(), 1));
    bumps.extend(multisets(points.len(), 2));
    // If k has no constant part every line carries its bump.
    let needed = |n: usize| c != 0.0 || n == 2;
    // [y's bumps][z's bumps][lines between that carry one]
    let table: Vec<Vec<[f64; 3]>> = (bumps.par_iter())
        .map(|at_y| {
            (bumps.iter())
                .map(|at_z| {
                    std::array::from_fn(|m| {
                        if !needed(at_y.len()) || !needed(at_z.len()) || !needed(m) {
                            return 0.0;
                        }
                        (0..spec.net.d_in())
                            .map(|i| {
                                let x = |b: &[usize]| b.iter().map(|&p| points[p][i]).collect();
                                two_lines(a, x(at_y), x(at_z), m, cutoff, rule)
                            })
                            .product()
                    })
                })
                .collect()
        })
        .collect();
    let number = |bump: &[usize]| bumps.iter().position(|b| b == bump).expect("in the list");
    // Subsets of a pair that carry bumps.
    let subsets: Vec<[(usize, usize); 4]> = (multisets(points.len(), 2).iter())
        .map(|p| {
            [(0, &[][..]), (1, &p[..1]), (1, &p[1..]), (2, &p[..])].map(|(n, b)| (n, number(b)))
        })
        .collect();
    let of = |at_y: &[(usize, usize); 4], at_z: &[(usize, usize); 4]| -> f64 {
        let mut sum = 0.0;
        for &(n, y) in at_y {
            for &(l, z) in at_z {
                for (m, ways) in [1.0, 2.0, 1.0].into_iter().enumerate() {
                    let carried = n + l + m;
                    let factor = c.powi((6 - carried) as i32) * vw.powi(carried as i32);
                    sum += ways * factor * table[y][z][m];
                }
            }
        }
        sum
    };
    (subsets.iter())
        .map(|y| subsets.iter().map(|z| of(y, z)).collect())
        .collect()
}

/// Computes int int e^(-a sum_i (y_i - y)^2 - a m (y - z)^2 - a sum_i (z_i - z)^2) dy dz over |y|,
/// |z| < L.
fn two_lines(a: f64, at_y: Vec<f64>, at_z: Vec<f64>, m: usize, cutoff: f64, rule: usize) -> f64 {
    let width = if a > 0.0 { a.powf(-0.5) } else { f64::MAX };
    let all = at_y.iter().chain(&at_z);
    let largest = all.clone().fold(0.0, |l: f64, x| l.max(x.abs()));
    // Beyond 40 widths nothing of a bump is left; without bumps the box is finite.
    let cutoff = cutoff.min(if cutoff.is_infinite() {
        largest + 40.0 * width
    } else {
        cutoff
    });
    let mut ends = vec![-cutoff, cutoff];
    for centre in all.copied().chain([-cutoff, cutoff]) {
        let steps = [0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 9.0];
        ends.extend(
            steps
                .iter()
                .flat_map(|s| [centre - s * width, centre + s * width]),
        );
    }
    ends.retain(|e| e.abs() <= cutoff);
    ends.sort_unstable_by(f64::total_cmp);
    let nodes = legendre(rule);
    let mut y = at_y.clone();
    y.resize(at_y.len() + m, 0.0);
    let mut sum = 0.0;
    for panel in ends.windows(2) {
        let (middle, half) = ((panel[0] + panel[1]) / 2.0, (panel[1] - panel[0]) / 2.0);
        if half <= 1e-12 * cutoff {
            continue;
        }
        for (t, w) in &nodes {
            let z = middle + half * t;
            y[at_y.len()..].fill(z);
            let outer: f64 = at_z.iter().map(|x| (x - z) * (x - z)).sum();
            sum += half * w * (-a * outer).exp() * line(a, &y, cutoff)[0];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inputs;

    fn spec(arch: &str, points: &[&[f64]]) -> EnsembleSpec {
        EnsembleSpec {
            inputs: Inputs::new(points.iter().map(|x| x.to_vec()).collect()).unwrap(),
            ..EnsembleSpec::preset(arch, 1)
                .unwrap()
                .with_d_in(points[0].len())
        }
    }

    #[test]
    fn relu_in_one_dimension_is_a_power() {
        // k(y, z) = |y z| / 2 for equal signs, else 0.
        let points: [f64; 2] = [0.3, 1.1];
        let spec = spec("relu", &[&points[..1], &points[1..]]);
        for l in [1.0f64, 100.0] {
            let loops = loop_integrals(&spec, Vertex::Full, l).unwrap();
            let [x, y] = points;
            let want = x * x * y * y / 64.0 * l.powi(10) / 25.0;
            assert!((loops.integral([0, 0], [1, 1]) / want - 1.0).abs() < 1e-12);
            assert!((loops.channels(&[0, 1, 1, 0]) / (3.0 * want) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn double_sum_agrees_with_the_factorised_form() {
        for (points, l, bound) in [
            ([&[0.3][..], &[-0.9][..]], 2.5, 1e-9),
            ([&[0.3, -0.4][..], &[1.2, 0.1][..]], 1.7, 1e-6),
        ] {
            let spec = spec("gauss", &points).with_sigma_w(1.2).with_sigma_b(0.6);
            for vertex in [Vertex::Full, Vertex::Weight] {
                let want = loop_integrals(&spec, vertex, l).unwrap();
                let got = numeric(&spec, vertex, l, 10);
                for (got, want) in got.concat().iter().zip(want.values.concat()) {
                    assert!((got / want - 1.0).abs() < bound, "{vertex}: {got} {want}");
                }
                let error = want.errors.concat().into_iter().fold(0.0, f64::max);
                assert!(error < 1e-9 * want.values[0][0]);
            }
        }
    }

    #[test]
    fn weight_vertices_have_a_limit() {
        let spec = spec("gauss", &[&[0.3], &[-0.9]]);
        let at = |l| {
            loop_integrals(&spec, Vertex::Weight, l)
                .unwrap()
                .channels(&[0, 0, 1, 1])
        };
        let (finite, infinite) = (at(50.0), at(f64::INFINITY));
        assert!(
            (finite / infinite - 1.0).abs() < 1e-9,
            "{finite} {infinite}"
        );
        // Gaussian integral: 2 pi / (2 sqrt(det)), exponent -a (y, z) [[4, -2], [-2, 4]] (y, z)
        // with a = 1/2, for all points at zero.
        let zero = EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.0]]).unwrap(),
            ..spec.clone()
        };
        let loops = loop_integrals(&zero, Vertex::Weight, f64::INFINITY).unwrap();
        let want = std::f64::consts::PI / (0.5 * 12.0f64.sqrt());
        assert!((loops.integral([0, 0], [0, 0]) / want - 1.0).abs() < 1e-10);
    }

    #[test]
    fn rules_agree_for_erf() {
        let spec = EnsembleSpec::preset("erf", 1).unwrap();
        let loops = loop_integrals(&spec, Vertex::Full, 100.0).unwrap();
        let index = [0, 1, 4, 5];
        assert!(loops.error(&index) < 1e-9 * loops.channels(&index));
    }
}
