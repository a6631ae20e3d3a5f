//! Parameters of the library, such as `sigma_w`, are spelled as options here.

use nnqft_gpu::Error;

/// Returns the option that sets a parameter.
pub fn flag(parameter: &str) -> String {
    format!("--{}", parameter.replace('_', "-"))
}

/// Writes an error of the library with its parameters as options.
pub fn error(error: &Error) -> String {
    error.spelled(&flag)
}

/// Writes an error and what led to it; errors of the library with their parameters as options.
pub fn chain(error: &anyhow::Error) -> String {
    let spelled = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(known) => self::error(known),
        None => cause.to_string(),
    };
    error.chain().map(spelled).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use nnqft_gpu::model::{EnsembleSpec, Estimator};

    use super::*;

    #[test]
    fn parameters_become_options_and_text_of_the_user_stays() {
        let direct = EnsembleSpec::preset("relu", 1).unwrap();
        let odd = EnsembleSpec {
            orders: vec![1],
            estimator: Estimator::Connected,
            ..direct
        };
        let refused = error(&odd.validate().unwrap_err());
        assert!(refused.starts_with("--orders 1: ") && refused.ends_with("--estimator direct"));
        let wrong = Error::invalid("sigma_w", "`nets`", "no field `orders` here");
        assert_eq!(error(&wrong), "--sigma-w `nets`: no field `orders` here");
        let wrong = anyhow::Error::new(wrong).context("reading `nets`");
        assert_eq!(
            chain(&wrong),
            "reading `nets`: --sigma-w `nets`: no field `orders` here"
        );
    }
}
