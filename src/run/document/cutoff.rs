//! A cutoff in JSON is a number, or the string `inf`.

use serde::{Deserialize, Deserializer, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Cutoff {
    Finite(f64),
    Infinite(String),
}

pub fn serialize<S: Serializer>(cutoff: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match cutoff.is_infinite() {
        true => serializer.serialize_str("inf"),
        false => serializer.serialize_f64(*cutoff),
    }
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Cutoff::deserialize(deserializer)? {
        Cutoff::Finite(cutoff) => Ok(cutoff),
        Cutoff::Infinite(text) if text == "inf" => Ok(f64::INFINITY),
        Cutoff::Infinite(text) => Err(serde::de::Error::custom(format!("cutoff '{text}'"))),
    }
}
