//! Averages of products of a smooth activation by a product of rules, one for each variate.

use rayon::prelude::*;

use super::super::super::cubature::{Nodes, add_up};
use super::super::rule::refined;
use super::axis::Node;
use super::{Moment, Neuron};

/// A rule that takes one core longer is not tried.
const SECONDS: f64 = 4.0;

/// All moments; `None` where the second rule takes too long.
pub fn moments(neuron: &Neuron) -> Option<Vec<Moment>> {
    let precision = match neuron.axes.len() {
        ..=2 => 1e-12,
        3 => 1e-10,
        _ => 1e-8,
    };
    let offsets = neuron.offsets();
    let half = neuron.is_symmetric();
    refined(neuron.forms.len(), neuron.order, precision, |level| {
        let rules: Option<Vec<Vec<Node>>> = (neuron.axes.iter().enumerate())
            .map(|(k, axis)| {
                let mut rule = axis.rule(level)?;
                if half && k == 0 {
                    rule.retain(|node| node.0 > 0.0);
                    rule.iter_mut().for_each(|node| node.1 *= 2.0);
                }
                Some(rule)
            })
            .collect();
        let rules = rules?;
        let nodes: f64 = rules.iter().map(|rule| rule.len() as f64).product();
        let is_short = neuron.seconds(nodes * offsets.len() as f64) < SECONDS;
        is_short.then(|| sum(neuron, &offsets, &rules))
    })
}

fn sum(neuron: &Neuron, offsets: &[Vec<f64>], rules: &[Vec<Node>]) -> Vec<f64> {
    // Enough tasks, and as many whatever the number of threads.
    let first: Vec<Option<Node>> = match rules.first() {
        Some(rule) => rule.iter().copied().map(Some).collect(),
        None => vec![None],
    };
    let tasks: Vec<(&Vec<f64>, Option<Node>)> = (offsets.iter())
        .flat_map(|offset| first.iter().map(move |&node| (offset, node)))
        .collect();
    let (cut, unit) = (neuron.cut(), 1.0 / offsets.len() as f64);
    let parts: Vec<Vec<f64>> = (tasks.par_chunks(16))
        .map(|chunk| {
            let mut nodes = Nodes::new(&neuron.plan);
            for &(offset, node) in chunk {
                let start = Path {
                    z: offset.clone(),
                    weight: unit,
                    density: 0.0,
                    excess: 0.0,
                };
                match node {
                    Some(node) => visit(
                        neuron,
                        rules,
                        1,
                        &start.step(neuron, 0, node),
                        cut,
                        &mut nodes,
                    ),
                    None => visit(neuron, rules, 0, &start, cut, &mut nodes),
                }
            }
            nodes.take()
        })
        .collect();
    add_up(parts, neuron.plan.elements().len())
}

/// What the nodes of the axes so far come to.
struct Path {
    z: Vec<f64>,
    weight: f64,
    /// Logarithm of the density, and how far it is below the largest.
    density: f64,
    excess: f64,
}

impl Path {
    fn step(&self, neuron: &Neuron, axis: usize, (x, w, density): Node) -> Self {
        let forms = self.z.iter().zip(&neuron.forms);
        Self {
            z: forms.map(|(z, form)| z + form[axis] * x).collect(),
            weight: self.weight * w,
            density: self.density + density,
            excess: self.excess + density - neuron.axes[axis].log_density(0.0),
        }
    }
}

fn visit(neuron: &Neuron, rules: &[Vec<Node>], axis: usize, path: &Path, cut: f64, to: &mut Nodes) {
    if path.excess < cut {
        return;
    }
    let Some(rule) = rules.get(axis) else {
        // Each factor has its share of the density: products stay in range.
        let share = (path.density / neuron.order as f64).exp();
        to.push(path.weight, |p| {
            share * neuron.activation.evaluate(path.z[p], neuron.variances[p])
        });
        return;
    };
    for &node in rule {
        visit(
            neuron,
            rules,
            axis + 1,
            &path.step(neuron, axis, node),
            cut,
            to,
        );
    }
}
