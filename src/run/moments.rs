use std::time::Instant;

use super::Runner;
use super::{Head, Source, Timing};
use crate::analysis::{Interactions, Unconverged, check_interacting, check_range};
use crate::engine::cpu::CpuEngine;
use crate::engine::{DeviceInfo, Engine};
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::theory::{Exact, Values};
use crate::{Error, Result};

/// `Moments` holds the moments of one ensemble that couplings are measured on, and where they come
/// from.
#[non_exhaustive]
pub struct Moments {
    /// Ensemble that has these moments.
    pub spec: EnsembleSpec,
    /// Interactions that couplings are measured on.
    pub interactions: Interactions,
    /// What theory knows of networks that were drawn, if it was there already.
    values: Option<Values>,
    device: DeviceInfo,
    timing: Timing,
    pub(super) source: Source,
}

impl Moments {
    /// Refuses a spec on which couplings cannot be measured; to be `sampled`, it needs the
    /// 4-point function.
    ///
    /// # Errors
    /// [`Error::Invalid`] with several outputs, out of the range of f64, without an interaction.
    pub fn check(spec: &EnsembleSpec, sampled: bool) -> Result<()> {
        if spec.net.d_out() != 1 {
            return Err(Error::invalid(
                "d_out",
                spec.net.d_out(),
                "couplings are measured with one output; symmetry follows them over d_out",
            ));
        }
        if !sampled && spec.net.depth() > 1 {
            return Err(Error::invalid(
                "moments",
                "exact",
                "nets with several hidden layers have exact moments in special cases only; use sampled",
            ));
        }
        check_range(spec)?;
        check_interacting(spec)?;
        let refuse = |reason: &str| {
            let orders = format!("{:?}", spec.orders);
            Err(Error::invalid("orders", orders, reason.to_string()))
        };
        if sampled && !spec.orders.contains(&4) {
            return refuse("couplings are measured on the 4-point function; include 4");
        }
        if sampled && spec.net.depth() > 1 && !spec.orders.contains(&2) {
            return refuse(
                "with several hidden layers the 2-point function is not the kernel; include 2",
            );
        }
        Ok(())
    }

    /// Draws an ensemble; `values` may be of another width.
    ///
    /// # Errors
    /// Those of [`check`](Self::check) and of [`Runner::measure`].
    pub fn sampled(runner: &mut Runner, spec: EnsembleSpec, values: &Values) -> Result<Self> {
        Self::check(&spec, true)?;
        let plan = Plan::new(spec)?;
        let spec = plan.spec().clone();
        let drawn = runner.drawing(spec.networks(), |runner| runner.measure(&plan, values));
        let (correlators, timing) = drawn?;
        Ok(Self {
            interactions: Interactions::measured(&spec, &correlators)
                .expect("the orders that are needed are there"),
            values: Some(values.clone()),
            device: runner.device(),
            timing,
            source: Source::sampled(Unconverged::of(&correlators)),
            spec,
        })
    }

    /// Takes the moments of an ensemble that was drawn before, such as
    /// [`read_moments`](crate::report::read_moments) has read in `wall_s` seconds.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn drawn(
        spec: EnsembleSpec,
        interactions: Interactions,
        unconverged: Vec<Unconverged>,
        wall_s: f64,
    ) -> Result<Self> {
        Self::check(&spec, true)?;
        Ok(Self {
            values: None,
            spec,
            interactions,
            device: CpuEngine::new().device(),
            timing: Timing::theory(wall_s),
            source: Source::sampled(unconverged),
        })
    }

    /// Calculates what exact moments of this net and these inputs are made of, at any width.
    pub fn neurons(spec: &EnsembleSpec) -> Exact {
        Exact::new(&EnsembleSpec {
            orders: vec![2, 4, 6],
            ..spec.clone()
        })
    }

    /// Calculates exact moments from the values of [`neurons`](Self::neurons).
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn exact(spec: EnsembleSpec, neurons: &Exact) -> Result<Self> {
        Self::check(&spec, false)?;
        let start = Instant::now();
        let interactions = Interactions::exact(&spec, &neurons.at_width(spec.net.width()));
        Ok(Self {
            interactions,
            values: None,
            spec,
            device: CpuEngine::new().device(),
            timing: Timing::theory(start.elapsed().as_secs_f64()),
            source: Source::exact(),
        })
    }

    /// Takes the exact values of interactions that were sampled, where they are known.
    pub(super) fn beside(&self) -> Option<Interactions> {
        match &self.values {
            _ if !self.source.is_sampled() => None,
            Some(values) => Interactions::beside(&self.spec, values),
            None => Interactions::beside(&self.spec, &Values::new(&self.spec)),
        }
    }

    /// Makes the head of a document on what was calculated from the moments.
    pub(super) fn head(&self, command: &'static str) -> Head {
        let (device, source) = (self.device.clone(), self.source.clone());
        Head::new(command, self.spec.clone(), device, self.timing, source)
    }
}
