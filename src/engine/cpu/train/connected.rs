//! Readouts in training are averaged given the hidden layers: outputs are then normal at every step, with mean and
//! covariance in closed form, so that no readout is drawn and no step is gone through.

use nalgebra::{DMatrix, SymmetricEigen};

use super::super::networks::{Networks, TILE, Tile};
use super::Averages;
use crate::engine::Block;
use crate::plan::TrainPlan;
use crate::simd::vectorised;
use crate::tensor::{MomentPlan, Training};
use crate::theory::learnt;

/// `Connected` averages the moments of trained readouts over hidden layers, block after block.
pub struct Connected<'a> {
    plan: &'a TrainPlan,
    networks: Networks,
    wick: Wick,
    /// D = C - K of 16 networks for p <= q.
    drawn: Vec<Tile>,
    normal: Normal,
    /// Moments of all elements.
    moments: Vec<Tile>,
    stops: Vec<Sums>,
}

/// `Normal` is the distribution of the outputs of 16 networks at one stop; both are zero where a network counts for nothing.
struct Normal {
    /// E f less its centre, for every field.
    mean: Vec<Tile>,
    /// Cov(f(x_p), f(x_q)) of each output, for p <= q.
    covariance: Vec<Tile>,
}

/// `Sums` holds what a block has added up at one stop.
#[derive(Clone)]
struct Sums {
    moments: Vec<Tile>,
    centre: Vec<f64>,
    networks: u64,
    diverged: u64,
}

impl<'a> Connected<'a> {
    pub fn new(plan: &'a TrainPlan) -> Self {
        let (points, elements) = (plan.kernel().len(), plan.moments().indices().len());
        let zeros = |count: usize| vec![[0.0; TILE]; count];
        let pairs = points * (points + 1) / 2;
        let sums = |stop: usize| Sums {
            moments: zeros(elements),
            centre: plan.centre(stop),
            networks: 0,
            diverged: 0,
        };
        Self {
            networks: Networks::new(plan.drawn()),
            wick: Wick::new(plan.moments(), plan.fields(), points),
            drawn: zeros(pairs),
            normal: Normal {
                mean: zeros(plan.fields().len()),
                covariance: zeros(pairs),
            },
            moments: zeros(elements),
            stops: (0..plan.stops().len()).map(sums).collect(),
            plan,
        }
    }

    /// Adds the networks of a tile that belong to the block.
    fn add_tile(&mut self, experiment: u32, tile: u64, is_ours: [bool; TILE]) {
        self.networks.draw(experiment, tile, &mut self.drawn);
        let given: [Option<Given>; TILE] = std::array::from_fn(|l| match is_ours[l] {
            true => Given::new(self.plan, &self.drawn, l),
            false => None,
        });
        let mut has_diverged: [bool; TILE] =
            std::array::from_fn(|l| is_ours[l] && given[l].is_none());
        for (k, sums) in self.stops.iter_mut().enumerate() {
            for (l, given) in given.iter().enumerate() {
                let is_kept = match given {
                    Some(given) if !has_diverged[l] => {
                        given.fill(self.plan, k, &sums.centre, &mut self.normal, l)
                    }
                    _ => false,
                };
                if !is_kept {
                    self.normal.clear(l);
                }
                has_diverged[l] |= given.is_some() && !is_kept;
                sums.networks += u64::from(is_kept);
                sums.diverged += u64::from(has_diverged[l]);
            }
            add_moments(
                &self.wick,
                &self.normal,
                &mut self.moments,
                &mut sums.moments,
            );
        }
    }
}

impl Averages for Connected<'_> {
    fn add(
        &mut self,
        block: &Block,
        (group, index): (u32, u64),
        training: &mut Training,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        let (first, last, tile_size) = (block.first, block.first + block.networks, TILE as u64);
        for tile in first / tile_size..last.div_ceil(tile_size) {
            if cancelled() {
                self.stops.iter_mut().for_each(Sums::clear);
                return false;
            }
            let number = |lane: usize| tile * tile_size + lane as u64;
            let is_ours = std::array::from_fn(|l| (first..last).contains(&number(l)));
            self.add_tile(block.experiment, tile, is_ours);
        }
        for (sums, stop) in self.stops.iter_mut().zip(&mut training.stops) {
            stop.diverged += sums.diverged;
            if sums.networks > 0 {
                let networks = sums.networks as f64;
                let mean = |tile: &Tile| tile.iter().sum::<f64>() / networks;
                let means = sums.moments.iter().map(mean).collect();
                stop.elements.add_block(group, index, sums.networks, means);
            }
            sums.clear();
        }
        true
    }
}

