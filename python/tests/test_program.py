"""The program comes with the wheel: the same one, signals and exit codes included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nnqft

MODULE = [sys.executable, "-m", "nnqft"]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*MODULE, *arguments], capture_output=True, text=True, timeout=60)


def test_it_measures_and_has_its_exit_codes() -> None:
    done = run("ensemble", "--arch", "relu", "--nets", "100", "--backend", "cpu")
    assert done.returncode == 0 and done.stdout.startswith("ReLU-net, N = 100")
    wrong = run("ensemble", "--sigma-w", "-1")
    assert wrong.returncode == 2 and "--sigma-w -1" in wrong.stderr and "Traceback" not in wrong.stderr
    assert run("ensemble", "--no-such-option").returncode == 2
    failed = run("eft", "--arch", "gauss", "--width", "2", "--nets", "500", "--cutoffs", "100", "--backend", "cpu")
    assert failed.returncode == 1 and failed.stdout
    version = run("--version")
    assert version.stdout.split() == ["nnqft-gpu", nnqft.__version__]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_what_there_is(tmp_path: Path, name: signal.Signals) -> None:
    file = tmp_path / "run.state"
    options = ["ensemble", "--nets", "4e9", "--backend", "cpu", "--checkpoint", str(file)]
    with subprocess.Popen([*MODULE, *options], stderr=subprocess.PIPE, text=True) as program:
        while not file.exists():
            time.sleep(0.01)
        time.sleep(0.3)
        start = time.monotonic()
        program.send_signal(name)
        _, said = program.communicate(timeout=10)
        assert time.monotonic() - start < 1.5
    assert program.returncode == 130
    assert "interrupted" in said and "--resume" in said and "Traceback" not in said


def test_a_reader_that_leaves_is_no_error() -> None:
    line = f"{sys.executable} -m nnqft theory --json | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_it_is_on_the_path() -> None:
    script = Path(sys.executable).parent / "nnqft-gpu"
    if not script.exists():
        assert os.environ.get("NNQFT_WHEEL") is None
        pytest.skip("the package is not installed")
    assert shutil.which("nnqft-gpu", path=str(script.parent)) == str(script)
    assert subprocess.run([script, "--version"], capture_output=True, check=True).stdout.startswith(b"nnqft-gpu")
