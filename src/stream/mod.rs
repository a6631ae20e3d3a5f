//! The random stream consists of counter-based words, and of the variates made of them; a layout
//! tells where in the stream a network finds its parameters.
//!
//! A word is a function of (seed, experiment, network, part, place): no order of drawing, no number
//! of threads and no device changes a network. The generator is ChaCha8, whose twin in the shaders
//! is `shaders/words.wgsl`.

mod layout;
mod normals;
mod variates;
mod words;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use layout::{GROUP, InnerLayout, Part, StreamLayout, key};
pub(crate) use normals::Halves;
pub use normals::normals;
pub use variates::variates;
pub(crate) use variates::{variates_of_blocks, variates_of_lanes};
pub use words::Words;
pub(crate) use words::lanes;

/// The number of a stream that no experiment of a run has.
const SPARE: u64 = u32::MAX as u64;

/// Makes a generator for `rand`'s distributions on a stream that no network uses: experiments end
/// before the last.
pub(crate) fn spare_rng(seed: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::from_seed(key(seed));
    rng.set_stream(SPARE);
    rng
}

/// Draws `count` standard normals of a stream that no network uses: experiments end before the
/// last.
pub(crate) fn spare_normals(number: u64, count: usize) -> Vec<f64> {
    let mut words = vec![0; count.next_multiple_of(GROUP as usize)];
    Words::new(number, SPARE, 0).fill(&mut words);
    let mut all = vec![0.0; words.len()];
    normals(&words, &mut all);
    all.truncate(count);
    all
}
