"""The program ``nnqft-gpu``, which the wheel carries: ``python -m nnqft`` is the same."""

from __future__ import annotations

import signal
import sys

from . import _engine


def main() -> int:
    """Runs the program with the arguments of this process, and returns its exit code."""
    # Its own handlers take the place of Python's, which would wait for the end of the run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _engine.program(["nnqft-gpu", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
