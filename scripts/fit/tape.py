#!/usr/bin/env python3
"""Logarithm, sine and cosine of the f64 engine's tapes, src/engine/cpu/tape/operation/.

All keep what is largest apart, for its rounding alone to count: log(1 + f) = 2 s + 2 s^3 q(s^2)
for s = f / (2 + f), sin(a) = a + a^3 p(a^2), cos(a) = 1 - a^2 / 2 + a^4 p(a^2).
"""

from decimal import Decimal

import series
import report
from source import function, polynomials
from square import fit

ROOT_2 = Decimal(2).sqrt()
END_OF_S = (ROOT_2 - 1) / (ROOT_2 + 1)
# Rounding in the reduction of the angle goes a little beyond.
END_OF_A = series.PI / 4 + Decimal("1e-9")

(logarithm,) = polynomials(function("artanh_rest", "rs", "polynomial"))
sine, cosine = polynomials(function("sine_and_cosine", "rs", "polynomial"))
one, half = Decimal(1), Decimal("-0.5")
fit("artanh(s) / s in f64", series.artanh, END_OF_S, 1, [one] + logarithm, 1.5e-18)
fit("sin(a) / a in f64", series.sine, END_OF_A, 1, [one] + sine, 1.1e-17)
fit("cos(a) in f64", series.cosine, END_OF_A, 2, [one, half] + cosine, 1.2e-18)
report.finish()
