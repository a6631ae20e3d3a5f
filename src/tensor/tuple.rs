use super::{multisets, pairings};

/// A tuple holds the arguments of one n-point function: points, and the output index of each if the
/// networks have several outputs.
#[derive(Debug, Clone, Copy)]
pub struct Tuple<'a> {
    points: &'a [usize],
    outputs: Option<&'a [usize]>,
}

impl<'a> Tuple<'a> {
    /// Makes a tuple of points, `outputs[k]` being the output that is evaluated at `points[k]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(points: &'a [usize], outputs: &'a [usize]) -> Self {
        assert_eq!(points.len(), outputs.len());
        Self {
            points,
            outputs: Some(outputs),
        }
    }

    /// Returns the order n.
    pub fn order(&self) -> usize {
        self.points.len()
    }

    /// Lists the points.
    pub fn points(&self) -> &'a [usize] {
        self.points
    }

    /// Lists the output at each point, if there are several outputs.
    pub fn outputs(&self) -> Option<&'a [usize]> {
        self.outputs
    }

    /// Splits the arguments into those at the positions in `set`, a bit mask, and the others.
    pub(crate) fn split(&self, set: u32) -> (OwnedTuple, OwnedTuple) {
        let part = |wanted: bool| {
            let pick = |all: &[usize]| -> Vec<usize> {
                let at = |k: &usize| (set >> k & 1 == 1) == wanted;
                (0..all.len()).filter(at).map(|k| all[k]).collect()
            };
            OwnedTuple {
                points: pick(self.points),
                outputs: self.outputs.map(pick),
            }
        };
        (part(true), part(false))
    }

    /// Lists the perfect pairings of the n positions that join equal outputs: given the hidden
    /// layers, outputs are independent.
    pub fn pairings(&self) -> Vec<Vec<(usize, usize)>> {
        let mut all = pairings(self.order());
        if let Some(o) = self.outputs {
            all.retain(|pairing| pairing.iter().all(|&(a, b)| o[a] == o[b]));
        }
        all
    }
}

/// `OwnedTuple` is a [`Tuple`] that owns its arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnedTuple {
    pub points: Vec<usize>,
    outputs: Option<Vec<usize>>,
}

impl OwnedTuple {
    /// Borrows the arguments.
    pub fn tuple(&self) -> Tuple<'_> {
        Tuple {
            points: &self.points,
            outputs: self.outputs.as_deref(),
        }
    }
}

impl<'a> From<&'a [usize]> for Tuple<'a> {
    fn from(points: &'a [usize]) -> Self {
        let outputs = None;
        Self { points, outputs }
    }
}

impl<'a> From<&'a Vec<usize>> for Tuple<'a> {
    fn from(points: &'a Vec<usize>) -> Self {
        points[..].into()
    }
}

impl<'a, const N: usize> From<&'a [usize; N]> for Tuple<'a> {
    fn from(points: &'a [usize; N]) -> Self {
        points[..].into()
    }
}

/// `Tuples` is a list of the unique elements of n-point tensors.
#[derive(Debug, Clone, Default)]
pub struct Tuples {
    /// Points of each element.
    pub points: Vec<Vec<usize>>,
    /// Outputs of each element, beside the points; empty if there is one output.
    pub outputs: Vec<Vec<usize>>,
}

impl Tuples {
    /// Lists all elements that are independent under simultaneous permutation of points and
    /// outputs: multisets of the P x d_out fields f_a(x_p), number a P + p.
    pub fn all(points: usize, d_out: usize, order: usize) -> Self {
        let fields = multisets(points * d_out, order);
        let part = |of: &dyn Fn(usize) -> usize| -> Vec<Vec<usize>> {
            (fields.iter())
                .map(|f| f.iter().map(|&f| of(f)).collect())
                .collect()
        };
        Self {
            points: part(&|f| f % points),
            outputs: if d_out > 1 {
                part(&|f| f / points)
            } else {
                Vec::new()
            },
        }
    }

