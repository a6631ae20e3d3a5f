// Random words are blocks of 16 from ChaCha8, which is counter-based: (key, stream, counter) gives
// words, without state. The twin is src/stream/words.rs.

struct Words { a: vec4u, b: vec4u, c: vec4u, d: vec4u }

fn rotate_left(v: vec4u, n: u32) -> vec4u {
    return (v << vec4u(n)) | (v >> vec4u(32u - n));
}

fn quarter_rounds(s: Words) -> Words {
    var x = s;
    x.a += x.b;
    x.d = rotate_left(x.d ^ x.a, 16u);
    x.c += x.d;
    x.b = rotate_left(x.b ^ x.c, 12u);
    x.a += x.b;
    x.d = rotate_left(x.d ^ x.a, 8u);
    x.c += x.d;
    x.b = rotate_left(x.b ^ x.c, 7u);
    return x;
}

// The key is the seed in its first two words, and zeros after it.
fn chacha8(key: vec2u, stream: vec2u, counter: vec2u) -> Words {
    let start = Words(
        vec4u(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u),
        vec4u(key, 0u, 0u),
        vec4u(0u),
        vec4u(counter, stream),
    );
    var s = start;
    // Compilers unroll the loop; those that cannot are slow on long code.
    var round = 0u;
    loop {
        s = quarter_rounds(s);
        s = quarter_rounds(Words(s.a, s.b.yzwx, s.c.zwxy, s.d.wxyz));
        s = Words(s.a, s.b.wxyz, s.c.zwxy, s.d.yzwx);
        round += 1u;
        if round >= 4u {
            break;
        }
    }
    return Words(s.a + start.a, s.b + start.b, s.c + start.c, s.d + start.d);
}

// This moves a counter of 64 bits, given as (low, high), so many blocks further on.
fn advance(counter: vec2u, blocks: u32) -> vec2u {
    let low = counter.x + blocks;
    return vec2u(low, counter.y + select(0u, 1u, low < blocks));
}

// This returns the 64 bits of a product, as (low, high).
fn multiply(a: u32, b: u32) -> vec2u {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 16u);
    let carry = a0 * b1 + (middle & 0xffffu);
    return vec2u((carry << 16u) | (low & 0xffffu), a1 * b1 + (middle >> 16u) + (carry >> 16u));
}
