"""Results of folders, written here or by the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path as File
from typing import Any

import numpy as np

from ._arguments import Array, Path
from ._document import Result, arrays
from ._ensemble import Ensemble, Theory
from ._errors import InvalidSpec
from ._results import Comparison, Depth, Devices, Eft, Falloff, Rg, Symmetry, Train

_KINDS: dict[str, type[Result]] = {
    kind.command: kind for kind in (Ensemble, Theory, Falloff, Depth, Eft, Rg, Symmetry, Train, Comparison, Devices)
}


def load(path: Path, command: str | None = None) -> Any:
    """Reads a result that ``save`` or ``--out`` has written.

    Parameters
    ----------
    path
        The folder.
    command
        Which result, if the folder holds several: "ensemble", "eft", ..

    Returns
    -------
    Result
        What was saved, with equal numbers; a list for a sweep over several widths.

    Examples
    --------
    >>> import nnqft, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     r = nnqft.ensemble(nnqft.Net("relu", hidden=20), nets=1000, orders=[4])
    ...     r.save(folder)
    ...     bool((nnqft.load(folder)[4].mean == r[4].mean).all())
    True
    """
    folder = File(os.fspath(path))
    found = [name for name in _KINDS if (folder / f"{name}.json").exists()]
    if command is not None:
        found = [name for name in found if name == command]
    if not found:
        what = command or ", ".join(_KINDS)
        raise FileNotFoundError(f"{folder}: there is no result here ({what})")
    if len(found) > 1 and "ensemble" in found and command is None:
        # What was measured on an ensemble may stand beside it.
        found = ["ensemble"]
    if len(found) > 1:
        raise InvalidSpec(f"command None: {folder} holds {' and '.join(found)}; say which")
    documents = json.loads((folder / f"{found[0]}.json").read_text(encoding="utf-8"))
    several = isinstance(documents, list)
    results = [_result(arrays(document), folder, several) for document in (documents if several else [documents])]
    return results if several else results[0]


def _result(document: dict[str, Any], folder: File, several: bool) -> Result:
    kind = _KINDS[document["command"]]
    if kind is not Ensemble:
        return kind(document, None, str(folder))
    name = f"moments-{_shape(document['spec']['hidden'])}.npz" if several else "moments.npz"
    with np.load(folder / name) as file:
        more = {key: file[key] for key in file.files}
    return Ensemble(document, None, str(folder), more)


def _shape(hidden: Array) -> str:
    """What the files of one net among several have in their names."""
    widths = [int(width) for width in hidden]
    if len(set(widths)) > 1:
        return "hidden" + "-".join(map(str, widths))
    return f"width{widths[0]}" if len(widths) == 1 else f"depth{len(widths)}-width{widths[0]}"
