"""Arguments as people give them, made what the engine takes; a wrong one is named in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, SupportsFloat, SupportsIndex, Union

import numpy as np
import numpy.typing as npt

from ._errors import InvalidSpec

#: Points: an array of shape (P, d_in), or (P,) for d_in = 1; or, as on the command line, the name of a preset
#: such as "relu-d2", or of a file.
Points = Union[npt.ArrayLike, str]
#: A whole number, of any type: 1000, 1e6, numpy.int64(5).
Count = Union[SupportsIndex, SupportsFloat]
#: A path of a file or a folder.
Path = Union[str, "os.PathLike[str]"]
#: What arrays hold.
Array = npt.NDArray[Any]


def count(name: str, value: Any, most: int = 2**64 - 1) -> int:
    """A whole number from 0 to `most`."""
    wrong = InvalidSpec(f"{name} {value!r}: give a whole number from 0 to {most}, such as 1000 or 1e6")
    if isinstance(value, (bool, np.bool_, str)):
        raise wrong
    try:
        whole = int(value)
        same = bool(whole == value)
    except (TypeError, ValueError, OverflowError):
        raise wrong from None
    if not same or not 0 <= whole <= most:
        raise wrong
    return whole


def optional_count(name: str, value: Any, most: int = 2**64 - 1) -> int | None:
    """A whole number, or None."""
    return None if value is None else count(name, value, most)


def counts(name: str, values: Any) -> list[int]:
    """A list of whole numbers; one stands for a list of one."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        values = [values]
    return [count(name, value) for value in values]


def number(name: str, value: Any) -> float:
    """A real number."""
    if not isinstance(value, (bool, np.bool_, str)):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    raise InvalidSpec(f"{name} {value!r}: give a number")


def numbers(name: str, values: Any) -> list[float] | None:
    """A list of real numbers, or None; one stands for a list of one."""
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        values = [values]
    return [number(name, value) for value in values]


def words(name: str, values: Any) -> list[str] | None:
    """A list of names, or None; one stands for a list of one."""
    if values is None:
        return None
    listed = [values] if isinstance(values, str) else list(values)
    for value in listed:
        if not isinstance(value, str):
            raise InvalidSpec(f"{name} {value!r}: give a name, or a list of names")
    return listed


def points(name: str, x: Any) -> Array:
    """Points as the engine takes them: float64, C order, shape (P, d_in)."""
    try:
        array = np.asarray(x)
    except ValueError:
        raise InvalidSpec(f"{name}: points need the same number of coordinates each, shape (P, d_in)") from None
    if array.dtype.kind not in "fiu":
        raise InvalidSpec(f"{name} of dtype {array.dtype}: give an array of real numbers, shape (P, d_in)")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise InvalidSpec(f"{name} of shape {array.shape}: give points of shape (P, d_in), or (P,) for d_in = 1")
    return np.ascontiguousarray(array, dtype=np.float64)


def points_or_name(name: str, x: Any) -> Array | str | None:
    """Points, the name of a preset or of a file, or None for the points of the net."""
    if x is None:
        return None
    if isinstance(x, str):
        return x
    if isinstance(x, os.PathLike):
        return f"@{os.fspath(x)}"
    return points(name, x)
