use super::{MomentPlan, Rectangle};
use crate::simd::{Aligned, ROW, has_fma, madd, vectorised};

/// A row holds one number for each of [`ROW`] samples.
pub type Row = [f64; ROW];

/// Length of a sum's row in registers. The length is fixed, so that sums have the same bits on
/// every processor, whatever its vector width.
const WIDE: usize = 8;

/// Length of a sum's row in memory.
const SUMS: usize = WIDE / 2;

/// `MomentSums` holds running sums of all moments of a [`MomentPlan`], in f64.
#[derive(Debug, Clone)]
pub struct MomentSums<'a> {
    plan: &'a MomentPlan,
    /// Products of fields, `[entry][sample]`.
    table: Aligned,
    /// The table times the weights of the samples.
    weighted: Aligned,
    sums: Vec<[f64; SUMS]>,
}

impl<'a> MomentSums<'a> {
    /// Starts with all sums zero.
    pub fn new(plan: &'a MomentPlan) -> Self {
        Self {
            // Its last entry stays 1.
            table: Aligned::new(1.0, plan.table() * ROW),
            weighted: Aligned::new(0.0, 0),
            sums: vec![[0.0; SUMS]; plan.elements().len()],
            plan,
        }
    }

    /// Adds [`ROW`] samples, one row for each field. A sample of which every field is zero adds
    /// nothing.
    pub fn add(&mut self, fields: &[Row]) {
        add(self.plan, fields, &mut self.table, &mut self.sums);
    }

    /// Adds [`ROW`] samples with weights: nodes of a quadrature, or networks drawn from
    /// another distribution. A sample of weight zero adds nothing.
    pub fn add_weighted(&mut self, fields: &[Row], weight: &Row) {
        if self.weighted.is_empty() {
            self.weighted = Aligned::new(0.0, self.table.len());
        }
        let (table, weighted) = (&mut self.table, &mut self.weighted);
        add_weighted(self.plan, fields, weight, table, weighted, &mut self.sums);
    }

    /// Takes the sums over all samples, one per moment, lanes added in a fixed order; the sums
    /// are zero again afterwards.
    pub fn take(&mut self) -> Vec<f64> {
        self.sums
            .iter_mut()
            .map(|lanes| std::mem::take(lanes).iter().sum())
            .collect()
    }
}

vectorised! {
    fn add(plan: &MomentPlan, fields: &[Row], table: &mut [f64], sums: &mut [[f64; SUMS]]) {
        fill(plan, fields, table);
        accumulate::<{ has_fma!() }>(plan, table, table, sums);
    }
}

vectorised! {
    fn add_weighted(
        plan: &MomentPlan,
        fields: &[Row],
        weight: &Row,
        table: &mut [f64],
        weighted: &mut [f64],
        sums: &mut [[f64; SUMS]],
    ) {
        weigh_and_add::<{ has_fma!() }>(plan, fields, weight, table, weighted, sums)
    }
}

#[inline(always)]
fn weigh_and_add<const FMA: bool>(
    plan: &MomentPlan,
    fields: &[Row],
    weight: &Row,
    table: &mut [f64],
    weighted: &mut [f64],
    sums: &mut [[f64; SUMS]],
) {
    fill(plan, fields, table);
    let (entries, out) = (
        table.as_chunks::<ROW>().0,
        weighted.as_chunks_mut::<ROW>().0,
    );
    for (out, entry) in out.iter_mut().zip(entries) {
        for l in 0..ROW {
            out[l] = entry[l] * weight[l];
        }
    }
    accumulate::<FMA>(plan, weighted, table, sums);
}

/// Fills the table of products.
#[inline(always)]
fn fill(plan: &MomentPlan, fields: &[Row], table: &mut [f64]) {
    let (table, _) = table.as_chunks_mut::<ROW>();
    table[..plan.fields()].copy_from_slice(fields);
    for (k, product) in plan.products().iter().enumerate() {
        let (known, rest) = table.split_at_mut(fields.len() + k);
        let (a, b) = (&known[product.left], &fields[product.field]);
        for l in 0..ROW {
            rest[0][l] = a[l] * b[l];
        }
    }
}

