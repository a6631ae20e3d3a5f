use std::ops::RangeInclusive;

/// Parses a count as people write it: `1000000`, `1_000_000`, `1e6`, `1M`, `2.5k`. Every
/// notation is exact.
///
/// # Errors
/// One sentence when the text is no number, not whole, negative or beyond 2^64 - 1.
///
/// ```
/// assert_eq!(nnqft_gpu::model::parse_count("2.5k"), Ok(2500));
/// assert!(nnqft_gpu::model::parse_count("1.5").is_err());
/// ```
pub fn parse_count(text: &str) -> Result<u64, String> {
    parse_count_in(text, 0..=u64::MAX)
}

/// Parses a count that has limits, as [`parse_count`] does.
///
/// # Errors
/// Those of [`parse_count`]; beyond a limit a sentence that names both.
///
/// ```
/// use nnqft_gpu::model::parse_count_in;
///
/// assert_eq!(parse_count_in("64", 1..=64), Ok(64));
/// assert_eq!(parse_count_in("1e30", 1..=64), Err("must be from 1 to 64".into()));
/// ```
pub fn parse_count_in(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let plain: String = text.trim().chars().filter(|c| *c != '_').collect();
    let value = match plain.strip_prefix('-') {
        // Below every count, if it is a number at all.
        Some(rest) => exact(rest).map(|n| n.filter(|&n| n == 0)),
        None => exact(&plain),
    };
    match value {
        Some(Some(n)) if range.contains(&n) => Ok(n),
        Some(_) => Err(format!("must be from {} to {}", range.start(), range.end())),
        None => Err("this is not a whole number; write 1000000, 1_000_000, 1e6 or 1M".into()),
    }
}

/// Computes the value of digits, with a point, an exponent and a unit if need be; `None` if they
/// are no whole number, `Some(None)` if they are one beyond 2^64 - 1.
fn exact(text: &str) -> Option<Option<u64>> {
    let (number, unit) = match text.char_indices().next_back()? {
        (i, 'k' | 'K') => (&text[..i], 3),
        (i, 'M') => (&text[..i], 6),
        (i, 'G' | 'B') => (&text[..i], 9),
        _ => (text, 0),
    };
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = all.trim_end_matches('0');
    let dropped = (all.len() - digits.len()) as i64;
    let power = i64::from(exponent) + unit + dropped - fraction.len() as i64;
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(Some(0));
    }
    let power = u32::try_from(power).ok()?;
    // 2^64 has twenty digits.
    let value = (digits.len() as u64 + u64::from(power) <= 20)
        .then(|| digits.parse::<u128>().ok())
        .flatten()
        .map(|digits| digits * 10u128.pow(power));
    Some(value.and_then(|value| value.try_into().ok()))
}

/// Writes a number in its shortest form: in scientific notation where plain digits are long.
///
/// ```
/// use nnqft_gpu::model::short;
///
/// assert_eq!(short(100.0), "100");
/// assert_eq!(short(1e300), "1e300");
/// ```
pub fn short(x: f64) -> String {
    let plain = x.to_string();
    match plain.len() {
        0..=12 => plain,
        _ => [plain, format!("{x:e}")]
            .into_iter()
            .min_by_key(String::len)
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_usual_spellings() {
        for (text, n) in [
            ("7", 7),
            ("1e6", 1_000_000),
            ("1_000_000", 1_000_000),
            ("1M", 1_000_000),
            ("2.5k", 2500),
            ("1.50e1", 15),
            ("1200e-2", 12),
            ("0", 0),
            ("-0", 0),
            ("0e99", 0),
            ("007", 7),
            // Beyond what an f64 holds.
            ("1e19", 10_000_000_000_000_000_000),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("18446744073709551615", u64::MAX),
            ("18446744073.709551615G", u64::MAX),
        ] {
            assert_eq!(parse_count(text), Ok(n), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_count() {
        for text in [
            "",
            "abc",
            "1.5",
            "nan",
            "inf",
            "M",
            "1e",
            "+",
            ".",
            "-",
            "--1",
            "1e1e1",
            "1.2.3",
            "1e-1",
            "-x",
            "1e99999999999",
            "0x10",
            "1 0",
        ] {
            let message = parse_count(text).unwrap_err();
            assert!(message.contains("whole number"), "{text}: {message}");
        }
    }

    #[test]
    fn names_the_limits() {
        for text in [
            "18446744073709551616",
            "1e30",
            "1e99",
            "-1",
            "-1e300",
            "99999G",
        ] {
            let message = parse_count_in(text, 1..=1000).unwrap_err();
            assert_eq!(message, "must be from 1 to 1000", "{text}");
        }
        let message = parse_count("18446744073709551616").unwrap_err();
        assert_eq!(message, "must be from 0 to 18446744073709551615");
    }
}
