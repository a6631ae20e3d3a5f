"""Networks that learn a few points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, SupportsFloat, overload

import numpy as np

from . import _arguments as arguments
from . import _engine
from ._arguments import Array, Count, Path, Points
from ._errors import InvalidSpec
from ._net import Net
from ._results import Train
from ._run import Run, finish, judged
from ._sampling import Backend, Estimator, given, kept


def _targets(y: Any, count: int) -> Array:
    """Targets as the engine takes them: float64, shape (D, d_out)."""
    targets = arguments.points("y", y)
    if len(targets) != count:
        raise InvalidSpec(f"y of shape {np.shape(y)}: give a target for each of the {count} points of X")
    return targets


@overload
def train(
    net: Net | None = None,
    X: Points | None = None,
    y: Points | None = None,
    x: Points | Path | None = None,
    *,
    steps: Sequence[Count] | None = None,
    rate: SupportsFloat | None = None,
    train: Literal["all", "readout"] | None = None,
    widths: Sequence[Count] | None = None,
    nets: Count | None = None,
    experiments: Count | None = None,
    orders: Sequence[Count] | None = None,
    estimator: Estimator | None = None,
    seed: Count | None = None,
    allow_diverged: bool = False,
    backend: Backend = "auto",
    progress: bool = True,
    blocking: Literal[True] = True,
    checkpoint: Path | None = None,
    checkpoint_interval: float = 60.0,
    resume: Path | None = None,
) -> Train: ...
@overload
def train(*args: Any, blocking: Literal[False], **options: Any) -> Run[Train]: ...
def train(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net | None = None,
    X: Points | None = None,
    y: Points | None = None,
    x: Points | Path | None = None,
    *,
    steps: Sequence[Count] | None = None,
    rate: SupportsFloat | None = None,
    train: str | None = None,
    widths: Sequence[Count] | None = None,
    nets: Count | None = None,
    experiments: Count | None = None,
    orders: Sequence[Count] | None = None,
    estimator: str | None = None,
    seed: Count | None = None,
    allow_diverged: bool = False,
    backend: str = "auto",
    progress: bool = True,
    blocking: bool = True,
    checkpoint: Path | None = None,
    checkpoint_interval: float = 60.0,
    resume: Path | None = None,
) -> Any:
    """Trains every drawn network on a small data set, and measures what they learn, beside infinite width.

    Each network descends by itself, full batch, on 1/2 sum (f(X) - y)^2, with respect to the variates of unit variance
    that its weights and biases are multiples of; in f64 on the CPU.

    Parameters
    ----------
    net
        The network, with one hidden layer, or several with ``estimator="connected"``; as many outputs as `y` has columns.
        With `resume` it may be left out, as all else: it is in the file.
    X
        The points that are learnt, (D, d_in) or (D,), at most 64.
    y
        Their targets, (D, d_out) or (D,), at most 8 for each.
    x
        Points at which the networks are looked at beside those of `X`; by default those of the net.
    steps
        Numbers of steps after which the networks are looked at, all in one run; (0, 1, 10, 100, 1000) by default.
    rate
        Rate of the descent, by default 1 over the largest eigenvalue of the tangent kernel at `X`.
    train
        Parameters that move, "all" (default) or "readout".
    widths
        Widths of a sweep, in place of the net's own; with several the powers of N by which the networks deviate from
        infinite width are fitted.
    nets, experiments
        Networks in each of so many experiments, 1e4 in one by default.
    orders
        Orders of the n-point functions, 1 to 4; by default 1, 2, and 4 where there are few points.
    estimator
        "direct" (default), or with ``train="readout"`` "connected": readouts are averaged given the hidden layers, with
        smaller errors, and steps cost nothing.
    allow_diverged
        Average over the networks that have not diverged, rather than fail.
    checkpoint
        File that keeps the state of the run: every `checkpoint_interval` seconds, when it is interrupted, and at
        the end.
    resume
        File of a run that is to go on, from here or from the command line; nothing of it can change. With `checkpoint`
        of the same name: go on if it is there, else start.
    seed, backend, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Train
        ``t.mean()``, ``t.infinite_mean()``, ``t.variance()``, ``t.slopes``, ``t.checks``, ``t.plot()``.

    Examples
    --------
    >>> import nnqft
    >>> net = nnqft.Net("tanh", hidden=20, sigma_w=1.5, sigma_b=0.5)
    >>> t = nnqft.train(net, [-1.0, 0.2, 0.8], [0.5, -0.3, 1.0], [0.5], rate=0.1, steps=[0, 100], nets=1000)
    >>> t.mean().shape, t.infinite_mean(100).round(6)
    ((4,), array([ 0.461664, -0.191517,  0.91791 ,  0.380814]))
    """
    if resume is None and (net is None or X is None or y is None):
        missing = "net" if net is None else "X" if X is None else "y"
        raise InvalidSpec(f"{missing} None: give net, X and y, or a run to resume")
    if (X is None) != (y is None):
        raise InvalidSpec(f"{'X' if X is None else 'y'} None: give X with y, or neither")
    files, hint = kept(checkpoint, checkpoint_interval, resume)
    asked = given(net, x, nets, experiments, orders, estimator, None, seed, backend, None)
    inputs = None if X is None else arguments.points("X", X)
    training = {
        "inputs": inputs,
        "targets": None if inputs is None else _targets(y, len(inputs)),
        "widths": None if widths is None else arguments.counts("widths", widths),
        "rate": None if rate is None else arguments.number("rate", rate),
        "steps": None if steps is None else arguments.counts("steps", steps),
        "train": train,
        "allow_diverged": bool(allow_diverged),
    }
    run: Run[Train] = Run(_engine.train(asked, training, files), judged(Train), hint=hint)
    return finish(run, blocking, progress)
