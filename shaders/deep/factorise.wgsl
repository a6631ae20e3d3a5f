// This factors the covariance that the sums over units give, C = R R^T with R a lower triangle. Zero
// pivots are legitimate: points on one ray of a homogeneous net, repeated points.
//
// Rounding puts 10^-7 of a variance into every pivot, and points that are almost the same have pivots
// that small: divided by them, what the points have in common with others would be far off. First the
// points are taken in the order of what is left of their variances, largest first, until nothing is:
// that gives rows g with g_p . g_q = C(p, q), to rounding. Then rotations of the rows make a lower
// triangle of them, in the points' own order, and change no product.
fn factorise(scale: f32, bias: f32) {
    for (var p = 0u; p < ${points}u; p += 1u) {
        let variance = sums[p * (p + 3u) / 2u] * scale + bias;
        size[p] = sqrt(max(variance, 0.0));
        left[p] = select(-1.0, 1.0, variance > 0.0);
        for (var k = 0u; k < ${points}u; k += 1u) {
            rows[p * ${points}u + k] = 0.0;
        }
    }
    for (var k = 0u; k < ${points}u; k += 1u) {
        var j = 0u;
        for (var p = 1u; p < ${points}u; p += 1u) {
            j = select(j, p, left[p] > left[j]);
        }
        let pivot = left[j];
        if pivot <= 2.3841858e-7 {
            break;
        }
        let root = sqrt(pivot);
        for (var p = 0u; p < ${points}u; p += 1u) {
            let high = max(p, j);
            let low = min(p, j);
            var rest = (sums[high * (high + 1u) / 2u + low] * scale + bias) / (size[p] * size[j]);
            for (var i = 0u; i < k; i += 1u) {
                rest -= rows[p * ${points}u + i] * rows[j * ${points}u + i];
            }
            // A point that had its turn has nothing to come; what others have left may be rounding, of
            // either sign.
            let row = select(0.0, select(rest / root, root, p == j), left[p] > -0.5);
            rows[p * ${points}u + k] = row;
            left[p] = select(left[p] - row * row, -1.0, p == j);
        }
    }
    // A column for each point that adds a direction to those before it.
    var rank = 0u;
    for (var c = 0u; c < ${points}u; c += 1u) {
        var square = 0.0;
        for (var k = rank; k < ${points}u; k += 1u) {
            square += rows[c * ${points}u + k] * rows[c * ${points}u + k];
        }
        let is_zero = square <= 9.0949470e-13;
        let first = rows[c * ${points}u + min(rank, ${points - 1}u)];
        let norm = sqrt(square);
        // The reflection takes row c to minus its norm, of the sign of its first number, at `rank`.
        let signed = select(-norm, norm, first >= 0.0);
        for (var k = 0u; k < ${points}u; k += 1u) {
            mirror[k] = select(0.0, rows[c * ${points}u + k], k >= rank);
        }
        mirror[min(rank, ${points - 1}u)] += signed;
        let length = 2.0 * (square + abs(first) * norm);
        for (var p = c; p < ${points}u; p += 1u) {
            var along = 0.0;
            for (var k = rank; k < ${points}u; k += 1u) {
                along += mirror[k] * rows[p * ${points}u + k];
            }
            let factor_along = select(2.0 * along / length, 0.0, is_zero);
            for (var k = rank; k < ${points}u; k += 1u) {
                rows[p * ${points}u + k] -= factor_along * mirror[k];
            }
            let value = select(rows[p * ${points}u + min(rank, ${points - 1}u)] * select(1.0, -1.0, first >= 0.0), 0.0, is_zero);
            factor[p * (p + 1u) / 2u + c] = size[p] * value;
        }
        rank += select(1u, 0u, is_zero);
    }
}
