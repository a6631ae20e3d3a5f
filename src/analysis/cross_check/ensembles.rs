//! This module lists the ensembles that a cross-check draws.

use rand::{Rng, RngExt};

use crate::model::{EnsembleSpec, Inputs, Law, Net, source_nets};
use crate::stream::spare_rng;

/// Lists the ensembles of a cross-check: those of one net; or of the source's nets, narrow and wide,
/// at other standard deviations as well, and one of a tape with other laws and of several hidden
/// layers each.
pub(super) fn ensembles(net: Option<&Net>, thorough: bool) -> Vec<EnsembleSpec> {
    let mut draws = spare_rng(1);
    if let Some(net) = net {
        return of_net(net, net, thorough, &mut draws);
    }
    let mut all: Vec<EnsembleSpec> = source_nets()
        .flat_map(|name| {
            let net = Net::named(name, 1).expect("a net of the catalogue");
            let scaled = net.clone().with_sigma_w(1.3).with_sigma_b(0.6);
            of_net(&net, &scaled, thorough, &mut draws)
        })
        .collect();
    all.push(ensemble(&with_laws(), 2, 37, 4096));
    all.push(deep());
    all
}

/// Several hidden layers: full groups and units left over, and a layer of fewer units than points.
fn deep() -> EnsembleSpec {
    let net = Net::new("tanh(z)".parse().expect("an activation"), 2);
    let net = net.with_sigma_w(1.3).with_hidden(&[37, 3, 20]);
    let spec = EnsembleSpec::of_net(net.expect("widths")).expect("inputs for d_in 2");
    EnsembleSpec {
        nets: 4096,
        experiments: 2,
        ..spec
    }
}

/// A net of a tape, and of every law but the normal one.
fn with_laws() -> Net {
    let net = Net::new("z*tanh(z) + sin(z)".parse().expect("an activation"), 1);
    net.with_law_w(vec![Law::Uniform, Law::Rademacher])
        .and_then(|net| net.with_law_b(vec![Law::Laplace, Law::Phase]))
        .expect("laws for every layer")
}

fn ensemble(net: &Net, d_in: usize, width: u64, nets: u64) -> EnsembleSpec {
    let preset = EnsembleSpec::of_net(net.clone().with_d_in(d_in));
    EnsembleSpec {
        nets,
        experiments: 2,
        ..preset.expect("inputs for d_in 1 to 3").with_width(width)
    }
}

/// Lists ensembles of a net: d_in 1 to 3, narrow and wide, the catalogue's inputs and, with another
/// choice of standard deviations, random ones.
fn of_net(net: &Net, scaled: &Net, thorough: bool, draws: &mut impl Rng) -> Vec<EnsembleSpec> {
    let nets = if thorough { 100_000 } else { 4096 };
    let mut all: Vec<EnsembleSpec> = [(1, 5), (2, 37), (3, 1000)]
        .map(|(d_in, width)| {
            let few = if width > 100 { nets / 8 } else { nets };
            ensemble(net, d_in, width, few)
        })
        .into();
    let mut uniform = || draws.random_range(-1.0..1.0);
    let points = (0..4).map(|_| vec![uniform(), uniform()]).collect();
    all.push(EnsembleSpec {
        inputs: Inputs::new(points).expect("finite points"),
        seed: 0x0123_4567_89ab_cdef,
        ..ensemble(scaled, 2, 20, nets)
    });
    // Several outputs: full groups and a short one.
    all.push(EnsembleSpec {
        inputs: Inputs::new(vec![vec![0.4], vec![1.1]]).expect("finite points"),
        ..ensemble(&net.clone().with_d_out(3), 1, 37, nets)
    });
    all
}

pub(super) fn label(spec: &EnsembleSpec) -> String {
    let outputs = match spec.net.d_out() {
        1 => String::new(),
        d => format!(" d_out {d}"),
    };
    let layers = || spec.net.layers().iter();
    let is_gaussian = layers().all(|l| l.law_w.is_gaussian() && l.law_b.is_gaussian());
    let laws = match is_gaussian {
        true => String::new(),
        false => layers()
            .map(|l| format!(" {}/{}", l.law_w, l.law_b))
            .collect(),
    };
    let widths: Vec<String> = (spec.net.hidden().iter().map(u64::to_string)).collect();
    format!(
        "{}{laws} d_in {}{outputs} N {}",
        spec.net,
        spec.net.d_in(),
        widths.join(",")
    )
}
