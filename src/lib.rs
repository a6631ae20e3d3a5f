//! This library studies ensembles of randomly initialised neural networks as field theories.
//!
//! The data flows one way:
//!
//! ```text
//! model (net, spec) -> plan -> engine -> tensor -> analysis -> run (a result) -> report
//!                                                  ^ theory
//! ```
//!
//! - [`model`]: what is sampled: networks, their activations, input points, the spec;
//! - [`stream`]: the random stream;
//! - [`plan`]: a spec, validated and compiled once;
//! - [`engine`]: draws the networks, on the GPU in f32 or on the CPU in f64;
//! - [`tensor`]: symmetric n-point tensors and mergeable accumulators;
//! - [`state`]: how far a run has come: saved, resumed, merged;
//! - [`theory`]: kernels, Wick sums and exact finite-width values, pure functions in f64;
//! - [`analysis`]: measured tensors held against theory;
//! - [`run`]: the measurements that a user asks for, with progress, stop and resume;
//! - [`report`]: tables, figures, JSON, NPZ;
//! - [`reproduction`]: the source's results measured again: plan, verdicts, page;
//! - [`cli`]: the program `nnqft-gpu`, for whoever carries it along.
//!
//! ```
//! use nnqft_gpu::{analysis, engine, model};
//!
//! let mut spec = model::EnsembleSpec::preset("relu", 1)?;
//! spec = spec.with_width(20);
//! spec.nets = 2000;
//! let spec = spec.validate()?;
//! let mut cpu = engine::cpu::CpuEngine::new();
//! let moments = engine::run(&mut cpu, &spec, &|_| {})?;
//! let correlators = analysis::correlators(&spec, &moments)?;
//! assert_eq!(correlators[0].order, 2);
//! # Ok::<(), nnqft_gpu::Error>(())
//! ```
//!
//! `examples/` in the repository has three short programs: exact against measured m_4, an analysis
//! of one's own on tensor elements, a running coupling.
//!
//! What the documentation shows is the interface that semantic versioning speaks of. Results may
//! gain fields and errors may gain kinds (`#[non_exhaustive]`); what is hidden from the
//! documentation is public for the crate's own tests and benchmarks only.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

// The command line calls the library by its name, as any other program does.
#[cfg(feature = "cli")]
extern crate self as nnqft_gpu;

pub mod analysis;
#[cfg(feature = "cli")]
pub mod cli;
mod count;
pub mod engine;
mod error;
pub mod model;
pub mod plan;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod reproduction;
pub mod run;
mod sentence;
mod simd;
pub mod state;
pub mod stream;
pub mod tensor;
pub mod theory;

pub use error::{Error, Result};
pub use sentence::Sentence;

/// Runs the program of the book's page.
#[cfg(doctest)]
#[doc = include_str!("../docs/src/library.md")]
struct LibraryPage;
