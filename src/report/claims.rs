//! What the source claims, judged by numbers and stated criteria.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::Architecture;

/// The documents of a reproduction by file name without extension.
#[derive(Debug, Clone, Default)]
pub struct Data(pub BTreeMap<String, Value>);

/// A number and where it stands: file, and JSON pointer (RFC 6901) after the `#`.
#[derive(Debug, Clone, Serialize)]
pub struct Number {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its standard error, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_err: Option<f64>,
    /// `data/<file>.json#<pointer>`.
    pub from: String,
}

/// Whether a result of the source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The criterion is met.
    Reproduced,
    /// It is not.
    NotReproduced,
    /// The source's measurement, repeated here, rests on averages that have not converged.
    SourceUnconverged,
    /// Too few networks to tell.
    Undecided,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::SourceUnconverged => "source's measurement unconverged",
            Self::Undecided => "undecided at this scale",
        })
    }
}

/// One result with its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// Section of the report.
    pub section: &'static str,
    /// The net, as `Erf-net`.
    pub net: &'static str,
    /// Where the source has it; empty beyond the source.
    pub source: &'static str,
    /// The result.
    pub statement: String,
    /// What decides.
    pub criterion: &'static str,
    /// The verdict.
    pub verdict: Outcome,
    /// The numbers it follows from.
    pub numbers: Vec<Number>,
    /// What else must be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Standard errors that a sampled number may be off.
const SIGMAS: f64 = 5.0;

impl Data {
    /// A value of a document.
    pub fn value(&self, file: &str, pointer: &str) -> Option<&Value> {
        self.0.get(file)?.pointer(pointer)
    }

    /// A number with its error, which stands beside it.
    pub fn number(&self, name: &str, file: &str, at: &str, error: Option<&str>) -> Option<Number> {
        let value = self.value(file, at)?.as_f64()?;
        let (parent, _) = at.rsplit_once('/')?;
        let std_err = error
            .and_then(|e| self.value(file, &format!("{parent}/{e}")))
            .and_then(Value::as_f64);
        Some(Number {
            name: name.into(),
            value,
            std_err,
            from: format!("data/{file}.json#{at}"),
        })
    }

    /// The index of the entry of a list whose field has this value.
    pub fn find(&self, file: &str, list: &str, field: &str, value: f64) -> Option<usize> {
        let list = self.value(file, list)?.as_array()?;
        list.iter().position(|e| e[field].as_f64() == Some(value))
    }

    /// The length of a list.
    pub fn len(&self, file: &str, list: &str) -> usize {
        self.value(file, list)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    fn list(&self, file: &str, pointer: &str) -> impl Iterator<Item = (usize, &Value)> {
        let list = self.value(file, pointer).and_then(Value::as_array);
        list.into_iter().flatten().enumerate()
    }

    fn strings(&self, file: &str, pointer: &str) -> Vec<String> {
        (self.list(file, pointer))
            .filter_map(|(_, v)| Some(v.as_str()?.to_string()))
            .collect()
    }
}

/// The number of largest absolute value.
fn worst(numbers: impl IntoIterator<Item = Option<Number>>) -> Option<Number> {
    (numbers.into_iter().flatten()).max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()))
}

/// The number of this name, if it was measured.
fn named<'a>(numbers: &'a [Number], name: &str) -> Option<&'a Number> {
    numbers.iter().find(|n| n.name == name)
}

fn verdict(holds: Option<bool>) -> Outcome {
    match holds {
        Some(true) => Outcome::Reproduced,
        Some(false) => Outcome::NotReproduced,
        None => Outcome::Undecided,
    }
}