#[inline(always)]
fn accumulate<const FMA: bool>(
    plan: &MomentPlan,
    lefts: &[f64],
    rights: &[f64],
    sums: &mut [[f64; SUMS]],
) {
    for rectangle in plan.rectangles() {
        let (l, r) = (rectangle.lefts.len(), rectangle.rights.len());
        let mut i = 0;
        // Twelve sums of WIDE lanes fill the registers of AVX2; of the shapes that have as
        // many, three by two reads least.
        while l - i >= 3 {
            let mut j = 0;
            while r - j >= 2 {
                tile::<FMA, 3, 2>(plan, rectangle, (i, j), lefts, rights, sums);
                j += 2;
            }
            if r > j {
                tile::<FMA, 3, 1>(plan, rectangle, (i, j), lefts, rights, sums);
            }
            i += 3;
        }
        if l - i == 2 {
            let mut j = 0;
            while r - j >= 3 {
                tile::<FMA, 2, 3>(plan, rectangle, (i, j), lefts, rights, sums);
                j += 3;
            }
            while r > j {
                tile::<FMA, 2, 1>(plan, rectangle, (i, j), lefts, rights, sums);
                j += 1;
            }
        }
        if l - i == 1 {
            let mut j = 0;
            while r - j >= 6 {
                tile::<FMA, 1, 6>(plan, rectangle, (i, j), lefts, rights, sums);
                j += 6;
            }
            while r - j >= 2 {
                tile::<FMA, 1, 2>(plan, rectangle, (i, j), lefts, rights, sums);
                j += 2;
            }
            if r > j {
                tile::<FMA, 1, 1>(plan, rectangle, (i, j), lefts, rights, sums);
            }
        }
    }
}

/// Adds the products of A left factors from `at.0` on and B right factors from `at.1` on to
/// their sums.
#[inline(always)]
fn tile<const FMA: bool, const A: usize, const B: usize>(
    plan: &MomentPlan,
    rectangle: &Rectangle,
    at: (usize, usize),
    lefts: &[f64],
    rights: &[f64],
    sums: &mut [[f64; SUMS]],
) {
    // A length that is known at run time only: unrolled, the loop over the samples would keep
    // what it reads in registers, and its sums in memory.
    let samples = rights.len() / plan.table();
    let left: &[(usize, usize); A] = rectangle.lefts[at.0..].first_chunk().expect("A are left");
    let right: &[usize; B] = rectangle.rights[at.1..].first_chunk().expect("B are left");
    let mut x: [&[[f64; WIDE]]; A] = [&[]; A];
    for a in 0..A {
        x[a] = lefts[left[a].0 * samples..][..samples].as_chunks().0;
    }
    let mut y: [&[[f64; WIDE]]; B] = [&[]; B];
    for b in 0..B {
        y[b] = rights[right[b] * samples..][..samples].as_chunks().0;
    }
    let mut products = [[[0.0; WIDE]; B]; A];
    for step in 0..samples / WIDE {
        for a in 0..A {
            for b in 0..B {
                for l in 0..WIDE {
                    let (x, y) = (x[a][step][l], y[b][step][l]);
                    products[a][b][l] = madd::<FMA>(x, y, products[a][b][l]);
                }
            }
        }
    }
    for a in 0..A {
        let first = left[a].1 + at.1;
        for (sum, product) in sums[first..first + B].iter_mut().zip(&products[a]) {
            for l in 0..SUMS {
                sum[l] += product[l] + product[l + SUMS];
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
        let field: Vec<Row> = (0..3)
            .map(|i| std::array::from_fn(|l| 0.3 + 0.7 * i as f64 - 0.2 * l as f64))
            .collect();
        let mut sums = MomentSums::new(&plan);
        sums.add(&field);
        sums.add(&field);
        for (got, index) in sums.take().iter().zip(plan.indices()) {
            let want: f64 = (0..ROW)
                .map(|l| 2.0 * index.iter().map(|&i| field[i][l]).product::<f64>())
                .sum();
            assert!(
                (got - want).abs() < 1e-12 * want.abs().max(1.0),
                "{index:?}"
            );
        }
        assert!(sums.take().iter().all(|&x| x == 0.0));
    }

    #[test]
    fn one_sample_has_the_bits_of_its_sums() {
        let plan = MomentPlan::new(3, &[1, 2, 3, 4, 5, 6]);
        let (field, weight) = ([0.3, -1.7, 1.0 / 3.0], 0.7);
        let lane = |x: f64| std::array::from_fn(|l| if l == 0 { x } else { 0.0 });
        let mut sums = MomentSums::new(&plan);
        sums.add_weighted(&field.map(lane), &lane(weight));
        let table = plan.table_of(&field);
        for (e, sum) in sums.take().into_iter().enumerate() {
            assert_eq!(sum, plan.addend(&table, weight, e), "{e}");
        }
    }
}
