"""Fits of what is a series in the square of its argument."""

from decimal import Decimal

import report
from minimax import horner, minimax, nodes


def fit(title, function, end, fixed, source, claim):
    """The fit in t = x^2 for |x| < `end`; the first `fixed` coefficients are the series' own."""
    whole, rest = function(), function(fixed)
    best, _, error = minimax(
        rest,
        lambda t: t**fixed / whole(t) if fixed else 1 / whole(t),
        (0, end * end),
        len(source) - 1 - fixed,
    )
    best = [function(k)(Decimal(0)) for k in range(fixed)] + best
    report.title(f"{title}, degree {len(source) - 1} in the square, relative error", error)
    of_source = lambda t: horner(source, t) / whole(t) - 1
    points = nodes(Decimal(0), end * end, 1000)
    report.line("coefficients of the source", report.largest(of_source, points), claim)
    report.coefficients("", best, source)
