// e^x = 2^n e^r, |r| < ln(2)/2. e^-80 is nothing. f32 ends at e^88.7: a hidden value of e^88
// overflows when squared and is reported; an inverse weight of e^88 is a weight of zero.
//# if EXPONENTIAL
fn exponential(x: vec4f) -> vec4f {
    let y = clamp(x, vec4f(-80.0), vec4f(88.0));
    let n = floor(y * 1.442695041 + 0.5);
    let r = (y - n * 0.693359375) + n * 2.121944400e-4;
    let p = ((((((r * 1.984126984e-4 + 1.388888889e-3) * r + 8.333333333e-3) * r + 4.166666667e-2) * r + 0.1666666667) * r + 0.5) * r + 1.0) * r + 1.0;
    return bitcast<vec4f>(bitcast<vec4i>(p) + (vec4i(n) << vec4u(23u)));
}
//# end
