// Constants of a run, by their number. A uniform where they fit: software adapters read
// storage lane by lane.

//# if UNIFORM
@group(0) @binding(1) var<uniform> parameters: array<vec4f, ${PARAMETER_QUADS}>;
//# end
//# if STORAGE
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;
//# end

fn parameter(i: u32) -> f32 {
    return parameters[i >> 2u][i & 3u];
}
