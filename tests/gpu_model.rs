//! What cards would do, on paper: benches/gpu-model.md, from the shaders as they are today. `UPDATE_MODEL=1 cargo test
//! --release --test gpu_model` writes it. No device is needed.

use std::fmt::Write;
use std::path::Path;

use nnqft_gpu::engine::AdapterClass;
use nnqft_gpu::engine::gpu::{Profile, StageCost, stage_costs};
use nnqft_gpu::model::{EnsembleSpec, source_nets};
use nnqft_gpu::plan::Plan;

/// A card, by its maker's numbers.
struct Card {
    name: &'static str,
    class: AdapterClass,
    /// Cores (multiprocessors, GPU cores, groups of execution units) and clock, 1/s.
    cores: f64,
    clock: f64,
    /// Instructions of a core per clock: of any kind, on integers, of the special units.
    lanes: [f64; 3],
    /// Registers and threads that a core holds.
    registers: f64,
    threads: f64,
    /// Bytes per second, and time from a load to its use in clocks.
    bandwidth: f64,
    latency: f64,
}

/// NVIDIA's tuning guides and data sheets (Ada: 128 lanes, of which 64 do integers; Hopper likewise, 16 special units);
/// Apple's GPU as measured by its users; Intel's Xe-LP with 96 execution units of 8 lanes, 16 of them a core.
const CARDS: [Card; 4] = [
    Card {
        name: "RTX 4090",
        class: AdapterClass::Discrete,
        cores: 128.0,
        clock: 2.52e9,
        lanes: [128.0, 64.0, 16.0],
        registers: 65536.0,
        threads: 1536.0,
        bandwidth: 1.008e12,
        latency: 600.0,
    },
    Card {
        name: "H100 SXM",
        class: AdapterClass::Discrete,
        cores: 132.0,
        clock: 1.98e9,
        lanes: [128.0, 64.0, 16.0],
        registers: 65536.0,
        threads: 2048.0,
        bandwidth: 3.35e12,
        latency: 700.0,
    },
    Card {
        name: "Apple M2",
        class: AdapterClass::Integrated,
        cores: 10.0,
        clock: 1.398e9,
        lanes: [128.0, 128.0, 32.0],
        registers: 53248.0,
        threads: 1024.0,
        bandwidth: 1.0e11,
        latency: 500.0,
    },
    Card {
        name: "Intel Xe-LP, 96 EU",
        class: AdapterClass::Integrated,
        cores: 6.0,
        clock: 1.35e9,
        lanes: [128.0, 128.0, 32.0],
        registers: 114688.0,
        threads: 896.0,
        bandwidth: 5.0e10,
        latency: 500.0,
    },
];

/// A thread whose loads wait has so many of them on the way.
const LOADS_AT_A_TIME: f64 = 2.0;
/// Time from one dispatch to the next that waits for it, seconds.
const BETWEEN: f64 = 4e-6;
/// Clocks from one instruction of a thread to the next that needs its result, and instructions that need none of each
/// other: the text is in vectors of four.
const DEPENDENT: f64 = 4.5;
const INDEPENDENT: f64 = 4.0;

/// What limits a stage, and the seconds that it takes a batch.
fn time(card: &Card, cost: &StageCost, networks: f64) -> (f64, &'static str, f64) {
    let work = &cost.network;
    let threads = networks / cost.networks_per_thread;
    let resident = (card.registers / f64::from(work.registers.min(255)))
        .min(card.threads)
        .floor()
        * card.cores;
    let busy = threads.min(resident);
    let per_s = card.cores * card.clock;
    let [any, integer, special] = card.lanes;
    let issue = ((work.float + work.integer) / any)
        .max(work.integer / integer)
        .max(work.special / special);
    // Few threads: each issues one instruction at a time, and waits for it.
    let instructions = work.float + work.integer + work.special;
    let alone = networks * instructions * DEPENDENT / INDEPENDENT / busy / card.clock;
    let loads = work.read / 16.0 / LOADS_AT_A_TIME;
    let waits = networks * loads * card.latency / busy / card.clock;
    let all = [
        (networks * issue / per_s, "arithmetic"),
        (networks * work.bytes() / card.bandwidth, "bandwidth"),
        (alone + waits, "threads"),
    ];
    let (seconds, limit) = all
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("terms");
    (seconds + cost.dispatches as f64 * BETWEEN, limit, busy)
}

fn plan(arch: &str) -> Plan {
    Plan::new(EnsembleSpec::preset(arch, 1).unwrap()).unwrap()
}

/// Size of the sums of a batch, in bytes, as src/engine/gpu/room.rs has it.
const SUMS_OF_BATCH: f64 = (16 << 20) as f64;

/// Networks of a batch: their fields take two quads each in its buffers, and sums of 1024 networks a quad for four.
fn batch(profile: &Profile, plan: &Plan) -> f64 {
    let fields = plan.drawn().fields();
    let of_fields = profile.batch_bytes as f64 / (16 * fields.div_ceil(4) * 2) as f64;
    let sums = plan.measurement().moments().elements().len().div_ceil(4) + (3 + fields).div_ceil(4);
    of_fields.min(1024.0 * (SUMS_OF_BATCH / (16 * sums) as f64).floor())
}

fn profile(card: &Card) -> Profile {
    Profile::assumed(card.class, 2 << 30, 32 << 10, 32)
}

/// What a card had before: one thread for each block, batches of 64 MiB.
fn before(card: &Card) -> Profile {
    let mut profile = profile(card);
    profile.strands = 1;
    profile.batch_bytes = 64 << 20;
    profile
}

