use crate::report::number::{fixed, value};
use crate::report::table::table;
use crate::run::{BenchAdapter, BenchDocument};

/// The table has the machine, a line per ensemble, and a line per stage.
pub fn bench_table(document: &BenchDocument, width: usize) -> String {
    let percent = |x: Option<f64>| fixed(x.map(|x| 100.0 * x), 1);
    let mut jobs = table(
        &[
            "ensemble",
            "GPU networks/s",
            "CPU networks/s",
            "GPU / CPU",
            "% of peak",
            "s for all",
        ],
        1,
    );
    let mut stages = table(
        &[
            "ensemble",
            "stage",
            "networks/s",
            "instructions",
            "bytes",
            "% of peak",
            "% of bandwidth",
            "registers",
        ],
        2,
    );
    for job in &document.jobs {
        let (gpu, cpu) = (job.gpu_networks_per_s, job.cpu_networks_per_s);
        let best = gpu.into_iter().chain(cpu).reduce(f64::max);
        jobs.add_row([
            format!("{} N = {}", job.net, job.width),
            value(gpu),
            value(cpu),
            fixed(gpu.zip(cpu).map(|(gpu, cpu)| gpu / cpu), 2),
            percent(job.of_peak),
            fixed(best.map(|rate| job.networks as f64 / rate), 2),
        ]);
        for stage in &job.stages {
            let (rate, work) = (stage.networks_per_s, &stage.cost.network);
            let of = |work: f64, peak: fn(&BenchAdapter) -> f64| {
                let peak = document.adapter.as_ref().map(peak);
                percent(peak.filter(|_| work > 0.0).map(|peak| rate * work / peak))
            };
            let counted = |x: f64| fixed((x > 0.0).then_some(x), 0);
            stages.add_row([
                job.net.clone(),
                stage.cost.stage.replace('_', " "),
                value(Some(rate)),
                counted(work.instructions()),
                counted(work.bytes()),
                of(work.instructions(), |a| a.peak.multiply_adds_per_s),
                of(work.bytes(), |a| a.peak.bytes_per_s),
                counted(work.registers.into()),
            ]);
        }
    }
    let cpu = format!("{} ({})", document.cpu.adapter, document.cpu.driver);
    let head = match &document.adapter {
        None => format!("{}; CPU: {cpu}\n", document.reason),
        Some(adapter) => format!(
            "GPU: {} ({}), {}\n{}\npeak {} multiply-adds/s, {} bytes/s\nCPU: {cpu}\n",
            adapter.summary.name,
            adapter.summary.driver,
            document.reason,
            shape(adapter),
            value(Some(adapter.peak.multiply_adds_per_s)),
            value(Some(adapter.peak.bytes_per_s)),
        ),
    };
    let jobs = jobs.without(&["s for all", "% of peak"]).fit(width);
    if document.jobs.iter().all(|job| job.stages.is_empty()) {
        return format!("{head}\n{jobs}\n");
    }
    let expendable = ["registers", "bytes", "instructions", "% of bandwidth"];
    format!(
        "{head}\n{jobs}\n\n{}\n",
        stages.without(&expendable).fit(width)
    )
}

/// Says in words how work is shaped.
fn shape(adapter: &BenchAdapter) -> String {
    let profile = &adapter.profile;
    let form = match profile.fuses {
        true => "long runs draw and sum in one shader",
        false => "shaders in stages",
    };
    let strands = match profile.strands {
        1 => "1 thread sums a block".into(),
        strands => format!("up to {strands} threads sum a block"),
    };
    format!(
        "{} threads to keep busy, subgroups of {}, {} KiB of workgroup memory, batches of {} MiB, {strands}, {form}",
        profile.threads,
        profile.subgroup,
        profile.workgroup_memory >> 10,
        profile.batch_bytes >> 20,
    )
}
