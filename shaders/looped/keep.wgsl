// In the stage "keep" one thread copies one field of the heaviest network of a block.

//# include "looped/pass.wgsl"

@group(0) @binding(1) var<storage, read> fields: array<f32>;
@group(0) @binding(2) var<storage, read> winners: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
    let index = flat(id);
    let block = index / ${fields}u;
    let field = index % ${fields}u;
    if block >= work.blocks {
        return;
    }
    let winner = winners[block];
    if winner != 0xffffffffu {
        sums[block * ${sum_stride}u + ${heaviest_at}u + 3u + field] = fields[winner * ${field_stride}u + field];
    }
}
