"""The functions that are fitted, in decimal arithmetic, by series without cancellation at their start.

Each takes `lost`: that many terms of the series in t are left out and the rest is divided by
t^lost, so that what remains to be fitted beside fixed coefficients keeps its digits.
"""

from decimal import Decimal, getcontext

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
LN_2 = Decimal(2).ln()


def total(first, ratio):
    """The sum of terms, the k-th of them `ratio(k)` times the one before."""
    term, value, k = first, Decimal(0), 0
    while abs(term) > abs(value) * Decimal(10) ** -getcontext().prec:
        value += term
        k += 1
        term *= ratio(k)
    return value


def rest(ratio, lost):
    """The sum of a series in t of which `ratio(k)` is a term over the one before, without t."""
    first = Decimal(1)
    for k in range(1, lost + 1):
        first *= ratio(k)
    return lambda t: total(first, lambda k: t * ratio(k + lost))


def exponential(lost=0):
    """e^t."""
    return rest(lambda k: 1 / Decimal(k), lost)


def artanh(lost=0):
    """artanh(s) / s at t = s^2."""
    return rest(lambda k: Decimal(2 * k - 1) / (2 * k + 1), lost)


def sine(lost=0):
    """sin(a) / a at t = a^2."""
    return rest(lambda k: -1 / Decimal(2 * k * (2 * k + 1)), lost)


def cosine(lost=0):
    """cos(a) at t = a^2."""
    return rest(lambda k: -1 / Decimal(2 * k * (2 * k - 1)), lost)


def sinh(lost=0):
    """sinh(a) / a at t = a^2."""
    return rest(lambda k: 1 / Decimal(2 * k * (2 * k + 1)), lost)


def cosh(lost=0):
    """cosh(a) at t = a^2."""
    return rest(lambda k: 1 / Decimal(2 * k * (2 * k - 1)), lost)


def erf(t):
    """erf(x) / x at t = x^2: 2 / sqrt(pi) e^-t times the sum of (2 t)^k / (2 k + 1)!!."""
    return 2 / PI.sqrt() * (-t).exp() * total(Decimal(1), lambda k: 2 * t / (2 * k + 1))
