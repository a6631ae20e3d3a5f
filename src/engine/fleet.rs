//! This module puts several engines on one run.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard};

use super::taken::Taken;
use super::{DeviceInfo, Draws, Engine, Float, Work};
use crate::plan::{Plan, SamplePlan, TrainPlan};
use crate::tensor::Training;
use crate::{Error, Result};

/// `OnLoss` is told of an engine whose device fails.
type OnLoss = Box<dyn Fn(&DeviceInfo, &Error) + Send + Sync>;

/// A fleet is engines that share the blocks of a run, each at its own speed. An engine whose device
/// fails is dropped: the others do its share.
///
/// On adapters of one kind the result has the bits of a single engine's; on different adapters the
/// rounding of a block is that of the adapter that drew it.
pub struct Fleet {
    engines: Vec<Box<dyn Engine + Send>>,
    lost: OnLoss,
}

impl Fleet {
    /// Puts engines of one backend together; `lost` is told at once of each whose device
    /// fails.
    ///
    /// # Panics
    /// If there is no engine.
    pub fn new(
        engines: Vec<Box<dyn Engine + Send>>,
        lost: impl Fn(&DeviceInfo, &Error) + Send + Sync + 'static,
    ) -> Self {
        assert!(!engines.is_empty(), "a fleet needs an engine");
        Self {
            engines,
            lost: Box::new(lost),
        }
    }

    /// Counts the engines that have not failed.
    pub fn engines(&self) -> usize {
        self.engines.len()
    }
}

impl Engine for Fleet {
    fn device(&self) -> DeviceInfo {
        let mut all: Vec<(DeviceInfo, usize)> = Vec::new();
        for device in self.engines.iter().map(|e| e.device()) {
            match all.iter_mut().find(|(known, _)| *known == device) {
                Some((_, count)) => *count += 1,
                None => all.push((device, 1)),
            }
        }
        let counted = all.into_iter().map(|(mut device, count)| {
            if count > 1 {
                device.adapter = format!("{count} x {}", device.adapter);
            }
            device
        });
        DeviceInfo::joined(&counted.collect::<Vec<_>>()).expect("a fleet has an engine")
    }

    fn prepare(&mut self, plan: &Plan, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<()> {
        self.prepare_all(|engine| engine.prepare(plan, cancelled))
    }

    fn float(&self) -> Float {
        self.engines[0].float()
    }

    fn prepare_sample(
        &mut self,
        plan: &SamplePlan,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        self.prepare_all(|engine| engine.prepare_sample(plan, cancelled))
    }

    fn accumulate(&mut self, plan: &Plan, work: &dyn Work) -> Result<()> {
        self.share(work, |engine, work| engine.accumulate(plan, work))
    }

    fn sample(&mut self, plan: &SamplePlan, work: &dyn Work<Draws>) -> Result<()> {
        self.share(work, |engine, work| engine.sample(plan, work))
    }

    fn check_training(&self, plan: &TrainPlan) -> Result<()> {
        let mut engines = self.engines.iter();
        engines.try_for_each(|engine| engine.check_training(plan))
    }

    fn train(
        &mut self,
        plan: &TrainPlan,
        work: &dyn Work<Training>,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        self.share(work, |engine, work| engine.train(plan, work, cancelled))
    }
}

impl Fleet {
    /// Prepares all engines at a time. An engine whose device fails will say so again when it is to
    /// draw.
    fn prepare_all(
        &mut self,
        prepare: impl Fn(&mut (dyn Engine + Send)) -> Result<()> + Sync,
    ) -> Result<()> {
        let of_spec = |result: &Result<()>| !matches!(result, Err(Error::Device(_)));
        let prepare = &prepare;
        std::thread::scope(|scope| {
            let threads: Vec<_> = (self.engines.iter_mut())
                .map(|engine| scope.spawn(move || prepare(engine.as_mut())))
                .collect();
            (threads.into_iter())
                .map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
                .filter(of_spec)
                .collect()
        })
    }

