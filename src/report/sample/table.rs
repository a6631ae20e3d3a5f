use crate::report::heading::title;
use crate::report::number::scientific;
use crate::run::SampleDocument;

/// The table of a file of draws says in three lines what is in it.
pub fn sample_table(document: &SampleDocument) -> String {
    let (head, [networks, points, outputs]) = (&document.head, document.shape);
    let spec = &head.spec;
    let shard = (document.shard.as_ref()).map_or(String::new(), |s| format!(", shard {s}"));
    let rate = (head.timing.networks_per_s).map_or(String::new(), |rate| {
        format!(", {} networks/s", scientific(rate, 2))
    });
    format!(
        "{}, {} x {} networks{shard}, seed {}\n{}: ({networks}, {points}, {outputs}) {}, [network][point][output]\n{:.2} s{rate} on {} ({})\n",
        title(spec),
        spec.experiments,
        spec.nets,
        spec.seed,
        document.path,
        document.dtype,
        head.timing.wall_s,
        head.device.adapter,
        head.device.backend,
    )
}
