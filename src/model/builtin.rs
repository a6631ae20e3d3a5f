use super::Activation;

/// Activations with code of their own in the engines and closed forms in theory, recognised by
/// their tape, however they are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// `erf(z)`
    Erf,
    /// `max(z, 0)`
    Relu,
    /// `exp(z - v)`, v = Var z at the point
    ExpNormalised,
}

impl Builtin {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Erf, "erf(z)"),
        (Self::Relu, "max(z, 0)"),
        (Self::ExpNormalised, "exp(z - v)"),
    ];

    /// The one that an activation is.
    pub(super) fn of(activation: &Activation) -> Option<Self> {
        let is = |text: &str| {
            text.parse()
                .is_ok_and(|same: Activation| same == *activation)
        };
        (Self::ALL.into_iter()).find_map(|(builtin, text)| is(text).then_some(builtin))
    }
}
