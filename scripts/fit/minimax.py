"""Best uniform approximation by polynomials and rational functions, in decimal arithmetic.

Needs nothing but Python. Remez' second algorithm: the error of the best approximation has the same
size and alternating signs at one point more than there are free coefficients. Those points are
guessed, the coefficients that belong to them solved for, and the points moved to the extrema of the
error, until its largest and smallest extremum agree.
"""

from decimal import Decimal, getcontext

getcontext().prec = 80


def solve(matrix, right):
    """Solves a square system by elimination with row pivots."""
    rows = [row + [value] for row, value in zip(matrix, right)]
    size = len(rows)
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, size):
            factor = rows[i][k] / rows[k][k]
            if factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k])]
    x = [Decimal(0)] * size
    for k in reversed(range(size)):
        known = sum((rows[k][j] * x[j] for j in range(k + 1, size)), Decimal(0))
        x[k] = (rows[k][size] - known) / rows[k][k]
    return x


def horner(coefficients, x):
    """The polynomial with coefficients from the lowest power up."""
    value = Decimal(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def nodes(low, high, count):
    """Chebyshev points within the interval, in ascending order."""
    centre, half = (low + high) / 2, (high - low) / 2
    pi = Decimal("3.14159265358979323846264338327950288")
    return [centre - half * cosine(pi * (2 * k + 1) / (2 * count)) for k in range(count)]


def cosine(x):
    """Cosine by its series."""
    term, total, k = Decimal(1), Decimal(0), 0
    while abs(term) > Decimal(10) ** -getcontext().prec:
        total += term
        k += 2
        term *= -x * x / (k * (k - 1))
    return total


def sine(x):
    """Sine by its series."""
    term, total, k = x, Decimal(0), 1
    while abs(term) > Decimal(10) ** -getcontext().prec:
        total += term
        k += 2
        term *= -x * x / (k * (k - 1))
    return total


def minimax(g, weight, interval, degree, below=0):
    """The P / Q, of degrees `degree` and `below`, with the least maximum of weight |P / Q - g|.

    Returns P and Q, coefficients from the lowest power up, Q(0) = 1, and the maximum. Where the
    weight vanishes there is nothing to fit; the interval may end there.
    """
    low, high = map(Decimal, interval)
    scale = max(abs(low), abs(high))
    free = degree + below + 1
    fine = nodes(low, high, 40 * (free + 1))
    # The ends of the interval are extrema, too.
    grid = [x for x in [low] + fine + [high] if weight(x) != 0]
    samples = {x: (g(x), weight(x)) for x in grid}

    def at(x):
        if x not in samples:
            samples[x] = g(x), weight(x)
        return samples[x]

    def error(p, q, x):
        wanted, w = at(x)
        return w * (horner(p, x / scale) / horner(q, x / scale) - wanted)

    points = nodes(low, high, free + 1)
    p, q, level = [Decimal(0)] * (degree + 1), [Decimal(1)] + [Decimal(0)] * below, Decimal(0)
    for _ in range(60):
        p, q, level = through(points, at, scale, p, q, level)
        points, sizes = extrema(lambda x: error(p, q, x), grid, free + 1)
        if max(sizes) < min(sizes) * (1 + Decimal("1e-6")):
            break
    else:
        raise ArithmeticError("the points of the largest error do not settle")
    unscaled = [[c / scale**k for k, c in enumerate(r)] for r in (p, q)]
    return unscaled[0], unscaled[1], max(sizes)


def through(points, at, scale, p, q, level):
    """Coefficients whose error is the same at all points but for its alternating sign.

    Newton's method: the unknown size of the error multiplies the unknown Q.
    """
    for _ in range(60):
        rows, right = [], []
        for i, x in enumerate(points):
            wanted, w = at(x)
            sign = (-1) ** i / w
            y = x / scale
            powers = [Decimal(1)]
            while len(powers) < max(len(p), len(q)):
                powers.append(powers[-1] * y)
            row = powers[: len(p)]
            row += [-(wanted + sign * level) * power for power in powers[1 : len(q)]]
            row.append(-sign * horner(q, y))
            rows.append(row)
            # Newton's step for P - (g + s E) Q = 0 in P, Q and E, solved for the new values.
            right.append(wanted + sign * level - sign * level * horner(q, y))
        solved = solve(rows, right)
        before = level
        p, q, level = solved[: len(p)], [Decimal(1)] + solved[len(p) : -1], solved[-1]
        if abs(level - before) <= abs(level) * Decimal("1e-30"):
            return p, q, level
    raise ArithmeticError("Newton's method does not settle")


def extrema(error, grid, count):
    """The points of the largest errors of alternating sign, and their sizes."""
    values = [error(x) for x in grid]
    found = []
    for k, value in enumerate(values):
        left = values[k - 1] if k else value
        right = values[k + 1] if k + 1 < len(values) else value
        if abs(value) < max(abs(left) * (left * value > 0), abs(right) * (right * value > 0)):
            continue
        x = grid[k]
        if 0 < k < len(grid) - 1:
            x = summit(grid[k - 1 : k + 2], values[k - 1 : k + 2])
        size = error(x)
        # Of neighbours with one sign the larger is kept.
        if found and (found[-1][1] > 0) == (size > 0):
            if abs(size) > abs(found[-1][1]):
                found[-1] = (x, size)
        else:
            found.append((x, size))
    while len(found) > count:
        found.pop(0 if abs(found[0][1]) < abs(found[-1][1]) else -1)
    if len(found) < count:
        raise ArithmeticError(f"{len(found)} alternating extrema, {count} are needed")
    return [x for x, _ in found], [abs(size) for _, size in found]


def summit(x, y):
    """Where the parabola through three points has its extremum."""
    a = (y[1] - y[0]) / (x[1] - x[0])
    b = (y[2] - y[1]) / (x[2] - x[1])
    curvature = (b - a) / (x[2] - x[0])
    if curvature == 0:
        return x[1]
    top = (x[0] + x[1]) / 2 - a / (2 * curvature)
    return top if x[0] < top < x[2] else x[1]
