//! Both estimators are held against the exact values, and against each other.

use super::worst;
use crate::reproduction::source::SourceNet;
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::FalloffDocument;

/// The number of standard errors that the worst of thousands of elements may be off.
const SIGMAS: f64 = 6.0;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Vec<Claim> {
    vec![exact(net, document), gain(net, document)]
}

fn exact(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Claim {
    let (mut direct, mut connected) = (Vec::new(), Vec::new());
    let mut left_out = 0;
    let points = (at!(document.(falloff).widths).each()).flat_map(|w| at!(w.orders).each());
    for point in points.filter(|p| p.order % 2 == 0) {
        match point.unconverged {
            None => direct.extend(at!(point.largest_pull).number("largest pull, direct", None)),
            Some(_) => left_out += 1,
        }
        let Some(other) = at!(point.connected).known() else {
            continue;
        };
        match other.unconverged {
            None => {
                connected.extend(at!(other.largest_pull).number("largest pull, connected", None));
            }
            Some(_) => left_out += 1,
        }
    }
    let numbers: Vec<Number> = [worst(direct), worst(connected)]
        .into_iter()
        .flatten()
        .collect();
    let holds = (!numbers.is_empty()).then(|| numbers.iter().all(|n| n.value <= SIGMAS));
    Claim {
        verdict: Outcome::of(holds),
        numbers,
        note: (left_out > 0)
            .then(|| format!("{left_out} n-point functions that have not converged are left out.")),
        ..Claim::new(
            Section::Exact,
            net,
            "",
            Statement::plain("Both estimators agree with the exact finite-width values"),
            "every element of every converged even n-point function within 6 errors of its exact value",
        )
    }
}

fn gain(net: &'static SourceNet, document: &Traced<FalloffDocument>) -> Claim {
    let gains: Vec<Number> = at!(document.(falloff).widths)
        .each()
        .filter_map(|width| {
            let point = at!(width.orders).find(|p| p.order == 4)?;
            let connected = at!(point.connected).known()?;
            at!(connected.gain).number(format!("at N = {}", width.width), None)
        })
        .collect();
    let holds = (!gains.is_empty()).then(|| gains.iter().all(|g| g.value > 1.0));
    Claim {
        verdict: Outcome::of(holds),
        numbers: gains
            .first()
            .into_iter()
            .chain(gains.last())
            .cloned()
            .collect(),
        ..Claim::new(
            Section::Estimator,
            net,
            "",
            Statement::plain(
                "One network of the connected estimator is worth many of the direct one for dG⁽⁴⁾",
            ),
            "variance ratio per network above 1 at every width",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net};
    use super::*;
    use crate::analysis::FalloffPoint;

    fn judge(points: Vec<FalloffPoint>) -> Vec<Outcome> {
        let document = sample::falloff(points.into_iter().map(|p| vec![p]));
        let claims = claims(net(), &Traced::document("falloff", &document));
        sample::assert_traced(&claims, &[("falloff", &document)]);
        claims.iter().map(|c| c.verdict).collect()
    }

    fn point(direct: f64, connected: f64) -> FalloffPoint {
        let mut point = sample::point(4);
        point.largest_pull = Some(direct);
        point.connected = Some(sample::connected(connected));
        point
    }

    #[test]
    fn both_estimators_stand_within_six_errors_of_the_exact_values() {
        let of = |points| judge(points)[0];
        assert_eq!(of(vec![point(5.9, 5.9)]), Outcome::Reproduced);
        assert_eq!(of(vec![point(6.1, 1.0)]), Outcome::NotReproduced);
        assert_eq!(
            of(vec![point(1.0, 1.0), point(1.0, 6.1)]),
            Outcome::NotReproduced
        );
        assert_eq!(of(Vec::new()), Outcome::Undecided);
        // What has not converged does not count, nor does an odd order.
        let mut heavy = point(9.0, 1.0);
        heavy.unconverged = Some("one network has it all".into());
        let odd = FalloffPoint {
            order: 3,
            ..point(9.0, 9.0)
        };
        assert_eq!(of(vec![heavy, odd]), Outcome::Reproduced);
    }

    #[test]
    fn the_gain_is_above_one_at_every_width() {
        let of = |gains: &[f64]| {
            let points = gains.iter().map(|gain| {
                let mut point = point(1.0, 1.0);
                point.connected.as_mut().unwrap().gain = Some(*gain);
                point
            });
            judge(points.collect())[1]
        };
        assert_eq!(of(&[10.0, 1.1, 100.0]), Outcome::Reproduced);
        assert_eq!(of(&[10.0, 0.9, 100.0]), Outcome::NotReproduced);
        assert_eq!(of(&[]), Outcome::Undecided);
    }
}
