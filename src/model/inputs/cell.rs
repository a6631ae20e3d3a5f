//! This module reads one coordinate as text has it.

/// Texts that stand where a number is missing, in files of people and programs.
const MISSING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "missing", "<na>"];

const TOO_SMALL: &str = "is below the smallest number of f64; rescale the points";

/// A cell is what stands between two separators.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    pub text: &'a str,
    pub is_quoted: bool,
}

impl Cell<'_> {
    /// Tells whether there is nothing, not even quotes.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.is_quoted
    }
}

/// Parses a coordinate as it is typed on a command line.
///
/// # Errors
/// Those of [`number`]; what is not finite is left to others.
pub fn typed(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(x) if x == 0.0 && has_digit_above_zero(text) => Err(TOO_SMALL),
        Ok(x) => Ok(x),
        Err(_) => Err("is not a number"),
    }
}

/// Parses the number that a cell holds.
///
/// Digits may be as Rust, C and Python write them, or in Fortran's double precision (`1.5D-3`).
///
/// # Errors
/// What the cell is instead, as the rest of a sentence that begins with it.
pub fn number(text: &str) -> Result<f64, &'static str> {
    let fortran = fortran(text);
    let plain = fortran.as_deref().unwrap_or(text);
    match plain.parse::<f64>() {
        Ok(x) if !x.is_finite() => Err("is not finite"),
        Ok(x) if x == 0.0 && has_digit_above_zero(plain) => Err(TOO_SMALL),
        Ok(x) => Ok(x),
        Err(_) => Err(instead(text)),
    }
}

/// Tells whether a cell names a column: words, and nothing that could be a damaged number.
pub fn is_name(text: &str) -> bool {
    let first = text.chars().find(|c| c.is_alphanumeric());
    first.is_some_and(char::is_alphabetic) && !is_missing(text) && text.parse::<f64>().is_err()
}

/// Tells whether a cell says that there is no value.
pub fn is_missing(text: &str) -> bool {
    MISSING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Tells whether a cell would be a number or several if it had no commas.
pub fn has_decimal_comma(text: &str) -> bool {
    let Some((whole, rest)) = text.split_once(',') else {
        return false;
    };
    let is_number = |part: &str| number(part.trim()).is_ok();
    (matches!(whole, "" | "-" | "+") || is_number(whole)) && rest.split(',').all(is_number)
}

fn instead(text: &str) -> &'static str {
    if is_missing(text) {
        return "is no value: every point needs all its coordinates";
    }
    if has_decimal_comma(text) {
        return "has a comma in it: write decimals with a point, and thousands together";
    }
    let digits = |c: char| c.is_ascii_digit() || "+-.eEij()* ".contains(c);
    let is_complex = text.contains(['i', 'j'])
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(digits);
    match is_complex {
        true => "is complex: coordinates are real",
        false => "is not a number",
    }
}

/// Rewrites `1.5D-3` with the exponent as the rest of the world writes it.
fn fortran(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['d', 'D'])?;
    let of = |s: &str, also: &[char]| s.chars().all(|c| c.is_ascii_digit() || also.contains(&c));
    (of(mantissa, &['+', '-', '.']) && of(exponent, &['+', '-']))
        .then(|| format!("{mantissa}e{exponent}"))
}

fn has_digit_above_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_several_languages() {
        for (text, value) in [
            ("1", 1.0),
            ("-.5", -0.5),
            ("+2.", 2.0),
            ("1E3", 1e3),
            ("1D5", 1e5),
            ("-1.5d-03", -1.5e-3),
            ("0.000000000000000000e+00", 0.0),
            ("-0", 0.0),
            ("5e-324", 5e-324),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_called_by_its_name() {
        for (text, part) in [
            ("one", "not a number"),
            ("1x", "not a number"),
            ("d5", "not a number"),
            ("1dd5", "not a number"),
            ("0x10", "not a number"),
            ("", "no value"),
            ("NaN", "not finite"),
            ("NA", "no value"),
            ("-inf", "not finite"),
            ("1e999", "not finite"),
            ("1e-400", "below the smallest"),
            ("(1+2j)", "complex"),
            ("1.5-2e3i", "complex"),
            ("2j", "complex"),
            ("1,5", "comma"),
            ("-1,234.5", "comma"),
            ("1,234,567.0", "comma"),
            (",5", "comma"),
            ("0.5, 1", "comma"),
        ] {
            let reason = number(text).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }

    #[test]
    fn names_are_not_damaged_numbers() {
        for name in ["x", "x1", "V1", "pos x", "\u{3bb}_0", "\"dim 0\"", "(x)"] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            "1",
            "1x",
            "2theta",
            "-",
            "\u{2212}1",
            "(1+2j)",
            "nan",
            "inf",
            "NA",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
