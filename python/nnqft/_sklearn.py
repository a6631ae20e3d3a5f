"""The kernel of a net as scikit-learn has kernels; imported once scikit-learn is."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from . import _engine
from ._arguments import Array, points
from ._net import Net, NetKernel, kernel
from ._run import Run


class SklearnKernel(NetKernel, Kernel):  # type: ignore[misc]  # scikit-learn has no types
    """The GP kernel of a net; it has no hyperparameters to fit, but sums and products with others may.

    Examples
    --------
    >>> import nnqft
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> net = nnqft.Net("erf", sigma_w=2.0)
    >>> gp = GaussianProcessRegressor(net.kernel, alpha=1e-6).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> bool(abs(gp.predict([[1.0]])[0] - 1.0) < 1e-4)
    True
    """

    def __init__(self, net: Net) -> None:
        self.net = net

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        matrix = kernel(self.net, X, Y)
        return (matrix, np.empty((*matrix.shape, 0))) if eval_gradient else matrix

    def diag(self, X: Any) -> Array:
        """The variances K(x, x), (P,)."""
        run = _engine.kernel_diagonal(self.net._net, points("x", X))
        variances: Array = Run(run, np.asarray).result(progress=False)
        return variances

    def is_stationary(self) -> bool:
        """Whether K(x, y) depends on x - y alone: not known of a net in general."""
        return False

    def __repr__(self) -> str:
        return f"{self.net!r}.kernel"
