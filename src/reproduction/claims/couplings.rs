//! The quartic coupling is said to have a sign, and to be one number or not.

use super::SIGMAS;
use crate::analysis::Naturalness;
use crate::reproduction::documents::ByOrigin;
use crate::reproduction::names::Origin;
use crate::reproduction::plan::CUTOFF;
use crate::reproduction::source::{SourceNet, source};
use crate::reproduction::traced::{Number, Traced, at};
use crate::reproduction::verdict::{Claim, Outcome, Section, Statement};
use crate::run::{EftDocument, EftPoint};

/// `Couplings` are the documents that have the couplings of one net at one input dimension.
pub(super) type Couplings<'a> = ByOrigin<Traced<'a, EftDocument>>;

pub(super) fn claims(net: &'static SourceNet, documents: &Couplings) -> Vec<Claim> {
    vec![sign(net, documents), naturalness(net, documents)]
}

/// Finds a document's entry at the cutoff where couplings are compared.
pub(in crate::reproduction) fn at_cutoff<'a>(
    document: &Traced<'a, EftDocument>,
) -> Option<Traced<'a, EftPoint>> {
    at!(document.cutoffs).find(|p| p.cutoff == CUTOFF)
}

/// Takes a number at the compared cutoff from moments of each origin. Exact ones have no
/// statistical error.
pub(super) fn numbers(
    documents: &Couplings,
    of: impl Fn(&Traced<EftPoint>) -> Option<Number>,
) -> ByOrigin<Option<Number>> {
    let get = |document| of(&at_cutoff(document)?);
    let named = |origin: Origin, number: Option<Number>| number.map(|n| n.called(origin.name()));
    ByOrigin {
        direct: named(Origin::Direct, get(&documents.direct)),
        connected: named(Origin::Connected, get(&documents.connected)),
        exact: named(Origin::Exact, get(&documents.exact)).map(|n| Number { std_err: None, ..n }),
    }
}

/// Lists the numbers that were measured.
pub(super) fn known(numbers: ByOrigin<Option<Number>>) -> Vec<Number> {
    [numbers.direct, numbers.connected, numbers.exact]
        .into_iter()
        .flatten()
        .collect()
}

/// Tells whether the direct estimator's n-point function has not converged.
pub(super) fn is_unconverged(documents: &Couplings, order: usize) -> bool {
    (documents.direct.head.source.unconverged.iter()).any(|u| u.order == order)
}

fn sign(net: &'static SourceNet, documents: &Couplings) -> Claim {
    let lambda = numbers(documents, |point| {
        let lambda = at!(point.lambda).known()?;
        at!(lambda.mean).number("", lambda.std_err)
    });
    let is_unconverged = is_unconverged(documents, 4);
    let holds = lambda.direct.as_ref().and_then(|l| {
        let seen = l.value.abs() > SIGMAS * l.std_err?;
        seen.then_some(l.value < 0.0)
    });
    let exact = lambda.exact.as_ref().filter(|_| is_unconverged);
    Claim {
        verdict: match is_unconverged {
            true => Outcome::SourceUnconverged,
            false => Outcome::of(holds),
        },
        note: exact.map(|exact| {
            let sign = if exact.value < 0.0 {
                "negative"
            } else {
                "positive"
            };
            format!("The sampled 4-point function has not converged; the exact coupling is {sign}.")
        }),
        numbers: known(lambda),
        ..Claim::new(
            Section::Couplings,
            net,
            &source().references.sign,
            Statement::plain("The quartic coupling is negative"),
            "λ at Λ = 100 is below zero by 5 standard errors; undecided within 5 of zero",
        )
    }
}

