//! Two runs are compared field by field, in the words in which a user gives the fields.

use super::{EnsembleSpec, Layer, PerLayer, Tilt, TrainSpec, TrainingData, short};

/// A difference is a field that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Parameter that sets the field.
    pub field: &'static str,
    /// Value of the field in the first run.
    pub ours: String,
    /// Value of the field in the second run.
    pub theirs: String,
}

impl EnsembleSpec {
    /// Lists the fields in which two lists of specs, one per width, differ.
    pub fn differences(ours: &[Self], theirs: &[Self]) -> Vec<Difference> {
        let widths = |specs: &[Self]| list(specs.iter().map(|s| s.net.width().to_string()), ",");
        if ours.len() != theirs.len() {
            return vec![Difference {
                field: "width",
                ours: widths(ours),
                theirs: widths(theirs),
            }];
        }
        let mut all: Vec<Difference> = Vec::new();
        for (a, b) in ours.iter().zip(theirs) {
            let [ours, theirs] = [a, b].map(Self::fields_as_text);
            add(&mut all, ours, theirs);
        }
        all
    }

    /// Lists every field under the parameter that sets it; two values have the same text only if
    /// they are equal.
    fn fields_as_text(&self) -> [(&'static str, String); 16] {
        let net = &self.net;
        let layers = |of: &dyn Fn(&Layer) -> String| PerLayer::of(net.layers(), of).to_string();
        [
            ("arch", net.name().unwrap_or("none").into()),
            ("activation", net.activation().expression().into()),
            ("width", net.width().to_string()),
            ("d_in", net.d_in().to_string()),
            ("d_out", net.d_out().to_string()),
            ("sigma_w", layers(&|l| short(l.sigma_w))),
            ("sigma_b", layers(&|l| short(l.sigma_b))),
            ("law_w", layers(&|l| l.law_w.to_string())),
            ("law_b", layers(&|l| l.law_b.to_string())),
            ("inputs", points(self.inputs.points())),
            ("nets", self.nets.to_string()),
            ("experiments", self.experiments.to_string()),
            (
                "orders",
                list(self.orders.iter().map(ToString::to_string), ","),
            ),
            ("estimator", self.estimator.to_string()),
            ("tilt", self.tilt.as_ref().map_or("none".into(), tilt)),
            ("seed", self.seed.to_string()),
        ]
    }
}

impl TrainSpec {
    /// Lists the fields in which two lists of specs, one per width, differ.
    pub fn differences(ours: &[Self], theirs: &[Self]) -> Vec<Difference> {
        let [ensembles, others] = [ours, theirs]
            .map(|specs| -> Vec<_> { specs.iter().map(|s| s.ensemble.clone()).collect() });
        let mut all = EnsembleSpec::differences(&ensembles, &others);
        for (a, b) in ours.iter().zip(theirs) {
            let [ours, theirs] = [a, b].map(Self::learning_as_text);
            add(&mut all, ours, theirs);
        }
        all
    }

    /// Lists what the networks learn, and how, under the parameters that set it.
    fn learning_as_text(&self) -> [(&'static str, String); 4] {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        steps.dedup();
        [
            ("data", data(&self.data)),
            ("rate", self.rate.map_or("the default".into(), short)),
            ("steps", list(steps.iter().map(ToString::to_string), ",")),
            ("train", self.train.to_string()),
        ]
    }
}

/// Adds the fields that are not the same, each once.
fn add<const N: usize>(
    all: &mut Vec<Difference>,
    ours: [(&'static str, String); N],
    theirs: [(&'static str, String); N],
) {
    for ((field, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
        if ours != theirs && all.iter().all(|d| d.field != field) {
            all.push(Difference {
                field,
                ours,
                theirs,
            });
        }
    }
}

fn list(values: impl Iterator<Item = String>, between: &str) -> String {
    values.collect::<Vec<_>>().join(between)
}

fn points(all: &[Vec<f64>]) -> String {
    let point = |x: &Vec<f64>| list(x.iter().map(|&x| short(x)), ",");
    list(all.iter().map(point), ";")
}

fn data(data: &TrainingData) -> String {
    let numbers = |all: &Vec<f64>| list(all.iter().map(|&x| short(x)), ",");
    let pairs = data.inputs().iter().zip(data.targets());
    list(
        pairs.map(|(x, y)| format!("{}={}", numbers(x), numbers(y))),
        ";",
    )
}

fn tilt(tilt: &Tilt) -> String {
    format!("by {} of reach {}", points(&tilt.shifts), short(tilt.reach))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::model::Inputs;

    #[test]
    fn every_field_that_differs_is_told_as_it_is_given() {
        let spec = EnsembleSpec::preset("erf", 2).unwrap();
        let other = EnsembleSpec {
            inputs: Inputs::new(vec![vec![-0.5, 2.0], vec![1.0, 1e-9]]).unwrap(),
            orders: vec![2, 4],
            net: spec.net.clone().with_sigma_b(0.1 + 0.2),
            ..spec.clone()
        };
        let found = EnsembleSpec::differences(from_ref(&other), from_ref(&spec));
        let told: Vec<_> = found.iter().map(|d| (d.field, &d.ours[..])).collect();
        let sigma = "0.30000000000000004";
        assert_eq!(
            told,
            [
                ("sigma_b", sigma),
                ("inputs", "-0.5,2;1,0.000000001"),
                ("orders", "2,4")
            ]
        );
        assert_eq!((&found[2].theirs[..], &found[0].theirs[..]), ("2,4,6", "1"));
        assert!(EnsembleSpec::differences(from_ref(&spec), from_ref(&spec)).is_empty());
    }

    #[test]
    fn what_networks_learn_differs_as_it_is_given() {
        let data = |text| TrainingData::parse(text).unwrap();
        let ensemble = EnsembleSpec::preset("erf", 1).unwrap();
        let spec = TrainSpec::new(ensemble, data("-1=0.5;1=0"), vec![10, 0]);
        let mut other = spec.clone();
        other.ensemble.seed = 3;
        (other.data, other.rate) = (data("-1=0.5;1=1e-9"), Some(0.25));
        let found = TrainSpec::differences(from_ref(&other), from_ref(&spec));
        let told: Vec<_> = found
            .iter()
            .map(|d| [d.field, &d.ours, &d.theirs])
            .collect();
        assert_eq!(
            told,
            [
                ["seed", "3", "0"],
                ["data", "-1=0.5;1=0.000000001", "-1=0.5;1=0"],
                ["rate", "0.25", "the default"],
            ]
        );
        let sorted = spec.clone().validate().unwrap();
        assert!(TrainSpec::differences(from_ref(&spec), from_ref(&sorted)).is_empty());
    }
}