    /// Lets all engines do some work, each by `run`.
    fn share<T>(
        &mut self,
        work: &dyn Work<T>,
        run: impl Fn(&mut (dyn Engine + Send), &dyn Work<T>) -> Result<()> + Sync,
    ) -> Result<()> {
        let crew = Crew {
            work,
            state: Mutex::new(State {
                busy: self.engines.len(),
                given_up: false,
            }),
            changed: Condvar::new(),
        };
        let (crew, lost, run) = (&crew, &self.lost, &run);
        let results: Vec<Result<()>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (self.engines.iter_mut())
                .map(|engine| {
                    scope.spawn(move || {
                        let result = crew.run(|work| run(engine.as_mut(), work));
                        if let Err(error @ Error::Device(_)) = &result {
                            lost(&engine.device(), error);
                        }
                        result
                    })
                })
                .collect();
            (threads.into_iter())
                .map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
                .collect()
        });
        let of_device = |r: &Result<()>| matches!(r, Err(Error::Device(_)));
        let kept = results.iter().filter(|r| !of_device(r)).count();
        if kept == 0 {
            return results.into_iter().collect();
        }
        let mut failed = results.iter().map(of_device);
        self.engines.retain(|_| failed.next() != Some(true));
        results.into_iter().filter(|r| !of_device(r)).collect()
    }
}

/// A crew is work that several engines share.
struct Crew<'a, T> {
    work: &'a dyn Work<T>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Number of engines that hold blocks or may take some.
    busy: usize,
    /// Whether the spec itself is at fault, so that no engine can do it.
    given_up: bool,
}

impl<T> Crew<'_, T> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Lets an engine work, and work again if another fails and leaves blocks.
    fn run(&self, mut run: impl FnMut(&dyn Work<T>) -> Result<()>) -> Result<()> {
        loop {
            let share = Share {
                crew: self,
                taken: Taken::new(self.work, &|_| 0),
            };
            let result = run(&share);
            // What it has not finished is there for others before it counts as idle.
            drop(share);
            let mut state = self.lock();
            state.busy -= 1;
            state.given_up |= !matches!(result, Ok(()) | Err(Error::Device(_)));
            self.changed.notify_all();
            result?;
            while state.busy > 0 && !state.given_up && self.work.left() == 0 {
                state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
            }
            if state.given_up || self.work.left() == 0 {
                return Ok(());
            }
            state.busy += 1;
        }
    }
}

/// A share is what one engine has taken; it is given back when dropped with blocks unfinished.
struct Share<'a, T> {
    crew: &'a Crew<'a, T>,
    taken: Taken<'a, T>,
}

