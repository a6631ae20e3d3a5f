use super::{Element, MomentPlan};

/// Samples that are processed side by side. Fixed, so that sums have the same bits on
/// every processor, whatever its vector width.
pub const LANES: usize = 8;

/// One number for each of [`LANES`] samples.
pub type Lanes = [f64; LANES];

/// Running sums of all elements of a [`MomentPlan`], in f64.
#[derive(Debug, Clone)]
pub struct MomentSums<'a> {
    plan: &'a MomentPlan,
    table: Vec<Lanes>,
    sums: Vec<Lanes>,
}

impl<'a> MomentSums<'a> {
    /// All sums zero.
    pub fn new(plan: &'a MomentPlan) -> Self {
        Self {
            table: vec![[0.0; LANES]; plan.points() + plan.products().len()],
            sums: vec![[0.0; LANES]; plan.elements().len()],
            plan,
        }
    }

    /// Adds [`LANES`] samples; `field` has shape `[points]`. A sample that is zero in
    /// every component adds nothing.
    pub fn add(&mut self, field: &[Lanes]) {
        add(self.plan, field, &mut self.table, &mut self.sums);
    }

    /// Adds [`LANES`] samples with weights: nodes of a quadrature, or networks drawn from
    /// another distribution. A sample of weight zero adds nothing.
    pub fn add_weighted(&mut self, field: &[Lanes], weight: &Lanes) {
        add_weighted(self.plan, field, weight, &mut self.table, &mut self.sums);
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
    "x86_64+avx512f+avx512dq+avx512vl",
    "x86_64+avx2",
    "aarch64+neon"
))]
fn add(plan: &MomentPlan, field: &[Lanes], table: &mut [Lanes], sums: &mut [Lanes]) {
    accumulate(plan, field, |x| x, table, sums);
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl",
    "x86_64+avx2",
    "aarch64+neon"
))]
fn add_weighted(
    plan: &MomentPlan,
    field: &[Lanes],
    weight: &Lanes,
    table: &mut [Lanes],
    sums: &mut [Lanes],
) {
    let weigh = |x: Lanes| std::array::from_fn(|l| x[l] * weight[l]);
    accumulate(plan, field, weigh, table, sums);
}

#[inline(always)]
fn accumulate(
    plan: &MomentPlan,
    field: &[Lanes],
    weigh: impl Fn(Lanes) -> Lanes,
    table: &mut [Lanes],
    sums: &mut [Lanes],
) {
    let points = plan.points();
    table[..points].copy_from_slice(field);
    for (k, product) in plan.products().iter().enumerate() {
        let (a, b) = (table[product.left], field[product.point]);
        table[points + k] = std::array::from_fn(|l| a[l] * b[l]);
    }
    for (sum, element) in sums.iter_mut().zip(plan.elements()) {
        let term = match *element {
            Element::Single(a) => weigh(table[a]),
            Element::Product(a, b) => {
                let (a, b) = (weigh(table[a]), &table[b]);
                std::array::from_fn(|l| a[l] * b[l])
            }
        };
        (0..LANES).for_each(|l| sum[l] += term[l]);
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
