use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use serde::Serialize;

use crate::report::number::{power_tick, tick};

/// A scale is how values become positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances.
    Log,
}

impl Scale {
    /// A value has a place if it is finite and its position is.
    pub(super) fn has(self, value: f64) -> bool {
        value.is_finite() && (self == Self::Linear || value > 0.0)
    }

    /// The position is the coordinate in which distances are equal.
    fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    fn value(self, position: f64) -> f64 {
        match self {
            Self::Linear => position,
            Self::Log => 10f64.powf(position),
        }
    }

    /// The ends are those of an axis that shows all of these values.
    pub(super) fn around(self, values: impl Iterator<Item = f64>) -> [f64; 2] {
        let (low, high) = (values.filter(|&v| self.has(v)).map(|v| self.position(v)))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| {
                (a.min(p), b.max(p))
            });
        if low > high {
            return [self.value(0.0), self.value(1.0)];
        }
        // A single value, or rounding about one, is no range.
        let least = match self {
            Self::Linear => 1e-6 * low.abs().max(high.abs()).max(1e-300),
            Self::Log => 0.1,
        };
        let margin = if high - low < least {
            match self {
                Self::Linear => 0.1 * high.abs().max(1e-300),
                Self::Log => 0.3,
            }
        } else {
            0.05 * (high - low)
        };
        [self.value(low - margin), self.value(high + margin)]
    }
}

/// A span is one axis with its ends.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub scale: Scale,
    pub ends: [f64; 2],
    /// Where ticks are wanted; without any they are chosen.
    pub ticks: Vec<f64>,
}

impl Span {
    /// A value lies at this fraction of the way between the ends.
    pub fn fraction(&self, value: f64) -> f64 {
        let [low, high] = self.ends.map(|e| self.scale.position(e));
        (self.scale.position(value) - low) / (high - low)
    }

    /// The labelled ticks are about `most` at most.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let [low, high] = self.ends;
        let within = |v: &f64| *v >= low * (1.0 - 1e-12 * low.signum()) && *v <= high;
        if !self.ticks.is_empty() {
            return self.ticks.iter().copied().filter(within).collect();
        }
        match self.scale {
            Scale::Linear => {
                let raw = (high - low) / most as f64;
                let power = 10f64.powf(raw.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .map(|m| m * power)
                    .into_iter()
                    .find(|s| *s >= raw)
                    .unwrap_or(raw);
                let first = (low / step).ceil() as i64;
                (first..)
                    .map(|k| k as f64 * step)
                    .take_while(within)
                    .collect()
            }
            Scale::Log => {
                let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
                let whole: Vec<f64> = decades
                    .clone()
                    .map(|k| 10f64.powi(k))
                    .filter(within)
                    .collect();
                if whole.len() >= 3 {
                    let step = whole.len().div_ceil(most.max(2));
                    return whole.into_iter().step_by(step).collect();
                }
                let finer = |factors: &[f64]| -> Vec<f64> {
                    (decades.clone())
                        .flat_map(|k| factors.iter().map(move |f| f * 10f64.powi(k)))
                        .filter(within)
                        .collect()
                };
                let few = finer(&[1.0, 2.0, 5.0]);
                if few.len() >= 2 {
                    return few;
                }
                // Less than a factor of two or so: linear ticks do.
                Self {
                    scale: Scale::Linear,
                    ..self.clone()
                }
                .ticks(most)
            }
        }
    }

    /// The ticks between the labelled ones have no labels.
    fn minor(&self) -> Vec<f64> {
        let [low, high] = self.ends;
        if self.scale == Scale::Linear || high / low > 1e5 || !self.ticks.is_empty() {
            return Vec::new();
        }
        (low.log10().floor() as i32..=high.log10().ceil() as i32)
            .flat_map(|k| (2..10).map(move |f| f64::from(f) * 10f64.powi(k)))
            .filter(|v| (low..=high).contains(v))
            .collect()
    }

    /// A tick's label has plain digits from 0.01 to 9999, and is a power of ten beyond.
    pub fn label(&self, value: f64) -> String {
        // A tick at rounding's distance from zero.
        let span = (self.ends[1] - self.ends[0]).abs();
        let value = match self.scale {
            Scale::Linear if value.abs() < 1e-9 * span => 0.0,
            _ => value,
        };
        let largest = self.ends[0].abs().max(self.ends[1].abs());
        let plain = match self.scale {
            Scale::Linear => (1e-2..1e4).contains(&largest),
            Scale::Log => self.ends[0] >= 5e-4 && largest < 2e4,
        };
        match value == 0.0 || plain {
            true => tick(value),
            false => power_tick(value),
        }
    }
}

impl Ranged for Span {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let pixel = f64::from(from) + self.fraction(*value) * f64::from(to - from);
        // Far outside: error bars that end at zero of a logarithmic axis.
        pixel.clamp(-1e5, 1e5).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => self.minor(),
            false => self.ticks(hint.bold_points()),
        }
    }

    fn range(&self) -> Range<f64> {
        self.ends[0]..self.ends[1]
    }
}

impl ValueFormatter<f64> for Span {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64) -> Vec<String> {
        let span = Span {
            scale,
            ends: [low, high],
            ticks: Vec::new(),
        };
        span.ticks(5).iter().map(|&t| span.label(t)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(Scale::Linear, -0.12, 0.31),
            ["−0.1", "0", "0.1", "0.2", "0.3"]
        );
        assert_eq!(labels(Scale::Linear, 1.17e-7, 1.31e-7)[0], "1.2×10⁻⁷");
        assert_eq!(labels(Scale::Log, 1.5, 1300.0), ["10", "100", "1000"]);
        assert_eq!(
            labels(Scale::Log, 1e-13, 2e-2),
            ["10⁻¹³", "10⁻¹⁰", "10⁻⁷", "10⁻⁴"]
        );
        assert_eq!(labels(Scale::Log, 2e-11, 7e-11), ["2×10⁻¹¹", "5×10⁻¹¹"]);
        assert!(labels(Scale::Log, 1.02, 1.31).len() >= 3);
    }

    #[test]
    fn ends_leave_a_margin_and_are_never_equal() {
        let [a, b] = Scale::Log.around([10.0, 1000.0, 0.0, -1.0].into_iter());
        assert!(a < 10.0 && a > 5.0 && b > 1000.0 && b < 2000.0);
        for scale in [Scale::Linear, Scale::Log] {
            for values in [
                vec![],
                vec![3.0],
                vec![0.0],
                vec![f64::NAN],
                vec![1.0, 1.0 + 1e-15],
            ] {
                let [a, b] = scale.around(values.iter().copied());
                assert!(
                    a < b && a.is_finite() && b.is_finite(),
                    "{values:?}: {a} {b}"
                );
            }
        }
    }
}
