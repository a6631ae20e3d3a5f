//! A tail may be too heavy for the direct estimator.

use super::SIGMAS;
use crate::reproduction::source::SourceNet;
use crate::reproduction::traced::{Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::FalloffDocument;

/// Tells whether a net's connected ensembles need importance sampling.
pub(in crate::reproduction) fn is_heavy(document: &FalloffDocument) -> bool {
    (document.connected_spec.as_ref()).is_some_and(|spec| spec.tilt.is_some())
}

/// Judges a net with a heavy tail at the narrowest width.
pub(super) fn claim(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Option<Claim> {
    let width = at!(document.(falloff).widths).nth(0)?;
    let point = at!(width.orders).find(|p| p.order == 6)?;
    if !is_heavy(document) {
        return None;
    }
    let direct = at!(point.deviation_mean).number("direct", point.std_err);
    let connected = (at!(point.connected).known())
        .and_then(|c| at!(c.deviation_mean).number("connected, tilted", c.std_err));
    let exact = at!(point.exact_mean).number("exact", None);
    let holds = (|| {
        let (c, e) = (connected.as_ref()?, exact.as_ref()?);
        let is_cured = (c.value - e.value).abs() / c.std_err? <= SIGMAS;
        Some(point.unconverged.is_some() && is_cured)
    })();
    let spec = &document.head.spec;
    let networks = spec.networks() as f64;
    Some(Claim {
        verdict: Outcome::of(holds),
        numbers: [direct, connected, exact].into_iter().flatten().collect(),
        ..Claim::new(
            Section::Tail,
            net,
            "",
            Statement::plain(format!(
                "At N = {}, {networks:.0e} networks of the direct estimator do not determine m_6, and the convergence verdict says so; importance sampling cures it",
                width.width
            )),
            "the direct m_6 is flagged as unconverged; the connected, tilted one is within 5 of its errors of the exact value",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;
    use crate::model::Tilt;

    fn document(is_flagged: bool, connected: Option<(f64, f64)>) -> FalloffDocument {
        let mut point = sample::point(6);
        point.unconverged = is_flagged.then(|| "one network has it all".into());
        point.exact_mean = Some(10.0);
        point.connected = connected.map(|(mean, std_err)| {
            let mut connected = sample::connected(1.0);
            (connected.deviation_mean, connected.std_err) = (Some(mean), Some(std_err));
            connected
        });
        let mut document = sample::falloff([vec![point]]);
        let mut spec = document.head.spec.clone();
        spec.tilt = Some(Tilt {
            shifts: vec![vec![0.0, 6.0]],
            reach: 1.0,
        });
        document.connected_spec = Some(spec);
        document
    }

    #[test]
    fn a_tail_is_flagged_and_cured() {
        let of = |is_flagged, connected| {
            let document = document(is_flagged, connected);
            let claim = claim(net(), &Traced::document("falloff", &document)).unwrap();
            sample::assert_traced(std::slice::from_ref(&claim), &[("falloff", &document)]);
            claim.verdict
        };
        assert_eq!(of(true, Some((10.4, 0.1))), Outcome::Reproduced);
        assert_eq!(of(true, Some((10.6, 0.1))), Outcome::NotReproduced);
        assert_eq!(of(false, Some((10.4, 0.1))), Outcome::NotReproduced);
        assert_eq!(of(true, None), Outcome::Undecided);
    }

    #[test]
    fn a_net_that_needs_no_importance_sampling_has_no_such_claim() {
        let mut document = document(true, None);
        document.connected_spec.as_mut().unwrap().tilt = None;
        assert!(claim(net(), &Traced::document("falloff", &document)).is_none());
    }
}
