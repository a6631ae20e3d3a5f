use std::collections::BTreeMap;

use super::multisets;

/// `Element` says how one moment is formed from the table of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Entry of the table itself (first moments).
    Single(usize),
    /// Product of two entries of the table.
    Product(usize, usize),
}

/// `Product` is a product of fields kept in the table: its entry is `table[left] * fields[field]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Table entry of one degree less.
    pub left: usize,
    /// Field that the left entry is multiplied by.
    pub field: usize,
}

/// A rectangle is a set of moments that are all products of one set of table entries with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rectangle {
    /// Table entry of each left factor, and the moment with the first right factor; those
    /// with the others follow it.
    pub lefts: Vec<(usize, usize)>,
    /// Table entry of each right factor.
    pub rights: Vec<usize>,
}

/// A moment plan is the arithmetic of all moments of the fields of one run, shared by every engine.
///
/// The table starts with the fields, then products of degree 2 and 3, each one multiplication, and
/// ends with 1. A moment of degree n is one more product, of the halves of its index: the 609
/// moments of 6 fields cost 609 multiply-adds and 77 multiplications per network.
#[derive(Debug, Clone)]
pub struct MomentPlan {
    fields: usize,
    products: Vec<Product>,
    elements: Vec<Element>,
    indices: Vec<Vec<usize>>,
    orders: Vec<(usize, std::ops::Range<usize>)>,
    rectangles: Vec<Rectangle>,
}

impl MomentPlan {
    /// Plans the moments of `fields` fields of the given degrees (1 to 6).
    ///
    /// # Panics
    /// If a degree is outside 1..=6.
    pub fn new(fields: usize, orders: &[usize]) -> Self {
        let all = orders.iter().map(|&n| multisets(fields, n)).collect();
        Self::of(fields, all)
    }

    /// Plans the moments of `fields` fields of all degrees up to `full`, and of those above up to `highest` (4 at
    /// most) the powers of each field by itself.
    ///
    /// # Panics
    /// If `highest` is above 4.
    pub fn with_powers(fields: usize, full: usize, highest: usize) -> Self {
        assert!(highest <= 4, "powers up to {highest}");
        let power = |n: usize| (0..fields).map(|field| vec![field; n]).collect();
        let group = |n: usize| {
            if n <= full {
                multisets(fields, n)
            } else {
                power(n)
            }
        };
        Self::of(fields, (1..=highest.max(full)).map(group).collect())
    }

    /// Plans groups of moments, each a list of sorted indices of one degree (1 to 6).
    ///
    /// # Panics
    /// If a degree is outside 1..=6.
    pub(super) fn of(fields: usize, groups: Vec<Vec<Vec<usize>>>) -> Self {
        let mut plan = Self {
            fields,
            products: Vec::new(),
            elements: Vec::new(),
            indices: Vec::new(),
            orders: Vec::new(),
            rectangles: Vec::new(),
        };
        let mut known: BTreeMap<Vec<usize>, usize> = (0..fields).map(|i| (vec![i], i)).collect();
        for group in groups {
            let (start, order) = (plan.elements.len(), group.first().map_or(1, Vec::len));
            for index in group {
                assert!(index.len() == order && (1..=6).contains(&order));
                let element = if order == 1 {
                    Element::Single(index[0])
                } else {
                    let (left, right) = index.split_at(order / 2);
                    Element::Product(plan.entry(&mut known, left), plan.entry(&mut known, right))
                };
                plan.elements.push(element);
                plan.indices.push(index);
            }
            plan.orders.push((order, start..plan.elements.len()));
        }
        plan.rectangles = plan.find_rectangles();
        plan
    }

    fn find_rectangles(&self) -> Vec<Rectangle> {
        // Consecutive elements with the same left factor, ..
        let mut runs: Vec<(usize, usize, Vec<usize>)> = Vec::new();
        for (e, element) in self.elements.iter().enumerate() {
            let (left, right) = match *element {
                Element::Single(a) => (a, self.table() - 1),
                Element::Product(a, b) => (a, b),
            };
            match runs.last_mut() {
                Some((known, _, rights)) if *known == left => rights.push(right),
                _ => runs.push((left, e, vec![right])),
            }
        }
        // .. and those runs that have the same right factors.
        let mut rectangles: Vec<Rectangle> = Vec::new();
        let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for (left, element, rights) in runs {
            let at = *known.entry(rights.clone()).or_insert_with(|| {
                rectangles.push(Rectangle {
                    lefts: Vec::new(),
                    rights,
                });
                rectangles.len() - 1
            });
            rectangles[at].lefts.push((left, element));
        }
        rectangles
    }

    fn entry(&mut self, known: &mut BTreeMap<Vec<usize>, usize>, index: &[usize]) -> usize {
        if let Some(&entry) = known.get(index) {
            return entry;
        }
        let (&field, rest) = index.split_last().expect("degree 1 is in the table");
        let left = self.entry(known, rest);
        self.products.push(Product { left, field });
        let entry = self.fields + self.products.len() - 1;
        known.insert(index.to_vec(), entry);
        entry
    }

    /// Returns the number of fields of a network.
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// Lists the products that follow the fields in the table.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Returns the number of entries of the table.
    pub fn table(&self) -> usize {
        self.fields + self.products.len() + 1
    }

    /// Lists all moments again, as rectangles of products.
    pub fn rectangles(&self) -> &[Rectangle] {
        &self.rectangles
    }

    /// Lists all moments, degree after degree.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Lists the fields that every moment is a product of.
    pub fn indices(&self) -> &[Vec<usize>] {
        &self.indices
    }

    /// Forms the table of one network's fields.
    pub fn table_of(&self, fields: &[f64]) -> Vec<f64> {
        let mut table = Vec::with_capacity(self.table());
        table.extend_from_slice(fields);
        for product in &self.products {
            table.push(table[product.left] * fields[product.field]);
        }
        table.push(1.0);
        table
    }

    /// Returns what a network of this table and weight adds to the sum of moment `m`: the same bits
    /// as [`MomentSums`](super::MomentSums) has of it alone.
    pub fn addend(&self, table: &[f64], weight: f64, m: usize) -> f64 {
        match self.elements[m] {
            Element::Single(a) => table[a] * weight,
            Element::Product(a, b) => table[a] * weight * table[b],
        }
    }

    /// Lists the degree of each group of moments with its range.
    pub fn orders(&self) -> &[(usize, std::ops::Range<usize>)] {
        &self.orders
    }
}
