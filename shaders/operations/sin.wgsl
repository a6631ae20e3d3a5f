// The sine.

fn op_sin(x: vec4f) -> vec4f {
    let split = quarters(x);
    return sine_of(split.count, split.angle);
}
