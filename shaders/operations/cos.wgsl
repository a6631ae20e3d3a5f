// The cosine is the sine a quarter of a turn on.

fn op_cos(x: vec4f) -> vec4f {
    let split = quarters(x);
    return sine_of(split.count + 1, split.angle);
}
