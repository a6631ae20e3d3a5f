"""What is measured on n-point functions: fall-off, couplings, running, symmetry; and what a machine has."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arguments import Array
from ._document import Result, axes, column, title
from ._errors import InvalidSpec


class Falloff(Result):
    """How n-point functions fall off to those of the Gaussian process as the width grows; `falloff` makes it."""

    command = "falloff"

    @property
    def widths(self) -> Array:
        """The widths, (W,)."""
        return np.array([entry["width"] for entry in self.document["widths"]], dtype=np.int64)

    @property
    def orders(self) -> list[int]:
        """The orders n."""
        return [int(entry["order"]) for entry in self.document["widths"][0]["orders"]]

    def _curve(self, order: int, *keys: str) -> Array:
        at = self.orders.index(order)
        return column([entry["orders"][at] for entry in self.document["widths"]], *keys)

    def mean(self, order: int, estimator: str = "direct") -> Array:
        """The mean of m_n over elements at each width, (W,), by the direct estimator or the connected one."""
        return self._curve(order, *_keys(estimator), "deviation_mean")

    def std_err(self, order: int, estimator: str = "direct") -> Array:
        """The standard error of `mean`, (W,)."""
        return self._curve(order, *_keys(estimator), "std_err")

    def exact(self, order: int) -> Array:
        """The exact mean of m_n at each width, (W,); NaN where it is not known."""
        return self._curve(order, "exact_mean")

    @property
    def slopes(self) -> dict[int, tuple[float, float]]:
        """d ln m_n / d ln N and its standard error, by order; the theory of arXiv:2008.08601 has -1."""
        fits = {fit["order"]: fit for fit in self.document["fits"]}
        return {n: (float(fit["slope"]), float(fit["std_err"])) for n, fit in fits.items() if "slope" in fit}

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for entry in self.document["widths"]:
            for one in entry["orders"]:
                second = one.get("connected") or {}
                rows.append(
                    {
                        "width": int(entry["width"]),
                        "n": int(one["order"]),
                        "mean m_n": one["deviation_mean"],
                        "± error": one["std_err"],
                        "connected m_n": second.get("deviation_mean"),
                        "± its error": second.get("std_err"),
                        "exact m_n": one.get("exact_mean"),
                        "background": one["background"],
                    }
                )
        return rows

    def _notes(self) -> list[str]:
        slopes = [f"n = {n}: slope {slope:.3f} ± {error:.3f}" for n, (slope, error) in self.slopes.items()]
        return slopes + super()._notes()

    def _title(self) -> str:
        return title(dict(self.spec, hidden=self.widths.tolist()))

    def plot(self, ax: Any = None) -> Any:
        """Draws |m_n| against the width with error bars, exact values as lines and backgrounds dashed (matplotlib).

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        ax = axes(ax)
        widths = self.widths
        for k, n in enumerate(order for order in self.orders if order > 2):
            marks: dict[str, Any] = {"color": f"C{k}", "ls": "", "capsize": 2}
            ax.errorbar(
                widths, np.abs(self.mean(n)), self.std_err(n), marker="o", mfc="none", label=f"n = {n}", **marks
            )
            connected = np.abs(self.mean(n, "connected"))
            if not np.isnan(connected).all():
                errors = self.std_err(n, "connected")
                ax.errorbar(widths, connected, errors, marker=".", label=f"n = {n}, connected", **marks)
            ax.plot(widths, np.abs(self.exact(n)), color=f"C{k}", lw=1, label=f"n = {n}, exact")
            ax.plot(widths, self._curve(n, "background"), color=f"C{k}", ls="--", lw=0.8)
        ax.set(xlabel="width N", ylabel="mean of $|m_n|$", xscale="log", yscale="log")
        ax.legend()
        return ax


def _keys(estimator: str) -> list[str]:
    return ["connected"] if estimator == "connected" else []