/// The seconds per network of all stages, one after the other, and the stage that takes most of them.
fn per_network(card: &Card, profile: &Profile, plan: &Plan) -> (f64, &'static str, &'static str) {
    let networks = batch(profile, plan);
    let mut all = 0.0;
    let mut slowest = (0.0, "", "");
    for cost in stage_costs(plan, profile) {
        let (seconds, limit, _) = time(card, &cost, networks);
        all += seconds / networks;
        if seconds > slowest.0 {
            slowest = (seconds, cost.stage, limit);
        }
    }
    (all, slowest.1, slowest.2)
}

fn page() -> String {
    let mut page = String::from(
        "# GPUs on paper\n\n\
         What cards should do with the source's ensembles (N = 100, 6 points, orders 2, 4, 6), from the shaders as a driver\n\
         gets them: instructions counted in their text by naga, a multiplication with the addition after it as one, and the\n\
         makers' numbers of each card. `UPDATE_MODEL=1 cargo test --release --test gpu_model` writes this page, and the test\n\
         fails when it is out of date. None of it is measured: `nnqft-gpu bench` measures the same numbers on a card, and\n\
         [the benchmarks](README.md#on-an-h100) have those of an H100.\n\n\
         A stage takes the longest of three times. Arithmetic: its instructions over what the cores issue, integers and special\n\
         functions over their units. Bandwidth: its bytes. Threads: what those in flight take that wait for results (4.5\n\
         clocks, four at a time) and loads (two at a time). Registers are what is alive at a time in the order of the text; compilers need\n\
         fewer or spill. Each dispatch adds 4 microseconds.\n\n\
         ## Work of one network\n\n",
    );
    let rows = [
        "ensemble",
        "stage",
        "float",
        "integer",
        "special",
        "bytes",
        "registers",
    ];
    header(&mut page, &rows);
    let card = &CARDS[0];
    for arch in source_nets() {
        for cost in stage_costs(&plan(arch), &profile(card)) {
            let w = &cost.network;
            writeln!(
                page,
                "| {arch} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
                cost.stage.replace('_', " "),
                w.float,
                w.integer,
                w.special,
                w.bytes(),
                w.registers
            )
            .unwrap();
        }
    }
    page.push_str("\n## Networks per second\n\n");
    let rows = [
        "card",
        "ensemble",
        "networks/s",
        "limited by",
        "10^7 networks, s",
        "sums: threads",
        "share of time",
        "before: threads",
        "share",
        "networks/s",
    ];
    header(&mut page, &rows);
    for card in &CARDS {
        for arch in source_nets() {
            let plan = plan(arch);
            let (now, then) = (profile(card), before(card));
            let (seconds, stage, limit) = per_network(card, &now, &plan);
            let (seconds_then, ..) = per_network(card, &then, &plan);
            let sums = |profile: &Profile, all: f64| {
                let costs = stage_costs(&plan, profile);
                let networks = batch(profile, &plan);
                let (time, _, busy) = time(card, costs.last().unwrap(), networks);
                (busy, 100.0 * time / networks / all)
            };
            let (busy, share) = sums(&now, seconds);
            let (busy_then, share_then) = sums(&then, seconds_then);
            writeln!(
                page,
                "| {} | {arch} | {:.1e} | {limit} of {} | {:.3} | {busy:.0} | {share:.0}% | {busy_then:.0} | {share_then:.0}% | {:.1e} |",
                card.name,
                1.0 / seconds,
                stage.replace('_', " "),
                1e7 * seconds,
                1.0 / seconds_then,
            )
            .unwrap();
        }
    }
    page.push_str(
        "\n*Before*: one thread for each block of 1024 networks in the stage that sums, and batches of 64 MiB.\n",
    );
    page
}

fn header(page: &mut String, titles: &[&str]) {
    let rule = vec!["---"; titles.len()];
    writeln!(page, "| {} |", titles.join(" | ")).unwrap();
    writeln!(page, "|{}|", rule.join("|")).unwrap();
}

#[test]
fn the_page_is_that_of_the_shaders() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/gpu-model.md");
    let page = page();
    if std::env::var_os("UPDATE_MODEL").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == page,
        "benches/gpu-model.md is out of date: UPDATE_MODEL=1 cargo test --release --test gpu_model"
    );
}

#[test]
fn instructions_are_those_that_the_text_has() {
    let software = Profile::assumed(AdapterClass::Software, 1 << 30, 32 << 10, 8);
    for (arch, most) in [("erf", 40_000.0), ("gauss", 40_000.0), ("relu", 25_000.0)] {
        let costs = stage_costs(&plan(arch), &software);
        let all: f64 = costs.iter().map(|c| c.network.instructions()).sum();
        // 200 words of 25 operations at least: without fusing, counted by hand in benches/limits.rs.
        assert!((5_000.0..most).contains(&all), "{arch} {all}");
    }
    // Sums are the same work for however many threads, but for joining them.
    let card = profile(&CARDS[0]);
    let of = |profile: &Profile| stage_costs(&plan("erf"), profile).pop().unwrap().network;
    let (many, one) = (of(&card), of(&before(&CARDS[0])));
    assert!(
        (many.float / one.float - 1.0).abs() < 0.1,
        "{many:?} {one:?}"
    );
    // A register for each sum at least, where pieces have 96 of them.
    assert!((96..256).contains(&many.registers), "{many:?}");
}
