//! The help texts of this module list the nets of the catalogue.

use nnqft_gpu::model::CatalogueEntry;

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
        .map(|e| format!("{} {}", e.name, e.eft_width))
        .collect();
    format!(
        "Hidden width N; several, separated by commas, are run one after the other [default: 100; \
         falloff: 2,3,4,5,10,20,50,100,500,1000; eft, rg and symmetry: the net's, {}]",
        widths.join(", ")
    )
}

/// Returns the help of `--sigma-w`.
pub fn sigma_w() -> String {
    let default = default(|e| e.sigma_w);
    format!("Standard deviation of the weights, before 1/sqrt(fan-in) [default: {default}]")
}

/// Returns the help of `--sigma-b`.
pub fn sigma_b() -> String {
    let default = default(|e| e.sigma_b);
    format!("Standard deviation of the biases [default: {default}]")
}

/// Lists the first net's value, and those of nets that have another.
fn default(of: impl Fn(&CatalogueEntry) -> f64) -> String {
    let all = CatalogueEntry::all();
    let first = of(&all[0]);
    let others = all.iter().filter(|e| of(e) != first);
    let others: Vec<String> = others.map(|e| format!("; {}: {}", e.name, of(e))).collect();
    format!("{first}{}", others.concat())
}
