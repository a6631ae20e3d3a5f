//! This module draws the variates of networks' parameters, for 16 networks side by side.

use std::ops::Range;

use super::Setup;
use super::networks::{At, TILE};
use crate::model::Law;
use crate::stream::{
    GROUP, Halves, InnerLayout, Part, Words, lanes, variates_of_blocks, variates_of_lanes,
};

/// Count of words in one component of a full group, `[unit][lane]`.
pub(super) const ROWS: usize = GROUP as usize * TILE;

/// `Source` holds the words of the remainder and where they come from: those of consecutive tiles
/// follow each other in both streams.
#[derive(Debug)]
pub(super) struct Source {
    /// Words of one component of a full group, `[word][lane]`.
    group: [u32; ROWS],
    /// Words of the remainder, `[component or output][unit][lane]`.
    remainder: Vec<u32>,
    halves: Halves,
    hidden_remainder: Words,
    output_remainder: Words,
}

impl Source {
    pub fn new(setup: &Setup) -> Self {
        let remainder = setup.layout.blocks(Part::HiddenRemainder);
        let remainder = remainder.max(setup.layout.blocks(Part::OutputRemainder));
        let inner = setup.inner.iter().map(|inner| inner.layout);
        let remainder = inner
            .map(|of| of.remainder_blocks())
            .fold(remainder, u64::max);
        let remainder = remainder as usize * TILE;
        Self {
            group: [0; ROWS],
            remainder: vec![0; remainder],
            halves: Halves::default(),
            hidden_remainder: Words::new(setup.seed, 0, 0),
            output_remainder: Words::new(setup.seed, 0, 0),
        }
    }

    /// Draws W0 and b0 of a full group, where each network has blocks of its own: one lane draws
    /// one block.
    #[inline(always)]
    pub fn hidden_group<const FMA: bool>(&mut self, setup: &Setup, at: At, variates: &mut [f64]) {
        let (layout, laws) = (&setup.layout, &setup.parameters.laws);
        let weights = layout.hidden_components as usize - 1;
        let drawn = layout.drawn_components as usize;
        let law = |c: usize| if c < weights { laws.weights } else { laws.bias };
        for c in 0..drawn {
            let place = (layout.hidden_components, c);
            let variates = &mut variates[c * ROWS..][..ROWS];
            self.group::<FMA>(setup, at, Part::Hidden, place, law(c), variates);
        }
    }

    /// Draws W1 of a full group.
    #[inline(always)]
    pub fn output_group<const FMA: bool>(&mut self, setup: &Setup, at: At, variates: &mut [f64]) {
        let (outputs, law) = (setup.layout.outputs, setup.parameters.laws.readout);
        for a in 0..outputs as usize {
            let variates = &mut variates[a * ROWS..][..ROWS];
            self.group::<FMA>(setup, at, Part::Output, (outputs, a), law, variates);
        }
    }

    /// Draws block `place.1` of the `place.0` that a network has for the group.
    // Not a closure: that would be compiled without the processor features of its caller.
    #[inline(always)]
    fn group<const FMA: bool>(
        &mut self,
        setup: &Setup,
        at: At,
        part: Part,
        place: (u64, usize),
        law: Law,
        variates: &mut [f64],
    ) {
        let stride = setup.layout.blocks(part);
        let first = at.tile * GROUP * stride + at.unit as u64 / GROUP * place.0 + place.1 as u64;
        let stream = part.stream(at.experiment);
        lanes(setup.seed, stream, first, stride, &mut self.group);
        variates_of_lanes::<FMA>(law, &self.group, variates);
    }

    /// Draws some components of the units at a place of a layer above the first, to
    /// `[component][unit][lane]`.
    #[inline(always)]
    pub fn inner<const FMA: bool>(
        &mut self,
        seed: u64,
        layout: &InnerLayout,
        at: At,
        components: Range<usize>,
        law: Law,
        variates: &mut [f64],
    ) {
        let group = at.unit as u64 / GROUP;
        if group < layout.full_groups() {
            let stride = layout.blocks();
            let first = at.tile * GROUP * stride + group * layout.components;
            let stream = layout.stream(at.experiment);
            for (c, variates) in components.zip(variates.chunks_exact_mut(ROWS)) {
                lanes(seed, stream, first + c as u64, stride, &mut self.group);
                variates_of_lanes::<FMA>(law, &self.group, variates);
            }
            return;
        }
        let rows = layout.remainder() as usize * TILE;
        let words = &mut self.remainder[..components.len() * rows];
        let first = at.tile * layout.remainder_blocks();
        let first = first + components.start as u64 * layout.remainder();
        (self.hidden_remainder).seek(layout.remainder_stream(at.experiment), first);
        self.hidden_remainder.fill(words);
        let variates = &mut variates[..words.len()];
        variates_of_blocks::<FMA>(law, words, variates, &mut self.halves);
    }

    /// Draws W0 and b0 of the remainder, whose blocks hold a word for each of the 16 networks.
    #[inline(always)]
    pub fn hidden_remainder<const FMA: bool>(
        &mut self,
        setup: &Setup,
        at: At,
        variates: &mut [f64],
    ) {
        let (layout, laws) = (&setup.layout, &setup.parameters.laws);
        let rows = layout.remainder as usize * TILE;
        let words = &mut self.remainder[..layout.drawn_components as usize * rows];
        let owned = layout.blocks(Part::HiddenRemainder);
        let stream = Part::HiddenRemainder.stream(at.experiment);
        self.hidden_remainder.seek(stream, at.tile * owned);
        self.hidden_remainder.fill(words);
        let weights = (layout.hidden_components as usize - 1) * rows;
        let variates = &mut variates[..words.len()];
        by_two::<FMA>(
            (laws.weights, laws.bias),
            weights,
            words,
            variates,
            &mut self.halves,
        );
    }

    /// Draws W1 of the remainder and b1.
    #[inline(always)]
    pub fn output_remainder<const FMA: bool>(
        &mut self,
        setup: &Setup,
        at: At,
        variates: &mut [f64],
    ) {
        let (layout, laws) = (&setup.layout, &setup.parameters.laws);
        let owned = layout.blocks(Part::OutputRemainder);
        let words = &mut self.remainder[..owned as usize * TILE];
        let stream = Part::OutputRemainder.stream(at.experiment);
        self.output_remainder.seek(stream, at.tile * owned);
        self.output_remainder.fill(words);
        let weights = layout.remainder as usize * TILE;
        let rows = match laws.readout == laws.readout_bias {
            true => words.len(),
            false => weights + TILE,
        };
        let laws = (laws.readout, laws.readout_bias);
        let variates = variates[..words.len()].chunks_exact_mut(rows);
        for (words, variates) in words.chunks_exact(rows).zip(variates) {
            by_two::<FMA>(laws, weights, words, variates, &mut self.halves);
        }
    }
}

/// Makes variates of the first law of `first` words and of the second law of the rest: at once if
/// the laws are the same.
#[inline(always)]
fn by_two<const FMA: bool>(
    laws: (Law, Law),
    first: usize,
    words: &[u32],
    variates: &mut [f64],
    halves: &mut Halves,
) {
    let first = if laws.0 == laws.1 { words.len() } else { first };
    let (words, rest) = words.split_at(first.min(words.len()));
    let (variates, rest_variates) = variates.split_at_mut(words.len());
    variates_of_blocks::<FMA>(laws.0, words, variates, halves);
    if !rest.is_empty() {
        variates_of_blocks::<FMA>(laws.1, rest, rest_variates, halves);
    }
}
