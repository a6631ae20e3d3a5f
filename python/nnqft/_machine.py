"""What a machine has, and whether its GPU computes rightly."""

from __future__ import annotations

from . import _engine
from ._net import Net
from ._results import Comparison, Devices
from ._run import Run, judged


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
    run = Run(_engine.compare_cpu(given_net, adapter, bool(thorough)), judged(Comparison))
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
