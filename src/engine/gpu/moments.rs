//! This module renders the texts of the moment stage: `reduce.wgsl`, which sums the products of
//! fields over a block, and `ensemble.wgsl`, which draws and sums.

use std::iter::successors;

use serde::Serialize;

use super::layout::Layout;
use super::networks::{self, chunks};
use super::profile::Profile;
use super::setup::Setup;
use super::template::{QUADS, Text, render};
use crate::tensor::{Element, MomentPlan};

/// Threads per workgroup of the moment stage where each has a block of its own.
const MOMENT_THREADS: u64 = 32;
/// Blocks that a workgroup sums where several threads share each: rows of so many quads are read at a time.
const TOGETHER: u64 = 8;
/// Largest number of quads of sums that a workgroup joins at a time.
const JOINED_QUADS: u64 = 8;
/// The largest number of elements of `ensemble.wgsl`: its compiler takes more than linear time.
pub const MAX_ENSEMBLE_ELEMENTS: usize = 1024;
/// The largest width of networks of `ensemble.wgsl`: beyond it, drawing takes all of the time, and
/// is better spread over a thread for each network.
pub const MAX_ENSEMBLE_WIDTH: u64 = 512;

/// Returns the order of a block's sums: those that share a product are side by side, so that few
/// products are formed twice.
pub fn order(plan: &MomentPlan) -> Vec<usize> {
    let mut all: Vec<usize> = (0..plan.elements().len()).collect();
    all.sort_by_key(|&e| match plan.elements()[e] {
        Element::Single(a) => (a, 0),
        Element::Product(a, b) => (b, a),
    });
    all
}

/// Tells where a block's row of the buffer `sums` has its heaviest network, in quads.
pub fn heaviest_at(plan: &MomentPlan) -> usize {
    plan.elements().len().div_ceil(4)
}

/// Counts the quads in a block's row of the buffer `sums`.
pub fn sum_quads(plan: &MomentPlan) -> usize {
    heaviest_at(plan) + (3 + plan.fields()).div_ceil(4)
}

/// `Weight` says where a network's weight comes from.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    /// A weight of one: every network counts once.
    One,
    /// A weight that importance sampling gives by its inverse.
    Inverse,
    /// A weight given by a row of the fields.
    Given,
}

/// `Sum` is one sum of `moments.wgsl`.
#[derive(Serialize)]
struct Sum {
    /// The name of the sum.
    sum: String,
    /// The entries of the plan's table whose product the sum adds up; only one for a first moment.
    left: usize,
    right: Option<usize>,
}

/// `Product` is a product of fields that several sums share.
#[derive(Serialize)]
struct Product {
    to: usize,
    left: usize,
    point: usize,
}

/// `Moments` holds what `moments.wgsl` is rendered for: some elements of a plan, and the products
/// that they need.
#[derive(Serialize)]
struct Moments {
    weight: Weight,
    /// The probability of a network without shift.
    probability: f64,
    /// Whether four networks are added at a time.
    of_four: bool,
    fields: usize,
    /// The names of a network's rows: fields, then what the weight comes from.
    rows: Vec<String>,
    products: Vec<Product>,
    /// Entries of the table that are a left factor.
    lefts: Vec<usize>,
    elements: Vec<Sum>,
    /// Number of quads of a block's row, the first that is written, and the heaviest network's.
    sum_quads: usize,
    first_quad: usize,
    heaviest_at: usize,
    finds_heaviest: bool,
    /// What is written of the heaviest network, as text.
    heaviest: Vec<String>,
}

impl Moments {
    /// Prepares the sums of a block's row from number `first` on, a multiple of 4; those at the
    /// row's start go with the heaviest network.
    fn new(plan: &MomentPlan, elements: &[usize], first: usize, weight: Weight) -> Self {
        let fields = plan.fields();
        let sums: Vec<Sum> = (elements.iter())
            .map(|&e| {
                let (left, right) = match plan.elements()[e] {
                    Element::Single(a) => (a, None),
                    Element::Product(a, b) => (a, Some(b)),
                };
                let sum = format!("s_{e}");
                Sum { sum, left, right }
            })
            .collect();
        let mut needed = vec![false; fields + plan.products().len()];
        for entry in sums
            .iter()
            .flat_map(|sum| sum.right.into_iter().chain([sum.left]))
        {
            needed[entry] = true;
        }
        for (k, product) in plan.products().iter().enumerate().rev() {
            if needed[fields + k] {
                needed[product.left] = true;
            }
        }
        let mut lefts: Vec<usize> = sums.iter().map(|sum| sum.left).collect();
        lefts.sort_unstable();
        lefts.dedup();
        let rows = (0..fields).map(|f| format!("t_{f}"));
        let ratio = (!matches!(weight, Weight::One)).then(|| "ratio".to_string());
        let best = ["best", "f32(best_n)", "best_weight"].map(String::from);
        let best_fields = (0..fields).map(|f| format!("best_{f}"));
        Self {
            weight,
            probability: 1.0,
            of_four: false,
            fields,
            rows: rows.chain(ratio).collect(),
            products: (plan.products().iter().enumerate())
                .filter(|(k, _)| needed[fields + k])
                .map(|(k, product)| Product {
                    to: fields + k,
                    left: product.left,
                    point: product.field,
                })
                .collect(),
            lefts,
            elements: sums,
            sum_quads: sum_quads(plan),
            first_quad: first / 4,
            heaviest_at: heaviest_at(plan),
            finds_heaviest: first == 0,
            heaviest: best.into_iter().chain(best_fields).collect(),
        }
    }

