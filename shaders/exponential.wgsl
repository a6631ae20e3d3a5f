// Powers of two serve Gauss-net's activation and the inverse weights of importance sampling.

//# if activation.name == "exp" or is_tilted
// 2^y for |y| < 126 is 2^n 2^r with |r| <= 1/2, the second factor by a near-minimax polynomial
// (relative error 1.6e-7: scripts/fit/exponential.py).
fn power_of_two(y: vec4f) -> vec4f {
    let n = round(y);
    let r = y - n;
    let p = ((((r * 1.3390886e-3 + 9.6760551e-3) * r + 5.5503571e-2) * r + 0.24022107) * r + 0.69314719) * r + 1.00000008;
    return bitcast<vec4f>(bitcast<vec4i>(p) + (vec4i(n) << vec4u(23u)));
}

// This computes 2^y for any y: 2^-126 stands for nothing, and f32 ends at 2^128. A hidden value of
// 2^126 overflows when squared and is reported; an inverse weight of 2^126 is a weight of zero.
fn any_power_of_two(y: vec4f) -> vec4f {
    return power_of_two(clamp(y, vec4f(-126.0), vec4f(126.0)));
}
//# endif
//# if is_progression

// This computes 2^y for |y| < 126 to f32's own rounding (relative error of the polynomial 1e-8),
// because a value that is raised to powers passes its errors on to them.
fn exact_power_of_two(y: vec4f) -> vec4f {
    let n = round(y);
    let r = y - n;
    let p = (((((r * 1.545316294e-4 + 1.339086336e-3) * r + 9.618082557e-3) * r + 5.550357114e-2) * r + 0.2402265076) * r + 0.693147188) * r + 1.0;
    return bitcast<vec4f>(bitcast<vec4i>(p) + (vec4i(n) << vec4u(23u)));
}
//# endif
