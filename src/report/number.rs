//! Numbers become text here, whether for a table, a page or a figure.

/// This stands where there is no number.
const NONE: &str = "n/a";

/// A number has four significant digits in a table, in scientific notation where plain digits
/// would hide them.
pub fn value(x: Option<f64>) -> String {
    match x {
        None => NONE.into(),
        Some(0.0) => "0".into(),
        Some(x) if (1e-3..1e5).contains(&x.abs()) && power(x, 5) < 5 => {
            let places = (3 - power(x, 4)).clamp(0, 6);
            format!("{x:.*}", places as usize)
        }
        Some(x) => format!("{x:.3e}"),
    }
}

/// A number is zero if it is no more than what rounding leaves of others of this size.
pub fn beyond_rounding(x: f64, size: f64) -> f64 {
    match x.abs() <= 1e-12 * size.abs() {
        true => 0.0,
        false => x,
    }
}

/// A number from theory has ten significant digits.
pub fn precise(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) {
        let places = 9 - power(x.abs().max(1e-3), 10);
        format!("{x:.*}", places.clamp(0, 12) as usize)
    } else {
        format!("{x:.9e}")
    }
}

/// A number has so many decimal places.
pub fn fixed(x: Option<f64>, places: usize) -> String {
    let text = |x: f64| {
        let text = format!("{x:.places$}");
        // Zero has no sign.
        match text.bytes().all(|b| b"-0.".contains(&b)) {
            true => text.replace('-', ""),
            false => text,
        }
    };
    x.map_or(NONE.into(), text)
}

/// A size or an error is in scientific notation, with so many decimal places.
pub fn scientific(x: f64, places: usize) -> String {
    format!("{x:.places$e}")
}

/// A distance in standard errors keeps its sign.
pub fn pull(x: Option<f64>) -> String {
    match x {
        None => NONE.into(),
        Some(x) if x.abs() < 999.95 => format!("{x:+.1}"),
        Some(x) => format!("{x:+.0e}"),
    }
}

/// A point of a figure that is pointed at shows five decimal places; whole numbers have none.
pub fn reading(x: f64) -> String {
    match x {
        0.0 => "0".into(),
        x if x.fract() == 0.0 && x.abs() < 1e6 => format!("{x}"),
        x if (1e-3..1e5).contains(&x.abs()) => format!("{x:.5}"),
        x => format!("{x:.4e}"),
    }
}

/// A measured number reads as in a paper, 1.23(45) × 10^−6: five digits, or those that the error
/// leaves, with the error's last two in parentheses.
pub fn measured(value: f64, error: Option<f64>) -> String {
    if value == 0.0 && error.is_none_or(|e| e == 0.0) {
        return "0".into();
    }
    // Smaller errors are rounding.
    let error = error.filter(|e| *e > 1e-9 * value.abs() && e.is_finite());
    if error.is_none() && value.fract() == 0.0 && value.abs() < 1e9 {
        return minus(value.to_string());
    }
    let size = value.abs().max(error.unwrap_or(0.0));
    // The power of ten of the last digit that is shown.
    let last = match error {
        Some(error) => power(error, 2) - 1,
        None => power(size, 5) - 4,
    };
    let first = power(size, (power(size, 17) - last + 1).max(1) as usize);
    let exponent = if (-3..5).contains(&first) { 0 } else { first };
    let places = (exponent - last).clamp(0, 12) as usize;
    let plain = format!("{:.places$}", over_power(value, exponent));
    let mantissa = match error.map(|error| over_power(error, exponent)) {
        // 2 rather than 2.0000.
        None if plain.contains('.') => plain.trim_end_matches('0').trim_end_matches('.').into(),
        None => plain,
        // A point where the error reaches before it.
        Some(error) if places > 0 && power(error, 2) >= 0 => format!("{plain}({error:.places$})"),
        // Both in the unit of the last digit.
        Some(error) => format!("{plain}({:.0})", error * 10f64.powi(places as i32)),
    };
    minus(match exponent {
        0 => mantissa,
        e => format!("{mantissa} × 10^{e}"),
    })
}

/// A tick's label is in plain digits, without what binary fractions add: 0.30000000000000004.
pub fn tick(x: f64) -> String {
    minus(format!("{}", (x * 1e9).round() / 1e9))
}

/// A tick's label is a multiple of a power of ten.
pub fn power_tick(x: f64) -> String {
    let exponent = power(x, 7);
    let power = format!("10{}", superscript(exponent));
    match (over_power(x, exponent) * 1e6).round() / 1e6 {
        1.0 => power,
        -1.0 => minus(format!("-{power}")),
        m => minus(format!("{m}×{power}")),
    }
}

/// The power of ten is that of the first digit after rounding to so many digits: 1 for 9.996
/// rounded to three. Zero, and what is no number, count as 1.
fn power(x: f64, digits: usize) -> i32 {
    let rounded = format!("{:.*e}", digits - 1, x.abs());
    let exponent = rounded.rsplit_once('e').map(|(_, e)| e.parse());
    exponent.and_then(Result::ok).unwrap_or(0)
}

/// The number is divided by a power of ten that may itself be too small for an f64.
fn over_power(x: f64, exponent: i32) -> f64 {
    let normal = exponent.max(-300);
    x / 10f64.powi(normal) / 10f64.powi(exponent - normal)
}

fn minus(text: String) -> String {
    text.replace('-', "−")
}

