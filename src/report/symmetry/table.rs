use crate::analysis::Breaking;
use crate::model::short;
use crate::report::heading::eft_title;
use crate::report::number::{pull, value};
use crate::report::table::table;
use crate::run::SymmetryDocument;

/// The table has the symmetry checks, and below them the coupling against the number of outputs.
pub fn symmetry_table(document: &SymmetryDocument, width: usize) -> String {
    let mut text = eft_title(&document.head, document.vertex);
    if !document.checks.is_empty() {
        let mut rows = table(
            &[
                "d_out",
                "points",
                "check",
                "elements",
                "chi^2 / n",
                "±",
                "p-value",
                "largest pull",
                "",
            ],
            0,
        );
        for c in &document.checks {
            let ensemble = document.ensembles.iter().find(|e| e.net.d_out() == c.d_out);
            let points = ensemble.map_or(document.head.spec.inputs.len(), |e| e.inputs.len());
            let verdict = match c.pass {
                Some(true) => "pass",
                Some(false) => "FAIL",
                None => "undecided",
            };
            rows.add_row([
                c.d_out.to_string(),
                points.to_string(),
                c.name.to_string(),
                c.test.components.to_string(),
                value(Some(c.value)),
                value(Some(c.std_err)),
                value(Some(c.test.p_value)),
                value(Some(c.test.largest_pull)),
                verdict.into(),
            ]);
        }
        let rows = rows
            .without(&["largest pull", "elements", "points"])
            .fit(width);
        text.push_str(&format!("{rows}\n"));
        for breaking in &document.breaking {
            text.push_str(&finding(breaking));
        }
        for note in &document.notes {
            text.push_str(note);
            text.push('\n');
        }
    }
    let of = |measured: Option<f64>, error: Option<f64>, exact: Option<f64>| {
        let pull = pull(
            measured
                .zip(error)
                .zip(exact)
                .map(|((v, e), x)| (v - x) / e),
        );
        [value(measured), value(error), value(exact), pull]
    };
    let sampled = document.head.source.is_sampled();
    let mut rows = match sampled {
        true => table(
            &[
                "d_out",
                "lambda, tree",
                "± error",
                "exact",
                "pull",
                "lambda, one loop",
                "± error",
                "exact",
                "pull",
                "loop / tree",
            ],
            0,
        ),
        false => table(
            &[
                "d_out",
                "lambda, tree",
                "lambda, one loop",
                "± error",
                "loop / tree",
            ],
            0,
        ),
    };
    for row in &document.couplings {
        let c = &row.coupling;
        let ratio = value(c.loop_over_tree);
        let tree = of(
            Some(c.lambda_tree),
            c.lambda_tree_std_err,
            Some(row.lambda_tree_exact),
        );
        let one_loop = of(
            c.lambda_one_loop,
            c.lambda_one_loop_std_err,
            row.lambda_one_loop_exact,
        );
        let cells: Vec<&str> = match sampled {
            true => tree.iter().chain(&one_loop).map(|s| &s[..]).collect(),
            false => vec![&tree[0], &one_loop[0], &one_loop[1]],
        };
        let d_out = c.d_out.to_string();
        rows.add_row([&[&d_out[..]], &cells[..], &[&ratio[..]]].concat());
    }
    let rows = rows.without(&["loop / tree", "pull", "exact"]).fit(width);
    text.push_str(&format!(
        "coupling of lambda (f.f)^2 at L = {}\n{rows}\n",
        short(document.cutoff)
    ));
    if let Some(unmeasured) = document.unmeasured() {
        text.push_str(&format!("UNMEASURED: {unmeasured}\n"));
        return text;
    }
    let mut couplings: Vec<(usize, f64)> = (document.couplings.iter())
        .filter_map(|r| Some((r.coupling.d_out, r.coupling.lambda_one_loop?.abs())))
        .collect();
    couplings.sort_unstable_by_key(|c| c.0);
    couplings.dedup_by_key(|c| c.0);
    if couplings.len() > 1 && couplings.iter().any(|c| c.1 > 0.0) {
        text.push_str(match couplings.windows(2).all(|w| w[1].1 < w[0].1) {
            true => "|lambda| at one loop falls as d_out grows\n",
            false => "|lambda| at one loop does NOT fall as d_out grows\n",
        });
    }
    let undefined = document
        .couplings
        .iter()
        .map(|r| r.coupling.undefined)
        .max();
    if let Some(undefined) = undefined.filter(|&n| n > 0) {
        text.push_str(&format!(
            "up to {undefined} 4-tuples have no coupling (vanishing vertex, or no real root) and are left out\n"
        ));
    }
    if let Some(ratio) = (document.couplings.iter())
        .filter_map(|r| r.coupling.loop_over_tree)
        .reduce(f64::max)
        .filter(|&r| r > 1.0)
    {
        text.push_str(&format!(
            "the one-loop term is up to {} times the tree's: the expansion in lambda does not hold at this cutoff\n",
            value(Some(ratio))
        ));
    }
    text
}

/// Says by how much O(d_out) is broken.
fn finding(breaking: &Breaking) -> String {
    let d_out = breaking.d_out;
    let what = match breaking.found {
        true => format!("O({d_out}) is broken to permutations and signs of outputs"),
        false => format!("O({d_out}) is broken by less than these networks show"),
    };
    format!(
        "{what}: connected iiii less its three iijj is {} ± {}, predicted {} (pull {}; p-value {} of unbroken)\n",
        value(Some(breaking.measured)),
        value(Some(breaking.std_err)),
        value(Some(breaking.predicted)),
        pull(breaking.pull()),
        value(Some(breaking.test.p_value)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_hand::{broken, check, symmetry};
    use crate::report::outcome::Outcome;
    use crate::report::table::WIDE;

    #[test]
    fn a_broken_symmetry_is_a_finding_with_its_size() {
        let mut document = symmetry(&[(2, None)]);
        document.checks.extend([check("placements", Some(true))]);
        document.breaking = vec![broken(2, true), broken(4, false)];
        let text = symmetry_table(&document, WIDE);
        let lines: Vec<&str> = text.lines().filter(|l| l.contains("is broken")).collect();
        assert!(lines[0].starts_with("O(2) is broken to permutations and signs of outputs: "));
        assert!(
            lines[0].contains("-0.1200 ± 0.01000, predicted -0.1000 (pull -2.0;"),
            "{text}"
        );
        assert!(
            lines[1].starts_with("O(4) is broken by less than"),
            "{text}"
        );
        assert!(Outcome::verdict(&[document.clone()]).is_ok());
        document.checks.push(check("placements", Some(false)));
        assert!(Outcome::verdict(&[document]).is_err());
    }

    #[test]
    fn outputs_without_a_root_have_no_coupling() {
        let text = symmetry_table(&symmetry(&[(1, None), (4, Some(-0.25))]), WIDE);
        let line = text
            .lines()
            .find(|l| l.trim_start().starts_with("1 "))
            .unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        let tree = ["1", "-0.5000", "0.2500", "0", "-2.0"];
        assert_eq!(cells, [&tree[..], &["n/a"; 5]].concat(), "{text}");
        // One number of outputs shows no trend.
        assert!(!text.contains("falls") && !text.contains("fall"), "{text}");
    }

    #[test]
    fn the_trend_is_that_of_the_outputs_in_order() {
        let of = |a, b| symmetry_table(&symmetry(&[(8, Some(a)), (2, Some(b))]), WIDE);
        assert!(of(-0.1, -0.2).ends_with("one loop falls as d_out grows\n"));
        assert!(of(-0.2, -0.1).ends_with("does NOT fall as d_out grows\n"));
    }
}
