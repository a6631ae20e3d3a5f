//! Expands the shaders' directives, so that a pipeline is straight-line code for its spec.
//!
//! ```text
//! //# include name        the text of shaders/name.wgsl
//! //# for v in N          repeats the lines for v = 0 .. N-1; N a constant or a number
//! //# for v in a,b,c      repeats them for v = a, b, c; a constant may hold the list
//! //# if NAME             keeps the lines if the constant is not zero
//! //# end
//! $name, ${name}          the value of a constant or loop variable
//! ```

use std::collections::BTreeMap;

/// Values of the constants that a shader is specialised on.
pub type Constants = BTreeMap<&'static str, String>;

/// A shader as a driver gets it.
#[derive(Debug, Clone)]
pub struct Text {
    /// The name of the stage.
    pub label: &'static str,
    pub wgsl: String,
}

const PARTS: [(&str, &str); 12] = [
    ("batch", include_str!("../../../shaders/batch.wgsl")),
    (
        "parameters",
        include_str!("../../../shaders/parameters.wgsl"),
    ),
    ("words", include_str!("../../../shaders/words.wgsl")),
    ("normals", include_str!("../../../shaders/normals.wgsl")),
    (
        "exponential",
        include_str!("../../../shaders/exponential.wgsl"),
    ),
    ("networks", include_str!("../../../shaders/networks.wgsl")),
    ("tail", include_str!("../../../shaders/tail.wgsl")),
    ("moments", include_str!("../../../shaders/moments.wgsl")),
    (
        "activation",
        include_str!("../../../shaders/activation.wgsl"),
    ),
    ("pass", include_str!("../../../shaders/looped/pass.wgsl")),
    ("lanes", include_str!("../../../shaders/looped/lanes.wgsl")),
    ("put", include_str!("../../../shaders/looped/put.wgsl")),
];

/// The WGSL text of a shader for these constants.
///
/// # Panics
/// If the shader has an unknown directive, part or name: shaders are part of the build.
pub fn expand(shader: &str, constants: &Constants) -> String {
    let mut names: BTreeMap<String, String> = constants
        .iter()
        .map(|(k, v)| (k.to_string(), v.clone()))
        .collect();
    let lines: Vec<&str> = shader.lines().collect();
    let mut out = String::new();
    expand_lines(&lines, &mut names, &mut out);
    out
}

fn expand_lines(lines: &[&str], names: &mut BTreeMap<String, String>, out: &mut String) {
    let mut i = 0;
    while i < lines.len() {
        let line = lines[i];
        i += 1;
        let Some(directive) = line.trim_start().strip_prefix("//#") else {
            if !line.trim_start().starts_with("//") {
                substitute(line, names, out);
                out.push('\n');
            }
            continue;
        };
        let words: Vec<&str> = directive.split_whitespace().collect();
        match words[..] {
            ["include", part] => {
                let text = PARTS
                    .iter()
                    .find(|(name, _)| *name == part)
                    .unwrap_or_else(|| panic!("no shader part '{part}'"))
                    .1;
                let lines: Vec<&str> = text.lines().collect();
                expand_lines(&lines, names, out);
            }
            ["for", variable, "in", list] => {
                let body = body(&lines[i..]);
                i += body.len() + 1;
                for value in values(list, names) {
                    names.insert(variable.to_string(), value);
                    expand_lines(body, names, out);
                }
                names.remove(variable);
            }
            ["if", name] => {
                let body = body(&lines[i..]);
                i += body.len() + 1;
                if lookup(name, names) != "0" {
                    expand_lines(body, names, out);
                }
            }
            _ => panic!("unknown shader directive '{line}'"),
        }
    }
}

/// The lines up to the `end` that closes them.
fn body<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let mut depth = 0;
    for (i, line) in lines.iter().enumerate() {
        match line.trim_start().strip_prefix("//#").map(str::trim) {
            Some("end") if depth == 0 => return &lines[..i],
            Some("end") => depth -= 1,
            Some(d) if d.starts_with("for ") || d.starts_with("if ") => depth += 1,
            _ => {}
        }
    }
    panic!("shader directive without '//# end'")
}

fn values(list: &str, names: &BTreeMap<String, String>) -> Vec<String> {
    let list = names.get(list).map_or(list, String::as_str);
    if list.contains(',') {
        let split = list.split(',').filter(|value| !value.is_empty());
        return split.map(str::to_string).collect();
    }
    let count: usize = list.parse().expect("a count or a list");
    (0..count).map(|v| v.to_string()).collect()
}

fn lookup<'a>(name: &str, names: &'a BTreeMap<String, String>) -> &'a str {
    names
        .get(name)
        .unwrap_or_else(|| panic!("no shader constant '{name}'"))
}

fn substitute(line: &str, names: &BTreeMap<String, String>, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = if let Some(braced) = rest.strip_prefix('{') {
            let end = braced.find('}').expect("'}' after '${'");
            rest = &braced[end + 1..];
            &braced[..end]
        } else {
            // A loop variable is one letter, so that $p_$c is two of them.
            let end = if rest.starts_with(|c: char| c.is_ascii_lowercase()) {
                1
            } else {
                rest.find(|c: char| !c.is_ascii_uppercase() && c != '_')
                    .unwrap_or(rest.len())
            };
            let name;
            (name, rest) = rest.split_at(end);
            name
        };
        out.push_str(lookup(name, names));
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_expand() {
        let constants =
            Constants::from([("N", "2".into()), ("ON", "1".into()), ("OFF", "0".into())]);
        let text = "//# for p in N\n//# for q in a,b\nx_$p_$q = ${N}u;\n//# end\n//# end\n\
                    //# if OFF\nno\n//# end\n//# if ON\nyes $N\n//# end";
        assert_eq!(
            expand(text, &constants),
            "x_0_a = 2u;\nx_0_b = 2u;\nx_1_a = 2u;\nx_1_b = 2u;\nyes 2\n"
        );
    }
}
