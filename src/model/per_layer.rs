use std::fmt::{self, Display};

use serde::Deserialize;

use super::Layer;
use crate::{Error, Result};

/// `PerLayer` is a property of affine layers: one for all, or one for each, from the inputs to the
/// outputs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum PerLayer<T> {
    /// The same for all layers.
    One(T),
    /// One for each layer.
    Each(Vec<T>),
}

impl<T: PartialEq> PerLayer<T> {
    /// Takes a property of every layer.
    pub fn of(layers: &[Layer], property: impl Fn(&Layer) -> T) -> Self {
        let mut all: Vec<T> = layers.iter().map(property).collect();
        if all.windows(2).all(|pair| pair[0] == pair[1]) {
            all.truncate(1);
        }
        all.into()
    }
}

impl<T> From<T> for PerLayer<T> {
    fn from(one: T) -> Self {
        Self::One(one)
    }
}

impl<T> From<Vec<T>> for PerLayer<T> {
    /// Takes a list of one for the same in all layers.
    fn from(mut list: Vec<T>) -> Self {
        match list.len() {
            1 => Self::One(list.remove(0)),
            _ => Self::Each(list),
        }
    }
}

impl<T: Display> Display for PerLayer<T> {
    /// Writes the list as options take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Each(list) => list,
        };
        let list: Vec<String> = list.iter().map(T::to_string).collect();
        f.write_str(&list.join(","))
    }
}

impl<T: Clone> PerLayer<T> {
    /// Lists the property of each of `layers` affine layers.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the parameter's `name` if there are more or fewer.
    pub fn each(self, name: &'static str, layers: usize) -> Result<Vec<T>> {
        match self {
            Self::One(one) => Ok(vec![one; layers]),
            Self::Each(list) if list.len() == layers => Ok(list),
            Self::Each(list) => Err(Error::invalid(
                name,
                format!("with {} entries", list.len()),
                format!("give one for all, or {layers}: one for each affine layer"),
            )),
        }
    }
}
