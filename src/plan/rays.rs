use crate::model::{EnsembleSpec, Inputs};

/// `Rays` are points as multiples of fewer points: `x_p = c r`, `c >= 0`. An activation with act(c
/// z) = c act(z), such as max(z, 0), without biases makes networks positively homogeneous, each by
/// itself,
///
/// ```text
/// f(c r) = c f(r),   h_j(c r) = c h_j(r),   D(c r, c' r') = c c' D(r, r'),
/// ```
///
/// so that one point of every ray through the origin tells all: at d_in = 1 there are two.
#[derive(Debug, Clone, PartialEq)]
pub struct Rays {
    /// The point of each ray that is evaluated, its longest, shape `[rays][d_in]`.
    pub points: Vec<Vec<f64>>,
    /// For each of the spec's points its ray and c.
    pub multiples: Vec<(usize, f64)>,
}

impl Rays {
    /// Finds the rays of homogeneous networks; for all others each point is a ray of its own.
    pub fn of(spec: &EnsembleSpec) -> Self {
        let points = spec.inputs.points();
        if spec.net.homogeneous() != Some(1.0) {
            return Self::none(&spec.inputs);
        }
        let longest_first = {
            let mut order: Vec<usize> = (0..points.len()).collect();
            order.sort_by(|&a, &b| length(&points[b]).total_cmp(&length(&points[a])));
            order
        };
        // Of each ray its longest point: no multiple overflows.
        let mut longest: Vec<usize> = Vec::new();
        let mut multiples = vec![(0, 1.0); points.len()];
        for p in longest_first {
            let known =
                (longest.iter()).find_map(|&r| Some((r, multiple(&points[p], &points[r])?)));
            multiples[p] = known.unwrap_or_else(|| {
                longest.push(p);
                (p, 1.0)
            });
        }
        longest.sort_unstable();
        for (ray, _) in &mut multiples {
            *ray = longest.partition_point(|r| r < ray);
        }
        Self {
            points: longest.iter().map(|&r| points[r].clone()).collect(),
            multiples,
        }
    }

    /// Makes every point a ray by itself.
    pub fn none(inputs: &Inputs) -> Self {
        Self {
            points: inputs.points().to_vec(),
            multiples: (0..inputs.len()).map(|p| (p, 1.0)).collect(),
        }
    }

    /// Returns the spec of the networks that have to be drawn: at one point of each ray.
    pub fn applied_to(&self, spec: &EnsembleSpec) -> EnsembleSpec {
        EnsembleSpec {
            inputs: Inputs::new(self.points.clone()).expect("points of a valid spec"),
            ..spec.clone()
        }
    }
}

fn length(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Finds c >= 0 with x = c r up to the roundings of typed coordinates, for |x| <= |r|.
fn multiple(x: &[f64], r: &[f64]) -> Option<f64> {
    let (size, unit) = (length(x), length(r));
    let along = (0..r.len()).find(|&i| r[i].abs() == unit)?;
    let c = match unit {
        0.0 => 0.0,
        _ => x[along] / r[along],
    };
    let close = |(x, r): (&f64, &f64)| (x - c * r).abs() <= 4.0 * f64::EPSILON * size;
    (c >= 0.0 && x.iter().zip(r).all(close)).then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(points: &str) -> EnsembleSpec {
        let inputs = Inputs::parse(points).unwrap();
        EnsembleSpec::preset("relu", 1).unwrap().with_inputs(inputs)
    }

    #[test]
    fn points_are_multiples_of_the_longest_on_their_ray() {
        for (points, rays, multiples) in [
            (
                "0.5;2;-1;0;-4;1",
                "2;-4",
                &[(0, 0.25), (0, 1.0), (1, 0.25), (1, 0.0), (1, 1.0), (0, 0.5)][..],
            ),
            (
                "0.1,0.3;0.7,2.1;-0.1,-0.3;0.1,0.31",
                "0.7,2.1;-0.1,-0.3;0.1,0.31",
                &[(0, 1.0 / 7.0), (0, 1.0), (1, 1.0), (2, 1.0)],
            ),
            ("0;0", "0", &[(0, 1.0), (0, 0.0)]),
            (
                "0,1,0;0,0,1;0,3,0",
                "0,0,1;0,3,0",
                &[(1, 1.0 / 3.0), (0, 1.0), (1, 1.0)],
            ),
            (
                "1e300;1e-300;-1e-320",
                "1e300;1e-300;-1e-320",
                &[(0, 1.0), (1, 1.0), (2, 1.0)],
            ),
        ] {
            let found = Rays::of(&spec(points));
            assert_eq!(
                found.points,
                Inputs::parse(rays).unwrap().points(),
                "{points}"
            );
            for (p, (got, want)) in found.multiples.iter().zip(multiples).enumerate() {
                assert_eq!(got.0, want.0, "{points} {p}");
                assert!((got.1 - want.1).abs() < 1e-15, "{points} {p}: {got:?}");
            }
        }
    }

    fn drawn(spec: &EnsembleSpec) -> EnsembleSpec {
        Rays::of(spec).applied_to(spec)
    }

    #[test]
    fn without_homogeneity_every_point_is_its_own() {
        let relu = spec("1;2;-1;0");
        let biased = relu.clone().with_sigma_b(0.1);
        let erf = relu.clone().with_net_named("erf").unwrap();
        for spec in [biased, erf] {
            assert_eq!(
                Rays::of(&spec).multiples,
                [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]
            );
            assert_eq!(drawn(&spec), spec);
        }
        assert_eq!(drawn(&relu).inputs.points(), [[2.0], [-1.0]]);
        assert_eq!(drawn(&drawn(&relu)), drawn(&relu));
    }
}
