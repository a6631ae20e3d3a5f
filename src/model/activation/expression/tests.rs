use super::*;
use crate::model::activation::Tape;
use proptest::prelude::*;

/// Expressions that parse, with more parentheses than they need.
pub(crate) fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => Just("z".to_string()),
        1 => Just("v".to_string()),
        1 => Just("pi".to_string()),
        1 => Just("e".to_string()),
        2 => (0..12u32).prop_map(|n| n.to_string()),
        1 => (1e-9..1e9f64).prop_map(|x| format!("{x:e}")),
    ];
    let unary = prop::sample::select(Unary::ALL.to_vec());
    let binary = prop::sample::select(Binary::ALL.to_vec());
    leaf.prop_recursive(6, 40, 2, move |inner| {
        prop_oneof![
            (unary.clone(), inner.clone()).prop_map(|(op, a)| match op {
                Unary::Neg => format!("(-{a})"),
                _ => format!("{}({a})", op.name()),
            }),
            (binary.clone(), inner.clone(), inner.clone()).prop_map(|(op, a, b)| {
                match operator(op) {
                    Some(_) => format!("({a}){}({b})", op.name()),
                    None => format!("{}({a}, {b})", op.name()),
                }
            }),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} * {b}")),
        ]
    })
    .prop_filter("too long", |text| text.len() <= MAX_LENGTH)
}

proptest! {
    #[test]
    fn what_is_displayed_parses_back(text in expressions()) {
        let expression: Expression = text.parse().unwrap();
        let shown = expression.to_string();
        let again: Expression = shown.parse().unwrap();
        prop_assert_eq!(expression.nodes(), again.nodes(), "{} {}", text, shown);
        prop_assert_eq!(again.to_string(), shown);
        prop_assert_eq!(Tape::compile(&expression).ok(), Tape::compile(&again).ok());
    }

    #[test]
    fn text_of_any_kind_is_read_or_refused(text in ".{0,60}") {
        check(&text);
    }

    #[test]
    fn text_of_likely_letters_is_read_or_refused(text in r"[-+*/^(),.0-9zve x]{0,40}|(exp|max|sin|abs)?[(]{0,3}[-z,1]{0,6}[)]{0,3}") {
        check(&text);
    }
}

fn check(text: &str) {
    if let Err(error) = text.parse::<Expression>() {
        assert_eq!(error.expression(), text);
        // The place is a part of the text.
        assert!(text.get(error.place()).is_some());
        assert_eq!(error.to_string().lines().count(), 3);
    }
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (text, shown) in [
        ("1 - 2 - 3", "1-2-3"),
        ("1-(2-3)", "1-(2-3)"),
        ("(z*2)/3", "z*2/3"),
        ("z*(2/3)", "z*(2/3)"),
        ("-z^2", "-z^2"),
        ("(-z)^2", "(-z)^2"),
        ("-(z^2)", "-z^2"),
        ("z^2^3", "z^2^3"),
        ("(z^2)^3", "(z^2)^3"),
        ("2^-z", "2^-z"),
        ("2^(-z^2)", "2^-z^2"),
        ("2^-z*3", "2^-z*3"),
        ("(-z)*2", "-z*2"),
        ("-(z*2)", "-(z*2)"),
        ("z--v", "z-(-v)"),
        ("z*(-v*2)", "z*(-v*2)"),
        ("--z", "-(-z)"),
        ("+z + +1", "z+1"),
        ("max( z , (0) )", "max(z,0)"),
        ("1e-3 * .5 * 2. * 1E+2", "0.001*0.5*2*100"),
        ("1e300*z", "1e300*z"),
        ("\tz\n", "z"),
    ] {
        let expression: Expression = text.parse().unwrap();
        assert_eq!(expression.to_string(), shown, "{text}");
    }
}

