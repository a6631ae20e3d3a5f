"""Long runs: looked at, interrupted, aborted, resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import command_line

import nnqft

LONG: dict[str, Any] = {"nets": 4e9, "backend": "cpu", "progress": False}


def interrupt_after(seconds: float) -> None:
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


def test_ctrl_c_ends_a_run_within_a_second_with_what_there_is(relu: nnqft.Net) -> None:
    interrupt_after(0.5)
    start = time.monotonic()
    with pytest.raises(nnqft.Interrupted, match="checkpoint='FILE' the run could go on") as interrupted:
        nnqft.ensemble(relu, **LONG)
    assert time.monotonic() - start < 1.5
    assert isinstance(interrupted.value, KeyboardInterrupt)
    partial = interrupted.value.partial
    assert isinstance(partial, nnqft.Ensemble)
    assert 1000 < partial.networks < 4e9
    np.testing.assert_allclose(partial[4].exact / partial[4].gp, 1.25)
    assert "PARTIAL" in repr(partial)


def test_an_interrupted_sample_has_the_networks_that_are_there(relu: nnqft.Net) -> None:
    run = nnqft.sample(relu, [[0.5], [1.0]], nets=1e7, backend="cpu", blocking=False)
    while run.progress.networks < 100_000:
        time.sleep(0.001)
    run.abort()
    with pytest.raises(nnqft.Interrupted) as interrupted:
        run.result()
    f = interrupted.value.partial
    assert f.shape[1:] == (2, 1) and 1000 < len(f) < 1e7
    want = nnqft.sample(relu, [[0.5], [1.0]], nets=len(f), backend="cpu")
    assert (f == want).all()


def test_ctrl_c_ends_a_sweep(relu: nnqft.Net) -> None:
    interrupt_after(0.3)
    start = time.monotonic()
    with pytest.raises(nnqft.Interrupted) as interrupted:
        nnqft.falloff(relu, **LONG)
    assert interrupted.value.partial is None
    assert time.monotonic() - start < 1.3


def test_a_handle_can_be_looked_at_and_aborted(relu: nnqft.Net) -> None:
    run = nnqft.ensemble(relu, nets=4e9, backend="cpu", blocking=False)
    with pytest.raises(TimeoutError):
        run.result(timeout=0.3, progress=False)
    assert not run.done
    first = run.partial()
    assert isinstance(first, nnqft.Ensemble) and first[4].mean is not None
    networks, of = run.progress
    assert 0 < first.networks <= networks + 10_000_000 and of == 40_000_000_000
    run.abort()
    with pytest.raises(nnqft.Interrupted) as interrupted:
        run.result()
    assert interrupted.value.partial.networks >= first.networks
    assert run.done
    again = run.partial()
    assert again is not None and again.networks == interrupted.value.partial.networks


def test_a_handle_has_the_result_of_a_call_that_waits(relu: nnqft.Net) -> None:
    run = nnqft.ensemble(relu, nets=1000, blocking=False)
    whole, same = nnqft.ensemble(relu, nets=1000), run.result()
    assert (whole[4].mean == same[4].mean).all() and run.result() is same
    assert run.progress == (10_000, 10_000)
    wrong = nnqft.ensemble(relu, nets=1, experiments=1, blocking=False)
    for _ in range(2):
        with pytest.raises(nnqft.InvalidSpec, match="at least 2"):
            wrong.result()


def test_other_threads_go_on_while_networks_are_drawn(relu: nnqft.Net) -> None:
    run = nnqft.ensemble(relu, nets=4e9, backend="cpu", blocking=False)
    waiting = threading.Thread(target=lambda: run._run.wait(1.0))
    waiting.start()
    start, turns = time.monotonic(), 0
    while time.monotonic() - start < 0.3:
        turns += 1
    run.abort()
    waiting.join()
    assert turns > 10_000


def test_an_interrupted_run_goes_on_here_and_in_the_shell(relu: nnqft.Net, tmp_path: Path) -> None:
    spec: dict[str, Any] = {"nets": 400_000, "experiments": 4, "orders": [2, 4], "backend": "cpu"}
    whole = nnqft.ensemble(relu, **spec)
    here, shell = str(tmp_path / "here.state"), str(tmp_path / "shell.state")
    for file in (here, shell):
        run = nnqft.ensemble(relu, **spec, checkpoint=file, blocking=False)
        while run.progress.networks < 10_000:
            time.sleep(0.001)
        run.abort()
        with pytest.raises(nnqft.Interrupted, match="resume=") as interrupted:
            run.result()
        assert interrupted.value.partial is None or interrupted.value.partial.networks < 1_600_000
    with pytest.raises(nnqft.InvalidSpec, match="^checkpoint .* the file exists; go on with resume"):
        nnqft.ensemble(relu, **spec, checkpoint=here)
    resumed = nnqft.ensemble(resume=here)
    assert (resumed[4].mean == whole[4].mean).all()
    done = command_line("ensemble", "--resume", shell, "--out", str(tmp_path / "out"), "-q")
    assert done.returncode == 0, done.stderr
    assert (nnqft.load(tmp_path / "out")[4].mean == whole[4].mean).all()
    longer = nnqft.ensemble(resume=here, experiments=6)
    assert longer.networks == 2_400_000
    with pytest.raises(nnqft.InvalidSpec, match="^seed: the run has 0, not 1"):
        nnqft.ensemble(resume=here, seed=1)


def test_a_run_of_the_shell_goes_on_here(tmp_path: Path, relu: nnqft.Net) -> None:
    file = str(tmp_path / "run.state")
    options = "--arch relu --width 20 --nets 2000 --orders 4 --backend cpu -q".split()
    assert command_line("ensemble", *options, "--checkpoint", file).returncode == 0
    longer = nnqft.ensemble(relu, resume=file, experiments=12)
    whole = nnqft.ensemble(relu, nets=2000, experiments=12, orders=[4], backend="cpu")
    assert (longer[4].mean == whole[4].mean).all()


def test_a_training_goes_on_here_and_in_the_shell(tmp_path: Path) -> None:
    net = nnqft.Net("tanh", hidden=20)
    asked: dict[str, Any] = {"steps": [0, 300], "nets": 4000, "backend": "cpu"}
    whole = nnqft.train(net, [-1.0, 1.0], [0.5, 0.0], [0.3], **asked)
    here, shell = str(tmp_path / "here.state"), str(tmp_path / "shell.state")
    for file in (here, shell):
        run = nnqft.train(net, [-1.0, 1.0], [0.5, 0.0], [0.3], **asked, checkpoint=file, blocking=False)
        while run.progress.networks < 1000:
            time.sleep(0.001)
        run.abort()
        with pytest.raises(nnqft.Interrupted, match="resume=") as interrupted:
            run.result()
        partial = interrupted.value.partial
        assert partial is None or (not partial.checks and "PARTIAL" in str(partial))
    resumed = nnqft.train(resume=here)
    assert (resumed.mean() == whole.mean()).all()
    assert [check["p_value"] for check in resumed.checks] == [check["p_value"] for check in whole.checks]
    done = command_line("train", "--resume", shell, "--out", str(tmp_path / "out"), "-q")
    assert done.returncode == 0, done.stderr
    assert (nnqft.load(tmp_path / "out").mean() == whole.mean()).all()
    again = nnqft.train(net, [-1.0, 1.0], [0.5, 0.0], [0.3], **asked, checkpoint=here, resume=here)
    assert (again.mean() == whole.mean()).all()
    with pytest.raises(nnqft.InvalidSpec, match="^rate: the run has the default, not 0.5; of a training nothing can change"):
        nnqft.train(resume=here, rate=0.5)
    with pytest.raises(nnqft.InvalidSpec, match="^y None: give net, X and y, or a run to resume"):
        nnqft.train(net, [1.0])
    with pytest.raises(nnqft.InvalidSpec, match="a run of train, not of ensemble"):
        nnqft.ensemble(resume=here)


def test_a_process_that_ends_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "run.state"
    script = (
        "import nnqft, time\n"
        f"run = nnqft.ensemble(nnqft.Net('relu'), nets=4e9, backend='cpu', checkpoint={str(file)!r}, blocking=False)\n"
        "while run.progress.networks < 1000: time.sleep(0.01)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=60)
    assert done.returncode == 0
    resumed = nnqft.ensemble(resume=file, blocking=False)
    while not resumed.progress.of:
        time.sleep(0.01)
    assert resumed.progress.networks >= 1000
    resumed.abort()
    with pytest.raises(nnqft.Interrupted):
        resumed.result()
