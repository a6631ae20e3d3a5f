//! A traced value knows where a reader finds it.

use std::ops::Deref;

use serde::Serialize;

/// `Traced` is a part of a document, and its place: the file, and the JSON pointer (RFC 6901) after
/// the `#`.
#[derive(Debug)]
pub(super) struct Traced<'a, T> {
    pub value: &'a T,
    from: String,
}

impl<T> Clone for Traced<'_, T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value,
            from: self.from.clone(),
        }
    }
}

impl<T> Deref for Traced<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}

/// Takes a field of a [`Traced`] value, traced itself: `at!(document.spec.nets)`. The pointer is
/// made of the same names as the value is reached by, so that neither can be changed alone. A field
/// in parentheses is flattened in JSON and leaves no trace, `at!(document.(head).spec)`; `field as
/// name` is a field of another name there.
macro_rules! at {
    (@ $root:ident [$($value:tt)*] [$($name:expr,)*] . ($field:ident) $($rest:tt)*) => {
        $crate::reproduction::traced::at!(@ $root [$($value)* . $field] [$($name,)*] $($rest)*)
    };
    (@ $root:ident [$($value:tt)*] [$($name:expr,)*] . $field:ident as $json:ident $($rest:tt)*) => {
        $crate::reproduction::traced::at!(
            @ $root [$($value)* . $field] [$($name,)* stringify!($json),] $($rest)*
        )
    };
    (@ $root:ident [$($value:tt)*] [$($name:expr,)*] . $field:ident $($rest:tt)*) => {
        $crate::reproduction::traced::at!(
            @ $root [$($value)* . $field] [$($name,)* stringify!($field),] $($rest)*
        )
    };
    (@ $root:ident [$($value:tt)*] [$($name:expr,)*]) => {
        $root.below(&[$($name),*], &$root.value $($value)*)
    };
    ($root:ident $($path:tt)+) => {
        $crate::reproduction::traced::at!(@ $root [] [] $($path)+)
    };
}
pub(super) use at;

impl<'a, T> Traced<'a, T> {
    /// Traces a whole document.
    pub fn document(name: &str, value: &'a T) -> Self {
        let from = format!("data/{name}.json#");
        Self { value, from }
    }

    /// Takes the part that is reached by these names; [`at!`] writes them.
    pub fn below<U>(&self, names: &[&str], value: &'a U) -> Traced<'a, U> {
        let mut from = self.from.clone();
        for name in names {
            from.push('/');
            from.push_str(name);
        }
        Traced { value, from }
    }

    /// Returns the place, `data/<file>.json#<pointer>`.
    pub fn place(&self) -> String {
        self.from.clone()
    }
}

impl<'a, T> Traced<'a, Vec<T>> {
    /// Lists the entries of a list.
    pub fn each(self) -> impl DoubleEndedIterator<Item = Traced<'a, T>> {
        let list = self.value.iter().enumerate();
        list.map(move |(k, value)| self.below(&[&k.to_string()], value))
    }

    /// Finds the first entry that fits.
    pub fn find(self, fits: impl Fn(&T) -> bool) -> Option<Traced<'a, T>> {
        self.each().find(|entry| fits(entry))
    }

    /// Takes the entry of this index, if there is one.
    pub fn nth(self, k: usize) -> Option<Traced<'a, T>> {
        self.each().nth(k)
    }
}

impl<'a, T> Traced<'a, Option<T>> {
    /// Takes the value of an option, if it has one.
    pub fn known(self) -> Option<Traced<'a, T>> {
        let from = self.from;
        self.value.as_ref().map(|value| Traced { value, from })
    }
}

/// A quantity is a number of a document, if it has a value: JSON has no other than finite ones.
pub(super) trait Quantity {
    fn quantity(&self) -> Option<f64>;
}

impl Quantity for f64 {
    fn quantity(&self) -> Option<f64> {
        self.is_finite().then_some(*self)
    }
}

impl Quantity for u32 {
    fn quantity(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl Quantity for u64 {
    fn quantity(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl Quantity for usize {
    fn quantity(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl<T: Quantity> Quantity for Option<T> {
    fn quantity(&self) -> Option<f64> {
        self.as_ref().and_then(T::quantity)
    }
}

impl<T: Quantity> Traced<'_, T> {
    /// Returns the number with its standard error, if it has a value.
    pub fn number(&self, name: impl Into<String>, std_err: Option<f64>) -> Option<Number> {
        Some(Number {
            name: name.into(),
            value: self.quantity()?,
            std_err: std_err.filter(|e| e.is_finite()),
            from: self.place(),
            size: 0.0,
        })
    }
}

/// `Number` is a number and where it stands: file, and JSON pointer (RFC 6901) after the `#`.
#[derive(Debug, Clone, Serialize)]
pub struct Number {
    /// What the number is of.
    pub name: String,
    /// Value of the number.
    pub value: f64,
    /// Standard error of the number, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_err: Option<f64>,
    /// Place of the number, `data/<file>.json#<pointer>`.
    pub from: String,
    /// Size of what the number is the rest of: it is rounding if it is far smaller.
    #[serde(skip)]
    pub(super) size: f64,
}

impl Number {
    /// Says what size the number is the rest of.
    pub(super) fn of_size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    /// Gives the number another name.
    pub(super) fn called(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Inner {
        x: Option<f64>,
    }

    #[derive(Serialize)]
    struct Document {
        #[serde(flatten)]
        head: Inner,
        #[serde(rename = "list")]
        entries: Vec<Inner>,
    }

    #[test]
    fn a_place_resolves_to_the_value_in_the_written_json() {
        let entries = [Some(1.5), None, Some(f64::NAN), Some(2.5)].map(|x| Inner { x });
        let document = Document {
            head: Inner { x: Some(0.5) },
            entries: entries.into(),
        };
        let json = serde_json::to_value(&document).unwrap();
        let root = Traced::document("file", &document);
        let head = at!(root.(head).x).number("head", Some(f64::NAN)).unwrap();
        assert_eq!(
            (head.from.as_str(), head.std_err),
            ("data/file.json#/x", None)
        );
        let numbers: Vec<Number> = at!(root.entries as list)
            .each()
            .filter_map(|entry| at!(entry.x).number("", None))
            .chain([head])
            .collect();
        assert_eq!(numbers.len(), 3);
        for number in numbers {
            let (_, pointer) = number.from.split_once('#').unwrap();
            assert_eq!(json.pointer(pointer).unwrap(), number.value, "{pointer}");
        }
    }
}