fn naturalness(net: &'static SourceNet, documents: &Couplings) -> Claim {
    let spreads = numbers(documents, |point| {
        let lambda = at!(point.lambda).known()?;
        Some(at!(lambda.std).number("", None)?.of_size(lambda.mean))
    });
    let verdict =
        |document: &Traced<EftDocument>| Some(at_cutoff(document)?.lambda.as_ref()?.verdict);
    let is_unconverged = is_unconverged(documents, 4);
    let holds = match verdict(&documents.direct) {
        Some(Naturalness::Undecided) | None => None,
        Some(measured) => Some(measured == net.coupling.expected),
    };
    let exact = match verdict(&documents.exact) {
        Some(Naturalness::Constant) => "constant, with the spread given",
        Some(Naturalness::Undecided) => "undecided",
        Some(Naturalness::Function) | None => "function",
    };
    let (statement, reason) = (&net.coupling.statement, &net.coupling.reason);
    Claim {
        verdict: match is_unconverged {
            true => Outcome::SourceUnconverged,
            false => Outcome::of(holds),
        },
        numbers: (known(spreads).into_iter())
            .map(|n| {
                let name = format!("spread, {}", n.name);
                n.called(name)
            })
            .collect(),
        note: is_unconverged.then(|| {
            format!(
                "The sampled 4-point function has not converged; the exact coupling is a {exact}."
            )
        }),
        ..Claim::new(
            Section::Couplings,
            net,
            &source().references.naturalness,
            match reason {
                Some(reason) => Statement::with(statement, reason),
                None => Statement::plain(statement),
            },
            "constant: the spread over 4-tuples is below a tenth of the mean; function: it is larger, and beyond three times what the errors explain",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, net, net_whose_coupling_is};
    use super::*;
    use crate::analysis::Coupling;

    fn judge(
        net: &'static SourceNet,
        direct: Option<Coupling>,
        unconverged: &[usize],
    ) -> [(Outcome, Option<String>); 2] {
        let exact = Some(sample::coupling(-1.0, 0.0));
        let documents = [direct.clone(), direct, exact].map(|lambda| {
            sample::eft(vec![EftPoint {
                lambda,
                ..sample::eft_point(100.0)
            }])
        });
        let [mut direct, connected, exact] = documents;
        direct.head.source.unconverged = sample::unconverged(unconverged);
        let claims = claims(
            net,
            &ByOrigin {
                direct: Traced::document("direct", &direct),
                connected: Traced::document("connected", &connected),
                exact: Traced::document("exact", &exact),
            },
        );
        let all = [
            ("direct", &direct),
            ("connected", &connected),
            ("exact", &exact),
        ];
        sample::assert_traced(&claims, &all);
        let judged = claims.into_iter().map(|c| (c.verdict, c.note));
        judged.collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn the_sign_is_known_beyond_five_errors() {
        let of = |mean, std_err, unconverged: &[usize]| {
            judge(net(), Some(sample::coupling(mean, std_err)), unconverged)[0].clone()
        };
        assert_eq!(of(-1.0, 0.1, &[]).0, Outcome::Reproduced);
        assert_eq!(of(1.0, 0.1, &[]).0, Outcome::NotReproduced);
        assert_eq!(of(-1.0, 0.3, &[]).0, Outcome::Undecided);
        assert_eq!(of(1.0, 0.1, &[6]).0, Outcome::NotReproduced);
        let (verdict, note) = of(1.0, 0.1, &[4, 6]);
        assert_eq!(verdict, Outcome::SourceUnconverged);
        assert!(note.unwrap().contains("exact coupling is negative"));
        assert_eq!(judge(net(), None, &[])[0].0, Outcome::Undecided);
    }

    #[test]
    fn a_coupling_is_what_the_source_says_of_the_net() {
        use Naturalness::{Constant, Function, Undecided};
        let of = |expected, measured, unconverged: &[usize]| {
            let lambda = Coupling {
                verdict: measured,
                ..sample::coupling(-1.0, 0.1)
            };
            judge(net_whose_coupling_is(expected), Some(lambda), unconverged)[1].0
        };
        for expected in [Constant, Function] {
            assert_eq!(of(expected, expected, &[]), Outcome::Reproduced);
            assert_eq!(of(expected, Undecided, &[]), Outcome::Undecided);
            assert_eq!(of(expected, expected, &[4]), Outcome::SourceUnconverged);
        }
        assert_eq!(of(Constant, Function, &[]), Outcome::NotReproduced);
        assert_eq!(of(Function, Constant, &[]), Outcome::NotReproduced);
    }
}
