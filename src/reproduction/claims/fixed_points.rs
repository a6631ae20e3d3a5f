//! The flow is said to have fixed points.

use crate::reproduction::source::{End, SourceNet, source};
use crate::reproduction::traced::{Traced, at};
use crate::reproduction::verdict::{Basis, Claim, Outcome, Section, Statement};
use crate::run::RgDocument;

/// The largest |beta / lambda| of the dimensionless coupling at a fixed point.
const FIXED: f64 = 0.01;

pub(super) fn claims(net: &'static SourceNet, document: &Traced<RgDocument>) -> Vec<Claim> {
    let ends = net.fixed_points.iter();
    ends.map(|end| claim(net, document, *end)).collect()
}

fn claim(net: &'static SourceNet, document: &Traced<RgDocument>, end: End) -> Claim {
    let (point, limit, what) = match end {
        End::Uv => (at!(document.(flow).uv), "Λ → ∞", "universal UV fixed point"),
        End::Ir => (at!(document.(flow).ir), "Λ → 0", "IR fixed point"),
    };
    let beta = at!(point.relative_beta).number("β / λ", None);
    // The dimensionless coupling's own power of Λ is of order 1.
    let beta = beta.map(|beta| beta.of_size(1.0));
    let at = at!(point.cutoff).number("at Λ", None);
    Claim {
        verdict: Outcome::of(beta.as_ref().map(|b| b.value.abs() < FIXED)),
        basis: Basis::ByConstruction,
        numbers: [beta, at].into_iter().flatten().collect(),
        ..Claim::new(
            Section::Fixed,
            net,
            &source().references.fixed_points,
            Statement::with(
                format!("The dimensionless coupling stops running as {limit}"),
                what,
            ),
            "|β / λ| of the dimensionless coupling is below 0.01 there (exact moments)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn each_end_that_the_source_names_is_judged_by_its_own_beta() {
        let net = (source().nets.iter())
            .find(|net| net.fixed_points == [End::Uv, End::Ir])
            .unwrap();
        let of = |uv, ir| {
            let mut document = sample::flow((-1.0, None), None);
            document.flow.uv.relative_beta = uv;
            document.flow.ir.relative_beta = ir;
            let claims = claims(net, &Traced::document("flow", &document));
            sample::assert_traced(&claims, &[("flow", &document)]);
            claims.iter().map(|c| c.verdict).collect::<Vec<_>>()
        };
        assert_eq!(
            of(Some(-0.009), Some(0.011)),
            [Outcome::Reproduced, Outcome::NotReproduced]
        );
        assert_eq!(
            of(Some(-0.011), None),
            [Outcome::NotReproduced, Outcome::Undecided]
        );
    }
}
