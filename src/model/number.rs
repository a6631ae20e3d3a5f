/// Parses a count as people write it: `1000000`, `1_000_000`, `1e6`, `1M`, `2.5k`.
///
/// # Errors
/// One sentence when the text is no number, not whole, negative or beyond 2^53.
///
/// ```
/// assert_eq!(nnqft_gpu::model::parse_count("2.5k"), Ok(2500));
/// assert!(nnqft_gpu::model::parse_count("1.5").is_err());
/// ```
pub fn parse_count(text: &str) -> Result<u64, String> {
    let plain: String = text.trim().chars().filter(|c| *c != '_').collect();
    if let Ok(n) = plain.parse::<u64>() {
        return Ok(n);
    }
    let (digits, unit) = match plain.char_indices().next_back() {
        Some((i, 'k' | 'K')) => (&plain[..i], 1e3),
        Some((i, 'M')) => (&plain[..i], 1e6),
        Some((i, 'G' | 'B')) => (&plain[..i], 1e9),
        _ => (plain.as_str(), 1.0),
    };
    let not_a_count =
        || format!("'{text}' is not a whole number; write 1000000, 1_000_000, 1e6 or 1M");
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(not_a_count());
    }
    let value = digits.parse::<f64>().map_err(|_| not_a_count())? * unit;
    // Beyond 2^53 an f64 no longer holds every whole number.
    if value > 2f64.powi(53) {
        return Err(format!(
            "'{text}' is beyond 2^53, where such notation is not exact; write the whole number with all its digits"
        ));
    }
    if value.fract() != 0.0 {
        return Err(not_a_count());
    }
    Ok(value as u64)
}

/// A number as it is written shortest: in scientific notation where plain digits are long.
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
            ("0", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_count(text), Ok(n), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_count() {
        for text in ["", "abc", "-1", "1.5", "1e99", "nan", "inf", "M", "1e", "+"] {
            let message = parse_count(text).unwrap_err();
            assert!(message.contains("whole number"), "{text}: {message}");
        }
    }
}
