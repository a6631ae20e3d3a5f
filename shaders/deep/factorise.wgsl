// This factors the covariance that the sums over units give, by Cholesky's method. Zero pivots are
// legitimate: points on one ray of a homogeneous net, repeated points. A pivot below 8 epsilon of the
// variance is one, as in f64: what is left of points that depend on others is rounding.
fn factorise(scale: f32, bias: f32) {
    var p = 0u;
    loop {
        let row = p * (p + 1u) / 2u;
        var c = 0u;
        loop {
            let column = c * (c + 1u) / 2u;
            let variance = sums[row + c] * scale + bias;
            var rest = variance;
            for (var k = 0u; k < c; k += 1u) {
                rest -= factor[row + k] * factor[column + k];
            }
            if c == p {
                inverse[c] = select(inverseSqrt(max(rest, 1.0e-37)), 0.0, rest <= 9.5367432e-7 * variance);
            }
            factor[row + c] = rest * inverse[c];
            c += 1u;
            if c > p {
                break;
            }
        }
        p += 1u;
        if p >= ${points}u {
            break;
        }
    }
}
