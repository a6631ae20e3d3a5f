#!/usr/bin/env python3
"""e^r in f64, `exp` of src/engine/cpu, and 2^r in f32, shaders/exponential.wgsl."""

from decimal import Decimal

import report
import series
from minimax import horner, minimax, nodes
from series import LN_2
from source import F32, Formula, Polynomial, function, polynomials


def in_f64():
    end = LN_2 / 2
    exp = series.exponential()
    # 1 + r + r^2 q(r)
    q, _, best = minimax(series.exponential(2), lambda r: r * r / exp(r), (-end, end), 9)
    (source,) = polynomials(function("exp_parts", "rs", "polynomial"))
    error = lambda r: (1 + r + r * r * horner(source, r)) / exp(r) - 1
    report.title("e^r = 1 + r + r^2 q(r) in f64, degree 9, |r| < ln(2) / 2, relative error", best)
    points = nodes(-end, end, 2000)
    report.line("coefficients of the source", report.largest(error, points), 2e-17)
    less_one = lambda r: (1 + r * horner(source, r)) / series.exponential(1)(r) - 1
    report.line("relative to e^r - 1", report.largest(less_one, points), 9e-17)
    report.coefficients("q", q, source)


def in_f32(name, degree, fixed, claim):
    """The fit of the function `name`; `fixed` if its constant is 1."""
    end = Decimal("0.5")
    exp = series.exponential()
    rest = series.exponential(fixed)
    power = lambda r: exp(r * LN_2)
    p, _, best = minimax(
        lambda r: rest(r * LN_2) * LN_2**fixed,
        lambda r: r**fixed / power(r) if fixed else 1 / power(r),
        (-end, end),
        degree - fixed,
    )
    formula = Formula(function(name, "wgsl", "let p ="), "p")
    source = formula.coefficients(r=Polynomial(0, 1))

    def of_rounding(r):
        r = F32(r)
        return Decimal(formula.of(r=r).value) / horner(source, Decimal(r.value)) - 1

    points = nodes(-end, end, 2000)
    report.title(f"2^r in f32, `{name}`, degree {degree}, |r| < 1/2, relative error", best)
    of_source = lambda r: horner(source, r) / power(r) - 1
    report.line("coefficients of the source", report.largest(of_source, points), claim)
    report.line("rounding of every operation", report.largest(of_rounding, points))
    report.coefficients("p", [Decimal(1)] * fixed + p, source)


in_f64()
in_f32("power_of_two", 5, 0, 1.6e-7)
in_f32("exact_power_of_two", 6, 1, 1e-8)
report.finish()
