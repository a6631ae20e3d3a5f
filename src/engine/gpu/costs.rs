//! What the stages of a run cost, counted in their texts.

use serde::Serialize;

use super::census::{Census, count};
use super::moments::{self, Team};
use super::networks::{self, chunks};
use super::profile::Profile;
use super::setup::Setup;
use crate::plan::Plan;
use crate::tensor::MomentPlan;

/// `StageCost` holds what a stage of a run does for each network.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StageCost {
    /// Name of the stage.
    pub stage: &'static str,
    /// Number of dispatches of a batch, one after the other.
    pub dispatches: usize,
    /// Number of networks that each thread has.
    pub networks_per_thread: f64,
    /// Work of one network; of registers what a thread has.
    pub network: Census,
}

impl StageCost {
    /// Returns the stage that adds up blocks on the host, of which nothing is counted.
    pub(super) fn of_host() -> Self {
        Self {
            stage: "host",
            dispatches: 0,
            networks_per_thread: 0.0,
            network: Census::default(),
        }
    }
}

/// Counts the work of the stages of a plan of one hidden layer, as straight-line code in stages.
pub fn stage_costs(plan: &Plan, profile: &Profile) -> Vec<StageCost> {
    let setup = Setup::new(plan.drawn());
    let mut all = of_networks(&setup, profile);
    all.push(of_moments(&setup, plan.measurement().moments(), profile));
    all
}

/// Counts the work of drawing networks.
fn of_networks(setup: &Setup, profile: &Profile) -> Vec<StageCost> {
    let remainder = setup.stream.remainder as f64;
    (networks::texts(setup, profile, false).into_iter())
        .map(|sampler| {
            let turns: Vec<f64> = match sampler.stage.stage {
                "sample" => {
                    let groups = setup.stream.full_groups as f64 / f64::from(sampler.chunks);
                    let together = networks::together(setup);
                    let of_points = setup.points as f64 / together as f64;
                    let inner = (together < setup.points).then_some(of_points);
                    [groups].into_iter().chain(inner).collect()
                }
                // There may be b1 alone.
                _ => Some(remainder)
                    .filter(|units| *units > 0.0)
                    .into_iter()
                    .collect(),
            };
            let threads = sampler.threads as f64 * f64::from(sampler.chunks);
            let per_network = threads / setup.block() as f64;
            let thread = count(&sampler.stage, &turns);
            let mut network = Census::default();
            network.add(&thread, per_network);
            StageCost {
                stage: sampler.stage.stage,
                dispatches: 1,
                networks_per_thread: per_network.recip(),
                network,
            }
        })
        .collect()
}

/// Counts the work of summing moments.
fn of_moments(setup: &Setup, plan: &MomentPlan, profile: &Profile) -> StageCost {
    let texts = moments::texts(setup, plan, profile);
    let team = Team::new(profile, setup.block());
    let per_network = team.strands as f64 / setup.block() as f64;
    let mut quads = moments::heaviest_at(plan);
    let mut network = Census::default();
    for (piece, reducer) in texts.iter().enumerate() {
        let mut turns = vec![per_network.recip()];
        if chunks(setup) > 1 {
            turns.push(chunks(setup) as f64 - 1.0);
        }
        let here = quads.min(profile.sums_per_thread(setup, plan) / 4);
        quads -= here;
        if team.strands > 1 {
            let mut left = here as u64;
            while left > 0 {
                let joined = left.min(team.joined_quads);
                turns.push((joined * team.together) as f64 / team.threads as f64);
                left -= joined;
            }
            if piece == 0 {
                turns.push(team.strands as f64 - 1.0);
            }
        }
        network.add(&count(&reducer.stage, &turns), per_network);
    }
    StageCost {
        stage: "reduce",
        dispatches: texts.len(),
        networks_per_thread: per_network.recip(),
        network,
    }
}
