#!/usr/bin/env python3
"""The series of shaders/operations/: what tapes compute in f32."""

from decimal import Decimal

import report
import series
from minimax import horner, minimax, nodes
from series import LN_2, PI
from source import F32, Formula, Polynomial, function

T = Polynomial(0, 1)
END_OF_S = (Decimal(2).sqrt() - 1) / (Decimal(2).sqrt() + 1)
SPLIT = Decimal(475) / 512
END_OF_ERF = Decimal("3.95")


def formula(name, value, **names):
    """The formula of a value in a function, and its coefficients."""
    found = Formula(function(name, "wgsl", f"let {value} ="), value)
    return found, found.coefficients(**names)


def errors(of_source, of_rounding, points, claim):
    """`of_rounding` takes an f32 and yields what it computes over what the coefficients are."""
    report.line("coefficients of the source", report.largest(of_source, points), claim)
    if of_rounding:
        rounded = lambda x: of_rounding(F32(x)) - 1
        report.line("rounding of every operation", report.largest(rounded, points))


def ratio(value, exact):
    return Decimal(value.value) / exact


def exponential():
    end = LN_2 / 2
    exp, rest = series.exponential(), series.exponential(2)
    best, _, error = minimax(rest, lambda r: r * r / exp(r), (-end, end), 4)
    found, q = formula("exponential", "q", r=T)
    value = lambda r: 1 + r + r * r * horner(q, r)
    rounded = lambda r: ratio(F32(1) + (r * r * found.of(r=r) + r), value(Decimal(r.value)))
    report.title("e^r = 1 + r + r^2 q(r), degree 4, |r| < ln(2) / 2, relative error", error)
    errors(lambda r: value(r) / exp(r) - 1, rounded, nodes(-end, end, 1000), 4e-9)
    report.coefficients("q", best, q)


def logarithm(name, end, claim):
    """2 artanh(s) = 2 s + s u(s^2)."""
    artanh, rest = series.artanh(), series.artanh(1)
    found, u = formula(name, "u", t=T)
    best, _, error = minimax(rest, lambda t: t / artanh(t), (0, end * end), len(u) - 2)
    title = f"`{name}`: 2 artanh(s) / s = 2 + u(s^2), degree {len(u) - 1}, |s| < {float(end):.4f}"
    report.title(f"{title}, relative error", error)
    of_source = lambda t: (2 + horner(u, t)) / (2 * artanh(t)) - 1
    rounded = lambda t: ratio(F32(2) + found.of(t=t), 2 + horner(u, Decimal(t.value)))
    errors(of_source, rounded, nodes(Decimal(0), end * end, 1000), claim)
    report.coefficients("u", [2 * c for c in best], u[1:])


def sine_and_cosine():
    end = PI / 4
    for name, exact, a, claim in (
        ("s", series.sine(), Polynomial(1), 6.1e-9),
        ("c", series.cosine(), None, 2.4e-9),
    ):
        found, of = formula("sine_of", name, t=T, **({"a": a} if a else {}))
        rest = (series.sine if a else series.cosine)(1)
        best, _, error = minimax(
            rest, lambda t: t / exact(t), (0, end * end), len(of) - 2
        )
        points = nodes(end / 10**6, end, 1000)
        report.title(f"`{name}`, degree {len(of) - 1} in the square, |a| < pi / 4, relative", error)
        of_source = lambda x: horner(of, x * x) / exact(x * x) - 1

        def rounded(x):
            size = Decimal(x.value)
            names = {"t": x * x, **({"a": x} if a else {})}
            return ratio(found.of(**names), horner(of, size * size) * (size if a else 1))

        errors(of_source, rounded, points, claim)
        report.coefficients(name, [Decimal(1)] + best, of)


def quarter():
    """pi / 2 in three parts, as far as the reduction is exact."""
    _, parts = formula("quarters", "a", x=Polynomial(0), n=Polynomial(1))
    print("pi / 2 in three parts, 2^16 times")
    report.line("coefficients of the source", abs(sum(parts) + PI / 2) * 2**16, 4e-9)


def erf():
    end = SPLIT * SPLIT
    found, near = formula("op_erf", "near", t=T)
    best, _, error = minimax(
        lambda t: series.erf(t) - 1, lambda t: 1 / series.erf(t), (0, end), len(near) - 1
    )
    report.title("erf(x) = x + x near(x^2), degree 5, |x| < 475 / 512, relative error", error)
    of_source = lambda t: (1 + horner(near, t)) / series.erf(t) - 1
    rounded = lambda t: ratio(F32(1) + found.of(t=t), 1 + horner(near, Decimal(t.value)))
    errors(of_source, rounded, nodes(Decimal(0), end, 1000), 3e-8)
    report.coefficients("near", best, near)

    of = lambda y: y * series.erf(y * y)
    found, far = formula("op_erf", "far", y=T)
    best, _, error = minimax(
        lambda y: -(1 - of(y)).ln() / y - 1,
        lambda y: y * (1 - of(y)) / of(y),
        (SPLIT, END_OF_ERF),
        len(far) - 1,
    )
    report.title("erf(y) = 1 - e^-(y + y far(y)), degree 5, y < 3.95, relative error", error)
    value = lambda y: 1 - (-(y + y * horner(far, y))).exp()
    errors(lambda y: value(y) / of(y) - 1, None, nodes(SPLIT, END_OF_ERF, 1000), 7e-9)
    report.line("1 - erf(3.95), left out beyond", 1 - of(END_OF_ERF), 3e-8)
    report.line("1 - its value beyond", 1 - value(Decimal(4)), 3e-8)
    report.coefficients("far", best, far)


def power():
    """The fit of exact_power_of_two (exponential.py), a little beyond its range."""
    end = Decimal("0.51")
    exp = series.exponential()
    _, p = formula("op_pow", "p", r=T)
    print("2^r in `op_pow`, degree 6, |r| < 0.51, relative error")
    errors(lambda r: horner(p, r) / exp(r * LN_2) - 1, None, nodes(-end, end, 500), 1.4e-8)


exponential()
logarithm("logarithm", END_OF_S, 2e-9)
logarithm("op_pow", END_OF_S, 2e-9)
logarithm("op_softplus", Decimal(1) / 3, 1e-8)
sine_and_cosine()
quarter()
erf()
power()
report.finish()
