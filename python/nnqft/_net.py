"""Networks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arguments as arguments
from . import _engine
from ._arguments import Array, Count, Points
from ._run import Run

if TYPE_CHECKING:
    from typing import SupportsFloat


class CriticalPoint(NamedTuple):
    """Where chi_parallel = chi_perp = 1 (Roberts, Yaida and Hanin 2022, chapter 5)."""

    #: Standard deviation of the weights times sqrt(fan-in).
    sigma_w: float
    #: Standard deviation of the biases.
    sigma_b: float
    #: The fixed point K* of the kernel; None where every kernel is one.
    kernel: float | None
    #: What the kernel does near it: "scale-invariant", "zero-kernel" or "half-stable".
    kind: str


class Net:
    """A random network: architecture, and the laws of its parameters.

    Affine maps and the activation s alternate: with one hidden layer f(x) = W1 s(W0 x + b0) + b1, W of variance
    sigma_w^2 / fan-in, b of variance sigma_b^2 (arXiv:2008.08601, eq. 2.2). The input dimension is that of the
    points.

    Parameters
    ----------
    arch
        A net of the catalogue, with the settings of its source: "erf", "relu", "gauss", "tanh", "sin", "cos",
        "gelu", "swish", "softplus", "sigmoid", "leaky-relu", "linear", "step", "abs".
    hidden
        The hidden width, or a list of them, layer by layer.
    activation
        Any activation in `z`, and in `v`, the variance of z at the point: numbers, pi, e, ``+ - * / ^``, abs sign
        step exp log log1p sqrt sin cos tanh sigmoid erf min max.
    sigma_w, sigma_b
        Standard deviations: one for all, or one for each affine layer; by default those of `arch`.
    law_w, law_b
        Laws: "gaussian", "uniform", "rademacher", "laplace", for biases also "phase"; one for all, or one for each
        affine layer.
    d_out
        Outputs.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.Net("relu", hidden=20, sigma_b=0.1)
    Net('relu', hidden=[20], sigma_w=[1.0, 1.0], sigma_b=[0.1, 0.1])
    >>> nnqft.Net(activation="z*exp(-z^2)", law_w=["gaussian", "uniform"]).activation
    'z*exp(-z^2)'
    """

    def __init__(
        self,
        arch: str | None = None,
        hidden: Count | Sequence[Count] = 100,
        *,
        activation: str | None = None,
        sigma_w: SupportsFloat | Sequence[SupportsFloat] | None = None,
        sigma_b: SupportsFloat | Sequence[SupportsFloat] | None = None,
        law_w: str | Sequence[str] | None = None,
        law_b: str | Sequence[str] | None = None,
        d_out: Count = 1,
    ) -> None:
        arguments.words("arch", arch)
        arguments.words("activation", activation)
        self._given = {
            "arch": arch,
            "activation": activation,
            "hidden": arguments.counts("hidden", hidden),
            "d_out": arguments.count("d_out", d_out),
            "sigma_w": arguments.numbers("sigma_w", sigma_w),
            "sigma_b": arguments.numbers("sigma_b", sigma_b),
            "law_w": arguments.words("law_w", law_w),
            "law_b": arguments.words("law_b", law_b),
        }
        self._net = _engine.Net(self._given)
        self._spec = self._net.spec()

    @property
    def arch(self) -> str | None:
        """The name in the catalogue, if the net has one."""
        name = self._spec["arch"]
        return None if name is None else str(name)

    @property
    def activation(self) -> str:
        """The expression of the activation."""
        return str(self._spec["activation"])

    @property
    def hidden(self) -> list[int]:
        """The hidden widths, layer by layer."""
        return [int(width) for width in self._spec["hidden"]]

    @property
    def d_out(self) -> int:
        """The number of outputs."""
        return int(self._spec["d_out"])

    @property
    def sigma_w(self) -> list[float]:
        """Standard deviations of the weights times sqrt(fan-in), one for each affine layer."""
        return [float(sigma) for sigma in self._spec["sigma_w"]]

    @property
    def sigma_b(self) -> list[float]:
        """Standard deviations of the biases, one for each affine layer."""
        return [float(sigma) for sigma in self._spec["sigma_b"]]

    @property
    def law_w(self) -> list[str]:
        """Laws of the weights, one for each affine layer."""
        return list(self._spec["law_w"])

    @property
    def law_b(self) -> list[str]:
        """Laws of the biases, one for each affine layer."""
        return list(self._spec["law_b"])

    @property
    def kernel(self) -> NetKernel:
        """The GP kernel K(x, y) = E[f(x) f(y)]: call it on points, ``net.kernel(x)`` or ``net.kernel(x, y)``.

        With scikit-learn imported it is one of its kernels: ``GaussianProcessRegressor(net.kernel)``, and sums and
        products with others, have the network's prior.

        Examples
        --------
        >>> import nnqft
        >>> net = nnqft.Net("relu")
        >>> net.kernel([[1.0], [2.0]], [[3.0]])  # x y / 2 where x y > 0 (Cho and Saul 2009)
        array([[1.5],
               [3. ]])
        """
        if "sklearn.gaussian_process.kernels" in sys.modules:
            from ._sklearn import SklearnKernel

            return SklearnKernel(self)
        return NetKernel(self)

    @property
    def critical_point(self) -> CriticalPoint:
        """The critical point of the activation, where signals neither die nor explode with depth.

        Examples
        --------
        >>> import nnqft
        >>> nnqft.Net("tanh").critical_point
        CriticalPoint(sigma_w=1.0, sigma_b=0.0, kernel=0.0, kind='zero-kernel')
        """
        found = self._net.critical()
        return CriticalPoint(found["sigma_w"], found["sigma_b"], found["kernel"], found["class"])

    def __repr__(self) -> str:
        first = f"activation={self.activation!r}" if self.arch is None else repr(self.arch)
        parts = [first, *(f"{name}={getattr(self, name)!r}" for name in ("hidden", "sigma_w", "sigma_b"))]
        for name in ("law_w", "law_b"):
            laws = getattr(self, name)
            if set(laws) != {"gaussian"}:
                parts.append(f"{name}={laws!r}")
        if self.d_out != 1:
            parts.append(f"d_out={self.d_out}")
        return f"Net({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Net) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._given,)


def _again(given: dict[str, Any]) -> Net:
    return Net(**given)


def critical(
    arch: str | None = None,
    hidden: Count | Sequence[Count] = 100,
    *,
    activation: str | None = None,
    law_w: str | Sequence[str] | None = None,
    law_b: str | Sequence[str] | None = None,
    d_out: Count = 1,
) -> Net:
    """A net at the critical point of its activation (Roberts, Yaida and Hanin 2022, chapter 5).

    Parameters
    ----------
    arch, hidden, activation, law_w, law_b, d_out
        As for `Net`; sigma_w and sigma_b are those of the critical point.

    Returns
    -------
    Net

    Raises
    ------
    InvalidSpec
        If the activation has no critical point; the sentence says why.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.critical("tanh", hidden=[50, 50, 50])
    Net('tanh', hidden=[50, 50, 50], sigma_w=[1.0, 1.0, 1.0, 1.0], sigma_b=[0.0, 0.0, 0.0, 0.0])
    """
    others: dict[str, Any] = {"activation": activation, "law_w": law_w, "law_b": law_b, "d_out": d_out}
    point = Net(arch, hidden, **others).critical_point
    return Net(arch, hidden, **others, sigma_w=point.sigma_w, sigma_b=point.sigma_b)


class NetKernel:
    """The GP kernel of a net, K(x, y) = E[f(x) f(y)], exact at every width."""

    def __init__(self, net: Net) -> None:
        self.net = net

    def __call__(self, x: Points, y: Points | None = None) -> Array:
        """The kernel at points.

        Parameters
        ----------
        x
            Points, shape (P, d_in), or (P,) for d_in = 1.
        y
            Other points, (Q, d_in); `x` itself by default.

        Returns
        -------
        ndarray
            Shape (P, P), symmetric, or (P, Q); the unit of f^2.
        """
        return kernel(self.net, x, y)

    def __repr__(self) -> str:
        return f"{self.net!r}.kernel"


def kernel(net: Net, x: Points, y: Points | None = None) -> Array:
    """The GP kernel K(x, y) = E[f(x) f(y)] (arXiv:2008.08601, section 2; Williams 1997; Cho and Saul 2009).

    Parameters
    ----------
    net
        A network; K does not depend on its width.
    x
        Points, shape (P, d_in), or (P,) for d_in = 1.
    y
        Other points, (Q, d_in); `x` itself by default.

    Returns
    -------
    ndarray
        Shape (P, P), symmetric, or (P, Q); the unit of f^2.

    Examples
    --------
    >>> import nnqft
    >>> nnqft.kernel(nnqft.Net("relu"), [1.0, 2.0])  # x y / 2
    array([[0.5, 1. ],
           [1. , 2. ]])
    """
    other = None if y is None else arguments.points("y", y)
    run = _engine.kernel(net._net, arguments.points("x", x), other)
    result: Array = Run(run, np.asarray).result(progress=False)
    return result
