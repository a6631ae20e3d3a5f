// Activations of four pre-activations. Twin: src/engine/cpu/activation.rs.
// One of them is compiled in: choosing at run time would execute all three on some adapters.

//# if ERF
fn activation(z: vec4f) -> vec4f {
    // z P(z^2) / Q(z^2), a minimax fit on |z| < 3.95 (error 1.8e-8); erf is 1 beyond it.
    let x = clamp(z, vec4f(-3.95), vec4f(3.95));
    let t = x * x;
    let p = ((((t * 2.0117399e-6 + 2.876011922e-4) * t + 3.917337784e-3) * t + 5.320712038e-2) * t + 0.1940361375) * t + 1.128379006;
    let q = ((((t * 3.78397142e-5 + 1.198205950e-3) * t + 1.527074127e-2) * t + 0.1155908939) * t + 0.5052915371) * t + 1.0;
    return x * p / q;
}
//# end
//# if RELU
fn activation(z: vec4f) -> vec4f {
    return max(z, vec4f(0.0));
}
//# end
//# if GAUSS
// Gauss-net's parameters are in units of ln 2: e^z is a power of two.
fn activation(z: vec4f) -> vec4f {
    //# if BOUNDED
    return power_of_two(z);
    //# end
    //# if UNBOUNDED
    return any_power_of_two(z);
    //# end
}
//# end
