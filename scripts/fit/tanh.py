#!/usr/bin/env python3
"""tanh(y) = y (1 + t P(t)) / (1 + t Q(t)) in t = y^2, of `tanh` and `sigmoid` of the f64 engine's tapes.

Fitted is (tanh(y) / y - 1) / t, a polynomial of degree 1 over 1 + t Q(t): P is what that numerator adds to Q.
"""

from decimal import Decimal

import report
import series
from minimax import horner, minimax, nodes
from source import function, polynomials

# Rounding in the reduction goes a little beyond.
END = series.LN_2 / 4 * (1 + Decimal("1e-9"))

sinh, cosh = series.sinh(), series.cosh()
whole = lambda t: sinh(t) / cosh(t)
# (sinh(y) / y - cosh(y)) / t, term by term.
rest = lambda t: (series.sinh(1)(t) - series.cosh(1)(t)) / cosh(t)
p, q, best = minimax(rest, lambda t: t / whole(t), (0, END * END), 1, 2)
p, q = [a + b for a, b in zip(p, q[1:])], q[1:]

source_p, source_q = polynomials(function("parts", "rs", "polynomial::<FMA, 2>"))
of_source = lambda t: (1 + t * horner(source_p, t)) / (1 + t * horner(source_q, t)) / whole(t) - 1
points = nodes(Decimal(0), END * END, 1000)
report.title("tanh(y) / y in f64, degrees 2 and 2 in the square, |y| < ln(2) / 4, relative error", best)
report.line("coefficients of the source", report.largest(of_source, points), 6e-18)
report.coefficients("P", p, source_p)
report.coefficients("Q", q, source_q)
report.finish()