impl Sums {
    fn clear(&mut self) {
        self.moments.fill([0.0; TILE]);
        (self.networks, self.diverged) = (0, 0);
    }
}

impl Normal {
    fn clear(&mut self, lane: usize) {
        let all = self.mean.iter_mut().chain(&mut self.covariance);
        all.for_each(|tile| tile[lane] = 0.0);
    }
}

/// `Given` is what a network does given its hidden layers, whose covariance is C: with C(X, X) = U l U^T, W = C(., X) U
/// and the filter b = (1 - (1 - eta l)^t) / l of Theta = C,
///
/// ```text
/// E f_t = W b U^T y ,    Cov f_t = W (1 - eta l)^(2 t) U^T at the data,
///                        Cov f_t = C - W (1 - (1 - eta l)^(2 t)) / l W^T at the other points,
/// ```
///
/// since what is linear in normal variates stays normal, and C(X, X) commutes with its powers.
struct Given {
    covariance: DMatrix<f64>,
    values: Vec<f64>,
    /// U, `[data][value]`.
    vectors: DMatrix<f64>,
    /// W, `[point][value]`.
    mixed: DMatrix<f64>,
    /// U^T y, `[value][output]`.
    targets: DMatrix<f64>,
}

impl Given {
    /// Takes a network from its lane; `None` if it is none of finite numbers.
    fn new(plan: &TrainPlan, drawn: &[Tile], lane: usize) -> Option<Self> {
        let (kernel, data) = (plan.kernel(), plan.spec().data.targets());
        let points = kernel.len();
        let covariance = DMatrix::from_fn(points, points, |p, q| {
            kernel[p][q] + drawn[pair(points, p.min(q), p.max(q))][lane]
        });
        if !covariance.iter().all(|c| c.is_finite()) {
            return None;
        }
        let at_data = covariance.view((0, 0), (data.len(), data.len()));
        let SymmetricEigen {
            eigenvectors,
            eigenvalues,
        } = at_data.into_owned().symmetric_eigen();
        let y = DMatrix::from_fn(data.len(), data[0].len(), |mu, a| data[mu][a]);
        Some(Self {
            mixed: covariance.columns(0, data.len()) * &eigenvectors,
            targets: eigenvectors.transpose() * y,
            values: eigenvalues.iter().copied().collect(),
            vectors: eigenvectors,
            covariance,
        })
    }

    /// Computes the distribution of the outputs at a stop; returns whether the network has not diverged by then.
    fn fill(
        &self,
        plan: &TrainPlan,
        stop: usize,
        centre: &[f64],
        normal: &mut Normal,
        l: usize,
    ) -> bool {
        let (step, rate) = (plan.stops()[stop], plan.rate());
        let filter = |steps: u64| self.values.iter().map(move |&v| learnt(v, steps, rate));
        let pull: Vec<f64> = filter(step).collect();
        let twice: Vec<f64> = filter(2 * step).collect();
        // (1 - eta l)^(2 t), without the cancellation of 1 - l b.
        let left = |value: &f64| -> f64 {
            let x = rate * value;
            let logarithm = if x < 1.0 {
                (-x).ln_1p()
            } else {
                (x - 1.0).ln()
            };
            if step == 0 {
                1.0
            } else {
                (logarithm * (2 * step) as f64).exp()
            }
        };
        let left: Vec<f64> = self.values.iter().map(left).collect();
        let (points, data) = (self.mixed.nrows(), self.vectors.nrows());
        let mean = |p: usize, a: usize| -> f64 {
            (pull.iter().enumerate())
                .map(|(k, b)| self.mixed[(p, k)] * b * self.targets[(k, a)])
                .sum()
        };
        let mut loss = 0.0;
        let mut is_finite = true;
        let outputs = self.targets.ncols();
        for p in 0..points {
            for q in p..points {
                let value = if p < data {
                    let terms = left.iter().enumerate();
                    terms
                        .map(|(k, g)| self.mixed[(q, k)] * g * self.vectors[(p, k)])
                        .sum()
                } else {
                    let terms = twice.iter().enumerate();
                    let moved: f64 = terms
                        .map(|(k, b)| self.mixed[(p, k)] * b * self.mixed[(q, k)])
                        .sum();
                    self.covariance[(p, q)] - moved
                };
                normal.covariance[pair(points, p, q)][l] = value;
                is_finite &= value.is_finite();
                if p == q && p < data {
                    loss += outputs as f64 * value;
                }
            }
        }
        let fields = plan.fields().iter().zip(centre);
        for ((&(a, p), centre), place) in fields.zip(&mut normal.mean) {
            place[l] = mean(p, a) - centre;
            is_finite &= place[l].is_finite();
        }
        for (mu, targets) in plan.spec().data.targets().iter().enumerate() {
            let errors = targets.iter().enumerate().map(|(a, y)| mean(mu, a) - y);
            loss += errors.map(|error| error * error).sum::<f64>();
        }
        // NaN is no number below the bound.
        is_finite && loss <= plan.bound()
    }
}

