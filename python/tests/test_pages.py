"""Examples of docstrings, of README.md and of the book run; notebooks execute."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
from pathlib import Path

import pytest

import nnqft

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(m.name for m in pkgutil.iter_modules(nnqft.__path__) if m.name not in ("_engine", "__main__"))
PAGES = ["README.md", "docs/src/python.md", "python/README.md"]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::nnqft.Unreliable")
@pytest.mark.parametrize("name", ["nnqft", *(f"nnqft.{name}" for name in MODULES)])
def test_examples_of_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "nnqft._sklearn":
        pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


@pytest.mark.parametrize("name", ["ensemble", "sample", "theory", "kernel", "falloff", "depth", "eft", "rg", "symmetry", "train",
                                  "compare_cpu", "critical", "devices", "load", "Net", "Run"])  # fmt: skip
def test_every_function_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(nnqft, name).__doc__ or "")


@pytest.mark.parametrize("page", PAGES)
def test_programs_of_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks, page
    shared: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), shared)


def test_there_are_two_notebooks() -> None:
    assert len(NOTEBOOKS) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # Checked in as they were executed, from the first cell to the last.
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)) or os.environ.get("UPDATE_NOTEBOOKS")
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    if os.environ.get("UPDATE_NOTEBOOKS"):
        for cell in cells:
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)