class Depth(Result):
    """How n-point functions drift away from those of the Gaussian process with depth; `depth` makes it."""

    command = "depth"

    @property
    def depths(self) -> Array:
        """The numbers of hidden layers, (L,); with several widths each as often as there are."""
        return np.array([entry["depth"] for entry in self.document["depths"]], dtype=np.int64)

    @property
    def widths(self) -> Array:
        """The width of the hidden layers at each of `depths`, (L,)."""
        return np.array([entry["width"] for entry in self.document["depths"]], dtype=np.int64)

    @property
    def orders(self) -> list[int]:
        """The orders n."""
        return [int(entry["order"]) for entry in self.document["depths"][0]["orders"]]

    def _curve(self, order: int, key: str) -> Array:
        at = self.orders.index(order)
        return column([entry["orders"][at] for entry in self.document["depths"]], key)

    def mean(self, order: int) -> Array:
        """The mean of m_n over elements at each depth, (L,); at n = 2 the correction of the mean."""
        return self._curve(order, "deviation_mean")

    def std_err(self, order: int) -> Array:
        """The standard error of `mean`, (L,)."""
        return self._curve(order, "std_err")

    def exact(self, order: int) -> Array:
        """The exact mean of m_n, (L,); NaN where it is not known."""
        return self._curve(order, "exact_mean")

    def first_order(self, order: int) -> Array:
        """The mean of m_n to first order in 1/N, (L,); NaN where the exact one is known."""
        return self._curve(order, "first_order_mean")

    @property
    def vertex(self) -> Array:
        """n v / K^2 at each depth, averaged over points, (L,)."""
        return column(self.document["depths"], "vertex", "mean")

    def _title(self) -> str:
        return title(dict(self.spec, hidden=self.spec["hidden"][:1]))

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "depth": int(entry["depth"]),
                "width": int(entry["width"]),
                "n": int(one["order"]),
                "mean m_n": one["deviation_mean"],
                "± error": one["std_err"],
                "exact m_n": one["exact_mean"],
                "first-order m_n": one["first_order_mean"],
                "neglected": one["first_order_neglected"],
            }
            for entry in self.document["depths"]
            for one in entry["orders"]
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draws |m_n| against L/N with error bars, theory as lines (matplotlib), and returns the Axes."""
        ax = axes(ax)
        aspect = self.depths / self.widths
        order = np.argsort(aspect, kind="stable")
        for k, n in enumerate(n for n in self.orders if n > 2):
            errors = {"fmt": "o", "mfc": "none", "capsize": 2, "color": f"C{k}", "label": f"n = {n}"}
            ax.errorbar(aspect, np.abs(self.mean(n)), self.std_err(n), **errors)
            known = np.where(np.isnan(self.exact(n)), self.first_order(n), self.exact(n))
            ax.plot(aspect[order], np.abs(known)[order], color=f"C{k}", lw=1, label=f"n = {n}, theory")
        ax.set(xlabel="depth over width L/N", ylabel="mean of $|m_n|$", xscale="log", yscale="log")
        ax.legend()
        return ax


class Eft(Result):
    """The quartic coupling, and the 6-point function that it predicts; `eft` makes it."""

    command = "eft"

    @property
    def cutoffs(self) -> Array:
        """The cutoffs L of the box [-L, L]^d_in, (C,)."""
        return column(self._points, "cutoff")

    @property
    def coupling(self) -> Array:
        """The coupling lambda at each cutoff, (C,); NaN where every vertex integral vanishes."""
        return column(self._points, "lambda", "mean")

    @property
    def coupling_std_err(self) -> Array:
        """The standard error of `coupling`, (C,), a jackknife over experiments."""
        return column(self._points, "lambda", "std_err")

    @property
    def delta(self) -> Array:
        """delta = (G6 - GP) / prediction at each cutoff, averaged over elements, (C,): 1 if lambda is all there
        is."""
        return column(self._points, "six_point", "delta_mean")

    @property
    def delta_std_err(self) -> Array:
        """The standard error of `delta`, (C,)."""
        return column(self._points, "six_point", "delta_std_err")

    @property
    def coupling_exact(self) -> Array:
        """The coupling of exact moments at this width, (C,), beside the sampled one; NaN where they are not known."""
        return column(self._points, "exact", "lambda")

    @property
    def delta_exact(self) -> Array:
        """delta of exact moments, (C,)."""
        return column(self._points, "exact", "delta_mean")

    @property
    def fits(self) -> list[dict[str, Any]]:
        """The fits of lambda as a function: ``terms``, ``coefficients``, ``train`` and ``test`` with ``mape`` and
        ``max`` in percent; none without ``fit=True``."""
        return list(self.document.get("fits", []))

    @property
    def _points(self) -> list[dict[str, Any]]:
        return list(self.document.get("cutoffs", []))

    def _rows(self) -> list[dict[str, Any]]:
        if self.fits:
            return [
                {
                    "lambda": " + ".join(fit["terms"]),
                    "rank": int(fit["rank"]),
                    "train mape, %": fit["train"]["mape"],
                    "train max, %": fit["train"]["max"],
                    "test mape, %": fit["test"]["mape"],
                    "test max, %": fit["test"]["max"],
                }
                for fit in self.fits
            ]
        rows = []
        for k, entry in enumerate(self._points):
            of = entry["lambda"] or {}
            rows.append(
                {
                    "cutoff": float(entry["cutoff"]),
                    "lambda": of.get("mean"),
                    "± error": of.get("std_err"),
                    "exact": self.coupling_exact[k],
                    "spread": of.get("std"),
                    "lambda is": of.get("verdict"),
                    "delta": self.delta[k],
                    "± its error": self.delta_std_err[k],
                    "exact delta": self.delta_exact[k],
                }
            )
        return rows

    def plot(self, ax: Any = None) -> Any:
        """Draws |lambda| against the cutoff (matplotlib), and returns the Axes."""
        if self.fits:
            raise InvalidSpec("fit True: a fit has one cutoff, and nothing to draw")
        ax = axes(ax)
        ax.errorbar(self.cutoffs, np.abs(self.coupling), self.coupling_std_err, fmt="o-", capsize=2)
        ax.set(xlabel="cutoff $\\Lambda$", ylabel="$|\\lambda|$", xscale="log", yscale="log")
        return ax


class Rg(Result):
    """The running coupling; `rg` makes it."""

    command = "rg"

    @property
    def cutoffs(self) -> Array:
        """The cutoffs, (C,)."""
        return column(self.document["points"], "cutoff")

    @property
    def coupling(self) -> Array:
        """The coupling lambda at each cutoff, (C,)."""
        return column(self.document["points"], "lambda_mean")

    @property
    def coupling_std_err(self) -> Array:
        """The standard error of `coupling`, (C,)."""
        return column(self.document["points"], "lambda_std_err")

    @property
    def beta(self) -> Array:
        """d lambda / d ln Lambda at each cutoff, (C,)."""
        return column(self.document["points"], "beta")

    @property
    def slope(self) -> float:
        """d ln |lambda| / d ln Lambda, fitted over the cutoffs."""
        return float(column([self.document], "fit", "slope")[0])

    @property
    def theory_slope(self) -> float:
        """The slope of theory at large cutoffs."""
        return float(column([self.document], "theory_slope")[0])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "cutoff": float(entry["cutoff"]),
                "lambda": entry["lambda_mean"],
                "± error": entry["lambda_std_err"],
                "beta": entry["beta"],
                "slope": entry["slope"],
                "± its error": entry["slope_std_err"],
            }
            for entry in self.document["points"]
        ]

    def _notes(self) -> list[str]:
        return [f"slope {self.slope:.4g}, in theory {self.theory_slope:.4g}", *super()._notes()]

    def plot(self, ax: Any = None) -> Any:
        """Draws |lambda| against the cutoff (matplotlib), and returns the Axes."""
        ax = axes(ax)
        label = f"slope {self.slope:.3f}, in theory {self.theory_slope:.3g}"
        ax.errorbar(self.cutoffs, np.abs(self.coupling), self.coupling_std_err, fmt="o-", capsize=2, label=label)
        ax.set(xlabel="cutoff $\\Lambda$", ylabel="$|\\lambda|$", xscale="log", yscale="log")
        ax.legend()
        return ax


class Symmetry(Result):
    """Tests of SO(d_out), and the coupling over d_out; `symmetry` makes it."""

    command = "symmetry"

    @property
    def d_out(self) -> Array:
        """The numbers of outputs, (D,)."""
        return np.array([row["d_out"] for row in self.document["d_out"]], dtype=np.int64)

    @property
    def tree(self) -> Array:
        """The coupling at tree level, (D,)."""
        return column(self.document["d_out"], "lambda_tree")

    @property
    def one_loop(self) -> Array:
        """The coupling at one loop, (D,)."""
        return column(self.document["d_out"], "lambda_one_loop")

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The tests: ``name``, ``d_out``, ``value``, ``pass``, ..; without sampling there are none."""
        return list(self.document["checks"])

    @property
    def passed(self) -> bool:
        """Whether no test has failed."""
        return all(check["pass"] is not False for check in self.checks)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "d_out": int(row["d_out"]),
                "tree": row["lambda_tree"],
                "± error": row["lambda_tree_std_err"],
                "one loop": row["lambda_one_loop"],
                "± its error": row["lambda_one_loop_std_err"],
                "exact tree": row["lambda_tree_exact"],
                "exact one loop": row["lambda_one_loop_exact"],
            }
            for row in self.document["d_out"]
        ]

    def _notes(self) -> list[str]:
        words = {True: "passed", False: "FAILED", None: "undecided"}
        checks = [f"{check['name']} at d_out = {check['d_out']}: {words[check['pass']]}" for check in self.checks]
        return checks + list(self.document["notes"]) + super()._notes()

    def plot(self, ax: Any = None) -> Any:
        """Draws |lambda| against d_out (matplotlib), and returns the Axes."""
        ax = axes(ax)
        ax.plot(self.d_out, np.abs(self.tree), "o-", label="tree level")
        ax.plot(self.d_out, np.abs(self.one_loop), "s-", label="one loop")
        ax.set(xlabel="outputs", ylabel="$|\\lambda|$")
        ax.legend()
        return ax


