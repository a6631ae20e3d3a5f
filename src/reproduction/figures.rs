//! This module draws the figures of a report, section by section.

use super::documents::OfNet;
use super::plan::CUTOFF;
use super::verdict::Section;
use crate::report::figure::Figure;
use crate::report::{
    coupling_figure, delta_figure, falloff_figure, fixed_point_figure, flow_figure, gain_figure,
    odd_figure, six_point_figure, symmetry_figure,
};
use crate::run::{EftDocument, FalloffDocument, RgDocument};

/// A plot is a figure in a section of the page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plot {
    /// Section of the page.
    pub section: Section,
    /// The net that is shown, as `Erf-net`, unless several are.
    pub net: Option<&'static str>,
    /// Figure as it is drawn.
    pub figure: Figure,
}

/// Draws all figures that show something.
pub(super) fn figures(nets: &[OfNet]) -> Vec<Plot> {
    let mut all = Vec::new();
    let mut add = |section, net: Option<&'static str>, name: String, figure: Figure| {
        if !figure.is_empty() {
            let figure = Figure { name, ..figure };
            all.push(Plot {
                section,
                net,
                figure,
            });
        }
    };
    for of in nets {
        let (net, document) = (of.net.name(), of.falloff.value);
        let title = Some(of.net.title());
        add(
            Section::Falloff,
            title,
            format!("falloff-{net}"),
            falloff_figure(document),
        );
        add(
            Section::Odd,
            title,
            format!("odd-{net}"),
            odd_figure(document),
        );
    }
    for of in nets {
        let (net, line) = (of.net.name(), &of.dimensions[0]);
        let title = Some(of.net.title());
        let documents: [(&str, &EftDocument); 3] = line
            .couplings
            .each()
            .map(|(origin, d)| (origin.name(), d.value));
        let direct = line.couplings.direct.value;
        let Some(at) = direct.cutoffs.iter().position(|p| p.cutoff == CUTOFF) else {
            continue;
        };
        add(
            Section::Couplings,
            title,
            format!("coupling-{net}"),
            coupling_figure(&documents, at),
        );
        add(
            Section::Couplings,
            title,
            format!("six-point-{net}"),
            six_point_figure(direct, at),
        );
        add(
            Section::Couplings,
            title,
            format!("delta-{net}"),
            delta_figure(&documents),
        );
    }
    for of in nets {
        let documents: Vec<(String, &RgDocument)> = (of.dimensions.iter())
            .map(|d| (format!("dᵢₙ = {}", d.d_in), d.flows.direct.value))
            .collect();
        let name = format!("flow-{}", of.net.name());
        add(
            Section::Flow,
            Some(of.net.title()),
            name,
            flow_figure(&documents, ""),
        );
    }
    let fixed: Vec<(String, &RgDocument)> = (nets.iter())
        .map(|of| (of.net.title().to_string(), of.fixed_points.value))
        .collect();
    add(
        Section::Fixed,
        None,
        "fixed-points".into(),
        fixed_point_figure(&fixed),
    );
    for of in nets {
        let name = format!("symmetry-{}", of.net.name());
        add(
            Section::Symmetry,
            Some(of.net.title()),
            name,
            symmetry_figure(of.symmetry.value, 1),
        );
    }
    let falloffs: Vec<&FalloffDocument> = nets.iter().map(|of| of.falloff.value).collect();
    add(
        Section::Estimator,
        None,
        "gain".into(),
        gain_figure(&falloffs),
    );
    all
}
