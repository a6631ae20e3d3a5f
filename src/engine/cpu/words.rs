//! Random words: ChaCha8 (twin of `shaders/words.wgsl`).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::engine::{GROUP, key};

/// A place in one stream of ChaCha8 words.
#[derive(Debug, Clone)]
pub struct Words(ChaCha8Rng);

impl Words {
    /// The words of `stream` from 16-word block `block` on.
    pub fn new(seed: u64, stream: u64, block: u64) -> Self {
        let mut rng = ChaCha8Rng::from_seed(key(seed));
        rng.set_stream(stream);
        rng.set_word_pos(u128::from(block) * u128::from(GROUP));
        Self(rng)
    }

    /// The next words of the stream.
    pub fn fill(&mut self, words: &mut [u32]) {
        self.0.fill_bytes(bytemuck::cast_slice_mut(words));
        for word in words {
            *word = u32::from_le(*word);
        }
    }
}
