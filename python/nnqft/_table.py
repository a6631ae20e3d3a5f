"""Tables of results, as text and for notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: A row is what stands in each column.
Row = Mapping[str, Any]


def cell(value: Any) -> str:
    """A value as tables have it: four digits of a number, nothing of what is absent."""
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return "-"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "NO"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


def text(title: str, rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A table whose columns stand below each other."""
    lines = [title]
    if rows:
        names = list(rows[0])
        cells = [names] + [[cell(row.get(name)) for name in names] for row in rows]
        widths = [max(len(line[k]) for line in cells) for k in range(len(names))]
        aligned = ["   ".join(c.rjust(w) for c, w in zip(line, widths)) for line in cells]
        lines += [aligned[0], "-" * len(aligned[0]), *aligned[1:]]
    return "\n".join([*lines, *notes])


def markup(title: str, rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The same table in HTML."""
    parts = [f"<p>{html.escape(title)}</p>"]
    if rows:
        names = list(rows[0])
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell(row.get(name)))}</td>" for name in names) + "</tr>"
            for row in rows
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<p>{html.escape(note)}</p>" for note in notes]
    return "<div>" + "".join(parts) + "</div>"
