use std::sync::LazyLock;

use super::Activation;

/// `Builtin` lists the activations with code of their own in the engines and closed forms in
/// theory; they are recognised by their tape, however they are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Builtin {
    /// `erf(z)`
    Erf,
    /// `max(z, 0)`
    Relu,
    /// `exp(z - v)`, v = Var z at the point
    ExpNormalised,
}

static ALL: LazyLock<[(Builtin, Activation); 3]> = LazyLock::new(|| {
    let of = |text: &str| text.parse().expect("a valid expression");
    [
        (Builtin::Erf, of("erf(z)")),
        (Builtin::Relu, of("max(z, 0)")),
        (Builtin::ExpNormalised, of("exp(z - v)")),
    ]
});

impl Builtin {
    /// Returns the builtin that an activation is, if any.
    pub(super) fn of(activation: &Activation) -> Option<Self> {
        let mut all = ALL.iter();
        all.find_map(|(builtin, same)| (same == activation).then_some(*builtin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_of_no_matter() {
        let of = |text: &str| Builtin::of(&text.parse().unwrap());
        assert_eq!(of("max(0, z)"), Some(Builtin::Relu));
        assert_eq!(of("exp(-v + z)"), Some(Builtin::ExpNormalised));
        assert_eq!(of("erf(z)"), Some(Builtin::Erf));
        assert_eq!(of("erf(2*z)"), None);
    }
}
