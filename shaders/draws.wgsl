// The first two stages alone, for tests and cross-checks: thread k writes the words and
// the normals of block `first` + k of one stream (`per_experiment`, `nets` hold the stream).

//# include batch
//# include words
//# include normals

@group(0) @binding(1) var<storage, read_write> words_out: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> normals_out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= batch.blocks {
        return;
    }
    let w = chacha8(batch.seed, vec2u(batch.per_experiment, batch.nets),
        advance(vec2u(batch.first, 0u), id.x));
    let n = normals(w);
    words_out[4u * id.x] = w.a;
    words_out[4u * id.x + 1u] = w.b;
    words_out[4u * id.x + 2u] = w.c;
    words_out[4u * id.x + 3u] = w.d;
    normals_out[4u * id.x] = n.a;
    normals_out[4u * id.x + 1u] = n.b;
    normals_out[4u * id.x + 2u] = n.c;
    normals_out[4u * id.x + 3u] = n.d;
}
