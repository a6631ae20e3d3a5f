//! Tables and figures have headings that name the net.

use crate::analysis::within_three_errors;
use crate::model::{EnsembleSpec, Law, Layer, PerLayer, short};
use crate::report::number::value;
use crate::run::{Head, Origin, Partial};
use crate::theory::Vertex;

/// The title names the net and its parameters.
pub fn title(spec: &EnsembleSpec) -> String {
    parameters(spec, &format!(" {},", hidden(spec)))
}

/// A part of a run says which it is.
pub fn partial(part: &Partial) -> String {
    let shard = part.shard.as_ref().map(|s| format!("shard {s}: "));
    format!(
        "PARTIAL: {}{} of {} networks ({:.1}%)",
        shard.unwrap_or_default(),
        part.networks,
        part.of,
        100.0 * part.networks as f64 / part.of as f64
    )
}

/// Hidden layers are `N = 100`, `N = 100, L = 3`, or `N = 20, 60, 30` where widths differ.
pub fn hidden(spec: &EnsembleSpec) -> String {
    let all = spec.net.hidden();
    match all.iter().all(|width| *width == all[0]) {
        true if all.len() == 1 => format!("N = {}", all[0]),
        true => format!("N = {}, L = {}", all[0], all.len()),
        false => {
            let all: Vec<String> = all.iter().map(u64::to_string).collect();
            format!("N = {}", all.join(", "))
        }
    }
}

/// Files of one net among several have its hidden layers in their names: `width20`,
/// `depth3-width20`, or `hidden20-60-30` where widths differ.
pub fn shape(spec: &EnsembleSpec) -> String {
    let all = spec.net.hidden();
    match all.iter().all(|width| *width == all[0]) {
        true if all.len() == 1 => format!("width{}", all[0]),
        true => format!("depth{}-width{}", all.len(), all[0]),
        false => {
            let all: Vec<String> = all.iter().map(u64::to_string).collect();
            format!("hidden{}", all.join("-"))
        }
    }
}

/// The title of a sweep names no width.
fn sweep_title(spec: &EnsembleSpec) -> String {
    parameters(spec, "")
}

fn parameters(spec: &EnsembleSpec, width: &str) -> String {
    let outputs = match spec.net.d_out() {
        1 => String::new(),
        d => format!(" d_out = {d},"),
    };
    let layers = spec.net.layers();
    let each = |of: fn(&Layer) -> String| PerLayer::of(layers, of).to_string();
    let laws = |name: &str, of: fn(&Layer) -> Law| match PerLayer::of(layers, of) {
        PerLayer::One(Law::Gaussian) => String::new(),
        laws => format!(" {name} = {laws},"),
    };
    format!(
        "{},{width} d_in = {},{outputs} sigma_w = {}, sigma_b = {},{}{} {} points",
        spec.net.title(),
        spec.net.d_in(),
        each(|l| short(l.sigma_w)),
        each(|l| match l.law_b {
            Law::Phase => "pi/sqrt(3)".into(),
            _ => short(l.sigma_b),
        }),
        laws("law_w", |l| l.law_w),
        laws("law_b", |l| l.law_b),
        spec.inputs.len(),
    )
}

/// A table of the effective field theory has this line above it.
pub fn eft_title(head: &Head, vertex: Vertex) -> String {
    let spec = &head.spec;
    let moments = match head.source.moments {
        Origin::Exact => "exact moments".to_string(),
        Origin::Sampled => format!("{} x {} networks", spec.experiments, spec.nets),
    };
    let mut text = format!("{}, {moments}, {vertex} vertices\n", title(spec));
    for reason in &head.source.unconverged {
        text.push_str(&format!("NOT CONVERGED: {reason}\n"));
    }
    text
}

/// A table of the effective field theory says below it what its errors are; exact moments have
/// none.
pub fn eft_errors(head: &Head) -> String {
    match (head.source.moments, head.spec.experiments) {
        (Origin::Exact, _) => String::new(),
        (Origin::Sampled, 1) => "one experiment has no error: draw 2 or more\n".into(),
        (Origin::Sampled, n) => format!(
            "errors: jackknife over {n} experiments; as Student's t has it with {}, {:.1}% are within three of them\n",
            match n - 1 {
                1 => "1 degree of freedom".to_string(),
                n => format!("{n} degrees of freedom"),
            },
            100.0 * within_three_errors(n as usize - 1),
        ),
    }
}

/// A table says below it how far couplings may be off by their integrals, where that can be seen: the
/// largest error relative to a coupling.
pub fn integral_errors(couplings: impl Iterator<Item = (f64, f64)>) -> String {
    /// Below the last digit that tables show.
    const SEEN: f64 = 1e-5;
    let relative = couplings.map(|(lambda, error)| (error / lambda).abs());
    let most = relative
        .filter(|error| error.is_finite())
        .fold(0.0, f64::max);
    match most > SEEN {
        true => format!(
            "integrals over the kernel: lambda may be off by {} of it\n",
            value(Some(most))
        ),
        false => String::new(),
    }
}

/// A figure is named `ensemble`, or `ensemble-width20` beside those of other widths.
pub fn name(command: &str, spec: &EnsembleSpec, widths: usize) -> String {
    match widths {
        1 => command.into(),
        _ => format!("{command}-{}", shape(spec)),
    }
}

/// A table of a sweep has this line above it: the net, and what was drawn at each `step`.
pub fn sweep(spec: &EnsembleSpec, step: &str) -> String {
    format!(
        "{}, {} x {} networks per {step}, {} estimator, seed {}",
        sweep_title(spec),
        spec.experiments,
        spec.nets,
        spec.estimator,
        spec.seed,
    )
}

/// A table of a sweep has this line at its end.
pub fn sweep_end(head: &Head) -> String {
    format!(
        "{:.2} s on {} ({})\n",
        head.timing.wall_s, head.device.adapter, head.device.backend
    )
}

/// The title of a figure names the net so.
pub fn net(spec: &EnsembleSpec) -> String {
    let (title, d_in) = (spec.net.title(), spec.net.d_in());
    format!("{title}, {}, dᵢₙ = {d_in}", hidden(spec))
}

/// The title of the figure of a sweep names no width.
pub fn in_dimension(spec: &EnsembleSpec) -> String {
    format!("{}, dᵢₙ = {}", spec.net.title(), spec.net.d_in())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Net;

    #[test]
    fn titles_have_the_parameters_of_every_layer_that_differs() {
        let of = |net: Net| {
            title(&EnsembleSpec {
                net,
                ..EnsembleSpec::preset("erf", 1).unwrap()
            })
        };
        let net = Net::named("erf", 1).unwrap();
        assert_eq!(
            of(net.clone()),
            "Erf-net, N = 100, d_in = 1, sigma_w = 1, sigma_b = 1, 6 points"
        );
        let net = (net.with_each_sigma_w(vec![1.3, 1.0]).unwrap())
            .with_law_w(vec![Law::Gaussian, Law::Rademacher])
            .unwrap();
        assert_eq!(
            of(net),
            "Erf-net, N = 100, d_in = 1, sigma_w = 1.3,1, sigma_b = 1, law_w = gaussian,rademacher, 6 points"
        );
    }
}
