use crate::report::number::value;
use crate::report::table::table;
use crate::run::{LayersOfNet, TheoryDocument};

/// Pairs of points that are printed of each layer.
const SHOWN_PAIRS: usize = 30;

/// The table has one line per layer and pair of points: kernel, mean correction and variance of the
/// covariance behind the layer, and at single points the susceptibilities; the critical point
/// follows.
pub fn layers_table(document: &TheoryDocument, width: usize) -> String {
    let Some(LayersOfNet { layers, critical }) = &document.layers else {
        return String::new();
    };
    let header = [
        "layer", "pair", "K", "g", "v", "v/K^2", "chi_par", "chi_perp",
    ];
    let mut rows = table(&header, 0);
    let mut more = String::new();
    for layer in layers {
        for (k, &[p, q]) in layer.pairs.iter().enumerate().take(SHOWN_PAIRS) {
            let kernel = layer.kernel[p][q];
            let variance = layer.covariance.get(k).map(|row| row[k]);
            let (p_only, at_point) = (p == q, |of: &[f64]| Some(of[p]).filter(|_| p == q));
            rows.add_row([
                if k == 0 {
                    layer.layer.to_string()
                } else {
                    String::new()
                },
                format!("{p} {q}"),
                value(Some(kernel)),
                value(layer.mean_correction.get(k).copied()),
                value(variance),
                match p_only && kernel > 0.0 {
                    true => value(variance.map(|v| v / (kernel * kernel))),
                    false => String::new(),
                },
                at_point(&layer.chi_par).map_or(String::new(), |x| value(Some(x))),
                at_point(&layer.chi_perp).map_or(String::new(), |x| value(Some(x))),
            ]);
        }
        if layer.pairs.len() > SHOWN_PAIRS && more.is_empty() {
            more = format!(
                "the first {SHOWN_PAIRS} of {} pairs of points (the JSON document has all)\n",
                layer.pairs.len()
            );
        }
    }
    let rows = rows.without(&["chi_perp", "chi_par", "v/K^2"]).fit(width);
    let critical = match critical {
        Ok(point) => format!(
            "critical point: sigma_w = {}, sigma_b = {}, {}, {}\n",
            value(Some(point.sigma_w)),
            value(Some(point.sigma_b)),
            match point.kernel {
                Some(kernel) => format!("K* = {}", value(Some(kernel))),
                None => "any K".into(),
            },
            point.class
        ),
        Err(reason) => format!("no critical point: {reason}\n"),
    };
    format!("\nbehind each layer, g and v to first order in 1/N\n{rows}\n{more}{critical}")
}
