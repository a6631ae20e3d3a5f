#!/usr/bin/env python3
"""erf(x) = x P(x^2) / Q(x^2): in f64 `erf` of src/engine/cpu, in f32 shaders/activation.wgsl.

The shader takes z in units, `ERF_UNIT`, in which the highest coefficients of P and Q are both 1
once what is common to them is divided out: two multiplications less.
"""

import re
from decimal import Decimal

import report
import series
from minimax import horner, minimax, nodes
from source import F32, Formula, Polynomial, constant, function, polynomials


def in_f64():
    end = Decimal("5.93")
    p, q, best = minimax(series.erf, lambda t: 1 / series.erf(t), (0, end * end), 12, 13)
    source_p, source_q = polynomials(function("erf", "rs", "polynomial"))
    report.title("erf in f64, degrees 12 and 13, |x| < 5.93, relative error", best)
    points = nodes(Decimal(0), end * end, 1000)
    source = lambda t: horner(source_p, t) / horner(source_q, t) / series.erf(t) - 1
    report.line("coefficients of the source", report.largest(source, points), 6e-17)
    report.line("1 - erf(5.93), left out beyond", 1 - end * series.erf(end * end), 6e-17)
    report.coefficients("P", p, source_p)
    report.coefficients("Q", q, source_q)


def in_f32():
    end = Decimal("3.75")
    p, q, best = minimax(series.erf, lambda t: t.sqrt(), (0, end * end), 4, 5)
    unit = q[5] / p[4]
    p = [c * unit ** (2 * (4 - k)) / p[4] for k, c in enumerate(p)]
    q = [c * unit ** (2 * (5 - k)) / q[5] for k, c in enumerate(q)]

    text = function("activation", "wgsl", "return x *")
    names = re.search(r"return x \* (\w+) / (\w+);", text).groups()
    over, under = (Formula(text, name) for name in names)
    t, u = Polynomial(0, 1), Polynomial(0, 0, 1)
    source_p, source_q = over.coefficients(t=t, u=u), under.coefficients(t=t, u=u)
    source_unit = constant("ERF_UNIT")

    def exact(x):
        return x * horner(source_p, x * x) / horner(source_q, x * x)

    def rounded(x):
        t = x * x
        return x * over.of(t=t, u=t * t) / under.of(t=t, u=t * t)

    def of_source(z):
        return exact(z * source_unit) - z * series.erf(z * z)

    def of_rounding(z):
        x = F32(z * source_unit)
        return Decimal(rounded(x).value) - exact(Decimal(x.value))

    points = nodes(-end, end, 4000)
    report.title("erf in f32, degrees 4 and 5, |z| < 3.75, absolute error", best)
    report.line("coefficients of the source", report.largest(of_source, points), 1.7e-7)
    report.line("rounding of every operation", report.largest(of_rounding, points), 3e-7)
    report.line("1 - erf(3.75), left out beyond", 1 - end * series.erf(end * end), 1.2e-7)
    report.coefficients("P", p, source_p)
    report.coefficients("Q", q, source_q)
    report.coefficients("ERF_UNIT", [unit], [source_unit])


in_f64()
in_f32()
report.finish()
