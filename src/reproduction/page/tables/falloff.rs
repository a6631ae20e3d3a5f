//! The tables of this module list the slopes of the falloff and heavy tails.

use super::{Cell, OrUnknown, Table};
use crate::reproduction::claims::tail;
use crate::reproduction::documents::OfNet;
use crate::reproduction::traced::at;

pub(super) fn slopes(nets: &[OfNet]) -> Table {
    let mut rows = Vec::new();
    for of in nets {
        let document = &of.falloff;
        for fit in at!(document.(falloff).fits).each() {
            let connected = at!(document.(falloff).connected_fits).find(|f| f.order == fit.order);
            let [slope, exact] = match &connected {
                Some(f) => [
                    Cell::number(at!(f.slope), f.std_err),
                    Cell::number(at!(f.exact_slope), None),
                ],
                None => [Cell::unknown(), Cell::unknown()],
            };
            rows.push(vec![
                Cell::text(of.net.title()),
                Cell::number(at!(fit.order), None),
                Cell::number(at!(fit.slope), fit.std_err),
                Cell::number(at!(fit.exact_slope), None),
                Cell::text(fit.widths_used.len().to_string()),
                Cell::convergence(fit.unconverged.is_empty()),
                slope,
                exact,
            ]);
        }
    }
    Table {
        caption: "Slopes of log₁₀|m_n| against log₁₀N over the widths above the background, and those of the exact m_n over the same widths.".into(),
        header: &[
            "net",
            "n",
            "direct",
            "exact",
            "widths",
            "direct is",
            "connected",
            "exact",
        ],
        rows,
    }
}

/// Makes a table for each net with a heavy tail.
pub(super) fn tails(nets: &[OfNet]) -> Vec<Table> {
    (nets.iter())
        .filter(|of| tail::is_heavy(&of.falloff))
        .map(tail_of)
        .collect()
}

fn tail_of(of: &OfNet) -> Table {
    let document = &of.falloff;
    let mut rows = Vec::new();
    for width in at!(document.(falloff).widths).each() {
        for n in [4, 6] {
            let Some(point) = at!(width.orders).find(|p| p.order == n) else {
                continue;
            };
            let connected = at!(point.connected)
                .known()
                .map(|c| Cell::number(at!(c.deviation_mean), c.std_err));
            rows.push(vec![
                Cell::number(at!(width.width), None),
                Cell::text(n.to_string()),
                Cell::number(at!(point.deviation_mean), point.std_err),
                Cell::convergence(point.unconverged.is_none()),
                connected.or_unknown(),
                Cell::number(at!(point.exact_mean), None),
            ]);
        }
    }
    Table {
        caption: format!(
            "{}'s m_n: what the direct estimator shows, the verdict on it, and what is true.",
            of.net.title()
        )
        .into(),
        header: &["N", "n", "direct", "verdict", "connected, tilted", "exact"],
        rows,
    }
}
