"""Couplings: measured, running, and over the number of outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, SupportsFloat, overload

from . import _arguments as arguments
from . import _engine
from ._arguments import Count, Path, Points
from ._ensemble import Ensemble
from ._errors import InvalidSpec
from ._net import Net
from ._results import Eft, Rg, Symmetry
from ._run import Run, finish, judged
from ._sampling import Backend, Estimator, Tilt, given


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
    vertex: Literal["full", "weight"] | None = None,
    cutoffs: Sequence[SupportsFloat] | None = None,
    fit: bool = False,
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
    vertex: str | None = None,
    cutoffs: Sequence[SupportsFloat] | None = None,
    fit: bool = False,
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
        Lines into the vertex: "full" (K) or "weight" (K - sigma_b^2); "full" by default, "weight" of a fit.
    cutoffs
        Cutoffs L of the box [-L, L]^d_in, or infinity; by default the source's 21, 7 to 1e5, and of a fit the one
        of its v2 for the net.
    fit
        Fit lambda as a function of the points, {l0}, {l0, l2}, {l0, l2, lNL}: trained on the points over sqrt(2),
        tested on the points; by default those of the source's v2 for the net.
    x, nets, experiments, orders, estimator, tilt, seed, backend, adapter, progress, blocking
        As for `ensemble`.

    Returns
    -------
    Eft
        ``e.coupling``, ``e.coupling_std_err``, ``e.delta``, (cutoffs,) each; ``e.fits`` of a fit.

    Examples
    --------
    >>> import nnqft
    >>> e = nnqft.eft(nnqft.Net("relu", hidden=20), moments="exact", cutoffs=[100])
    >>> print(f"{e.coupling[0]:.3e}")
    -6.250e-11
    """
    sampling = dict(nets=nets, experiments=experiments, orders=orders, estimator=estimator, tilt=tilt, seed=seed)
    sampling |= dict(backend=backend, adapter=adapter)
    source = _source(net, x, moments, vertex or ("weight" if fit else "full"), cutoffs, sampling)
    run: Run[Eft] = Run((_engine.fit if fit else _engine.eft)(source), judged(Eft))
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
    run: Run[Rg] = Run(_engine.rg(source), judged(Rg))
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
    run: Run[Symmetry] = Run(_engine.symmetry(asked, tests), judged(Symmetry))
    return finish(run, blocking, progress)
