use super::MomentPlan;
use crate::simd::{has_fma, madd};

/// Samples that are processed side by side. Fixed, so that sums have the same bits on
/// every processor, whatever its vector width.
pub const LANES: usize = 16;

/// One number for each of [`LANES`] samples.
pub type Lanes = [f64; LANES];

/// Lanes of a sum: those of the samples folded once, so that all sums of a usual run stay in
/// a first-level cache.
const SUMS: usize = LANES / 2;

/// Running sums of all elements of a [`MomentPlan`], in f64.
#[derive(Debug, Clone)]
pub struct MomentSums<'a> {
    plan: &'a MomentPlan,
    table: Vec<Lanes>,
    sums: Vec<[f64; SUMS]>,
}

impl<'a> MomentSums<'a> {
    /// All sums zero.
    pub fn new(plan: &'a MomentPlan) -> Self {
        Self {
            // Its last entry stays 1.
            table: vec![[1.0; LANES]; plan.table()],
            sums: vec![[0.0; SUMS]; plan.elements().len()],
            plan,
        }
    }

    /// Adds [`LANES`] samples; `field` has shape `[points]`. A sample that is zero in
    /// every component adds nothing.
    pub fn add(&mut self, field: &[Lanes]) {
        add(
            self.plan,
            field,
            &[1.0; LANES],
            &mut self.table,
            &mut self.sums,
        );
    }

    /// Adds [`LANES`] samples with weights: nodes of a quadrature, or networks drawn from
    /// another distribution. A sample of weight zero adds nothing.
    pub fn add_weighted(&mut self, field: &[Lanes], weight: &Lanes) {
        add(self.plan, field, weight, &mut self.table, &mut self.sums);
    }

    /// The sums over all samples, one per element, lanes added in a fixed order; the sums
    /// are zero again afterwards.
    pub fn take(&mut self) -> Vec<f64> {
        self.sums
            .iter_mut()
            .map(|lanes| std::mem::take(lanes).iter().sum())
            .collect()
    }
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn add(
    plan: &MomentPlan,
    field: &[Lanes],
    weight: &Lanes,
    table: &mut [Lanes],
    sums: &mut [[f64; SUMS]],
) {
    accumulate::<{ has_fma!() }>(plan, field, weight, table, sums);
}

#[inline(always)]
fn accumulate<const FMA: bool>(
    plan: &MomentPlan,
    field: &[Lanes],
    weight: &Lanes,
    table: &mut [Lanes],
    sums: &mut [[f64; SUMS]],
) {
    let points = plan.points();
    table[..points].copy_from_slice(field);
    for (k, product) in plan.products().iter().enumerate() {
        let (a, b) = (table[product.left], field[product.point]);
        table[points + k] = std::array::from_fn(|l| a[l] * b[l]);
    }
    for run in plan.runs() {
        // The left factor is weighted, and read, once for all its right factors.
        let a: Lanes = std::array::from_fn(|l| table[run.left][l] * weight[l]);
        for (sum, &right) in sums[run.elements.clone()].iter_mut().zip(&run.rights) {
            let b = &table[right];
            for l in 0..SUMS {
                sum[l] = madd::<FMA>(a[l + SUMS], b[l + SUMS], madd::<FMA>(a[l], b[l], sum[l]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_products_over_the_index() {
        let plan = MomentPlan::new(3, &[1, 2, 3, 4, 5, 6]);
        let field: Vec<Lanes> = (0..3)
            .map(|i| std::array::from_fn(|l| 0.3 + 0.7 * i as f64 - 0.2 * l as f64))
            .collect();
        let mut sums = MomentSums::new(&plan);
        sums.add(&field);
        sums.add(&field);
        for (got, index) in sums.take().iter().zip(plan.indices()) {
            let want: f64 = (0..LANES)
                .map(|l| 2.0 * index.iter().map(|&i| field[i][l]).product::<f64>())
                .sum();
            assert!(
                (got - want).abs() < 1e-12 * want.abs().max(1.0),
                "{index:?}"
            );
        }
        assert!(sums.take().iter().all(|&x| x == 0.0));
    }
}
