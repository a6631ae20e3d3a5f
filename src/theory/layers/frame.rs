//! Points in as few normals as their pre-activations span.

use super::super::kernel::homogeneous::PARALLEL;

/// `Frame` writes the pre-activations of some points as z_p = sum_k rows[p][k] g_k of independent standard
/// normals g: Cholesky's factor of their covariance, in the order of the largest pivots.
///
/// Pivots of zero are legitimate: points that repeat or lie on a ray, and points that do not vary. They
/// add no normal.
#[derive(Debug, Clone)]
pub struct Frame {
    points: Vec<usize>,
    pub rows: Vec<Vec<f64>>,
    /// Positions among the points, one for each normal.
    pivots: Vec<usize>,
}

impl Frame {
    /// The frame of some points with the covariances `kernel` of all points.
    pub fn new(points: &[usize], kernel: &[Vec<f64>]) -> Self {
        let count = points.len();
        let of = |p: usize, q: usize| kernel[points[p]][points[q]];
        let mut rows = vec![Vec::new(); count];
        let mut left: Vec<f64> = (0..count).map(|p| of(p, p)).collect();
        let mut pivots: Vec<usize> = Vec::new();
        loop {
            // What is left of a point that others determine is the rounding of its own variance.
            let next = (0..count)
                .filter(|p| !pivots.contains(p) && left[*p] > 2.0 * PARALLEL * of(*p, *p))
                .max_by(|&a, &b| left[a].total_cmp(&left[b]));
            let Some(pivot) = next else { break };
            let root = left[pivot].sqrt();
            let with = rows[pivot].clone();
            for p in 0..count {
                let known: f64 = rows[p]
                    .iter()
                    .zip(&with)
                    .map(|(a, b): (&f64, &f64)| a * b)
                    .sum();
                let entry = match (p == pivot, pivots.contains(&p)) {
                    (true, _) => root,
                    (_, true) => 0.0,
                    _ => (of(p, pivot) - known) / root,
                };
                rows[p].push(entry);
                left[p] -= entry * entry;
            }
            pivots.push(pivot);
        }
        Self {
            points: points.to_vec(),
            rows,
            pivots,
        }
    }

    /// The points, by their numbers among all points.
    pub fn points(&self) -> &[usize] {
        &self.points
    }

    /// How many normals there are.
    pub fn rank(&self) -> usize {
        self.pivots.len()
    }

    /// The size of each normal: what it adds to the pre-activation of its pivot, which is the most that it adds
    /// to any.
    pub fn sizes(&self) -> Vec<f64> {
        let own = |(k, &p): (usize, &usize)| self.rows[p][k];
        self.pivots.iter().enumerate().map(own).collect()
    }

    /// A change of the covariance, given as a function of two points, in the normals: the symmetric matrix m
    /// with change = rows m rows^T. It is of the order of the change relative to the kernel even where points
    /// are nearly parallel.
    pub fn whitened(&self, change: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
        let rank = self.rank();
        let mut m = vec![vec![0.0; rank]; rank];
        for (i, &p) in self.pivots.iter().enumerate() {
            for (j, &q) in self.pivots.iter().enumerate() {
                m[i][j] = change(self.points[p], self.points[q]);
            }
        }
        self.solve(&mut m);
        let mut m = transposed(&m);
        self.solve(&mut m);
        m
    }

    /// The same of a symmetric tensor of four indices, along its first two and its last two.
    pub fn whitened_four(&self, change: impl Fn([usize; 4]) -> f64) -> Vec<Vec<Vec<Vec<f64>>>> {
        let rank = self.rank();
        // [k][l] for the pivots behind, whitened along the first two.
        let behind: Vec<Vec<Vec<Vec<f64>>>> = (0..rank)
            .map(|k| {
                (0..rank)
                    .map(|l| {
                        let [c, d] = [k, l].map(|k| self.points[self.pivots[k]]);
                        self.whitened(|a, b| change([a, b, c, d]))
                    })
                    .collect()
            })
            .collect();
        let mut all = vec![vec![vec![vec![0.0; rank]; rank]; rank]; rank];
        for i in 0..rank {
            for j in 0..rank {
                let mut m: Vec<Vec<f64>> = (0..rank)
                    .map(|k| (0..rank).map(|l| behind[k][l][i][j]).collect())
                    .collect();
                self.solve(&mut m);
                m = transposed(&m);
                self.solve(&mut m);
                all[i][j] = m;
            }
        }
        all
    }

    /// Solves rows x = m at the pivots, in place.
    fn solve(&self, m: &mut [Vec<f64>]) {
        for (i, &p) in self.pivots.iter().enumerate() {
            let (done, rest) = m.split_at_mut(i);
            for (k, done) in done.iter().enumerate() {
                let factor = self.rows[p][k];
                rest[0]
                    .iter_mut()
                    .zip(done)
                    .for_each(|(x, d)| *x -= factor * d);
            }
            let own = self.rows[p][i];
            rest[0].iter_mut().for_each(|x| *x /= own);
        }
    }
}

fn transposed(m: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..m.len())
        .map(|j| m.iter().map(|row| row[j]).collect())
        .collect()
}
