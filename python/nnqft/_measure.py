"""What is measured on n-point functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsFloat, TypeVar, overload

from . import _arguments as arguments
from . import _engine
from ._arguments import Count, Path, Points
from ._document import Result
from ._ensemble import Ensemble
from ._errors import InvalidSpec
from ._net import Net
from ._results import Comparison, Depth, Devices, Eft, Falloff, Rg, Symmetry
from ._run import Run, Unreliable, finish
from ._sampling import Backend, Estimator, Tilt, given

R = TypeVar("R", bound=Result)


def _judged(kind: type[R]) -> Callable[[Any], R]:
    """Makes a result, and warns if what it concludes is not to be relied on."""

    def make(made: list[_engine.Document]) -> R:
        verdict = made[0].verdict()
        if verdict is not None:
            warnings.warn(verdict, Unreliable, stacklevel=6)
        return kind._of(made)

    return make


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
    run: Run[Falloff] = Run(_engine.falloff(asked, swept), _judged(Falloff))
    return finish(run, blocking, progress)


@overload
def depth(
    net: Net,
    x: Points | Path | None = None,
    *,
    depths: Sequence[Count] | None = None,
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
    run: Run[Depth] = Run(_engine.depth(asked, swept), _judged(Depth))
    return finish(run, blocking, progress)


def _source(
    of: Net | Ensemble,
    x: Points | Path | None,
    moments: str,
    vertex: str,
    cutoffs: Sequence[SupportsFloat] | None,
    sampling: dict[str, Any],
) -> dict[str, Any]:
    """Where moments come from, as the engine takes it."""
    if isinstance(of, Ensemble):
        named = [name for name, value in sampling.items() if value is not None and name not in ("backend",)]
        if x is not None or named:
            raise InvalidSpec(f"{(['x'] if x is not None else named)[0]}: the ensemble has been drawn; leave it out")
        if moments == "exact":
            raise InvalidSpec("moments 'exact': exact moments need no ensemble; give its net")
    elif not isinstance(of, Net):
        raise InvalidSpec(f"net {of!r}: give a nnqft.Net, or what nnqft.ensemble returned")
    return {
        "ensemble": of._handle if isinstance(of, Ensemble) else None,
        "folder": of._folder if isinstance(of, Ensemble) and of._handle is None else None,
        "given": given(of, x, **sampling) if isinstance(of, Net) else None,
        "moments": moments,
        "vertex": vertex,
        "cutoffs": arguments.numbers("cutoffs", cutoffs),
    }


@overload
def eft(
    net: Net | Ensemble,
    x: Points | Path | None = None,
    *,
    moments: Literal["sampled", "exact"] = "sampled",
    vertex: Literal["full", "weight"] = "full",
    cutoffs: Sequence[SupportsFloat] | None = None,
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
) -> Eft: ...
@overload
def eft(*args: Any, blocking: Literal[False], **options: Any) -> Run[Eft]: ...
def eft(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net | Ensemble,
    x: Points | Path | None = None,
    *,
    moments: str = "sampled",
    vertex: str = "full",
    cutoffs: Sequence[SupportsFloat] | None = None,
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
    """Measures the quartic coupling on the 4-point function, and predicts the 6-point function from it
    (arXiv:2008.08601, section 3).

    Parameters
    ----------
    net
        A network, or an `Ensemble` that is there: drawn or loaded.
    moments
        "sampled", or "exact" at the net's width, where no networks are drawn.
    vertex
        Lines into the vertex: "full" (K) or "weight" (K - sigma_b^2).
    cutoffs
        Cutoffs L of the box [-L, L]^d_in, or infinity; by default the source's 21, 7 to 1e5.
    x, nets, experiments, orders, estimator, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Eft
        ``e.coupling``, ``e.coupling_std_err``, ``e.delta``, (cutoffs,) each.

    Examples
    --------
    >>> import nnqft
    >>> e = nnqft.eft(nnqft.Net("relu", hidden=20), moments="exact", cutoffs=[100])
    >>> print(f"{e.coupling[0]:.3e}")
    -6.250e-11
    """
    sampling = dict(nets=nets, experiments=experiments, orders=orders, estimator=estimator, tilt=tilt, seed=seed)
    sampling |= dict(backend=backend, adapter=adapter)
    source = _source(net, x, moments, vertex, cutoffs, sampling)
    run: Run[Eft] = Run(_engine.eft(source), _judged(Eft))
    return finish(run, blocking, progress)


@overload
def rg(
    net: Net | Ensemble,
    x: Points | Path | None = None,
    *,
    moments: Literal["sampled", "exact"] = "sampled",
    vertex: Literal["full", "weight"] = "full",
    cutoffs: Sequence[SupportsFloat] | None = None,
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
) -> Rg: ...
@overload
def rg(*args: Any, blocking: Literal[False], **options: Any) -> Run[Rg]: ...
def rg(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net | Ensemble,
    x: Points | Path | None = None,
    *,
    moments: str = "sampled",
    vertex: str = "full",
    cutoffs: Sequence[SupportsFloat] | None = None,
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
    """Follows the coupling over the cutoffs: beta, slopes, fixed points (arXiv:2008.08601, section 4).

    Parameters
    ----------
    net, x, moments, vertex, cutoffs
        As for `eft`.
    nets, experiments, orders, estimator, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Rg
        ``g.coupling``, ``g.beta``, (cutoffs,) each; ``g.slope``, ``g.theory_slope``.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.rg(nnqft.Net("relu", hidden=20), moments="exact").theory_slope  # -(d_in + 4)
    -5.0
    """
    sampling = dict(nets=nets, experiments=experiments, orders=orders, estimator=estimator, tilt=tilt, seed=seed)
    sampling |= dict(backend=backend, adapter=adapter)
    source = _source(net, x, moments, vertex, cutoffs, sampling)
    run: Run[Rg] = Run(_engine.rg(source), _judged(Rg))
    return finish(run, blocking, progress)


@overload
def symmetry(
    net: Net,
    x: Points | Path | None = None,
    *,
    d_out: Sequence[Count] = (1, 2, 4, 8),
    moments: Literal["sampled", "exact"] = "sampled",
    vertex: Literal["full", "weight"] = "full",
    cutoff: SupportsFloat = 100.0,
    nets: Count | None = None,
    experiments: Count | None = None,
    estimator: Estimator | None = None,
    tilt: Tilt | None = None,
    seed: Count | None = None,
    backend: Backend = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: Literal[True] = True,
) -> Symmetry: ...
@overload
def symmetry(*args: Any, blocking: Literal[False], **options: Any) -> Run[Symmetry]: ...
def symmetry(  # type: ignore[misc]  # the second signature leaves the names to the first
    net: Net,
    x: Points | Path | None = None,
    *,
    d_out: Sequence[Count] = (1, 2, 4, 8),
    moments: str = "sampled",
    vertex: str = "full",
    cutoff: SupportsFloat = 100.0,
    nets: Count | None = None,
    experiments: Count | None = None,
    estimator: str | None = None,
    tilt: str | None = None,
    seed: Count | None = None,
    backend: str = "auto",
    adapter: str | None = None,
    progress: bool = True,
    blocking: bool = True,
) -> Any:
    """Tests SO(d_out) on ensembles with several outputs, and follows the coupling over d_out (arXiv:2106.00694).

    Parameters
    ----------
    net
        The network; its own d_out plays no part.
    d_out
        Numbers of outputs.
    cutoff
        The cutoff L of the box [-L, L]^d_in.
    moments, vertex
        As for `eft`.
    nets, experiments
        Networks per experiment, 1e4 by default, and experiments, 100 by default.
    x, estimator, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`; couplings are measured by the connected estimator by default.

    Returns
    -------
    Symmetry
        ``s.checks``, ``s.passed``; ``s.tree`` and ``s.one_loop``, (d_out,) each.

    Examples
    --------
    >>> import nnqft
    >>> s = nnqft.symmetry(nnqft.Net("relu", hidden=20), moments="exact", d_out=[1, 2])
    >>> bool(s.tree[0] == s.tree[1])
    True
    """
    asked = given(net, x, nets, experiments, None, estimator, tilt, seed, backend, adapter)
    tests = {
        "d_out": arguments.counts("d_out", d_out),
        "moments": moments,
        "vertex": vertex,
        "cutoff": arguments.number("cutoff", cutoff),
    }
    run: Run[Symmetry] = Run(_engine.symmetry(asked, tests), _judged(Symmetry))
    return finish(run, blocking, progress)


def compare_cpu(net: Net | None = None, *, adapter: str | None = None, thorough: bool = False) -> Comparison:
    """Draws the same networks on the GPU and on the f64 CPU engine, and compares every stage.

    Parameters
    ----------
    net
        A network; by default the source's are compared.
    adapter
        Adapter by any part of its name; by default the best, software ones included.
    thorough
        Compare some twenty times as many networks.

    Returns
    -------
    Comparison
        ``c.passed``, and a row for each stage.

    Raises
    ------
    DeviceError
        If there is no adapter.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.compare_cpu().passed  # doctest: +SKIP
    True
    """
    given_net = None if net is None else net._net
    run = Run(_engine.compare_cpu(given_net, adapter, bool(thorough)), _judged(Comparison))
    return run.result(progress=False)


def devices() -> Devices:
    """The adapters of this machine, and what ``backend="auto"`` takes.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.devices().auto.split(",")[0] in ("cpu", "gpu")
    True
    """
    return Run(_engine.devices(), Devices._of).result(progress=False)
