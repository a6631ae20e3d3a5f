"""n-point functions: measured, and as theory has them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import _engine
from ._arguments import Array
from ._document import Result, axes, sentence, title
from ._errors import InvalidSpec


class NPoint:
    """One n-point function over its unique elements, G(x_i1, .., x_in) = E[f(x_i1) .. f(x_in)].

    All arrays run over the E unique elements, in the order of `indices`. G has the unit of f^n; deviations and
    pulls have none. What is not known is None; what is undefined for an element is NaN.

    Attributes
    ----------
    order : int
        The order n.
    indices : ndarray of int64, (E, n)
        Points of each element, counted from 0.
    outputs : ndarray of int64, (E, n)
        Outputs of each element; None with one output.
    mean, std_err : ndarray, (E,)
        The estimate, and its standard error from block means over all experiments; None without sampling.
    gp : ndarray, (E,)
        Wick's value at infinite width (arXiv:2008.08601, eq. 2.9).
    exact, exact_error : ndarray, (E,)
        The exact value at this width, and the bound of its error.
    first_order, first_order_neglected : ndarray, (E,)
        Instead of them, the value to first order in 1/n, and the size of what is neglected.
    reference : str
        Which of them is known: "exact", "first order" or "none".
    pull : ndarray, (E,)
        (mean - exact) / error.
    deviation : ndarray, (E,)
        m_n = (G - G_GP) / G_GP, measured; without sampling, the known one.
    converged : ndarray of bool, (E,)
        Whether mean and error bar can be believed.
    connected : ndarray, (E,)
        The connected function (connected estimator, n = 4 and 6).
    delta : ndarray, (E,)
        G - G_GP to its own precision.
    experiments : ndarray, (experiments, E)
        The mean in each experiment.
    summary : dict
        Means over elements: ``deviation_mean``, ``deviation_mean_std_err``, ``background``, ``verdict``, ..
    reason : str
        Why averages have not converged, and what to do; None if they have.
    """

    def __init__(self, entry: dict[str, Any], more: dict[str, Array], points: int, d_out: int) -> None:
        self.order = int(entry["order"])
        self.indices: Array = np.asarray(entry["indices"])
        self.outputs: Array | None = entry.get("outputs")
        self.mean: Array | None = entry.get("mean")
        self.std_err: Array | None = entry.get("std_err")
        self.gp: Array = entry["gp"]
        self.exact: Array | None = entry.get("exact")
        self.exact_error: Array | None = entry.get("exact_error")
        self.first_order: Array | None = entry.get("first_order")
        self.first_order_neglected: Array | None = entry.get("first_order_neglected")
        self.reference = str(entry["reference"])
        self.pull: Array | None = entry.get("pull")
        self.deviation: Array | None = entry.get("deviation")
        self.converged: Array | None = entry.get("converged")
        self.connected: Array | None = entry.get("connected")
        self.reason: str | None = entry.get("reason")
        self.delta: Array | None = more.get(f"G{self.order}_delta")
        self.experiments: Array | None = more.get(f"G{self.order}_experiments")
        self.summary = {key: value for key, value in entry.items() if not isinstance(value, (np.ndarray, list))}
        self._entry = entry
        self._points = points
        self._d_out = d_out
        #: Whether only components whose outputs pair are listed, for one choice of outputs each.
        self._paired = False

    def __len__(self) -> int:
        return len(self.indices)

    def column(self, name: str) -> Array | None:
        """Any column by its name in the JSON, or None where it is not known."""
        value = getattr(self, name, None)
        value = self._entry.get(name) if value is None else value
        return value if isinstance(value, np.ndarray) and value.shape == (len(self),) else None

    def tensor(self, name: str = "mean") -> Array:
        """The full symmetric tensor of a column.

        Parameters
        ----------
        name
            A column: "mean", "std_err", "gp", "exact", "deviation", "pull", "converged", ..

        Returns
        -------
        ndarray
            Shape (P, .., P), n axes; with several outputs (P, D, P, D, .., P, D).

        Examples
        --------
        >>> import nnqft
        >>> four = nnqft.theory(nnqft.Net("relu", hidden=20), [[1.0], [2.0]])[4]
        >>> four.tensor("exact").shape
        (2, 2, 2, 2)
        """
        values = self.column(name)
        if values is None:
            raise InvalidSpec(f"name {name!r}: this {self.order}-point function has no such column")
        n, points, d_out = self.order, self._points, self._d_out
        # Components whose outputs do not pair vanish; nothing is measured of them.
        empty = {"pull": math.nan, "converged": True}.get(name, 0)
        if self.outputs is None:
            full = np.full((points,) * n, empty, dtype=values.dtype)
            for order in itertools.permutations(range(n)):
                full[tuple(self.indices[:, list(order)].T)] = values
            return full
        full = np.full((points, d_out) * n, empty, dtype=values.dtype)
        for outputs in self._relabelled():
            for order in itertools.permutations(range(n)):
                legs = list(order)
                at = [axis for leg in legs for axis in (self.indices[:, leg], outputs[:, leg])]
                full[tuple(at)] = values
        return full

    def _relabelled(self) -> Iterator[Array]:
        """The outputs of the elements: by every name of theirs, if only one is listed."""
        assert self.outputs is not None
        if not self._paired:
            yield self.outputs
            return
        labels = int(self.outputs.max()) + 1
        for names in itertools.permutations(range(self._d_out), labels):
            yield np.array(names)[self.outputs]


class NPoints(Result):
    """n-point functions, by their order: ``r[4]`` is the 4-point function."""

    def __init__(
        self,
        document: dict[str, Any],
        handle: _engine.Document | None = None,
        folder: str | None = None,
        more: dict[str, Array] | None = None,
    ) -> None:
        super().__init__(document, handle, folder)
        if more is None:
            more = {} if handle is None else handle.arrays()
        spec = document["spec"]
        self.inputs: Array = np.asarray(spec["inputs"])
        #: The GP kernel at the points, shape (P, P).
        self.kernel: Array = np.asarray(document["kernel"] if "kernel" in document else more["kernel"])
        self._orders: dict[int, NPoint] = {}
        for entry in document["correlators"]:
            one = NPoint(entry, more, len(self.inputs), int(spec["d_out"]))
            one._paired = spec["estimator"] == "connected"
            self._orders[one.order] = one

    def __getitem__(self, order: int) -> NPoint:
        try:
            return self._orders[order]
        except KeyError:
            raise KeyError(f"order {order}: there are {', '.join(map(str, self._orders))}") from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._orders)

    def __contains__(self, order: object) -> bool:
        return order in self._orders

    def __len__(self) -> int:
        return len(self._orders)

    _columns = (
        "mean",
        "std_err",
        "gp",
        "exact",
        "exact_error",
        "first_order",
        "pull",
        "deviation",
        "deviation_exact",
        "deviation_first_order",
        "connected",
        "connected_std_err",
        "connected_exact",
        "largest_share",
        "converged",
    )

    def to_pandas(self) -> Any:
        """One row per unique element of every order as a pandas.DataFrame, the settings in its ``attrs``."""
        import pandas

        frames = []
        for order, one in self._orders.items():
            columns: dict[str, Any] = {"order": order, "indices": [tuple(i) for i in one.indices.tolist()]}
            if one.outputs is not None:
                columns["outputs"] = [tuple(o) for o in one.outputs.tolist()]
            known = {name: one.column(name) for name in self._columns}
            columns.update((name, values) for name, values in known.items() if values is not None)
            frames.append(pandas.DataFrame(columns))
        frame = pandas.concat(frames, ignore_index=True)
        frame.attrs.update(self._attributes())
        return frame

    def to_xarray(self) -> Any:
        """An xarray.Dataset of all columns, the settings in its ``attrs``.

        Dimensions are ``point``, ``coordinate``, ``experiment``, and ``element_n`` and ``leg_n`` of the n-point
        function; ``G4_indices`` are a coordinate of ``element_4``.
        """
        import xarray

        data: dict[str, Any] = {
            "inputs": (("point", "coordinate"), self.inputs),
            "kernel": (("point", "other_point"), self.kernel),
        }
        coordinates: dict[str, Any] = {"point": np.arange(len(self.inputs))}
        for n, one in self._orders.items():
            element = f"element_{n}"
            coordinates[element] = np.arange(len(one))
            coordinates[f"G{n}_indices"] = ((element, f"leg_{n}"), one.indices)
            if one.outputs is not None:
                coordinates[f"G{n}_outputs"] = ((element, f"leg_{n}"), one.outputs)
            for name in self._columns:
                values = one.column(name)
                if values is not None:
                    data[f"G{n}_{name}"] = ((element,), values)
            if one.experiments is not None:
                data[f"G{n}_experiments"] = (("experiment", element), one.experiments)
        return xarray.Dataset(data, coords=coordinates, attrs=self._attributes())


class Ensemble(NPoints):
    """Measured n-point functions beside the Gaussian process and exact values; `ensemble` makes it.

    ``r[4]`` is the 4-point function, an `NPoint`; ``r.inputs`` (P, d_in) are the points and ``r.kernel`` (P, P)
    is the GP kernel at them.
    """

    command = "ensemble"

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for order, one in self._orders.items():
            s = one.summary
            known = s.get("deviation_mean_exact")
            verdict = "NOT CONVERGED" if one.reason else str(s["verdict"]).replace("_", " ")
            rows.append(
                {
                    "n": order,
                    "elements": len(one),
                    "mean m_n": s["deviation_mean"],
                    "± error": s["deviation_mean_std_err"],
                    f"{one.reference} m_n": s.get("deviation_mean_first_order") if known is None else known,
                    "pull": s["deviation_mean_pull"],
                    "mean |m_n|": s["deviation_abs_mean"],
                    "background": s["background"],
                    "verdict": verdict,
                }
            )
        return rows

    def _notes(self) -> list[str]:
        notes = [sentence({"order": n, "reason": one.reason}) for n, one in self._orders.items() if one.reason]
        partial = self.document.get("partial")
        if partial is not None:
            notes.append(f"PARTIAL: {partial['networks']} of {partial['of']} networks")
        timing = self.timing
        speed = timing.get("networks_per_s") or math.nan
        where = f"{self.device['adapter']} ({self.device['backend']})"
        return [*notes, f"{timing['wall_s']:.2f} s, {speed:.3g} networks/s on {where}"]

    @property
    def networks(self) -> int:
        """Networks that were averaged."""
        partial = self.document.get("partial")
        spec = self.spec
        return int(spec["nets"] * spec["experiments"] if partial is None else partial["networks"])

    def plot(self, ax: Any = None) -> Any:
        """Draws |m_n| of every element with its error beside the exact value and the background (matplotlib).

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        ax = axes(ax)
        for colour, (n, one) in enumerate(self._orders.items()):
            assert one.deviation is not None and one.std_err is not None
            element = np.arange(1, len(one) + 1)
            size = np.abs(one.deviation)
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.abs(one.std_err * one.deviation / one.delta) if one.delta is not None else None
            ax.errorbar(element, size, yerr=error, fmt=".", color=f"C{colour}", label=f"n = {n}", alpha=0.6)
            known = one.column("deviation_exact")
            known = one.column("deviation_first_order") if known is None else known
            if known is not None:
                ax.plot(element, np.abs(known), "-", color=f"C{colour}", label=f"n = {n}, {one.reference}")
            if one.summary["background"] is not None:
                ax.axhline(one.summary["background"], color=f"C{colour}", ls="--", lw=0.8)
        ax.set(xlabel="element of the n-point function", ylabel="$|m_n|$", yscale="log")
        ax.legend()
        return ax


class Theory(NPoints):
    """n-point functions as theory has them; `theory` makes it. ``r.kernel`` (P, P) is the GP kernel."""

    command = "theory"

    def _title(self) -> str:
        # Nothing of the sampling is used.
        return title({key: value for key, value in self.spec.items() if key != "nets"})

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "n": order,
                "elements": len(one),
                f"{one.reference} m_n": one.summary.get("deviation_mean"),
                "left out": one.summary["left_out"],
            }
            for order, one in self._orders.items()
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draws |m_n| of every element (matplotlib), and returns the Axes."""
        ax = axes(ax)
        for colour, (n, one) in enumerate(self._orders.items()):
            if one.deviation is not None:
                element = np.arange(1, len(one) + 1)
                ax.plot(element, np.abs(one.deviation), ".-", color=f"C{colour}", label=f"n = {n}")
        ax.set(xlabel="element of the n-point function", ylabel="$|m_n|$", yscale="log")
        ax.legend()
        return ax
