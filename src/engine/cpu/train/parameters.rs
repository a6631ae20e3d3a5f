//! Parameters of 16 networks as the random stream has them.

use super::super::Setup;
use super::super::drawing::{ROWS, Source};
use super::super::networks::{At, TILE, Tile};
use crate::simd::{Aligned, has_fma, vectorised};
use crate::stream::GROUP;

/// `Parameters` holds the variates of unit variance that weights and biases are multiples of, the same that an
/// ensemble of these networks draws.
#[derive(Debug)]
pub struct Parameters {
    source: Source,
    /// What the stream yields at a time.
    drawn: Aligned,
    /// Variates of W0 and b0, `[component][unit][lane]`.
    pub hidden: Aligned,
    /// Variates of W1, `[output][unit][lane]`.
    pub readout: Aligned,
    /// Variates of b1, `[output]`.
    pub bias: Vec<Tile>,
}

impl Parameters {
    pub fn new(setup: &Setup) -> Self {
        let (components, outputs) = (setup.linear[0].len(), setup.layout.outputs as usize);
        let units = setup.width as usize;
        let at_a_time = (setup.layout.hidden_components as usize).max(outputs);
        Self {
            source: Source::new(setup),
            drawn: Aligned::new(0.0, at_a_time * ROWS),
            hidden: Aligned::new(0.0, components * units * TILE),
            readout: Aligned::new(0.0, outputs * units * TILE),
            bias: vec![[0.0; TILE]; outputs],
        }
    }

    /// Draws networks 16 `tile` to 16 `tile` + 15 of an experiment.
    pub fn draw(&mut self, setup: &Setup, experiment: u32, tile: u64) {
        draw(self, setup, experiment, tile);
    }
}

vectorised! {
    fn draw(parameters: &mut Parameters, setup: &Setup, experiment: u32, tile: u64) {
        draw_all::<{ has_fma!() }>(parameters, setup, experiment, tile);
    }
}

#[inline(always)]
fn draw_all<const FMA: bool>(p: &mut Parameters, setup: &Setup, experiment: u32, tile: u64) {
    let stride = setup.width as usize * TILE;
    let mut at = At {
        experiment,
        tile,
        unit: 0,
    };
    for _ in 0..setup.layout.full_groups {
        p.source.hidden_group::<FMA>(setup, at, &mut p.drawn);
        place(&p.drawn, ROWS, ROWS, &mut p.hidden, stride, at.unit * TILE);
        p.source.output_group::<FMA>(setup, at, &mut p.drawn);
        place(&p.drawn, ROWS, ROWS, &mut p.readout, stride, at.unit * TILE);
        at.unit += GROUP as usize;
    }
    let rows = setup.layout.remainder as usize * TILE;
    if rows > 0 {
        p.source.hidden_remainder::<FMA>(setup, at, &mut p.drawn);
        place(&p.drawn, rows, rows, &mut p.hidden, stride, at.unit * TILE);
    }
    p.source.output_remainder::<FMA>(setup, at, &mut p.drawn);
    if rows > 0 {
        place(
            &p.drawn,
            rows + TILE,
            rows,
            &mut p.readout,
            stride,
            at.unit * TILE,
        );
    }
    for (bias, drawn) in p.bias.iter_mut().zip(p.drawn.chunks_exact(rows + TILE)) {
        bias.copy_from_slice(&drawn[rows..]);
    }
}

/// Copies some rows of every component to their place among all units.
fn place(drawn: &[f64], apart: usize, rows: usize, all: &mut [f64], stride: usize, start: usize) {
    for (drawn, all) in drawn.chunks(apart).zip(all.chunks_exact_mut(stride)) {
        all[start..start + rows].copy_from_slice(&drawn[..rows]);
    }
}
