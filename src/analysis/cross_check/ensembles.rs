//! The ensembles of a cross-check.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::model::{Architecture, EnsembleSpec, Inputs};

/// The ensembles of a cross-check: all nets, d_in 1 to 3, narrow and wide, the source's
/// inputs and random ones.
pub(super) fn ensembles(thorough: bool) -> Vec<EnsembleSpec> {
    let mut draws = ChaCha8Rng::seed_from_u64(1);
    let mut all = Vec::new();
    for arch in Architecture::ALL {
        let nets = if thorough { 100_000 } else { 4096 };
        for (d_in, width) in [(1, 5), (2, 37), (3, 1000)] {
            let preset = EnsembleSpec::preset(arch, d_in).expect("the source has d_in 1 to 3");
            all.push(EnsembleSpec {
                width,
                nets: if width > 100 { nets / 8 } else { nets },
                experiments: 2,
                ..preset
            });
        }
        let mut uniform = || f64::from(draws.next_u32()) / 2_147_483_648.0 - 1.0;
        let points = (0..4).map(|_| vec![uniform(), uniform()]).collect();
        all.push(EnsembleSpec {
            inputs: Inputs::new(points).expect("finite points"),
            d_in: 2,
            width: 20,
            nets,
            experiments: 2,
            sigma_w: 1.3,
            sigma_b: 0.6,
            seed: 0x0123_4567_89ab_cdef,
            ..all[all.len() - 1].clone()
        });
        // Several outputs: full groups and a short one.
        all.push(EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.4], vec![1.1]]).expect("finite points"),
            d_in: 1,
            d_out: 3,
            width: 37,
            nets,
            experiments: 2,
            ..EnsembleSpec::preset(arch, 1).expect("the source has d_in 1")
        });
    }
    all
}

pub(super) fn label(spec: &EnsembleSpec) -> String {
    let outputs = match spec.d_out {
        1 => String::new(),
        d => format!(" d_out {d}"),
    };
    format!("{} d_in {}{outputs} N {}", spec.arch, spec.d_in, spec.width)
}
