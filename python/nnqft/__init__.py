"""Ensembles of random neural networks as field theories: n-point functions with exact values and error bars.

>>> import nnqft
>>> net = nnqft.Net("relu", hidden=20)
>>> r = nnqft.ensemble(net, nets=1e4)
>>> r[4].mean.shape, r[4].tensor("mean").shape
((126,), (6, 6, 6, 6))
"""

from __future__ import annotations

import os

if "XDG_RUNTIME_DIR" not in os.environ:
    # Without a desktop session Mesa's device-select layer looks for a display all the same, and prints an error
    # of its own for every query.
    os.environ.setdefault("NODEVICE_SELECT", "1")

from ._couplings import eft, rg, symmetry
from ._document import Result
from ._engine import VERSION as __version__
from ._ensemble import Ensemble, NPoint, NPoints, Theory
from ._errors import DeviceError, Interrupted, InvalidSpec
from ._load import load
from ._machine import compare_cpu, devices
from ._net import CriticalPoint, Net, critical, kernel
from ._results import Comparison, Depth, Devices, Eft, Falloff, Rg, Symmetry
from ._run import Progress, Run, Unreliable
from ._sampling import ensemble, sample, theory
from ._sweep import depth, falloff

__all__ = [
    "Comparison",
    "CriticalPoint",
    "Depth",
    "DeviceError",
    "Devices",
    "Eft",
    "Ensemble",
    "Falloff",
    "Interrupted",
    "InvalidSpec",
    "NPoint",
    "NPoints",
    "Net",
    "Progress",
    "Result",
    "Rg",
    "Run",
    "Symmetry",
    "Theory",
    "Unreliable",
    "__version__",
    "compare_cpu",
    "critical",
    "depth",
    "devices",
    "eft",
    "ensemble",
    "falloff",
    "kernel",
    "load",
    "rg",
    "sample",
    "symmetry",
    "theory",
]