fn superscript(exponent: i32) -> String {
    let digit = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    };
    exponent.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(format: impl Fn(T) -> String, cases: impl IntoIterator<Item = (T, &'static str)>) {
        for (x, text) in cases {
            assert_eq!(format(x), text);
        }
    }

    #[test]
    fn values_keep_four_digits() {
        let cases = [
            (0.25, "0.2500"),
            (-12.3456, "-12.35"),
            (1.5e-7, "1.500e-7"),
            (-2.5e300, "-2.500e300"),
            (5e-324, "4.941e-324"),
            (0.001, "0.001000"),
            (0.0, "0"),
            (-0.0, "0"),
            (99999.4, "99999"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        check(|x| value(Some(x)), cases);
        assert_eq!(value(None), "n/a");
    }

    #[test]
    fn rounding_that_carries_keeps_the_number_of_digits() {
        let cases = [
            (9.9996, "10.00"),
            (-0.099996, "-0.1000"),
            (999.96, "1000"),
            (0.00999996, "0.01000"),
            (99999.6, "1.000e5"),
            (9.9996e-5, "1.000e-4"),
        ];
        check(|x| value(Some(x)), cases);
        check(precise, [(9.99999999996, "10.00000000")]);
        let pulls = [(999.94, "+999.9"), (-999.97, "-1e3")];
        check(|x| pull(Some(x)), pulls);
        let errors = [
            ((123.4, 0.0996), "123.40(10)"),
            ((3.12, 0.996), "3.1(1.0)"),
            ((0.00099999, 1e-7), "9.9999(10) × 10^−4"),
            ((9.9999e-6, 1e-7), "1.000(10) × 10^−5"),
            ((99999.7, 12.0), "1.00000(12) × 10^5"),
        ];
        check(|(value, error)| measured(value, Some(error)), errors);
        let plain = [(9.999996, "10"), (99999.96, "1 × 10^5")];
        check(|x| measured(x, None), plain);
    }

    #[test]
    fn theory_keeps_ten_digits() {
        let cases = [
            (1.0, "1.000000000"),
            (-1234.5, "-1234.500000"),
            (0.0, "0.000000000000"),
            (1.0 / 3.0 * 1e-5, "3.333333333e-6"),
            (2e6, "2.000000000e6"),
            (f64::NAN, "NaN"),
        ];
        check(precise, cases);
    }

    #[test]
    fn pulls_have_a_sign() {
        let cases = [
            (0.0, "+0.0"),
            (-0.04, "-0.0"),
            (3.25, "+3.2"),
            (-12.0, "-12.0"),
            (1e30, "+1e30"),
            (f64::INFINITY, "+inf"),
        ];
        check(|x| pull(Some(x)), cases);
        assert_eq!(pull(None), "n/a");
    }

    #[test]
    fn places_are_as_asked() {
        assert_eq!(fixed(Some(-1.03449), 4), "-1.0345");
        assert_eq!(fixed(Some(-1e-9), 4), "0.0000");
        assert_eq!(fixed(Some(f64::NEG_INFINITY), 4), "-inf");
        assert_eq!(fixed(None, 4), "n/a");
        assert_eq!(scientific(9.96e-3, 0), "1e-2");
        assert_eq!(scientific(0.0, 2), "0.00e0");
    }

    #[test]
    fn readings_of_a_figure() {
        let cases = [
            (0.0, "0"),
            (1000.0, "1000"),
            (-0.5, "-0.50000"),
            (1.5e-9, "1.5000e-9"),
            (1e6, "1.0000e6"),
            (f64::NAN, "NaN"),
        ];
        check(reading, cases);
    }

    #[test]
    fn measured_numbers_read_as_in_a_paper() {
        let cases = [
            ((-1.1699e-5, Some(3.4e-8)), "−1.1699(34) × 10^−5"),
            ((1.0, None), "1"),
            ((0.98638, None), "0.98638"),
            ((5101.23, Some(12.3)), "5101(12)"),
            ((5101.23, Some(123.0)), "5101(123)"),
            ((3.12, Some(1.5)), "3.1(1.5)"),
            ((0.002, Some(0.5)), "0.00(50)"),
            ((0.0, Some(0.5)), "0.00(50)"),
            ((1e6, None), "1000000"),
            ((2.5e-7, None), "2.5 × 10^−7"),
            ((-5.0, Some(1e-16)), "−5"),
            ((-5.0, Some(f64::INFINITY)), "−5"),
            ((-0.0, None), "0"),
            ((0.0, Some(0.0)), "0"),
            ((0.01234, None), "0.01234"),
            ((5e-324, None), "4.9407 × 10^−324"),
            ((f64::NAN, None), "NaN"),
            ((f64::INFINITY, None), "inf"),
        ];
        check(|(value, error)| measured(value, error), cases);
    }

    #[test]
    fn ticks_are_plain_or_multiples_of_powers() {
        let plain = [(0.1 + 0.2, "0.3"), (-2.0, "−2"), (0.0, "0")];
        check(tick, plain);
        let powers = [
            (1e-13, "10⁻¹³"),
            (-1e20, "−10²⁰"),
            (1.2e-7, "1.2×10⁻⁷"),
            (-2.5e4, "−2.5×10⁴"),
            (9.9999999999, "10¹"),
            (-9.9999999999, "−10¹"),
        ];
        check(power_tick, powers);
    }
}
