// This computes the activation of four pre-activations, and with its derivative.

//# for name in (dual if wants_slope else activation).operations
//# include "operations/" ~ name ~ ".wgsl"
//# endfor
// Made by src/engine/gpu/activation.rs.
fn activation(z: vec4f{% if activation.uses_variance %}, v: f32{% endif %}) -> vec4f {
    //# for statement in activation.statements
    ${statement}
    //# endfor
}
//# if wants_slope

struct Dual { value: vec4f, slope: vec4f }

fn activation_and_slope(z: vec4f{% if activation.uses_variance %}, v: f32{% endif %}) -> Dual {
    //# for statement in dual.statements
    ${statement}
    //# endfor
}
//# endif
