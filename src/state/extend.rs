use super::{EnsembleState, State};
use crate::engine::BlockPlan;
use crate::model::{Difference, EnsembleSpec};
use crate::sentence::sentence;
use crate::{Error, Result, Sentence};

impl State {
    /// Extends the run by more networks or more experiments: what it has drawn is kept, and what is
    /// then drawn makes it the run that was begun with `specs`, bit for bit. Blocks keep their
    /// size; the short one at the end of each experiment is drawn again, with those that it was
    /// summed with.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `specs` differ in anything else or have fewer networks, for a
    /// shard, and if the larger run has larger blocks; the state is then as it was.
    pub fn extend(&mut self, specs: &[EnsembleSpec]) -> Result<()> {
        let ours: Vec<EnsembleSpec> = self.ensembles.iter().map(|e| e.spec.clone()).collect();
        let differences = EnsembleSpec::differences(specs, &ours);
        let Some(first) = differences.first() else {
            return Ok(());
        };
        let refuse = |text: Sentence| Err(Error::Mismatch(text));
        let other = |d: &&Difference| !matches!(d.field, "nets" | "experiments");
        if let Some(d) = differences.iter().find(other) {
            return refuse(sentence!(
                "{}: the run has {}, not {}; only `nets` and `experiments` of a run can grow",
                Sentence::parameter(d.field),
                d.theirs.as_str(),
                d.ours.as_str()
            ));
        }
        if let Some(shard) = self.shard {
            return refuse(sentence!(
                "{}: shard {} has its share of the run with {}, not {}; start the shards of a larger run anew",
                Sentence::parameter(first.field),
                shard.to_string(),
                first.theirs.as_str(),
                first.ours.as_str()
            ));
        }
        for (spec, old) in specs.iter().zip(&ours) {
            check(spec, old).or_else(refuse)?;
        }
        for (ensemble, spec) in self.ensembles.iter_mut().zip(specs) {
            ensemble.extend(spec);
        }
        Ok(())
    }
}

/// Checks whether the blocks of a run are blocks of a larger one.
fn check(spec: &EnsembleSpec, old: &EnsembleSpec) -> Result<(), Sentence> {
    for (name, new, old) in [
        ("nets", spec.nets, old.nets),
        (
            "experiments",
            spec.experiments.into(),
            old.experiments.into(),
        ),
    ] {
        if new < old {
            return Err(sentence!(
                "{}: the run has {}, more than {}; a run can be extended, not cut short",
                Sentence::parameter(name),
                old.to_string(),
                new.to_string()
            ));
        }
    }
    let most = BlockPlan::most_nets(old);
    match spec.nets > most {
        true => Err(sentence!(
            "`nets`: a run of {} networks an experiment can be extended to at most {}, since larger ones sum them in larger blocks; raise `experiments`, which has no such limit, or start a new run",
            old.nets.to_string(),
            most.to_string()
        )),
        false => Ok(()),
    }
}

impl EnsembleState {
    fn extend(&mut self, spec: &EnsembleSpec) {
        let plan = BlockPlan::new(&self.spec);
        if let Some(short) = plan.short_block().filter(|_| spec.nets > self.spec.nets) {
            let networks = |blocks: std::ops::Range<u64>| {
                blocks.start * plan.size..(blocks.end * plan.size).min(self.spec.nets)
            };
            for experiment in 0..self.spec.experiments {
                self.elements.forget(experiment, short, networks);
            }
        }
        self.spec.clone_from(spec);
    }
}