    /// Lists the elements of [`all`](Self::all) that are left when outputs may be renamed and what
    /// vanishes because outputs do not pair is left out: outputs (0,0); (0,0,0,0), (0,0,1,1);
    /// (0,0,0,0,0,0), (0,0,0,0,1,1), (0,0,1,1,2,2). Their number does not grow with d_out
    /// beyond 3.
    pub fn paired(points: usize, d_out: usize, order: usize) -> Self {
        if d_out == 1 {
            return Self::all(points, 1, order);
        }
        let pairs = multisets(points, 2);
        let of_pairs = |n: usize| -> Vec<Vec<usize>> {
            let join = |m: &Vec<usize>| m.iter().flat_map(|&k| pairs[k].clone()).collect();
            multisets(pairs.len(), n).iter().map(join).collect()
        };
        let mut tuples = Self::default();
        let mut push = |outputs: &[usize], points: Vec<Vec<usize>>| {
            if outputs.last().is_some_and(|&o| o < d_out) {
                let copies = std::iter::repeat_n(outputs.to_vec(), points.len());
                tuples.outputs.extend(copies);
                tuples.points.extend(points);
            }
        };
        match order {
            2 => push(&[0, 0], pairs.clone()),
            4 => {
                push(&[0; 4], multisets(points, 4));
                push(&[0, 0, 1, 1], of_pairs(2));
            }
            6 => {
                push(&[0; 6], multisets(points, 6));
                let fours = multisets(points, 4);
                let mixed = fours.iter().flat_map(|f| {
                    let join = |p: &Vec<usize>| [&f[..], p].concat();
                    pairs.iter().map(join).collect::<Vec<_>>()
                });
                push(&[0, 0, 0, 0, 1, 1], mixed.collect());
                push(&[0, 0, 1, 1, 2, 2], of_pairs(3));
            }
            // Odd orders do not pair.
            _ => {}
        }
        tuples
    }

    /// Lists the fields of each element, number a P + p for output a and point p of `points`.
    pub fn fields(&self, points: usize) -> Vec<Vec<usize>> {
        let mut all = self.points.clone();
        for (fields, outputs) in all.iter_mut().zip(&self.outputs) {
            for (field, output) in fields.iter_mut().zip(outputs) {
                *field += output * points;
            }
        }
        all
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Tells whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns element e.
    pub fn get(&self, e: usize) -> Tuple<'_> {
        match self.outputs.get(e) {
            Some(outputs) => Tuple::new(&self.points[e], outputs),
            None => self.points[e][..].into(),
        }
    }

    /// Iterates over the elements.
    pub fn iter(&self) -> impl Iterator<Item = Tuple<'_>> {
        (0..self.len()).map(|e| self.get(e))
    }

    /// Appends the elements of `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.points.extend(other.points);
        self.outputs.extend(other.outputs);
    }

    /// Copies a range of the list.
    pub(crate) fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            points: self.points[range.clone()].to_vec(),
            outputs: self.outputs.get(range).unwrap_or_default().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_must_pair() {
        let count = |outputs: &[usize]| {
            Tuple::new(&vec![0; outputs.len()], outputs)
                .pairings()
                .len()
        };
        assert_eq!(count(&[0, 0, 0, 0]), 3);
        assert_eq!(count(&[0, 1, 0, 1]), 1);
        assert_eq!(count(&[0, 0, 0, 1]), 0);
        assert_eq!(count(&[0, 0, 0, 0, 1, 1]), 3);
        assert_eq!(count(&[2, 0, 1, 1, 0, 2]), 1);
        assert_eq!(
            Tuple::new(&[0, 1, 2, 3], &[0, 1, 0, 1]).pairings(),
            [[(0, 2), (1, 3)]]
        );
    }

    #[test]
    fn paired_elements_are_all_up_to_renaming() {
        // Brute force: the smallest renaming of every element of `all` that pairs.
        for (points, d_out, order) in [(3, 2, 4), (2, 3, 6), (2, 4, 4), (3, 2, 6), (2, 2, 2)] {
            let all = Tuples::all(points, d_out, order);
            let mut classes = std::collections::BTreeSet::new();
            for t in all.iter().filter(|t| !t.pairings().is_empty()) {
                let mut groups: Vec<Vec<usize>> = (0..d_out)
                    .map(|a| {
                        let of = |k: &usize| t.outputs().unwrap()[*k] == a;
                        let mut g: Vec<usize> =
                            (0..order).filter(of).map(|k| t.points[k]).collect();
                        g.sort_unstable();
                        g
                    })
                    .collect();
                groups.sort_unstable();
                classes.insert(groups);
            }
            assert_eq!(Tuples::paired(points, d_out, order).len(), classes.len());
        }
    }
}
