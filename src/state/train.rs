use std::ops::Range;

use super::{Ensemble, Part, State};
use crate::engine::{BlockPlan, Trained};
use crate::model::{Cohort, Difference, EnsembleSpec, Role, TrainSpec};
use crate::plan::TrainPlan;
use crate::sentence::sentence;
use crate::tensor::Stop;
use crate::{Error, Result, Sentence};

/// `TrainState` says how far the networks of one width have come in training, with those that checks are made on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    spec: TrainSpec,
    cohorts: Vec<Cohort>,
    /// Seconds of training so far.
    pub seconds: f64,
    /// What was made of each cohort.
    pub trained: Vec<Trained>,
}

impl TrainState {
    /// Lists the cohorts that are trained: the networks that are asked for, then those of checks.
    pub fn cohorts(&self) -> &[Cohort] {
        &self.cohorts
    }
}

impl State<TrainState> {
    /// Returns the blocks of cohort `c` of ensemble `k` that this run is to train.
    pub fn blocks(&self, k: usize, c: usize) -> Range<u64> {
        let cohort = &self.ensembles[k].cohorts[c];
        self.share(&BlockPlan::new(&cohort.spec.ensemble))
    }

    /// Refuses other specs than those of the run: the groups of networks that errors come from are those of all networks,
    /// and parameters are not kept, so that a training can neither grow nor go on to further steps.
    ///
    /// # Errors
    /// [`Error::Mismatch`] that names the first field that differs.
    pub fn must_be_of(&self, specs: &[TrainSpec]) -> Result<()> {
        match TrainSpec::differences(specs, &self.specs()).first() {
            None => Ok(()),
            Some(d) => Err(Error::Mismatch(sentence!(
                "{}: the run has {}, not {}; of a training nothing can change",
                Sentence::parameter(d.field),
                d.theirs.as_str(),
                d.ours.as_str()
            ))),
        }
    }

    /// Tells whether networks that are asked for have diverged.
    pub fn has_diverged(&self) -> bool {
        let stops = |e: &TrainState| e.trained[0].training().stops.iter().any(|s| s.diverged > 0);
        self.ensembles.iter().any(stops)
    }

    /// Tells whether every network is there, those of the checks, too.
    pub fn is_complete(&self) -> bool {
        let mut parts = self.ensembles.iter().flat_map(Ensemble::parts);
        parts.all(|part| part.missing(0..part.plan.blocks()).is_empty())
    }
}

impl Ensemble for TrainState {
    type Spec = TrainSpec;
    type Elements = Vec<Trained>;
    const COMMAND: &'static str = "train";

    fn new(spec: TrainSpec) -> Self {
        let cohorts = spec.cohorts();
        Self {
            trained: cohorts.iter().map(|c| Trained::new(stops(c))).collect(),
            spec,
            cohorts,
            seconds: 0.0,
        }
    }

    fn claimed(spec: TrainSpec, seconds: f64, trained: Vec<Trained>) -> Result<Self, String> {
        let spec = (spec.validate()).map_err(|e| format!("its spec is none: {e}"))?;
        let cohorts = spec.cohorts();
        if trained.len() != cohorts.len() {
            return Err("its elements are not those of its header".into());
        }
        for (cohort, trained) in cohorts.iter().zip(&trained) {
            check(cohort, trained)?;
        }
        Ok(Self {
            spec,
            cohorts,
            seconds,
            trained,
        })
    }

    fn spec(&self) -> &TrainSpec {
        &self.spec
    }

    fn networks(&self) -> &EnsembleSpec {
        &self.spec.ensemble
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }

    fn elements(&self) -> &Vec<Trained> {
        &self.trained
    }

    fn parts(&self) -> Vec<Part> {
        let all = self.cohorts.iter().zip(&self.trained);
        let part = |(cohort, trained): (&Cohort, &Trained)| Part {
            role: match cohort.role {
                Role::Measured => None,
                Role::Checked => Some("for checks".into()),
                role @ (Role::Opposite | Role::Zero | Role::Across | Role::Direct) => {
                    Some(format!("for the check {role}"))
                }
            },
            plan: BlockPlan::new(&cohort.spec.ensemble),
            covered: trained.blocks().to_vec(),
        };
        all.map(part).collect()
    }

    fn join(&mut self, other: Self) {
        self.seconds += other.seconds;
        for (ours, theirs) in self.trained.iter_mut().zip(other.trained) {
            ours.merge(theirs);
        }
    }

    fn differences(ours: &[TrainSpec], theirs: &[TrainSpec]) -> Vec<Difference> {
        TrainSpec::differences(ours, theirs)
    }
}

/// Counts the stops of a cohort: no step, and those that are asked for.
fn stops(cohort: &Cohort) -> usize {
    let steps = &cohort.spec.steps;
    steps.len() + usize::from(!steps.contains(&0))
}

/// Checks whether this can be what was made of networks of this cohort.
fn check(cohort: &Cohort, trained: &Trained) -> Result<(), &'static str> {
    let plan = BlockPlan::new(&cohort.spec.ensemble);
    let mut next = None;
    for range in trained.blocks() {
        if range.is_empty() || next.is_some_and(|next| range.start <= next) {
            return Err("its blocks overlap");
        }
        next = Some(range.end);
    }
    if next.is_some_and(|end| end > plan.blocks()) {
        return Err("it holds networks that the run has not");
    }
    let networks = (trained.blocks().iter())
        .map(|range| plan.networks(range.clone()))
        .sum();
    let all = &trained.training().stops;
    if all.len() != stops(cohort) {
        return Err("its elements are not those of its spec");
    }
    all.iter().try_for_each(|stop| {
        let averaged = check_stop(&plan, trained.blocks(), cohort.moments(), stop)?;
        match averaged.checked_add(stop.diverged) == Some(networks) {
            true => Ok(()),
            false => Err("its counts of networks are wrong"),
        }
    })
}

/// Checks the elements of one stop, and counts the networks that they are averages over.
fn check_stop(
    plan: &BlockPlan,
    covered: &[Range<u64>],
    moments: u64,
    stop: &Stop,
) -> Result<u64, &'static str> {
    let (mut last, mut averaged) = ((0, 0), 0);
    for (group, places, statistics) in stop.elements.subtrees() {
        let span = places.end - places.start;
        let is_subtree = span.is_power_of_two() && places.start.is_multiple_of(span);
        let is_next = group > last.0 || places.start >= last.1;
        if !is_subtree || !is_next {
            return Err("its blocks overlap");
        }
        let blocks = TrainPlan::group_blocks(group, plan.blocks())
            .filter(|blocks| places.end <= blocks.end - blocks.start)
            .map(|blocks| blocks.start + places.start..blocks.start + places.end)
            .filter(|blocks| {
                let holds = |r: &Range<u64>| r.start <= blocks.start && blocks.end <= r.end;
                covered.iter().any(holds)
            });
        let Some(blocks) = blocks else {
            return Err("it holds networks that the run has not");
        };
        // Some may have diverged, and blocks of which all have are not there.
        let networks = statistics.networks;
        let is_count = networks >= 1.0 && networks.fract() == 0.0;
        let most = plan.networks(blocks) as f64;
        if statistics.blocks != span || !is_count || networks > most {
            return Err("its counts of networks are wrong");
        }
        if !statistics.has_elements(moments) {
            return Err("its elements are not those of its spec");
        }
        averaged += networks as u64;
        last = (group, places.end);
    }
    match stop.elements.extremes().is_empty() {
        true => Ok(averaged),
        false => Err("its heaviest networks are not those of its spec"),
    }
}
