// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).

fn op_softplus(x: vec4f) -> vec4f {
    let w = op_exp(-abs(x));
    // ln(1 + w) = 2 artanh(s) = w - s (w - u), where the rounding of s counts less; u is a minimax
    // fit, s <= 1/3 (error of 2 artanh(s) / s 1e-8: scripts/fit/operations.py).
    let s = w / (w + 2.0);
    let t = s * s;
    let u = (((t * 0.280119866 + 0.280018061) * t + 0.400215268) * t + 0.666664183) * t;
    return max(x, vec4f(0.0)) + (w - s * (w - u));
}
