//! Parameters of the library, such as `sigma_w`, are spelled as options here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use clap::CommandFactory;
use nnqft_gpu::Error;

/// `PARAMETERS` holds the options of all commands, as parameters.
static PARAMETERS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let command = super::Arguments::command();
    (command.get_subcommands().flat_map(|c| c.get_arguments()))
        .filter_map(|argument| Some(argument.get_long()?.replace('-', "_")))
        .collect()
});

/// Returns the option that sets a parameter.
pub fn flag(parameter: &str) -> String {
    format!("--{}", parameter.replace('_', "-"))
}

/// Spells a sentence of the library with each parameter that stands in backticks as an option.
pub fn spelled(text: &str) -> String {
    if !text.contains('`') {
        return text.into();
    }
    let spell = |text: String, p: &String| text.replace(&format!("`{p}`"), &flag(p));
    PARAMETERS.iter().fold(text.into(), spell)
}

/// Spells an error of the library.
pub fn error(error: &Error) -> String {
    match error {
        Error::Invalid {
            name,
            value,
            reason,
        } => format!("{} {value}: {}", flag(name), spelled(reason)),
        other => spelled(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_options_and_all_else_stays() {
        for (text, want) in [
            ("add `estimator` connected", "add --estimator connected"),
            ("`sigma_w` 0, or `d_out`", "--sigma-w 0, or --d-out"),
            ("a `word` of its own; `nets`", "a `word` of its own; --nets"),
            ("none", "none"),
        ] {
            assert_eq!(spelled(text), want);
        }
        let wrong = Error::invalid("sigma_w", -1, "lower `orders`");
        assert_eq!(error(&wrong), "--sigma-w -1: lower --orders");
    }
}
