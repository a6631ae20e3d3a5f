#!/usr/bin/env python3
"""The series of Box-Muller in f64, `normals.rs`, and f32, shaders/normals.wgsl.

Logarithm: 4 artanh(s), |s| < 0.1716, for s = (m - 1) / (m + 1) and m from sqrt(1/2) to sqrt(2).
Cosine and sine: up to pi / 4.
"""

from decimal import Decimal

import report
import series
from minimax import horner, nodes
from source import F32, Formula, Polynomial, function, polynomials
from square import fit

ROOT_2 = Decimal(2).sqrt()
END_OF_S = (ROOT_2 - 1) / (ROOT_2 + 1)
END_OF_A = series.PI / 4


def rounding(formula, end, source, **names):
    """The relative error of f32's roundings of a formula; each name is a function of x."""

    def error(x):
        x = F32(x)
        value = formula.of(**{name: of(x) for name, of in names.items()})
        return Decimal(value.value) / source(Decimal(x.value)) - 1

    points = nodes(end / 10**6, end, 2000)
    report.line("rounding of every operation", report.largest(error, points))


square = lambda x: x * x
itself = lambda x: x

(logarithm,) = polynomials(function("minus_two_ln_uniform", "rs", "polynomial"))
sine, cosine = polynomials(function("cos_sin", "rs", "polynomial"))
logarithm = [c / -4 for c in logarithm]
fit("artanh(s) / s in f64", series.artanh, END_OF_S, 0, logarithm, 3e-18)
fit("sin(a) / a in f64", series.sine, END_OF_A, 0, sine, 1.3e-17)
fit("cos(a) in f64", series.cosine, END_OF_A, 1, cosine, 7.2e-18)

t, one = Polynomial(0, 1), Polynomial(1)
formula = Formula(function("radius_squared", "wgsl", "let sum ="), "sum")
source = [c / 4 for c in formula.coefficients(t=t)]
fit("artanh(s) / s in f32", series.artanh, END_OF_S, 1, source, 8.7e-10)
rounding(formula, END_OF_S, lambda s: 4 * horner(source, s * s), t=square)

circle = function("circle", "wgsl", "let s =")
formula = Formula(circle, "s")
sine = formula.coefficients(t=t, a=one)
fit("sin(a) / a in f32", series.sine, END_OF_A, 1, sine, 6.1e-9)
rounding(formula, END_OF_A, lambda a: a * horner(sine, a * a), t=square, a=itself)

formula = Formula(circle, "c")
cosine = formula.coefficients(t=t)
fit("cos(a) in f32", series.cosine, END_OF_A, 1, cosine, 2.4e-9)
rounding(formula, END_OF_A, lambda a: horner(cosine, a * a), t=square)
report.finish()