class Train(Result):
    """What networks learn, beside those of infinite width; `train` makes it."""

    command = "train"

    @property
    def widths(self) -> Array:
        """The widths N, (W,)."""
        return np.array([entry["width"] for entry in self.document["widths"]], dtype=np.int64)

    @property
    def steps(self) -> Array:
        """The numbers of steps after which the networks were looked at, (S,)."""
        return np.array(self.spec["steps"], dtype=np.int64)

    @property
    def points(self) -> Array:
        """The points, first those that were learnt, (P, d_in)."""
        return np.concatenate([np.asarray(part, dtype=float) for part in (self.spec["data"]["inputs"], self.spec["inputs"])])

    def _step(self, step: int | None, width: int | None) -> dict[str, Any]:
        entries = self.document["widths"]
        at = -1 if width is None else [int(entry["width"]) for entry in entries].index(width)
        steps: list[dict[str, Any]] = entries[at]["steps"]
        return steps[-1 if step is None else [int(entry["step"]) for entry in steps].index(step)]

    def _fields(self, key: str, step: int | None, width: int | None) -> Array:
        # What may be missing is left out of JSON.
        values = self._step(step, width).get(key)
        d_out = int(self.spec["d_out"])
        if values is None:
            values = np.full(len(self.points) * d_out, np.nan)
        fields = np.array(values, dtype=float)
        return fields if d_out == 1 else fields.reshape(d_out, -1).T

    def mean(self, step: int | None = None, width: int | None = None) -> Array:
        """E f at the points after so many steps, by default the last, of networks of a width, by default the last, (P,)
        or (P, d_out)."""
        return self._fields("mean", step, width)

    def std_err(self, step: int | None = None, width: int | None = None) -> Array:
        """The standard error of `mean`."""
        return self._fields("std_err", step, width)

    def mean_deviation(self, step: int | None = None, width: int | None = None) -> Array:
        """E f less `infinite_mean`, with less noise than the difference of the two: the average of what each network differs
        by from its own linear model. NaN before the first step, and where networks have diverged."""
        return self._fields("mean_deviation", step, width)

    def mean_deviation_std_err(self, step: int | None = None, width: int | None = None) -> Array:
        """The standard error of `mean_deviation`."""
        return self._fields("mean_deviation_std_err", step, width)

    def variance(self, step: int | None = None, width: int | None = None) -> Array:
        """Var f at the points, as `mean`."""
        return self._fields("variance", step, width)

    def variance_std_err(self, step: int | None = None, width: int | None = None) -> Array:
        """The standard error of `variance`."""
        return self._fields("variance_std_err", step, width)

    def kurtosis(self, step: int | None = None, width: int | None = None) -> Array:
        """The excess kurtosis of f at the points, as `mean`; NaN where f does not vary."""
        return self._fields("kurtosis", step, width)

    def infinite_mean(self, step: int | None = None) -> Array:
        """E f at infinite width, as `mean`."""
        return self._fields("infinite_mean", step, None)

    def infinite_variance(self, step: int | None = None) -> Array:
        """Var f at infinite width, as `mean`."""
        return self._fields("infinite_variance", step, None)

    @property
    def slopes(self) -> list[dict[str, Any]]:
        """The powers of N by which the networks deviate from infinite width: ``step``, ``of``, ``slope``, ``std_err``, and
        ``last_slope`` between the two largest widths; empty for one width."""
        return list(self.document["fits"])

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Tests of what is exact at every width: ``name``, ``width``, ``step``, ``p_value``, ``pass``."""
        return list(self.document["checks"])

    def _title(self) -> str:
        return title(dict(self.spec, hidden=self.spec["hidden"][:1]))

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "N": int(entry["width"]),
                "steps": int(step["step"]),
                "x": ",".join(f"{c:g}" for c in step["points"][f]),
                "mean f": step["mean"][f],
                "± error": step["std_err"][f],
                "N = inf": None if step["infinite_mean"] is None else step["infinite_mean"][f],
                "variance": step["variance"][f],
                "N = inf ": None if step["infinite_variance"] is None else step["infinite_variance"][f],
            }
            for entry in self.document["widths"]
            for step in entry["steps"]
            for f in range(len(step["mean"]))
        ]

    def _notes(self) -> list[str]:
        notes = [str(note) for note in self.document["notes"]]
        partial = self.document.get("partial")
        if partial is not None:
            notes.append(f"PARTIAL: {partial['networks']} of {partial['of']} networks; checks are made once all are there")
        return notes

    def plot(self, ax: Any = None) -> Any:
        """Draws mean and one standard deviation of f against x after the last step, with infinite width as a line and the
        data (matplotlib, d_in = 1), and returns the Axes."""
        if self.points.shape[1] != 1:
            raise ValueError(f"points of {self.points.shape[1]} coordinates are on no axis; draw `mean` yourself")
        ax = axes(ax)
        x = self.points[:, 0]
        order = np.argsort(x)
        targets = np.asarray(self.spec["data"]["targets"], dtype=float)
        mean, spread = (np.reshape(a, (len(x), -1)) for a in (self.mean(), np.sqrt(self.variance())))
        for a in range(mean.shape[1]):
            colour = f"C{a}"
            low, high = (mean[order, a] + sign * spread[order, a] for sign in (-1, 1))
            ax.fill_between(x[order], low, high, color=colour, alpha=0.2)
            ax.plot(x, mean[:, a], "o", color=colour, label=f"output {a}" if mean.shape[1] > 1 else "mean")
            curve = self.document.get("curve")
            if curve is not None and len(curve["steps"]) > 0:
                ax.plot(curve["x"], np.asarray(curve["steps"][-1]["mean"])[a], color=colour, lw=1)
            ax.plot(x[: len(targets)], targets[:, a], "D", mfc="none", color="k")
        ax.set(xlabel="x", ylabel="f")
        ax.legend()
        return ax


class Comparison(Result):
    """Every stage of the GPU beside the f64 CPU engine; `compare_cpu` makes it."""

    command = "compare-cpu"

    @property
    def passed(self) -> bool:
        """Whether every stage and every fit agrees."""
        return bool(self.document["pass"])

    def _title(self) -> str:
        return f"{self.device['adapter']} against the f64 CPU engine"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "stage": entry["stage"],
                "largest difference": entry["max_abs"],
                "tolerance": entry["tolerance"],
                "unit": entry["unit"],
                "pass": entry["pass"],
            }
            for entry in self.document["stages"]
        ]

    def _notes(self) -> list[str]:
        return ["every stage and fit agrees" if self.passed else "the GPU computes wrongly"]


class Devices(Result):
    """The adapters of a machine; `devices` makes it."""

    command = "devices"

    @property
    def adapters(self) -> list[dict[str, Any]]:
        """Adapters that can run the engine, the best first."""
        return list(self.document["adapters"])

    @property
    def auto(self) -> str:
        """What ``backend="auto"`` takes, and why."""
        return str(self.document["auto"])

    def _attributes(self) -> dict[str, Any]:
        return {"schema": self.document["schema"], "version": self.version}

    def _title(self) -> str:
        return f"auto takes {self.auto}"

    def _rows(self) -> list[dict[str, Any]]:
        return [{key: entry[key] for key in ("name", "kind", "api", "driver")} for entry in self.adapters]
