//! This module fills the buffers of constants that the looped stages read.

use super::super::layout::to_f32;
use super::super::setup::Setup;
use super::shape::{Shape, Tiling};
use crate::Result;
use crate::tensor::{Element, MomentPlan};

/// Exponent of two that is as good as zero: the weight of a shift that is none.
const NOTHING: f64 = -1000.0;

/// `Tables` has one table per binding of the name; those that a spec does not need are empty.
pub struct Tables {
    /// The table `points` of `hidden.wgsl`: weights `[component][point]`, then offsets, then variances
    /// where the activation takes them.
    pub points: Vec<f32>,
    /// The table `points` of `hidden.wgsl` for the shifts.
    pub shift_points: Vec<f32>,
    /// The table `shifts` of `hidden.wgsl`, `[component][shift]`.
    pub shifts: Vec<f32>,
    /// The table `scales` of `fields.wgsl`.
    pub scales: Vec<f32>,
    /// The tables `factors` and `scales` of `cumulants.wgsl`, of orders 4 and 6.
    pub cumulants: [(Vec<u32>, Vec<f32>); 2],
    /// The table `factors` of `products.wgsl`.
    pub factors: Vec<[u32; 4]>,
    /// The table `elements` of `sums.wgsl`.
    pub elements: Vec<[u32; 2]>,
}

impl Tables {
    /// Fills the tables for a setup.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`] if a constant does not fit f32.
    pub fn new(setup: &Setup, shape: &Shape, plan: &MomentPlan) -> Result<Self> {
        let (shift_points, shifts) = shift_tables(setup, shape.shift_tiling);
        Ok(Self {
            points: to_f32(&point_table(setup, shape.point_tiling))?,
            shift_points: to_f32(&shift_points)?,
            shifts: to_f32(&shifts)?,
            scales: to_f32(&scale_table(setup))?,
            cumulants: [cumulant_tables(setup, 4)?, cumulant_tables(setup, 6)?],
            factors: factors(plan),
            elements: elements(plan),
        })
    }
}

/// Makes a table of rows, each filled up with a value of its own.
fn table(rows: impl Iterator<Item = (Vec<f64>, f64)>, tiling: Tiling) -> Vec<f64> {
    rows.flat_map(|(mut row, rest)| {
        row.resize(tiling.padded() as usize, rest);
        row
    })
    .collect()
}

fn point_table(setup: &Setup, tiling: Tiling) -> Vec<f64> {
    let (p, unit) = (&setup.parameters, setup.activation.unit);
    let weights = (0..setup.d_in).map(|c| p.weights.iter().map(|x| unit * x[c]).collect());
    let bias = (setup.stream.has_bias()).then(|| vec![unit * p.bias; setup.points]);
    let offsets = p.offset.iter().map(|offset| -unit * offset).collect();
    let variances = (setup.activation.uses_variance).then(|| setup.variances.clone());
    let rows = weights.chain(bias).chain([offsets]).chain(variances);
    table(rows.map(|row| (row, 0.0)), tiling)
}

fn shift_tables(setup: &Setup, tiling: Tiling) -> (Vec<f64>, Vec<f64>) {
    let Some(tilt) = &setup.tilt else {
        return Default::default();
    };
    let component = |c: usize| tilt.shifts.iter().map(move |t| t[c]);
    let unit = std::f64::consts::LOG2_E;
    let weights = (0..=setup.d_in).map(|c| (component(c).map(|t| unit * t).collect(), 0.0));
    let offsets = tilt.logarithms.iter().map(|log| unit * log).collect();
    (
        table(weights.chain([(offsets, NOTHING)]), tiling),
        (0..=setup.d_in).flat_map(component).collect(),
    )
}

fn scale_table(setup: &Setup) -> Vec<f64> {
    let p = &setup.parameters;
    match setup.is_direct {
        true => {
            let scales = &setup.scales[..setup.points];
            let of = |x: f64| scales.iter().map(move |s| x / s);
            of(p.readout).chain(of(p.readout_bias)).collect()
        }
        false => {
            let scales = &setup.scales[..setup.quadratic()];
            let units = scales.iter().map(|s| p.readout * p.readout / s);
            setup.centre.iter().copied().chain(units).collect()
        }
    }
}

fn cumulant_tables(setup: &Setup, order: usize) -> Result<(Vec<u32>, Vec<f32>)> {
    let all = || (setup.cumulants.iter()).filter(|cumulant| cumulant.points.len() == order);
    let points = all().flat_map(|cumulant| cumulant.points.iter().map(|&p| p as u32));
    let scales: Vec<f64> = all().map(|cumulant| cumulant.factor).collect();
    Ok((points.collect(), to_f32(&scales)?))
}

/// Lists the fields that each product of the plan is made of.
fn factors(plan: &MomentPlan) -> Vec<[u32; 4]> {
    let points = plan.fields();
    let one = plan.table() as u32 - 1;
    (plan.products().iter())
        .map(|product| match product.left.checked_sub(points) {
            None => [product.left as u32, product.field as u32, one, 0],
            Some(k) => {
                let left = plan.products()[k];
                [left.left as u32, left.field as u32, product.field as u32, 0]
            }
        })
        .collect()
}

fn elements(plan: &MomentPlan) -> Vec<[u32; 2]> {
    (plan.elements().iter())
        .map(|element| match *element {
            Element::Single(a) => [a as u32, plan.table() as u32 - 1],
            Element::Product(a, b) => [a as u32, b as u32],
        })
        .collect()
}
