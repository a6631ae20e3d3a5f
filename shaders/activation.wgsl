// This computes the activation of four pre-activations. Its twin is src/engine/cpu/activation.rs.
// One activation is compiled in: some adapters would execute both sides of a choice at run time.

//# if activation.name == "erf"
// Erf-net's pre-activations are in units (`ERF_UNIT`) in which the highest powers of numerator and
// denominator below have the coefficient 1.
fn activation(z: vec4f) -> vec4f {
    // z P(z^2) / Q(z^2) is a minimax fit on |z| < 3.75 in units of one (error 1.7e-7, f32 adds 3e-7
    // at most: scripts/fit/erf.py); erf is 1 beyond it. Even and odd powers are apart: there is
    // less to wait for.
    let x = clamp(z, vec4f(-0.2241399539), vec4f(0.2241399539));
    let t = x * x;
    let u = t * t;
    let numerator = ((u + 2.89897077e-3) * u + 6.46736914e-7) + (u * 0.097445939 + 4.73364224e-5) * t;
    let denominator = ((u * 0.413496606 + 4.17469539e-4) * u + 3.42579286e-8) + ((u + 0.0172455664) * u + 5.7037059e-6) * t;
    return x * numerator / denominator;
}
//# elif activation.name == "relu"
fn activation(z: vec4f) -> vec4f {
    return max(z, vec4f(0.0));
}
//# elif activation.name == "exp"
// Gauss-net's pre-activations are in units of ln 2: e^z is a power of two.
fn activation(z: vec4f) -> vec4f {
    //# if is_bounded
    return power_of_two(z);
    //# else
    return any_power_of_two(z);
    //# endif
}
//# elif activation.name == "tape"
//# for name in activation.operations
//# include "operations/" ~ name ~ ".wgsl"
//# endfor
// Made by src/engine/gpu/activation.rs.
fn activation(z: vec4f{% if activation.uses_variance %}, v: f32{% endif %}) -> vec4f {
    //# for statement in activation.statements
    ${statement}
    //# endfor
}
//# endif
