//! Functions of averages, with errors from groups of networks that are left out one by one.

use std::ops::Range;

use crate::Result;
use crate::tensor::{Accumulator, Statistics};

/// `Groups` holds the averages of moments over all networks and over each group of them.
pub struct Groups {
    groups: Vec<Group>,
    networks: f64,
    means: Vec<f64>,
}

/// `Group` is one of them.
struct Group {
    networks: f64,
    means: Vec<f64>,
}

/// `Estimates` holds functions of averages, over all networks and with each group left out.
pub struct Estimates {
    pub values: Vec<f64>,
    /// `[group][statistic]`
    without: Vec<Vec<f64>>,
    /// Networks of a group over those of all.
    shares: Vec<f64>,
}

impl Groups {
    /// Takes the groups of an accumulator; `None` unless there are two.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`].
    pub fn of(elements: &Accumulator) -> Result<Option<Self>> {
        let group = |Statistics { networks, mean, .. }| Group {
            networks,
            means: mean,
        };
        let groups: Vec<Group> = elements.experiments().into_iter().map(group).collect();
        if groups.len() < 2 {
            return Ok(None);
        }
        let total = elements.total()?;
        Ok(Some(Self {
            networks: total.networks,
            means: total.mean,
            groups,
        }))
    }

    /// Appends the averages of other moments of the same networks; `None` if they are of others.
    pub fn with(mut self, other: &Self) -> Option<Self> {
        let networks = |groups: &Self| groups.groups.iter().map(|g| g.networks).collect::<Vec<_>>();
        if networks(&self) != networks(other) {
            return None;
        }
        self.means.extend(&other.means);
        for (group, other) in self.groups.iter_mut().zip(&other.groups) {
            group.means.extend(&other.means);
        }
        Some(self)
    }

    /// Computes functions of the averages.
    pub fn estimate(&self, statistics: impl Fn(&[f64]) -> Vec<f64>) -> Estimates {
        let without = self.groups.iter().map(|group| {
            let share = group.networks / self.networks;
            let rest = |(all, own): (&f64, &f64)| (all - share * own) / (1.0 - share);
            let means: Vec<f64> = self.means.iter().zip(&group.means).map(rest).collect();
            statistics(&means)
        });
        Estimates {
            without: without.collect(),
            values: statistics(&self.means),
            shares: self
                .groups
                .iter()
                .map(|g| g.networks / self.networks)
                .collect(),
        }
    }
}

impl Estimates {
    /// Computes standard errors: delete-one jackknife with groups that weigh by their networks.
    pub fn errors(&self, range: Range<usize>) -> Vec<f64> {
        range.map(|k| self.error(&|all| all[k])).collect()
    }

    /// Computes the standard error of a function of the statistics.
    pub fn error(&self, of: &dyn Fn(&[f64]) -> f64) -> f64 {
        let all = of(&self.values);
        let terms = self.without.iter().zip(&self.shares);
        let square: f64 = terms
            .map(|(w, share)| (1.0 - share) * (of(w) - all).powi(2))
            .sum();
        square.sqrt()
    }

    /// Returns some of the statistics.
    pub fn part(&self, range: Range<usize>) -> Self {
        Self {
            values: self.values[range.clone()].to_vec(),
            without: self
                .without
                .iter()
                .map(|w| w[range.clone()].to_vec())
                .collect(),
            shares: self.shares.clone(),
        }
    }
}

impl Clone for Estimates {
    fn clone(&self) -> Self {
        self.part(0..self.values.len())
    }
}

impl std::fmt::Debug for Estimates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Estimates").field(&self.values).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_mean_is_the_ordinary_one() {
        let mut elements = Accumulator::new();
        let values = [1.0, 3.0, 2.0, 6.0, 4.5];
        for (group, x) in values.into_iter().enumerate() {
            elements.add_block(group as u32, 0, 10, vec![x]);
        }
        let estimates = Groups::of(&elements)
            .unwrap()
            .unwrap()
            .estimate(|m| vec![m[0], m[0] * m[0]]);
        let mean = values.iter().sum::<f64>() / 5.0;
        let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        let want = (square / 20.0).sqrt();
        let got = estimates.errors(0..2);
        assert!((got[0] - want).abs() < 1e-12, "{} {want}", got[0]);
        // To first order the error of a square is twice the mean times that of the mean.
        assert!((got[1] / (2.0 * mean * want) - 1.0).abs() < 0.15);
        let one = |blocks: u64| {
            let mut elements = Accumulator::new();
            (0..blocks).for_each(|b| elements.add_block(0, b, 1, vec![1.0]));
            Groups::of(&elements).unwrap().is_none()
        };
        assert!(one(0) && one(3));
    }
}