/// Returns the place of p <= q among all pairs.
fn pair(points: usize, p: usize, q: usize) -> usize {
    p * points - p * (p + 1) / 2 + q
}

/// `Wick` knows how the moments of normal fields follow from each other,
///
/// ```text
/// E[f_1 f_2 .. f_n] = E f_1 E[f_2 .. f_n] + sum_k Cov(f_1, f_k) E[the others] .
/// ```
struct Wick(Vec<Recipe>);

struct Recipe {
    first: usize,
    /// Element of the others; `None` if there are none.
    rest: Option<usize>,
    /// Pairs of points of the first field and another of the same output, with the element of what is left.
    pairs: Vec<(usize, Option<usize>)>,
}

impl Wick {
    fn new(plan: &MomentPlan, fields: &[(usize, usize)], points: usize) -> Self {
        let places: std::collections::BTreeMap<&[usize], usize> =
            (plan.indices().iter().enumerate())
                .map(|(e, index)| (&index[..], e))
                .collect();
        let place = |index: &[usize]| (!index.is_empty()).then(|| places[index]);
        let recipe = |index: &Vec<usize>| {
            let (&first, rest) = index.split_first().expect("no element is of no field");
            let (output, p) = fields[first];
            let pairs = rest.iter().enumerate().filter_map(|(k, &other)| {
                let (b, q) = fields[other];
                let left: Vec<usize> = [&rest[..k], &rest[k + 1..]].concat();
                (b == output).then(|| (pair(points, p.min(q), p.max(q)), place(&left)))
            });
            Recipe {
                first,
                rest: place(rest),
                pairs: pairs.collect(),
            }
        };
        Self(plan.indices().iter().map(recipe).collect())
    }
}

vectorised! {
    fn add_moments(wick: &Wick, normal: &Normal, moments: &mut [Tile], sums: &mut [Tile]) {
        add_all_moments(wick, normal, moments, sums)
    }
}

/// Computes the moments of all elements, those of lower orders first, and adds them.
#[inline(always)]
fn add_all_moments(wick: &Wick, normal: &Normal, moments: &mut [Tile], sums: &mut [Tile]) {
    const ONE: Tile = [1.0; TILE];
    for (e, recipe) in wick.0.iter().enumerate() {
        let (lower, rest) = moments.split_at_mut(e);
        let at = |place: Option<usize>| place.map_or(&ONE, |place| &lower[place]);
        let (mean, others) = (&normal.mean[recipe.first], at(recipe.rest));
        let moment = &mut rest[0];
        for l in 0..TILE {
            moment[l] = mean[l] * others[l];
        }
        for &(pair, left) in &recipe.pairs {
            let (covariance, left) = (&normal.covariance[pair], at(left));
            for l in 0..TILE {
                moment[l] += covariance[l] * left[l];
            }
        }
        for l in 0..TILE {
            sums[e][l] += moment[l];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::multisets;

    #[test]
    fn pairs_are_numbered_as_fields_are() {
        for (k, index) in multisets(5, 2).iter().enumerate() {
            assert_eq!(pair(5, index[0], index[1]), k);
        }
    }
}
