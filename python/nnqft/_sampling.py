"""n-point functions of drawn networks, their outputs, and what theory has of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from . import _arguments as arguments
from . import _engine
from ._arguments import Array, Count, Path, Points
from ._ensemble import Ensemble, Theory
from ._errors import InvalidSpec
from ._net import Net
from ._run import Run, finish

Backend = Literal["auto", "gpu", "cpu"]
Estimator = Literal["direct", "connected"]
Tilt = Literal["auto", "none"]


def given(
    net: Net | None,
    x: Points | Path | None,
    nets: Count | None = None,
    experiments: Count | None = None,
    orders: Sequence[Count] | None = None,
    estimator: str | None = None,
    tilt: str | None = None,
    seed: Count | None = None,
    backend: str = "auto",
    adapter: str | None = None,
) -> dict[str, Any]:
    """The arguments of an ensemble, as the engine takes them."""
    if net is not None and not isinstance(net, Net):
        raise InvalidSpec(f"net {net!r}: give a nnqft.Net, such as nnqft.Net('relu', hidden=20)")
    return {
        "net": None if net is None else net._net,
        "x": arguments.points_or_name("x", x),
        "nets": arguments.optional_count("nets", nets),
        "experiments": arguments.optional_count("experiments", experiments, 2**32 - 1),
        "orders": None if orders is None else arguments.counts("orders", orders),
        "estimator": estimator,
        "tilt": tilt,
        "seed": arguments.optional_count("seed", seed),
        "backend": backend,
        "adapter": adapter,
    }


def kept(checkpoint: Path | None, checkpoint_interval: float, resume: Path | None) -> tuple[dict[str, Any], str]:
    """The files of a run, as the engine takes them, and what an interrupted user can do, as the end of a sentence."""
    files = {
        "checkpoint": None if checkpoint is None else os.fspath(checkpoint),
        "checkpoint_interval": arguments.number("checkpoint_interval", checkpoint_interval),
        "resume": None if resume is None else os.fspath(resume),
    }
    file = files["checkpoint"] or files["resume"]
    return files, f"; go on with resume={file!r}" if file else "; with checkpoint='FILE' the run could go on"


@overload
def ensemble(
    net: Net | None = None,
    x: Points | Path | None = None,
    *,
    nets: Count | None = None,
    experiments: Count | None = None,
    orders: Sequence[Count] | None = None,
    estimator: Estimator | None = None,
    tilt: Tilt | None = None,
    seed: Count | None = None,
    backend: Backend = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: Literal[True] = True,
    checkpoint: Path | None = None,
    checkpoint_interval: float = 60.0,
    resume: Path | None = None,
) -> Ensemble: ...
@overload
def ensemble(*args: Any, blocking: Literal[False], **options: Any) -> Run[Ensemble]: ...
def ensemble(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net | None = None,
    x: Points | Path | None = None,
    *,
    nets: Count | None = None,
    experiments: Count | None = None,
    orders: Sequence[Count] | None = None,
    estimator: str | None = None,
    tilt: str | None = None,
    seed: Count | None = None,
    backend: str = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: bool = True,
    checkpoint: Path | None = None,
    checkpoint_interval: float = 60.0,
    resume: Path | None = None,
) -> Any:
    """Draws networks, and holds their n-point functions against the Gaussian process and exact values.

    Parameters
    ----------
    net
        The network. With `resume` it may be left out, as all else: it is in the file.
    x
        Points, shape (P, d_in), or (P,) for d_in = 1; the name of a preset ("relu-d2") or of a file; by default the
        source's points for the net.
    nets
        Networks per experiment, 1e6 by default.
    experiments
        Independent experiments, 10 by default.
    orders
        Orders n of the n-point functions, 1 to 6; (2, 4, 6) by default.
    estimator
        "direct" averages products of outputs; "connected" has the output layer integrated out, which takes
        thousands of times fewer networks.
    tilt
        "auto" samples rare hidden units more often (connected estimator).
    seed
        Seed of the random stream, 0 by default. Equal arguments have equal results, bit for bit, here and on the
        command line.
    backend
        "gpu", "cpu" (f64), or "auto": a hardware GPU if there is one.
    adapter
        Adapter by any part of its name, or "all" hardware GPUs.
    progress
        Show a bar where tqdm is installed.
    blocking
        With False return a `Run` at once, to look at, to wait for or to abort.
    checkpoint
        File that keeps the state of the run: every `checkpoint_interval` seconds, when it is interrupted, and at
        the end.
    resume
        File of a run that is to go on, from here or from the command line; more `nets` or `experiments` make it
        longer. With `checkpoint` of the same name: go on if it is there, else start.

    Returns
    -------
    Ensemble
        ``r[4].mean`` and its like; a list of them for a run over several widths; a `Run` with ``blocking=False``.

    Raises
    ------
    InvalidSpec
        If an argument makes no run; the sentence says which and why.
    DeviceError
        If there is no adapter that fits, or if it fails.
    Interrupted
        After Ctrl-C, within a second; its ``partial`` is the result of the networks drawn until then.

    Examples
    --------
    >>> import nnqft
    >>> r = nnqft.ensemble(nnqft.Net("relu", hidden=20), nets=1000, estimator="connected")
    >>> round(r[4].summary["deviation_mean_exact"], 12)  # 5 / N
    0.25
    >>> bool(abs(r[4].summary["deviation_mean_pull"]) < 4)
    True
    """
    if net is None and resume is None:
        raise InvalidSpec("net None: give a nnqft.Net, or a run to resume")
    files, hint = kept(checkpoint, checkpoint_interval, resume)
    asked = given(net, x, nets, experiments, orders, estimator, tilt, seed, backend, adapter)

    def make(made: list[_engine.Document]) -> Any:
        results = [Ensemble._of([document]) for document in made]
        return results[0] if len(results) == 1 else results

    run: Run[Any] = Run(_engine.ensemble(asked, files), make, lambda document: Ensemble._of([document]), hint)
    return finish(run, blocking, progress)


@overload
def sample(
    net: Net,
    x: Points | Path | None = None,
    *,
    nets: Count = 100_000,
    experiments: Count = 1,
    seed: Count | None = None,
    backend: Backend = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: Literal[True] = True,
) -> Array: ...
@overload
def sample(*args: Any, blocking: Literal[False], **options: Any) -> Run[Array]: ...
def sample(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net,
    x: Points | Path | None = None,
    *,
    nets: Count = 100_000,
    experiments: Count = 1,
    seed: Count | None = None,
    backend: str = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: bool = True,
) -> Any:
    """The outputs of drawn networks: those that `ensemble` averages with the same arguments.

    Parameters
    ----------
    net, x, seed, backend, adapter, progress, blocking
        As for `ensemble`.
    nets
        Networks per experiment.
    experiments
        Experiments; the networks of the first come first.

    Returns
    -------
    ndarray
        f_a(x_p), shape (experiments * nets, P, d_out); float64 from the CPU, float32 from the GPU.

    Raises
    ------
    Interrupted
        After Ctrl-C; its ``partial`` is the networks drawn until then.

    Examples
    --------
    >>> import nnqft
    >>> f = nnqft.sample(nnqft.Net("erf", hidden=50), [0.0, 1.0], nets=1000)
    >>> f.shape
    (1000, 2, 1)
    """
    asked = given(net, x, nets, experiments, None, None, None, seed, backend, adapter)
    run: Run[Array] = Run(_engine.sample(asked), np.asarray)
    return finish(run, blocking, progress)


def theory(
    net: Net, x: Points | Path | None = None, *, orders: Sequence[Count] | None = None, layers: bool = False
) -> Theory:
    """The kernel, and n-point functions as theory has them: Wick's, and exact at the net's width; nothing is drawn.

    Parameters
    ----------
    net, x, orders
        As for `ensemble`.
    layers
        Also kernel, mean correction and covariance behind every hidden layer, in ``t.document["layers"]``.

    Returns
    -------
    Theory
        ``t[4].exact`` or, of deep nets, ``t[4].first_order``; ``t[4].gp`` (arXiv:2008.08601, section 2);
        ``t.kernel`` (P, P).

    Examples
    --------
    >>> import nnqft
    >>> t = nnqft.theory(nnqft.Net("relu", hidden=20), [[1.0]])
    >>> t[4].gp, t[4].exact  # 3 K^2 and 3 K^2 (1 + 5 / N), K = 1/2
    (array([0.75]), array([0.9375]))
    """
    run = Run(_engine.theory(given(net, x, orders=orders), bool(layers)), Theory._of)
    return run.result(progress=False)
