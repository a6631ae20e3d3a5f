//! This module draws random words by ChaCha8 (twin of `shaders/words.wgsl`).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{GROUP, key};

/// `Words` is a place in one stream of ChaCha8 words.
#[derive(Debug, Clone)]
pub struct Words {
    generator: ChaCha8Rng,
    stream: u64,
    block: u64,
}

impl Words {
    /// Opens the words of `stream` from 16-word block `block` on.
    pub fn new(seed: u64, stream: u64, block: u64) -> Self {
        let mut generator = ChaCha8Rng::from_seed(key(seed));
        generator.set_stream(stream);
        generator.set_word_pos(u128::from(block) * u128::from(GROUP));
        Self {
            generator,
            stream,
            block,
        }
    }

    /// Goes to another place, at no cost if that is where the last words ended.
    pub fn seek(&mut self, stream: u64, block: u64) {
        if self.stream != stream {
            self.generator.set_stream(stream);
        }
        if (self.stream, self.block) != (stream, block) {
            self.generator
                .set_word_pos(u128::from(block) * u128::from(GROUP));
            (self.stream, self.block) = (stream, block);
        }
    }

    /// Fills `words` with the next words of the stream.
    ///
    /// # Panics
    /// If `words` is no whole number of blocks.
    pub fn fill(&mut self, words: &mut [u32]) {
        assert!(words.len().is_multiple_of(BLOCK), "whole blocks");
        self.generator.fill_bytes(bytemuck::cast_slice_mut(words));
        for word in words.iter_mut() {
            *word = u32::from_le(*word);
        }
        self.block += (words.len() / BLOCK) as u64;
    }
}

const BLOCK: usize = GROUP as usize;

/// Draws blocks `first + l stride` of a stream for l = 0..16, side by side: word w of block l is
/// `words[16 w + l]`. They are the same words as those of [`Words`], for networks that are drawn
/// together.
///
/// One block a lane is a loop that compilers turn into vector code; a generator of
/// consecutive blocks would leave the words of 16 networks to be transposed.
#[inline(always)]
pub(crate) fn lanes(
    seed: u64,
    stream: u64,
    first: u64,
    stride: u64,
    words: &mut [u32; BLOCK * BLOCK],
) {
    let halves = |x: u64| (x as u32, (x >> 32) as u32);
    let (key, stream) = (halves(seed), halves(stream));
    for l in 0..BLOCK {
        let counter = halves(first + l as u64 * stride);
        let start = [
            0x6170_7865,
            0x3320_646e,
            0x7962_2d32,
            0x6b20_6574,
            key.0,
            key.1,
            0,
            0,
            0,
            0,
            0,
            0,
            counter.0,
            counter.1,
            stream.0,
            stream.1,
        ];
        let mut x = start;
        double_round(&mut x);
        double_round(&mut x);
        double_round(&mut x);
        double_round(&mut x);
        for w in 0..16 {
            words[w * BLOCK + l] = x[w].wrapping_add(start[w]);
        }
    }
}

#[inline(always)]
fn double_round(x: &mut [u32; 16]) {
    quarter_round(x, 0, 4, 8, 12);
    quarter_round(x, 1, 5, 9, 13);
    quarter_round(x, 2, 6, 10, 14);
    quarter_round(x, 3, 7, 11, 15);
    quarter_round(x, 0, 5, 10, 15);
    quarter_round(x, 1, 6, 11, 12);
    quarter_round(x, 2, 7, 8, 13);
    quarter_round(x, 3, 4, 9, 14);
}

#[inline(always)]
fn quarter_round(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(16);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(12);
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(8);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(7);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_wherever_one_comes_from() {
        let mut words = Words::new(7, 3, 5);
        for (stream, block) in [(3, 5), (3, 6), (3, 6), (4, 7), (4, 2), (3, 7)] {
            let (mut got, mut want) = ([0; BLOCK], [0; BLOCK]);
            words.seek(stream, block);
            words.fill(&mut got);
            Words::new(7, stream, block).fill(&mut want);
            assert_eq!(got, want, "stream {stream}, block {block}");
        }
    }

    #[test]
    fn lanes_hold_the_words_of_the_stream() {
        for (seed, stream, first, stride) in [
            (0, 0, 0, 1),
            (0x0123_4567_89ab_cdef, u64::MAX - 5, 77, 13),
            (u64::MAX, 1 << 32, (1 << 32) - 20, 3),
        ] {
            let mut words = [0; BLOCK * BLOCK];
            lanes(seed, stream, first, stride, &mut words);
            for l in 0..BLOCK {
                let mut want = [0; BLOCK];
                Words::new(seed, stream, first + l as u64 * stride).fill(&mut want);
                for w in 0..BLOCK {
                    assert_eq!(words[w * BLOCK + l], want[w]);
                }
            }
        }
    }
}
