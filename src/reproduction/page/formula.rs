//! This module turns formulae in plain text into HTML.

/// `INDEXED` lists the symbols whose `_index` is set below the line; file names keep theirs.
const INDEXED: [&str; 10] = [
    "m_4", "m_6", "m_n", "d_in", "d_out", "σ_w", "σ_b", "λ_m", "ℓ_NL", "T_NL",
];

/// Writes text with the n of 10^n raised and indices lowered.
pub(super) fn formula(text: &str) -> minijinja::Value {
    let escaped = minijinja::HtmlEscape(text).to_string();
    let mut parts = escaped.split("10^");
    let mut html = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit() && c != '−')
            .unwrap_or(part.len());
        let (power, rest) = part.split_at(end);
        html.push_str(&format!("10<sup>{power}</sup>{rest}"));
    }
    for symbol in INDEXED {
        if let Some((base, index)) = symbol.split_once('_') {
            html = html.replace(symbol, &format!("{base}<sub>{index}</sub>"));
        }
    }
    minijinja::Value::from_safe_string(html)
}
