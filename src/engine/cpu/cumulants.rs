//! Cumulants of outputs that are not Gaussian given the hidden layers are sums of products of four and six values of
//! the last of these (twin of `shaders/looped/cumulants.wgsl`), and with several hidden layers have constants that are
//! those of biases.

use super::drawing::ROWS;
use super::rows::{Tile, add_products};
use crate::model::Estimator;
use crate::plan::Drawn;
use crate::tensor::{Element, MomentPlan, connected_fields};

/// `Cumulants` says how fields are made of hidden values, the covariances among them.
#[derive(Debug, Clone)]
pub(crate) struct Cumulants {
    /// Products of hidden values, one moment for each field.
    plan: MomentPlan,
    /// Number of the covariances, which come first and are summed elsewhere.
    pairs: usize,
    /// For each cumulant a factor of the sum over units, and a constant.
    terms: Vec<(f64, f64)>,
}

impl Cumulants {
    /// Returns those of the networks; `None` if they have none, or if outputs are drawn.
    pub fn new(drawn: &Drawn) -> Option<Self> {
        let spec = drawn.spec();
        if spec.estimator == Estimator::Direct || !spec.net.has_cumulants() {
            return None;
        }
        let fields = connected_fields(spec.inputs.len(), &spec.orders, false);
        let mut orders: Vec<usize> = fields.iter().map(Vec::len).collect();
        orders.dedup();
        let parameters = drawn.parameters();
        let terms = |field: &Vec<usize>| {
            let (factor, of_bias) = parameters.cumulant(field.len() as u32);
            match spec.net.depth() {
                1 => (factor, 0.0),
                _ => (factor, of_bias),
            }
        };
        Some(Self {
            plan: MomentPlan::new(spec.inputs.len(), &orders),
            pairs: drawn.centre().len(),
            terms: fields[drawn.centre().len()..].iter().map(terms).collect(),
        })
    }

    /// Counts the products of two and three values that are kept for a group of units.
    pub fn products(&self) -> usize {
        self.plan.products().len()
    }

    /// Lists a factor of the sum over units of every cumulant, and a constant.
    pub fn terms(&self) -> &[(f64, f64)] {
        &self.terms
    }

    /// Adds the products of `rows` rows of hidden values, `[point][row]`, to the sums of the
    /// cumulants; products of two and three values go to `products`.
    #[inline(always)]
    pub fn add<const FMA: bool>(
        &self,
        values: &[f64],
        products: &mut [f64],
        sums: &mut [Tile],
        rows: usize,
    ) {
        let points = self.plan.fields();
        for (k, product) in self.plan.products().iter().enumerate() {
            let (known, to) = products.split_at_mut(k * ROWS);
            let left = match product.left.checked_sub(points) {
                Some(left) => &known[left * ROWS..][..rows],
                None => &values[product.left * ROWS..][..rows],
            };
            let value = &values[product.field * ROWS..][..rows];
            for (to, (a, b)) in to.iter_mut().zip(left.iter().zip(value)) {
                *to = a * b;
            }
        }
        let entry = |k: usize| match k.checked_sub(points) {
            Some(product) => &products[product * ROWS..][..rows],
            None => &values[k * ROWS..][..rows],
        };
        for (element, sum) in self.plan.elements()[self.pairs..].iter().zip(sums) {
            match *element {
                Element::Product(a, b) => add_products::<FMA>(sum, entry(a), entry(b)),
                Element::Single(_) => unreachable!("products of four or six"),
            }
        }
    }
}
