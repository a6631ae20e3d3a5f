//! Numbers are written as a paper prints them.

/// Writes five digits, or those that the error leaves, with the error's last two in parentheses.
pub(super) fn measured(value: f64, error: Option<f64>) -> String {
    let finish = |mantissa: String, exponent: i32| {
        let mantissa = mantissa.replace('-', "−");
        match exponent {
            0 => mantissa,
            e => format!("{mantissa} × 10^{e}").replace("^-", "^−"),
        }
    };
    if value == 0.0 && error.is_none_or(|e| e == 0.0) {
        return "0".into();
    }
    // Smaller ones are rounding.
    let error = error.filter(|e| *e > 1e-9 * value.abs() && e.is_finite());
    if error.is_none() && value.fract() == 0.0 && value.abs() < 1e9 {
        return finish(value.to_string(), 0);
    }
    let size = value.abs().max(error.unwrap_or(0.0));
    let power = size.log10().floor() as i32;
    let exponent = if (-3..5).contains(&power) { 0 } else { power };
    let scaled = value / 10f64.powi(exponent);
    let Some(error) = error else {
        let digits = (4 - power + exponent).clamp(0, 12) as usize;
        let plain = format!("{scaled:.digits$}");
        // 2 rather than 2.0000.
        let plain = match plain.contains('.') {
            true => plain
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_string(),
            false => plain,
        };
        return finish(plain, exponent);
    };
    let error = error / 10f64.powi(exponent);
    let digits = (1 - error.log10().floor() as i32).clamp(0, 12) as usize;
    let last = (error * 10f64.powi(digits as i32)).round();
    // Both in the last digits' unit; a point where the error reaches before it.
    let bracket = match error >= 1.0 && digits > 0 {
        true => format!("{error:.digits$}"),
        false => format!("{last:.0}"),
    };
    finish(format!("{scaled:.digits$}({bracket})"), exponent)
}

#[cfg(test)]
mod tests {
    use super::measured;

    #[test]
    fn numbers_read_as_in_a_paper() {
        assert_eq!(measured(-1.1699e-5, Some(3.4e-8)), "−1.1699(34) × 10^−5");
        assert_eq!(measured(1.0, None), "1");
        assert_eq!(measured(0.98638, None), "0.98638");
        assert_eq!(measured(5101.23, Some(12.3)), "5101(12)");
        assert_eq!(measured(3.12, Some(1.5)), "3.1(1.5)");
        assert_eq!(measured(0.002, Some(0.5)), "0.00(50)");
        assert_eq!(measured(1e6, None), "1000000");
        assert_eq!(measured(2.5e-7, None), "2.5 × 10^−7");
        assert_eq!(measured(-5.0, Some(1e-16)), "−5");
        assert_eq!(measured(-0.0, None), "0");
        assert_eq!(measured(0.01234, None), "0.01234");
    }
}
