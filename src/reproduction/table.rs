//! A table shows the verdicts in a terminal.

use super::ReproductionDocument;
use super::verdict::{Basis, Claim, tally};
use crate::report::number::{beyond_rounding, value};
use crate::report::outcome::Outcome;
use crate::report::table::table;

impl Outcome for ReproductionDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        claims_table(&self.claims, width)
    }
}

/// Writes one line per verdict, with the first two of its numbers.
fn claims_table(claims: &[Claim], width: usize) -> String {
    let mut rows = table(&["source", "net", "result", "verdict", "numbers"], 5);
    for claim in claims {
        let numbers = (claim.numbers.iter().take(2)).map(|n| {
            format!(
                "{} {}",
                n.name,
                value(Some(beyond_rounding(n.value, n.size)))
            )
        });
        let statement = claim.statement.short();
        let statement: String = match statement.chars().count() {
            0..=60 => statement,
            _ => statement.chars().take(59).chain(['…']).collect(),
        };
        rows.add_row([
            if claim.source.is_empty() {
                "beyond"
            } else {
                claim.source
            }
            .to_string(),
            claim.net.into(),
            statement,
            claim.verdict_in_words(),
            numbers.collect::<Vec<_>>().join(", "),
        ]);
    }
    let mut text = format!("{}\n", rows.without(&["numbers", "source"]).fit(width));
    for basis in Basis::ALL {
        let counts = tally(claims, basis);
        let total: usize = counts.values().sum();
        let each = counts
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"));
        let each = each.collect::<Vec<_>>().join(", ");
        text += &format!("{total} {basis}: {each}\n");
    }
    text
}
