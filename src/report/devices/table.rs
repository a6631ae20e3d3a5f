use crate::engine::gpu::AdapterSummary;
use crate::report::table::table;

/// The table has one line per adapter.
pub fn devices_table(adapters: &[AdapterSummary], width: usize) -> String {
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
    let expendable = ["shared KiB", "workgroups", "buffer MiB", "driver"];
    format!("{}\n", rows.without(&expendable).fit(width))
}