#[test]
fn every_mistake_is_shown_at_its_place() {
    for (text, carets, sentence) in [
        (
            "",
            "^",
            "the expression is empty; write one in z, such as tanh(z)",
        ),
        (
            "  ",
            "  ^",
            "the expression is empty; write one in z, such as tanh(z)",
        ),
        (
            "z+",
            "  ^",
            "the expression ends where an operand should follow",
        ),
        ("z+ *2", "   ^", "an operand is missing before this"),
        ("2z", " ^", "an operator is missing before this, such as *"),
        ("z (z)", "^", "z is no function; write z*(..) for a product"),
        (
            "(z)(z)",
            "   ^",
            "an operator is missing before this, such as *",
        ),
        (
            "2*(z 3)",
            "     ^",
            "an operator or ) is missing before this",
        ),
        ("2*(z+1", "  ^", "this parenthesis is not closed"),
        ("tanh(z", "    ^", "this parenthesis is not closed"),
        ("max(z", "   ^", "this parenthesis is not closed"),
        ("z)", " ^", "this parenthesis closes none"),
        ("()", " ^", "an operand is missing before this"),
        ("z**2", "  ^", "powers are written with ^"),
        (
            "0,5*z",
            " ^",
            "a comma stands between arguments only; decimals have a point",
        ),
        ("(z,1)", "  ^", "this comma stands between no arguments"),
        ("max(z)", "     ^", "max takes two arguments"),
        ("max(z,)", "      ^", "max takes two arguments"),
        ("max(z,0,1)", "       ^", "max takes two arguments"),
        ("exp()", "    ^", "exp takes one argument"),
        ("exp(z,v)", "     ^", "exp takes one argument"),
        (
            "erf z",
            "^^^",
            "the argument of erf stands in parentheses: erf(..)",
        ),
        (
            "1+thanh(z)",
            "  ^^^^^",
            "there is no function thanh; did you mean tanh?",
        ),
        (
            "Erf(z)",
            "^^^",
            "there is no function Erf; did you mean erf?",
        ),
        (
            "ln(1+z^2)",
            "^^",
            "there is no function ln; did you mean log?",
        ),
        ("2*x", "  ^", "there is no name x; did you mean z?"),
        ("tanh(Z)", "     ^", "there is no name Z; did you mean z?"),
        (
            "sgimoid",
            "^^^^^^^",
            "there is no name sgimoid; did you mean sigmoid?",
        ),
        (
            "heaviside(z)",
            "^^^^^^^^^",
            "there is no function heaviside; there are z v pi e abs sign step exp log log1p \
             softplus sqrt sin cos tanh sigmoid erf min max",
        ),
        (
            "1e*z",
            "^^",
            "an exponent has digits, as in 1e-3; write * before the number e",
        ),
        ("z+.", "  ^", "a number has digits"),
        ("1e999*z", "^^^^^", "this number is too large"),
        (
            "1.2.3",
            "   ^^",
            "an operator is missing before this, such as *",
        ),
        ("2×z", " ^", "write * for this"),
        ("π*z", "^", "write pi for this"),
        ("z²", " ^", "write ^2 for this"),
        ("z−1", " ^", "write - for this"),
        ("|z|", "^", "write abs(..) for this"),
        ("z;", " ^", "this character has no meaning here"),
        ("z + 🦀", "    ^", "this character has no meaning here"),
    ] {
        let error = text.parse::<Expression>().unwrap_err();
        let shown = format!("{sentence}\n    {text}\n    {carets}");
        assert_eq!(error.to_string(), shown);
        let crate::Error::Invalid { name, reason, .. } = error.into() else {
            panic!("{text}");
        };
        assert_eq!((name, reason.to_string()), ("activation", shown));
    }
}

#[test]
fn no_depth_overflows_the_stack() {
    for (open, close) in [
        ("(", ")"),
        ("-", ""),
        ("exp(", ")"),
        ("2^", ""),
        ("max(z,", ")"),
    ] {
        let nested = |n: usize| format!("{}z{}", open.repeat(n), close.repeat(n));
        let error = nested(MAX_DEPTH).parse::<Expression>().unwrap_err();
        assert!(error.message().contains("are nested"), "{error}");
        let fits = nested(MAX_DEPTH - 1).parse::<Expression>().unwrap();
        assert!(!fits.to_string().is_empty());
        // Longer than may be, and unbalanced.
        for text in [nested(1_000_000), open.repeat(300)] {
            assert!(text.parse::<Expression>().is_err());
        }
    }
    // Long, but not deep.
    let sum = "z+".repeat(MAX_LENGTH / 2 - 1) + "z";
    assert_eq!(sum.parse::<Expression>().unwrap().to_string(), sum);
    let long = "z".to_string() + &"+z".repeat(MAX_LENGTH / 2);
    let error = long.parse::<Expression>().unwrap_err();
    assert_eq!(error.message(), "this is longer than 1000 bytes");
    assert_eq!(error.place(), MAX_LENGTH..long.len());
}
