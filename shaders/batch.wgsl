// A dispatch works on `blocks` blocks of ${block} networks from block `first` on, numbered over
// all experiments.

struct Batch {
    seed: vec2u,
    first: u32,
    blocks: u32,
    per_experiment: u32,
    nets: u32,
}

@group(0) @binding(0) var<uniform> batch: Batch;