    fn of(setup: &Setup, plan: &MomentPlan, elements: &[usize], first: usize) -> Self {
        let (weight, probability) = match &setup.tilt {
            Some(tilt) => (Weight::Inverse, tilt.probability),
            None => (Weight::One, 1.0),
        };
        Self {
            probability,
            ..Self::new(plan, elements, first, weight)
        }
    }
}

/// A reducer is a text or a pipeline that sums the networks of blocks.
pub struct Reducer<T> {
    pub stage: T,
    /// Number of blocks that a workgroup sums.
    pub together: u64,
}

impl<T> Reducer<T> {
    /// Returns the workgroups of a dispatch for so many blocks.
    pub fn size(&self, blocks: u64) -> [u32; 3] {
        [blocks.div_ceil(self.together) as u32, 1, 1]
    }
}

/// A team is the threads that sum a block of networks in the moment stage.
#[derive(Debug, Clone, Serialize)]
pub struct Team {
    /// Number of threads of a block, a power of two, and of blocks of a workgroup.
    pub strands: u64,
    pub together: u64,
    pub threads: u64,
    /// Number of quads of sums that a workgroup joins at a time.
    pub joined_quads: u64,
    /// Halves of the strands, down to one: the levels of the tree that joins them.
    halves: Vec<u64>,
}

impl Team {
    /// Sizes the team for blocks of so many networks.
    pub fn new(profile: &Profile, block: u64) -> Self {
        let strands = (profile.strands(block)).min(profile.workgroup_threads.into());
        let strands = 1 << strands.ilog2();
        let together = match strands {
            1 => MOMENT_THREADS,
            _ => TOGETHER.min(u64::from(profile.workgroup_threads) / strands),
        };
        let threads = strands * together;
        let room = u64::from(profile.workgroup_memory) / (16 * threads);
        Self {
            strands,
            together,
            threads,
            joined_quads: room.clamp(1, JOINED_QUADS),
            halves: successors(Some(strands / 2), |half| Some(half / 2))
                .take_while(|half| *half > 0)
                .collect(),
        }
    }
}

/// `Reduce` holds what `reduce.wgsl` is rendered for.
#[derive(Serialize)]
struct Reduce {
    team: Team,
    /// Numbers of networks of a block, of chunks of a network, and of quads of a chunk's rows.
    block: u64,
    chunks: u64,
    row_quads: usize,
    moments: Moments,
}

/// Renders the texts that sum the elements of a plan, one for as many of them as a thread keeps, a
/// multiple of 4.
pub fn texts(setup: &Setup, plan: &MomentPlan, profile: &Profile) -> Vec<Reducer<Text>> {
    let team = Team::new(profile, setup.block());
    let sums_per_thread = profile.sums_per_thread(setup, plan);
    (order(plan).chunks(sums_per_thread).enumerate())
        .map(|(part, elements)| {
            let reduce = Reduce {
                team: team.clone(),
                block: setup.block(),
                chunks: chunks(setup),
                row_quads: setup.row_quads(),
                moments: Moments::of(setup, plan, elements, part * sums_per_thread),
            };
            Reducer {
                stage: render("reduce", &reduce),
                together: team.together,
            }
        })
        .collect()
}

/// Renders the text that sums the nodes of a quadrature, in blocks of `block`.
pub fn quadrature(block: u64, plan: &MomentPlan, profile: &Profile) -> Reducer<Text> {
    let team = Team::new(profile, block);
    let together = team.together;
    let reduce = Reduce {
        team,
        block,
        chunks: 1,
        row_quads: (plan.fields() + 1).div_ceil(4),
        moments: Moments::new(plan, &order(plan), 0, Weight::Given),
    };
    Reducer {
        stage: Text {
            stage: "quadrature",
            ..render("reduce", &reduce)
        },
        together,
    }
}

/// Renders the text of `ensemble.wgsl`.
pub fn ensemble(
    setup: &Setup,
    layout: &Layout,
    plan: &MomentPlan,
    profile: &Profile,
) -> Reducer<Text> {
    #[derive(Serialize)]
    struct Ensemble<'a> {
        #[serde(flatten)]
        networks: networks::Context<'a>,
        moments: Moments,
    }
    // One vector of a software adapter, so that few blocks reach all cores.
    let together = u64::from(profile.subgroup.clamp(1, profile.workgroup_threads));
    let networks = networks::Context {
        threads: together,
        thread_quads: &QUADS,
        ..networks::Context::new(setup, &layout.at, profile)
    };
    let moments = Moments {
        of_four: true,
        ..Moments::of(setup, plan, &order(plan), 0)
    };
    Reducer {
        stage: render("ensemble", &Ensemble { networks, moments }),
        together,
    }
}
