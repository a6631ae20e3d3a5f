"""What every result is made of: a document, as the command line writes it, with arrays in place of lists."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from . import _engine, _table
from ._arguments import Array, Path
from ._errors import InvalidSpec

R = TypeVar("R", bound="Result")


def arrays(value: Any) -> Any:
    """What JSON has, with lists of numbers as arrays: whole numbers as int64, others as float64, NaN for null;
    rows of one length as a matrix. `src/list.rs` has the same rule."""
    if isinstance(value, dict):
        return {key: arrays(entry) for key, entry in value.items()}
    if not isinstance(value, list) or not value:
        return value
    items = [arrays(entry) for entry in value]
    if all(isinstance(item, bool) for item in items):
        return np.array(items, dtype=bool)
    if all(isinstance(item, (int, float, type(None))) and not isinstance(item, bool) for item in items):
        if all(isinstance(item, int) for item in items):
            return np.array(items, dtype=np.int64)
        return np.array([math.nan if item is None else item for item in items], dtype=np.float64)
    if all(isinstance(item, np.ndarray) for item in items):
        if len({item.shape for item in items}) == 1 and len({item.dtype.kind == "b" for item in items}) == 1:
            return np.stack(items)
    return items


def plain(value: Any) -> Any:
    """The same with lists in place of arrays, as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


class Result:
    """A result, with the settings that it was made with.

    Attributes
    ----------
    document : dict
        Everything that the JSON of the command line has, with arrays in place of lists.
    spec : dict
        What was asked for: net, points, networks, seed.
    device : dict
        What computed it.
    timing : dict
        Seconds of sampling and accumulation (``wall_s``), and networks per second.
    version : str
        The version of the program.
    """

    #: The command that makes the same, which names the file.
    command = ""

    def __init__(
        self, document: dict[str, Any], handle: _engine.Document | None = None, folder: str | None = None
    ) -> None:
        self.document = document
        self._handle = handle
        self._folder = folder

    @classmethod
    def _of(cls: type[R], made: Any) -> R:
        """Takes what a run has made."""
        handle = made[0]
        return cls(handle.value(), handle)

    @property
    def spec(self) -> dict[str, Any]:
        """What was asked for."""
        return dict(plain(self.document["spec"]))

    @property
    def device(self) -> dict[str, str]:
        """What computed the result."""
        return dict(self.document["device"])

    @property
    def timing(self) -> dict[str, float]:
        """Seconds of sampling and accumulation, and rates."""
        return dict(self.document["timing"])

    @property
    def version(self) -> str:
        """The version of the program that made it."""
        return str(self.document["version"])

    def save(self, path: Path, force: bool = False) -> None:
        """Writes the files of ``--out``: ``<command>.json``, figures, ``moments.npz`` of an ensemble, ``train.npz`` of what
        networks have learnt.

        Parameters
        ----------
        path
            A folder, which is made.
        force
            Write over the results of another run.
        """
        path = os.fspath(path)
        if self._handle is not None:
            self._handle.save(path, force)
            return
        assert self._folder is not None
        if os.path.isdir(path) and os.listdir(path) and not force:
            raise InvalidSpec(f"path {path}: the folder is not empty; give another one, or use force")
        shutil.copytree(self._folder, path, dirs_exist_ok=True)

    def _attributes(self) -> dict[str, Any]:
        """The settings, as files of other programs can hold them."""
        attributes = {
            "schema": self.document["schema"],
            "version": self.version,
            "spec": json.dumps(self.spec),
            "device": self.device["adapter"],
            "backend": self.device["backend"],
        }
        if "seed" in self.spec:
            attributes["seed"] = self.spec["seed"]
        return attributes

    def _title(self) -> str:
        spec = self.spec
        if self.document.get("moments") == "exact":
            # Nothing of the sampling is used.
            del spec["nets"]
        return title(spec)

    def _rows(self) -> list[dict[str, Any]]:
        """The rows of the table."""
        raise NotImplementedError

    def _notes(self) -> list[str]:
        """What is said below the table."""
        reasons = [sentence(entry) for entry in self.document.get("unconverged", [])]
        return [f"NOT CONVERGED: {reason}" for reason in reasons]

    def to_pandas(self) -> Any:
        """The rows of the table as a pandas.DataFrame, the settings in its ``attrs``."""
        import pandas

        frame = pandas.DataFrame(self._rows())
        frame.attrs.update(self._attributes())
        return frame

    def to_xarray(self) -> Any:
        """The rows of the table as an xarray.Dataset, the settings in its ``attrs``."""
        import xarray

        dataset = xarray.Dataset.from_dataframe(self.to_pandas().rename_axis("row"))
        return dataset.assign_attrs(self._attributes())

    def __repr__(self) -> str:
        return _table.text(self._title(), self._rows(), self._notes())

    def _repr_html_(self) -> str:
        return _table.markup(self._title(), self._rows(), self._notes())


def sentence(entry: Mapping[str, Any]) -> str:
    """Why an n-point function has not converged."""
    claim = f"{entry['claim']}, " if entry.get("claim") else ""
    return f"{claim}{entry['order']}-point function: {entry['reason']}"


def title(spec: Mapping[str, Any]) -> str:
    """What was asked for, in a line."""
    parts = [spec["arch"] or spec["activation"]]
    if spec.get("hidden"):
        parts.append("hidden = " + ", ".join(map(str, spec["hidden"])))
    for name in ("sigma_w", "sigma_b"):
        each = sorted(set(spec[name]))
        parts.append(f"{name} = " + ", ".join(f"{s:g}" for s in (each if len(each) == 1 else spec[name])))
    if "inputs" in spec:
        parts.append(f"{len(spec['inputs'])} points")
    if "nets" in spec:
        parts.append(f"{spec['experiments']} x {spec['nets']} networks, {spec['estimator']}, seed {spec['seed']}")
    return ", ".join(parts)


def axes(ax: Any) -> Any:
    """Axes of matplotlib to draw on."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def finite(value: Any) -> float:
    """A number, NaN where there is none; a cutoff may be the word inf."""
    return math.nan if value is None else float(value)


def column(rows: list[dict[str, Any]], *keys: str) -> Array:
    """One number of every row, NaN where there is none."""

    def value(row: Any) -> float:
        for key in keys:
            row = None if row is None else row.get(key)
        return finite(row)

    return np.array([value(row) for row in rows], dtype=np.float64)
