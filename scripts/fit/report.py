"""What every fit prints, and the claims it is held to."""

import math
import sys
from decimal import Decimal

failed = False


def title(text, best):
    """The fit, and the largest error of the best approximation of its form."""
    print(text)
    line("best there is", best)


def line(what, error, claim=None):
    """An error, and whether it is what the source's comment says."""
    global failed
    verdict = ""
    if claim is not None:
        holds = error <= claim
        failed |= not holds
        verdict = f"   claimed {claim:.2e}: {'holds' if holds else 'DOES NOT HOLD'}"
    print(f"    {what:36} {error:.3e} = 2^{math.log2(error):.1f}{verdict}")


def coefficients(name, best, source):
    """Fitted coefficients beside the source's, lowest power first."""
    print(f"    {name:8} {'best':>23} {'source':>24} {'difference':>11}")
    for k, (wanted, there) in enumerate(zip(best, source, strict=True)):
        print(f"    {k:8} {wanted:23.16e} {there:24.16e} {there / wanted - 1:11.1e}")


def largest(error, points):
    """The largest absolute value of an error."""
    return max(abs(Decimal(error(x))) for x in points)


def finish():
    """Ends the script, with exit code 1 if a claim does not hold."""
    sys.exit(failed)
