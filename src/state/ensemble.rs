use std::ops::Range;

use super::{Ensemble, Part, State};
use crate::engine::BlockPlan;
use crate::model::{Difference, EnsembleSpec};
use crate::plan::Rays;
use crate::tensor::{Accumulator, Extremes};

/// `EnsembleState` says how far one ensemble has come.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleState {
    /// Spec of what is drawn.
    pub spec: EnsembleSpec,
    /// Seconds of sampling and accumulation so far.
    pub seconds: f64,
    /// Seconds that this process has compiled shaders before; no file keeps them.
    pub compile_seconds: f64,
    /// Blocks that are in, and their elements.
    pub elements: Accumulator,
}

impl State {
    /// Returns the blocks of ensemble `k` that this run is to draw.
    pub fn blocks(&self, k: usize) -> Range<u64> {
        self.share(&BlockPlan::new(&self.ensembles[k].spec))
    }

    /// Returns the blocks of ensemble `k` that this run has still to draw.
    pub fn missing(&self, k: usize) -> Vec<Range<u64>> {
        let ensemble = &self.ensembles[k];
        BlockPlan::new(&ensemble.spec).missing(&ensemble.elements, self.blocks(k))
    }
}

impl Ensemble for EnsembleState {
    type Spec = EnsembleSpec;
    type Elements = Accumulator;
    const COMMAND: &'static str = "ensemble";

    fn new(spec: EnsembleSpec) -> Self {
        Self {
            spec,
            seconds: 0.0,
            compile_seconds: 0.0,
            elements: Accumulator::new(),
        }
    }

    fn claimed(spec: EnsembleSpec, seconds: f64, elements: Accumulator) -> Result<Self, String> {
        let spec = (spec.validate()).map_err(|e| format!("its spec is none: {e}"))?;
        check(&spec, &elements)?;
        Ok(Self {
            seconds,
            elements,
            ..Self::new(spec)
        })
    }

    fn spec(&self) -> &EnsembleSpec {
        &self.spec
    }

    fn networks(&self) -> &EnsembleSpec {
        &self.spec
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }

    fn elements(&self) -> &Accumulator {
        &self.elements
    }

    fn parts(&self) -> Vec<Part> {
        let plan = BlockPlan::new(&self.spec);
        vec![Part {
            role: None,
            covered: plan.covered(&self.elements),
            plan,
        }]
    }

    fn join(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.elements.merge(other.elements);
    }

    fn differences(ours: &[EnsembleSpec], theirs: &[EnsembleSpec]) -> Vec<Difference> {
        EnsembleSpec::differences(ours, theirs)
    }
}

/// Checks whether these elements can be those of blocks of this spec.
fn check(spec: &EnsembleSpec, elements: &Accumulator) -> Result<(), &'static str> {
    let plan = BlockPlan::new(spec);
    let (values, fields) = (
        spec.values() as usize,
        Rays::of(spec).applied_to(spec).fields(),
    );
    let mut last = (0, 0);
    for (experiment, blocks, statistics) in elements.subtrees() {
        let span = blocks.end - blocks.start;
        let is_subtree = span.is_power_of_two() && blocks.start.is_multiple_of(span);
        let is_next = experiment > last.0 || blocks.start >= last.1;
        if experiment >= spec.experiments || blocks.end > plan.per_experiment {
            return Err("it holds networks that the run has not");
        }
        if !is_subtree || !is_next {
            return Err("its blocks overlap");
        }
        let first = u64::from(experiment) * plan.per_experiment;
        let networks = plan.networks(first + blocks.start..first + blocks.end);
        if statistics.blocks != span || statistics.networks != networks as f64 {
            return Err("its counts of networks are wrong");
        }
        if !statistics.is_sound(values) {
            return Err("its elements are not those of its spec");
        }
        last = (experiment, blocks.end);
    }
    let extremes = elements.extremes();
    let fits = extremes.iter().all(|e| {
        e.experiment < spec.experiments
            && e.network < spec.nets
            && e.field.len() == fields
            && e.is_finite()
    });
    match fits && Extremes::is_sorted(extremes) {
        true => Ok(()),
        false => Err("its heaviest networks are not those of its spec"),
    }
}
