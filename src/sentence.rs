use std::borrow::Cow;
use std::fmt;

/// A sentence says something to a user, and knows which of its words are parameters: a program that
/// sets them by other names (`--sigma-w`) can [spell](Self::spelled) these, and no other words.
///
/// ```
/// use nnqft_gpu::Sentence;
///
/// let advice = Sentence::from("lower ").and(Sentence::parameter("orders"));
/// assert_eq!(advice.to_string(), "lower `orders`");
/// assert_eq!(advice.spelled(&|name| format!("--{name}")), "lower --orders");
/// assert_eq!(Sentence::from("a user's `orders`").spelled(&|_| "".into()), "a user's `orders`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentence(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Words(String),
    Parameter(Cow<'static, str>),
}

impl Sentence {
    /// Makes a sentence of the name of a parameter.
    pub fn parameter(name: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Part::Parameter(name.into())])
    }

    /// Adds what follows.
    pub fn and(mut self, rest: impl Into<Self>) -> Self {
        self.0.extend(rest.into().0);
        self
    }

    /// Writes the sentence with each parameter as `spell` has it.
    pub fn spelled(&self, spell: &dyn Fn(&str) -> String) -> String {
        (self.0.iter())
            .map(|part| match part {
                Part::Words(words) => words.clone(),
                Part::Parameter(name) => spell(name),
            })
            .collect()
    }

    /// Fills the holes of a template of the library's own, in which parameters are in backticks;
    /// [`sentence!`] checks it.
    pub(crate) fn fill<const N: usize>(template: &'static str, with: [Self; N]) -> Self {
        let mut with = with.into_iter();
        let mut all = Self::default();
        for (k, part) in template.split('`').enumerate() {
            if k % 2 == 1 {
                all = all.and(Self::parameter(part));
                continue;
            }
            for (hole, words) in part.split("{}").enumerate() {
                if hole > 0 {
                    all = all.and(with.next().unwrap_or_default());
                }
                all = all.and(words);
            }
        }
        all
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled(&|name| format!("`{name}`")))
    }
}

impl From<String> for Sentence {
    /// Takes words as they are.
    fn from(words: String) -> Self {
        Self(vec![Part::Words(words)])
    }
}

impl From<&str> for Sentence {
    /// Takes words as they are.
    fn from(words: &str) -> Self {
        words.to_string().into()
    }
}

/// Makes a sentence of a template: parameters in backticks, and a `{}` for each of the texts and
/// sentences that follow. What fills a hole is taken as it is.
macro_rules! sentence {
    ($template:literal $(, $with:expr)* $(,)?) => {{
        const { $crate::sentence::check($template, [$(stringify!($with)),*]) };
        $crate::Sentence::fill($template, [$($crate::Sentence::from($with)),*])
    }};
}
pub(crate) use sentence;

/// Refuses a template with another number of holes, or with an odd backtick, as the crate compiles.
pub(crate) const fn check<const N: usize>(template: &str, _: [&str; N]) {
    let bytes = template.as_bytes();
    let (mut k, mut holes, mut ticks) = (0, 0, 0);
    while k < bytes.len() {
        match bytes[k] {
            b'{' => {
                assert!(
                    bytes[k + 1] == b'}' && ticks % 2 == 0,
                    "a hole is an empty {{}}"
                );
                holes += 1;
            }
            b'`' => ticks += 1,
            _ => {}
        }
        k += 1;
    }
    assert!(holes == N && ticks % 2 == 0, "each hole has its text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_template_are_known_and_no_others() {
        let path = "my `nets` {}".to_string();
        let sentence = sentence!(
            "{}: use `backend` cpu or {}",
            path,
            Sentence::parameter("width")
        );
        let spelled = sentence.spelled(&|name| name.to_uppercase());
        assert_eq!(spelled, "my `nets` {}: use BACKEND cpu or WIDTH");
        assert_eq!(
            sentence.to_string(),
            "my `nets` {}: use `backend` cpu or `width`"
        );
    }
}
