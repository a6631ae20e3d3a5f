use super::Claim;
use super::number::value;
use super::table::table;

/// One line per result of a reproduction: net, where the source has it, verdict, numbers.
pub fn claims_table(claims: &[Claim]) -> String {
    let mut rows = table(&["source", "net", "result", "verdict", "numbers"], 5);
    for claim in claims {
        let numbers =
            (claim.numbers.iter().take(2)).map(|n| format!("{} {}", n.name, value(Some(n.value))));
        // The statement up to its reason.
        let statement = claim.statement.split(':').next().unwrap_or_default();
        let statement: String = match statement.chars().count() {
            0..=60 => statement.into(),
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
            claim.verdict.to_string(),
            numbers.collect::<Vec<_>>().join(", "),
        ]);
    }
    format!("{rows}\n")
}
