"""Sweeps over the width and over the depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, SupportsFloat, overload

from . import _arguments as arguments
from . import _engine
from ._arguments import Count, Path, Points
from ._net import Net
from ._results import Depth, Falloff
from ._run import Run, finish, judged
from ._sampling import Backend, Estimator, Tilt, given


@overload
def falloff(
    net: Net,
    x: Points | Path | None = None,
    *,
    widths: Sequence[Count] | None = None,
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
) -> Falloff: ...
@overload
def falloff(*args: Any, blocking: Literal[False], **options: Any) -> Run[Falloff]: ...
def falloff(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net,
    x: Points | Path | None = None,
    *,
    widths: Sequence[Count] | None = None,
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
) -> Any:
    """Sweeps the width: how n-point functions fall off to those of the Gaussian process (arXiv:2008.08601, fig. 2).

    Parameters
    ----------
    net
        The network; its own width plays no part.
    widths
        The widths, by default the source's, 2 to 1000.
    estimator
        "direct" or "connected"; by default both, the connected one with a tenth of the networks.
    x, nets, experiments, orders, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Falloff
        ``f.mean(4)``, ``f.exact(4)``, ``f.slopes``, ``f.plot()``.

    Examples
    --------
    >>> import nnqft
    >>> f = nnqft.falloff(nnqft.Net("relu"), widths=[5, 10, 20], nets=1000, orders=[4])
    >>> f.exact(4).round(12)  # 5 / N
    array([1.  , 0.5 , 0.25])
    """
    asked = given(net, x, nets, experiments, orders, estimator, tilt, seed, backend, adapter)
    swept = None if widths is None else arguments.counts("widths", widths)
    run: Run[Falloff] = Run(_engine.falloff(asked, swept), judged(Falloff))
    return finish(run, blocking, progress)


@overload
def depth(
    net: Net,
    x: Points | Path | None = None,
    *,
    depths: Sequence[Count] | None = None,
    widths: Sequence[Count] | None = None,
    aspect: SupportsFloat | None = None,
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
) -> Depth: ...
@overload
def depth(*args: Any, blocking: Literal[False], **options: Any) -> Run[Depth]: ...
def depth(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net,
    x: Points | Path | None = None,
    *,
    depths: Sequence[Count] | None = None,
    widths: Sequence[Count] | None = None,
    aspect: SupportsFloat | None = None,
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
) -> Any:
    """Sweeps the number of hidden layers: how n-point functions drift away from the Gaussian process.

    Parameters
    ----------
    net
        The network; its hidden layers have one width, and their number plays no part.
    depths
        Numbers of hidden layers, by default 1, 2, 3, 5, 10, 20, 50.
    widths
        Widths of the hidden layers, one after the other; by default the net's alone.
    aspect
        Depth over width, L/N: each depth has the width that makes it so, in place of the net's.
    nets
        Networks per experiment, 1e4 by default.
    estimator
        "connected" by default.
    x, experiments, orders, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Depth
        ``d.mean(4)``, ``d.exact(4)`` or ``d.first_order(4)``, ``d.plot()``.

    Examples
    --------
    >>> import nnqft
    >>> d = nnqft.depth(nnqft.critical("linear", hidden=20), [1.0], depths=[1, 2], nets=1000, orders=[4])
    >>> d.exact(4).round(12)  # (1 + 2 / N)^L - 1
    array([0.1 , 0.21])
    """
    asked = given(net, x, nets, experiments, orders, estimator, tilt, seed, backend, adapter)
    swept = None if depths is None else arguments.counts("depths", depths)
    wide = None if widths is None else arguments.counts("widths", widths)
    ratio = None if aspect is None else arguments.number("aspect", aspect)
    run: Run[Depth] = Run(_engine.depth(asked, swept, wide, ratio), judged(Depth))
    return finish(run, blocking, progress)
