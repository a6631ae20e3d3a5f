//! This module lists the ensembles that a cross-check draws.

use rand::RngExt;

use crate::model::{EnsembleSpec, Inputs, source_nets};
use crate::stream::spare_rng;

/// Lists the ensembles of a cross-check: all nets, d_in 1 to 3, narrow and wide, the source's
/// inputs and random ones.
pub(super) fn ensembles(thorough: bool) -> Vec<EnsembleSpec> {
    let mut draws = spare_rng(1);
    let mut all = Vec::new();
    for arch in source_nets() {
        let nets = if thorough { 100_000 } else { 4096 };
        for (d_in, width) in [(1, 5), (2, 37), (3, 1000)] {
            let preset = EnsembleSpec::preset(arch, d_in).expect("the source has d_in 1 to 3");
            all.push(EnsembleSpec {
                nets: if width > 100 { nets / 8 } else { nets },
                experiments: 2,
                ..preset.with_width(width)
            });
        }
        let mut uniform = || draws.random_range(-1.0..1.0);
        let points = (0..4).map(|_| vec![uniform(), uniform()]).collect();
        all.push(EnsembleSpec {
            inputs: Inputs::new(points).expect("finite points"),
            nets,
            experiments: 2,
            seed: 0x0123_4567_89ab_cdef,
            ..all[all.len() - 1]
                .clone()
                .with_width(20)
                .with_d_in(2)
                .with_sigma_w(1.3)
                .with_sigma_b(0.6)
        });
        // Several outputs: full groups and a short one.
        all.push(EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.4], vec![1.1]]).expect("finite points"),
            nets,
            experiments: 2,
            ..EnsembleSpec::preset(arch, 1)
                .expect("the source has d_in 1")
                .with_width(37)
                .with_d_in(1)
                .with_d_out(3)
        });
    }
    all
}

pub(super) fn label(spec: &EnsembleSpec) -> String {
    let outputs = match spec.net.d_out() {
        1 => String::new(),
        d => format!(" d_out {d}"),
    };
    format!(
        "{} d_in {}{outputs} N {}",
        spec.net,
        spec.net.d_in(),
        spec.net.width()
    )
}