/// All results of the source and what goes beyond them.
pub fn claims(data: &Data) -> Vec<Claim> {
    let mut all = Vec::new();
    for arch in Architecture::ALL {
        falloff(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        odd(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        couplings(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        flow(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        fixed_points(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        symmetry(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        function_fit(data, arch, &mut all);
    }
    for arch in Architecture::ALL {
        beyond(data, arch, &mut all);
    }
    gauss_tail(data, &mut all);
    all
}

fn falloff(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let file = format!("falloff-{arch}");
    let widths = data.len(&file, "/widths");
    let order = |n: f64| data.find(&file, "/widths/0/orders", "order", n);
    let pull = order(2.0).and_then(|k| {
        worst((0..widths).map(|w| {
            let at = format!("/widths/{w}/orders/{k}/largest_pull");
            data.number("largest pull", &file, &at, None)
        }))
    });
    all.push(Claim {
        section: "falloff",
        net: arch.title(),
        source: "slide 12",
        statement: "The 2-point function is the GP kernel at every width.".into(),
        criterion: "every element at every width within 5 standard errors of the kernel",
        verdict: verdict(pull.as_ref().map(|p| p.value <= SIGMAS)),
        numbers: pull.into_iter().collect(),
        note: None,
    });
    for (n, fit) in [4, 6]
        .into_iter()
        .filter_map(|n| Some((n, data.find(&file, "/fits", "order", f64::from(n))?)))
    {
        let at = |list: &str, field: &str| format!("/{list}/{fit}/{field}");
        let slope = data.number("slope", &file, &at("fits", "slope"), Some("std_err"));
        let exact = data.number(
            "exact slope at these widths",
            &file,
            &at("fits", "exact_slope"),
            None,
        );
        let connected = data.number(
            "slope, connected estimator",
            &file,
            &at("connected_fits", "slope"),
            Some("std_err"),
        );
        let unconverged = data.len(&file, &at("fits", "unconverged")) > 0;
        let holds = (|| {
            let (slope, exact) = (slope.as_ref()?, exact.as_ref()?);
            let error = slope.std_err.filter(|&e| e < 0.2)?;
            Some((slope.value - exact.value).abs() <= SIGMAS * error)
        })();
        let note = exact.as_ref().filter(|e| e.value < -1.02).map(|_| {
            "The exact slope is steeper than -1 because m_6 has a term of order 1/N² as well."
                .to_string()
        });
        all.push(Claim {
            section: "falloff",
            net: arch.title(),
            source: "slide 12",
            statement: format!("m_{n} falls off as a power of N, 1/N as N grows."),
            criterion: "the slope over the widths whose mean m_n differs from zero, known to 0.2, is within 5 standard errors of the slope of the exact m_n over the same widths",
            verdict: match unconverged {
                true => Outcome::SourceUnconverged,
                false => verdict(holds),
            },
            numbers: [slope, exact, connected].into_iter().flatten().collect(),
            note: match unconverged {
                true => Some("The direct estimator has not converged at the widths that the slope comes from; the connected estimator's slope is the one to quote.".into()),
                false => note,
            },
        });
    }
}

fn odd(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let file = format!("falloff-{arch}");
    let mut pulls = Vec::new();
    let mut unconverged = 0;
    for (w, width) in data.list(&file, "/widths") {
        for (k, order) in width["orders"].as_array().into_iter().flatten().enumerate() {
            if order["order"].as_u64().is_some_and(|n| n % 2 == 1) {
                let at = format!("/widths/{w}/orders/{k}/largest_pull");
                match order["unconverged"].is_string() {
                    true => unconverged += 1,
                    false => pulls.push(data.number("largest pull", &file, &at, None)),
                }
            }
        }
    }
    let weak = unconverged >= pulls.len();
    let pull = worst(pulls);
    let holds = pull.as_ref().map(|p| p.value <= 5.5);
    all.push(Claim {
        section: "odd",
        net: arch.title(),
        source: "slide 14",
        statement: "Odd n-point functions vanish (n = 1, 3, 5).".into(),
        criterion: "every element at every width within 5.5 standard errors of zero (one false alarm in 10⁴ for the 3140 elements), n-point functions that have not converged left out; unconverged if those are half of all",
        verdict: match weak && holds != Some(false) {
            true => Outcome::SourceUnconverged,
            false => verdict(holds),
        },
        numbers: pull.into_iter().collect(),
        note: match (weak, unconverged) {
            (true, n) => Some(format!("They vanish exactly, f and −f being equally likely; but the error bars of {n} of the averages miss rare networks, so that the measurement is a weak test.")),
            (false, 0) => None,
            (false, n) => Some(format!("Left out: {n}.")),
        },
    });
}

fn couplings(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let [direct, connected, exact] =
        ["direct", "connected", "exact"].map(|m| format!("eft-{arch}-d1-{m}"));
    let Some(k) = data.find(&direct, "/cutoffs", "cutoff", 100.0) else {
        return;
    };
    let of_order = |n: usize| {
        data.find(&direct, "/unconverged", "order", n as f64)
            .is_some()
    };
    let each = |field: &str, error: Option<&str>| -> Vec<Number> {
        [
            (&direct, "direct"),
            (&connected, "connected"),
            (&exact, "exact"),
        ]
        .into_iter()
        .filter_map(|(file, name)| {
            // Exact numbers have no statistical error.
            let error = error.filter(|_| name != "exact");
            data.number(name, file, &format!("/cutoffs/{k}/{field}"), error)
        })
        .collect()
    };
    let four = of_order(4).then_some(Outcome::SourceUnconverged);
    let six = (of_order(6) || of_order(4)).then_some(Outcome::SourceUnconverged);

    let lambda = each("lambda/mean", Some("std_err"));
    all.push(Claim {
        section: "couplings",
        net: arch.title(),
        source: "slide 16",
        statement: "The quartic coupling is negative.".into(),
        criterion: "λ at Λ = 100 is below zero by 5 standard errors; undecided within 5 of zero",
        verdict: four.unwrap_or_else(|| {
            verdict(named(&lambda, "direct").and_then(|l| {
                let seen = l.value.abs() > SIGMAS * l.std_err?;
                seen.then_some(l.value < 0.0)
            }))
        }),
        note: four.and_then(|_| {
            let exact = lambda.iter().find(|n| n.name == "exact")?;
            let sign = if exact.value < 0.0 {
                "negative"
            } else {
                "positive"
            };
            Some(format!(
                "The sampled 4-point function has not converged; the exact coupling is {sign}."
            ))
        }),
        numbers: lambda,
    });

    let spreads: Vec<Number> = each("lambda/std", None);
    let constant = |file: &str| {
        data.value(file, &format!("/cutoffs/{k}/lambda/verdict"))
            .and_then(Value::as_str)
    };
    let expected = if arch == Architecture::Erf {
        "function"
    } else {
        "constant"
    };
    let measured = constant(&direct);
    all.push(Claim {
        section: "couplings",
        net: arch.title(),
        source: "slide 17",
        statement: match arch {
            Architecture::Gauss => "The coupling is one number: the kernel is translation invariant (technical naturalness).".into(),
            Architecture::Erf => "The coupling is a function of the points: the kernel is not translation invariant.".into(),
            Architecture::Relu => "The coupling is one number at d_in = 1, where the kernel is a product K = xy/2, not by symmetry.".to_string(),
        },
        criterion: "constant: the spread over 4-tuples is below a tenth of the mean; function: it is larger, and beyond three times what the errors explain",
        verdict: four.unwrap_or(match measured {
            Some("undecided") | None => Outcome::Undecided,
            Some(m) => verdict(Some(m == expected)),
        }),
        numbers: spreads.into_iter().map(|n| Number { name: format!("spread, {}", n.name), ..n }).collect(),
        note: four.map(|_| format!("The sampled 4-point function has not converged; the exact coupling is a {}.", match constant(&exact) {
            Some("constant") => "constant, with the spread given",
            other => other.unwrap_or("function"),
        })),
    });

    let delta = each("six_point/delta_mean", Some("delta_std_err"));
    let near = |n: &Number| (n.value - 1.0).abs() < 0.25;
    let truth = named(&delta, "exact").cloned();
    all.push(Claim {
        section: "couplings",
        net: arch.title(),
        source: "slides 17, 18",
        statement: "λ alone predicts the 6-point function: δ near 1.".into(),
        criterion: "δ at Λ = 100, averaged over the elements, is within 0.25 of 1; undecided if the limit is within 3 standard errors",
        verdict: six.unwrap_or_else(|| {
            verdict(named(&delta, "direct").and_then(|d| {
                let to_limit = ((d.value - 1.0).abs() - 0.25).abs();
                (to_limit > 3.0 * d.std_err?).then(|| near(d))
            }))
        }),
        note: match (six, &truth) {
            (Some(_), Some(t)) if !near(t) => Some(format!(
                "What the sampled networks show is not so: with the tail resolved δ = {:.4}, and the net at this width is not described by λ alone.",
                t.value
            )),
            (Some(_), Some(t)) => Some(format!("Exactly, δ = {:.4}.", t.value)),
            _ => None,
        },
        numbers: delta,
    });

    flat_delta(data, arch, [&direct, &exact], all);
}

fn flat_delta(data: &Data, arch: Architecture, [direct, exact]: [&str; 2], all: &mut Vec<Claim>) {
    let cutoffs = data.len(direct, "/cutoffs");
    let deltas = |file: &str| -> Vec<Number> {
        let at = |c: usize| format!("/cutoffs/{c}/six_point/delta_mean");
        let mut deltas: Vec<Number> = (0..data.len(file, "/cutoffs"))
            .filter_map(|c| data.number("", file, &at(c), Some("delta_std_err")))
            .collect();
        deltas.sort_by(|a, b| a.value.total_cmp(&b.value));
        deltas
    };
    let ends = |deltas: &[Number]| deltas.first().cloned().zip(deltas.last().cloned());
    let measured = deltas(direct);
    let holds = (|| {
        let (a, b) = ends(&measured).filter(|_| measured.len() == cutoffs)?;
        let (range, limit) = (b.value - a.value, 0.05 * b.value.abs());
        let error = 3.0 * a.std_err?.hypot(b.std_err?);
        (range < limit || range > limit + error).then_some(range < limit)
    })();
    let exact = ends(&deltas(exact)).map(|(a, b)| {
        let without_error = |n: Number| Number { std_err: None, ..n };
        (without_error(a), without_error(b))
    });
    let named = [(ends(&measured), ""), (exact, ", exact")]
        .into_iter()
        .flat_map(|(ends, what)| {
            let ends = ends
                .into_iter()
                .flat_map(|(a, b)| [(a, "smallest δ"), (b, "largest δ")]);
            ends.map(move |(n, name)| Number {
                name: format!("{name}{what}"),
                ..n
            })
        });
    all.push(Claim {
        section: "couplings",
        net: arch.title(),
        source: "slide 18",
        statement: "The prediction does not depend on the cutoff: δ(Λ) is flat.".into(),
        criterion: "δ varies by less than 0.05 of itself over the 21 cutoffs; undecided if it varies by more, but within 3 standard errors, or is unmeasured at one",
        verdict: verdict(holds),
        numbers: named.collect(),
        note: None,
    });
}

fn flow(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    for d_in in 1..=3 {
        let [direct, connected] =
            ["direct", "connected"].map(|kind| format!("rg-{arch}-d{d_in}-{kind}"));
        let unmeasured = data.number("", &direct, "/fit/slope", None).is_none();
        let file = if unmeasured { connected } else { direct };
        let get = |name: &str, at: &str, error| data.number(name, &file, at, error);
        let end = get(
            "slope at the largest cutoff",
            "/asymptotic_slope",
            Some("asymptotic_slope_std_err"),
        );
        let theory = get("theory", "/theory_slope", None);
        let fit = get("fit over all cutoffs", "/fit/slope", Some("std_err"));
        let r2 = get("R²", "/fit/r2", None);
        let holds = (|| {
            let (end, theory, r2) = (end.as_ref()?, theory.as_ref()?, r2.as_ref()?);
            let off = (end.value - theory.value).abs();
            let decided = (off - 0.01).abs() > 3.0 * end.std_err?;
            decided.then_some(off <= 0.01 && r2.value >= 0.99)
        })();
        all.push(Claim {
            section: "flow",
            net: arch.title(),
            source: ["slide 21", "slide 22", "slide 23"][match arch {
                Architecture::Relu => 0,
                Architecture::Erf => 1,
                Architecture::Gauss => 2,
            }],
            statement: format!("log |λ| falls linearly with log Λ, with the slope of theory, at d_in = {d_in}."),
            criterion: "the slope at the largest cutoff is within 0.01 of theory's, and R² ≥ 0.99 over all 21; undecided if the limit is within 3 standard errors, or λ unmeasured",
            verdict: verdict(holds),
            numbers: [end, theory, fit, r2].into_iter().flatten().collect(),
            note: match data.len(&file, "/unconverged") > 0 {
                _ if unmeasured => Some("From the direct estimator's networks λ is zero within its error: the numbers are those of the connected estimator.".into()),
                true => Some("The sampled 4-point function has not converged, which moves the whole line but not its slope: one dG⁽⁴⁾ is matched at every cutoff.".into()),
                false => None,
            },
        });
    }
}

fn fixed_points(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let file = format!("rg-{arch}-fixed-points");
    let ends: &[(&str, &str, &'static str)] = match arch {
        Architecture::Gauss => &[
            ("uv", "Λ → ∞", "universal UV fixed point"),
            ("ir", "Λ → 0", "IR fixed point"),
        ],
        _ => &[("uv", "Λ → ∞", "universal UV fixed point")],
    };
    for (end, limit, what) in ends {
        let beta = data.number("β / λ", &file, &format!("/{end}/relative_beta"), None);
        let at = data.number("at Λ", &file, &format!("/{end}/cutoff"), None);
        all.push(Claim {
            section: "fixed",
            net: arch.title(),
            source: "slide 24",
            statement: format!("The dimensionless coupling stops running as {limit}: {what}."),
            criterion: "|β / λ| of the dimensionless coupling is below 0.01 there (exact moments)",
            verdict: verdict(beta.as_ref().map(|b| b.value.abs() < 0.01)),
            numbers: [beta, at].into_iter().flatten().collect(),
            note: None,
        });
    }
}

fn symmetry(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let file = format!("symmetry-{arch}");
    let p_values = (0..data.len(&file, "/checks")).filter_map(|k| {
        data.number(
            "smallest p-value",
            &file,
            &format!("/checks/{k}/p_value"),
            None,
        )
    });
    let smallest = p_values.min_by(|a, b| a.value.total_cmp(&b.value));
    let weak = data.strings(&file, "/notes");
    let passes: Vec<Option<bool>> = (data.list(&file, "/checks"))
        .map(|(_, check)| check["pass"].as_bool())
        .collect();
    all.push(Claim {
        section: "symmetry",
        net: arch.title(),
        source: "slide 24",
        statement: "Ensembles with d_out outputs are SO(d_out) symmetric.".into(),
        criterion: "every test of exact values, unpaired outputs, rotations and placements at d_out 1, 2, 4, 8 has a p-value of 10⁻⁴ or more; undecided if one that has not is of an ensemble that has not converged",
        verdict: match passes.contains(&Some(false)) {
            true => Outcome::NotReproduced,
            false if passes.contains(&None) || passes.is_empty() => Outcome::Undecided,
            false => Outcome::Reproduced,
        },
        numbers: smallest.into_iter().collect(),
        note: weak.first().map(|first| format!("Heavy tails make some tests weak: {first}.")),
    });
    let rows = data.len(&file, "/d_out");
    let lambda = |name: &str, k: usize, field: &str, error| {
        data.number(name, &file, &format!("/d_out/{k}/{field}"), error)
    };
    let measured: Vec<Option<Number>> = (0..rows)
        .map(|k| lambda("", k, "lambda_one_loop", Some("lambda_one_loop_std_err")))
        .collect();
    let falls = measured
        .iter()
        .cloned()
        .collect::<Option<Vec<_>>>()
        .map(|all| all.windows(2).all(|w| w[1].value.abs() < w[0].value.abs()));
    let error = Some("lambda_one_loop_std_err");
    let last = rows.saturating_sub(1);
    all.push(Claim {
        section: "symmetry",
        net: arch.title(),
        source: "slide 24",
        statement: "More outputs, smaller coupling: |λ| at one loop falls as d_out grows.".into(),
        criterion: "|λ| falls from each of d_out 1, 2, 4, 8 to the next",
        verdict: verdict(falls),
        numbers: [
            lambda("λ at d_out = 1", 0, "lambda_one_loop", error),
            lambda("λ at d_out = 8", last, "lambda_one_loop", error),
            lambda("loop over tree", last, "loop_over_tree", None),
        ]
        .into_iter()
        .flatten()
        .collect(),
        note: lambda("", last, "loop_over_tree", None)
            .filter(|l| l.value > 0.5)
            .map(|_| "The one-loop term is not small beside the tree's at Λ = 100: the expansion in λ is at its limit here.".into()),
    });
}

fn function_fit(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let [exact, sampled] = ["exact", "connected"].map(|m| format!("fit-{arch}-{m}"));
    let numbers: Vec<Number> = [
        data.number(
            "test MAPE %, exact moments",
            &exact,
            "/fits/0/test/mape",
            None,
        ),
        data.number("test MAPE %, sampled", &sampled, "/fits/0/test/mape", None),
        data.number("ℓ₀, exact moments", &exact, "/fits/0/coefficients/0", None),
        data.number("ℓ₀, sampled", &sampled, "/fits/0/coefficients/0", None),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rank = data.value(&exact, "/fits/2/rank").and_then(Value::as_u64);
    all.push(Claim {
        section: "fits",
        net: arch.title(),
        source: "v2",
        statement: "With weight vertices a constant ℓ₀ alone describes the 4-point function at other inputs.".into(),
        criterion: "mean absolute percentage error on the test inputs below 1%, from exact moments",
        verdict: verdict(numbers.first().map(|n| n.value < 1.0)),
        numbers,
        note: (rank == Some(1)).then(|| "The three terms are proportional on these inputs (rank 1): only a combination of the coefficients is measured.".into()),
    });
}

fn beyond(data: &Data, arch: Architecture, all: &mut Vec<Claim>) {
    let file = format!("falloff-{arch}");
    let mut pulls = Vec::new();
    let mut connected = Vec::new();
    let mut left_out = 0;
    for (w, width) in data.list(&file, "/widths") {
        for (k, order) in width["orders"].as_array().into_iter().flatten().enumerate() {
            let at = |field: &str| format!("/widths/{w}/orders/{k}/{field}");
            if order["order"].as_u64().is_none_or(|n| n % 2 == 1) {
                continue;
            }
            match order["unconverged"].is_null() {
                true => pulls.push(data.number(
                    "largest pull, direct",
                    &file,
                    &at("largest_pull"),
                    None,
                )),
                false => left_out += 1,
            }
            match order.pointer("/connected/unconverged") {
                Some(Value::Null) => connected.push(data.number(
                    "largest pull, connected",
                    &file,
                    &at("connected/largest_pull"),
                    None,
                )),
                Some(_) => left_out += 1,
                None => {}
            }
        }
    }
    let numbers: Vec<Number> = [worst(pulls), worst(connected)]
        .into_iter()
        .flatten()
        .collect();
    all.push(Claim {
        section: "exact",
        net: arch.title(),
        source: "",
        statement: "Both estimators agree with the exact finite-width values.".into(),
        criterion: "every element of every converged even n-point function within 6 errors of its exact value",
        verdict: verdict((!numbers.is_empty()).then(|| numbers.iter().all(|n| n.value <= 6.0))),
        numbers,
        note: (left_out > 0).then(|| format!("{left_out} n-point functions that have not converged are left out.")),
    });
    let gains: Vec<Number> = (0..data.len(&file, "/widths"))
        .filter_map(|w| {
            let k = data.find(&file, &format!("/widths/{w}/orders"), "order", 4.0)?;
            let n = data.value(&file, &format!("/widths/{w}/width"))?.as_u64()?;
            let at = format!("/widths/{w}/orders/{k}/connected/gain");
            data.number(&format!("at N = {n}"), &file, &at, None)
        })
        .collect();
    let ends: Vec<Number> = gains
        .first()
        .into_iter()
        .chain(gains.last())
        .cloned()
        .collect();
    all.push(Claim {
        section: "estimator",
        net: arch.title(),
        source: "",
        statement:
            "One network of the connected estimator is worth many of the direct one for dG⁽⁴⁾."
                .into(),
        criterion: "variance ratio per network above 1 at every width",
        verdict: verdict((!gains.is_empty()).then(|| gains.iter().all(|g| g.value > 1.0))),
        numbers: ends,
        note: None,
    });
}

fn gauss_tail(data: &Data, all: &mut Vec<Claim>) {
    let file = "falloff-gauss";
    let Some(k) = data.find(file, "/widths/0/orders", "order", 6.0) else {
        return;
    };
    let at = |field: &str| format!("/widths/0/orders/{k}/{field}");
    let direct = data.number("direct", file, &at("deviation_mean"), Some("std_err"));
    let connected = data.number(
        "connected, tilted",
        file,
        &at("connected/deviation_mean"),
        Some("std_err"),
    );
    let exact = data.number("exact", file, &at("exact_mean"), None);
    let flagged = data
        .value(file, &at("unconverged"))
        .is_some_and(Value::is_string);
    let holds = (|| {
        let (c, e) = (connected.as_ref()?, exact.as_ref()?);
        Some(flagged && (c.value - e.value).abs() / c.std_err? <= SIGMAS)
    })();
    let networks = ["nets", "experiments"]
        .iter()
        .filter_map(|f| data.value(file, &format!("/spec/{f}"))?.as_f64())
        .product::<f64>();
    all.push(Claim {
        section: "tail",
        net: Architecture::Gauss.title(),
        source: "",
        statement: format!(
            "At N = 2, {networks:.0e} networks of the direct estimator do not determine m_6, and the convergence verdict says so; importance sampling cures it."
        ),
        criterion: "the direct m_6 is flagged as unconverged; the connected, tilted one is within 5 of its errors of the exact value",
        verdict: verdict(holds),
        numbers: [direct, connected, exact].into_iter().flatten().collect(),
        note: None,
    });
}
