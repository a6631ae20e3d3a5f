use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::EnsembleDocument;
use crate::engine::gpu::AdapterSummary;

fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for (i, column) in table.column_iter_mut().enumerate() {
        // Two blanks between columns, none at either end.
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Four significant digits, in scientific notation where plain digits would hide them.
fn number(x: Option<f64>) -> String {
    match x {
        None => "n/a".into(),
        Some(0.0) => "0".into(),
        Some(x) if (1e-3..1e5).contains(&x.abs()) => {
            let digits = (3 - x.abs().log10().floor() as i32).clamp(0, 6);
            format!("{x:.*}", digits as usize)
        }
        Some(x) => format!("{x:.3e}"),
    }
}

/// One line per n-point function: its deviation from the GP against the background.
pub fn ensemble_table(document: &EnsembleDocument) -> String {
    let spec = &document.spec;
    let mut rows = table(
        &[
            "n",
            "elements",
            "mean m_n",
            "± error",
            "mean |m_n|",
            "max |m_n|",
            "background",
            "verdict",
        ],
        0,
    );
    for c in &document.correlators {
        rows.add_row([
            c.order.to_string(),
            c.mean.len().to_string(),
            number(c.deviation_mean),
            number(c.deviation_mean_std_err),
            number(c.deviation_abs_mean),
            number(c.deviation_abs_max),
            number(c.background),
            c.verdict.to_string(),
        ]);
    }
    let mut notes = String::new();
    if document.correlators.iter().any(|c| c.order % 2 == 1) {
        notes.push_str("odd n: the GP vanishes; m_n is G^(n) / sqrt(prod K_ii)\n");
    }
    let undefined: usize = document
        .correlators
        .iter()
        .map(|c| c.deviation.iter().filter(|m| m.is_none()).count())
        .sum();
    if undefined > 0 {
        notes.push_str(&format!(
            "m_n is undefined where the GP vanishes: {undefined} elements left out\n"
        ));
    }
    if spec.experiments == 1 {
        notes.push_str("one experiment has no background: use --experiments 2 or more\n");
    }
    format!(
        "{}, N = {}, d_in = {}, sigma_w = {}, sigma_b = {}, {} points, {} x {} networks, seed {}\n\
         {rows}\n{notes}{:.2} s, {:.2e} networks/s, {:.2e} hidden units/s on {} ({})\n",
        spec.arch.title(),
        spec.width,
        spec.d_in,
        spec.sigma_w,
        spec.sigma_b,
        spec.inputs.len(),
        spec.experiments,
        spec.nets,
        spec.seed,
        document.timing.wall_s,
        document.timing.networks_per_s,
        document.timing.neurons_per_s,
        document.device.adapter,
        document.device.backend,
    )
}

/// One line per adapter.
pub fn devices_table(adapters: &[AdapterSummary]) -> String {
    let mut rows = table(
        &[
            "adapter",
            "kind",
            "api",
            "driver",
            "buffer MiB",
            "workgroups",
            "shared KiB",
        ],
        4,
    );
    for a in adapters {
        rows.add_row([
            a.name.clone(),
            a.kind.into(),
            a.api.clone(),
            a.driver.clone(),
            (a.max_buffer >> 20).to_string(),
            a.max_workgroups.to_string(),
            (a.workgroup_memory >> 10).to_string(),
        ]);
    }
    format!("{rows}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (x, text) in [
            (0.25, "0.2500"),
            (-12.3456, "-12.35"),
            (1.5e-7, "1.500e-7"),
            (0.0, "0"),
            (99999.4, "99999"),
        ] {
            assert_eq!(number(Some(x)), text);
        }
    }
}
