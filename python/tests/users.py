"""A program with types: mypy --strict knows what every call returns."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

import nnqft

net = nnqft.Net("relu", hidden=[20], sigma_w=1.0, law_w=["gaussian", "uniform"])
points: npt.NDArray[Any] = net.kernel([[1.0]], [[2.0]])
r: nnqft.Ensemble = nnqft.ensemble(net, points, nets=1e4, orders=(2, 4), estimator="connected", backend="cpu")
run: nnqft.Run[nnqft.Ensemble] = nnqft.ensemble(net, points, blocking=False)
partial: nnqft.Ensemble | None = run.partial()
later: nnqft.Ensemble = run.result(timeout=1.0)
f: npt.NDArray[Any] = nnqft.sample(net, [1.0, 2.0], nets=100)
four: nnqft.NPoint = r[4]
tensor: npt.NDArray[Any] = four.tensor("mean")
slopes: dict[int, tuple[float, float]] = nnqft.falloff(net, widths=[5, 10]).slopes
coupling: npt.NDArray[Any] = nnqft.eft(r, cutoffs=[100]).coupling
slope: float = nnqft.rg(net, moments="exact").slope
checks: list[dict[str, Any]] = nnqft.symmetry(net, d_out=[1, 2]).checks
exact: npt.NDArray[Any] | None = nnqft.theory(net)[4].exact
agrees: bool = nnqft.compare_cpu(net).passed
