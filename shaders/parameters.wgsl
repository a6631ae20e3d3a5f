// The constants of a run are read by their number, which src/engine/gpu/layout.rs gives them.
// They are a uniform where they fit: software adapters read storage lane by lane.

//# if at.is_uniform
@group(0) @binding(1) var<uniform> parameters: array<vec4f, ${at.quads}>;
//# else
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;
//# endif

fn parameter(i: u32) -> f32 {
    return parameters[i >> 2u][i & 3u];
}
