//! The help texts of this module list the nets of the catalogue.

use nnqft_gpu::model::{CatalogueEntry, Law, PerLayer};

/// Returns the help of `--arch`.
pub fn arch() -> String {
    let names: Vec<&str> = CatalogueEntry::all().iter().map(|e| &*e.name).collect();
    let (last, others) = names.split_last().expect("the catalogue is not empty");
    format!(
        "Net of the catalogue: {} or {last} [default: {}]",
        others.join(", "),
        names[0]
    )
}

/// Returns the help of `--width`.
pub fn width() -> String {
    let widths = CatalogueEntry::all().iter();
    let widths: Vec<String> = widths
        .filter(|e| e.is_of_source)
        .map(|e| format!("{} {}", e.name, e.eft_width))
        .chain(std::iter::once("others 20".into()))
        .collect();
    format!(
        "Hidden width N; several, separated by commas, are run one after the other [default: 100; \
         falloff: 2,3,4,5,10,20,50,100,500,1000; eft, rg and symmetry: the net's, {}]",
        widths.join(", ")
    )
}

/// Returns the help of `--sigma-w`.
pub fn sigma_w() -> String {
    let default = default(|e| &e.sigma_w);
    format!(
        "Standard deviation of the weights, before 1/sqrt(fan-in): one, or one for each affine \
         layer, separated by commas [default: {default}]"
    )
}

/// Returns the help of `--sigma-b`.
pub fn sigma_b() -> String {
    let default = default(|e| &e.sigma_b);
    format!(
        "Standard deviation of the biases: one for all but phases, or one for each affine layer \
         [default: {default}]"
    )
}

/// Returns the help of `--law-w`.
pub fn law_w() -> String {
    "Law of the weights, gaussian, uniform, rademacher or laplace, with the same standard \
     deviation: one, or one for each affine layer [default: gaussian]"
        .into()
}

/// Returns the help of `--law-b`.
pub fn law_b() -> String {
    let has_other = |e: &&CatalogueEntry| e.law_b != Law::Gaussian.into();
    let others = CatalogueEntry::all().iter().filter(has_other);
    let others: Vec<String> = others
        .map(|e| format!("; {}: {}", e.name, e.law_b))
        .collect();
    format!(
        "Law of the biases: as of weights, or phase, uniform on [-pi, pi]; one, or one for each \
         affine layer [default: gaussian{}]",
        others.concat()
    )
}

/// Lists the first net's value, and those of nets that have another.
fn default(of: impl Fn(&CatalogueEntry) -> &PerLayer<f64>) -> String {
    let all = CatalogueEntry::all();
    let first = of(&all[0]);
    let mut others: Vec<(&PerLayer<f64>, Vec<&str>)> = Vec::new();
    for entry in all.iter().filter(|entry| of(entry) != first) {
        match others.iter_mut().find(|(value, _)| *value == of(entry)) {
            Some((_, names)) => names.push(&entry.name),
            None => others.push((of(entry), vec![&entry.name])),
        }
    }
    let others: Vec<String> = (others.iter())
        .map(|(value, names)| format!("; {}: {value}", names.join(", ")))
        .collect();
    format!("{first}{}", others.concat())
}