impl<T> Work<T> for Share<'_, T> {
    fn left(&self) -> u64 {
        match self.crew.lock().given_up {
            true => 0,
            false => self.taken.left(),
        }
    }

    fn take(&self, at_most: u64) -> Option<Range<u64>> {
        if self.crew.lock().given_up {
            return None;
        }
        self.taken.take(at_most)
    }

    fn finish(&self, range: Range<u64>, result: T) {
        self.taken.finish(range, result);
    }

    fn give_back(&self, range: Range<u64>) {
        self.taken.give_back(range);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::{self, BlockPlan, DrawQueue, Queue};
    use crate::model::EnsembleSpec;

    fn spec() -> EnsembleSpec {
        EnsembleSpec {
            nets: 5000,
            experiments: 2,
            ..EnsembleSpec::preset("relu", 1).unwrap()
        }
    }

    /// Takes blocks, keeps them until the others have run dry, and fails.
    struct Failing(fn() -> Error);

    impl Engine for Failing {
        fn device(&self) -> DeviceInfo {
            DeviceInfo {
                adapter: "failing".into(),
                ..CpuEngine::new().device()
            }
        }

        fn accumulate(&mut self, _: &Plan, work: &dyn Work) -> Result<()> {
            work.take(9);
            for _ in 0..300 {
                if work.left() > 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            // The others now wait, or are about to.
            std::thread::sleep(Duration::from_millis(20));
            Err((self.0)())
        }

        fn float(&self) -> Float {
            Float::F64
        }

        fn sample(&mut self, _: &SamplePlan, work: &dyn Work<Draws>) -> Result<()> {
            work.take(2);
            Err((self.0)())
        }

        fn train(
            &mut self,
            _: &TrainPlan,
            work: &dyn Work<Training>,
            _: &(dyn Fn() -> bool + Sync),
        ) -> Result<()> {
            work.take(3);
            Err((self.0)())
        }
    }

    #[test]
    fn a_failed_engine_s_blocks_are_done_by_the_others() {
        static LOST: AtomicUsize = AtomicUsize::new(0);
        let engines: Vec<Box<dyn Engine + Send>> = vec![
            Box::new(Failing(|| Error::Device("lost".into()))),
            Box::new(CpuEngine::new()),
            Box::new(Failing(|| Error::Device("lost".into()))),
        ];
        let mut fleet = Fleet::new(engines, |device, error| {
            assert_eq!(device.adapter, "failing");
            assert!(error.to_string().contains("lost"));
            LOST.fetch_add(1, Ordering::Relaxed);
        });
        let spec = spec();
        let plan = Plan::new(spec.clone()).unwrap();
        let whole = engine::run(&mut CpuEngine::new(), &spec, &|_| {}).unwrap();
        for _ in 0..2 {
            let queue = Queue::new(&spec);
            fleet.accumulate(&plan, &queue).unwrap();
            assert_eq!(queue.left(), 0);
            assert_eq!(queue.into_elements(), whole);
            assert_eq!(fleet.engines(), 1);
        }
        assert_eq!(LOST.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_failed_engine_s_share_of_a_sample_is_drawn_by_the_others() {
        let engines: Vec<Box<dyn Engine + Send>> = vec![
            Box::new(Failing(|| Error::Device("lost".into()))),
            Box::new(CpuEngine::new()),
        ];
        let mut fleet = Fleet::new(engines, |_, _| {});
        let plan = SamplePlan::new(spec()).unwrap();
        let blocks = BlockPlan::of_outputs(plan.spec());
        let (stop, draws) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let put = |first, more| {
            draws.lock().unwrap().push((first, more));
            Ok(())
        };
        let queue = DrawQueue::new(blocks, 0..blocks.blocks(), &put, &|_| {}, &stop);
        fleet.sample(&plan, &queue).unwrap();
        assert_eq!((queue.networks(), fleet.engines()), (10_000, 1));
        let values = |(_, draws): &(u64, Draws)| draws.bytes().len() / 48;
        assert_eq!(
            draws.lock().unwrap().iter().map(values).sum::<usize>(),
            10_000
        );
    }

    #[test]
    fn a_fleet_without_a_device_fails() {
        let failing = || Box::new(Failing(|| Error::Device("gone".into()))) as _;
        let mut fleet = Fleet::new(vec![failing(), failing()], |_, _| {});
        let message = engine::run(&mut fleet, &spec(), &|_| {}).unwrap_err();
        assert!(message.to_string().contains("gone"), "{message}");
    }

    #[test]
    fn what_no_engine_can_do_ends_the_run() {
        let engines: Vec<Box<dyn Engine + Send>> = vec![
            Box::new(Failing(|| Error::Overflow("a weight".into()))),
            Box::new(CpuEngine::new()),
        ];
        let mut fleet = Fleet::new(engines, |_, _| panic!("no device was lost"));
        let error = engine::run(&mut fleet, &spec(), &|_| {}).unwrap_err();
        assert!(matches!(error, Error::Overflow(_)), "{error}");
    }
}
