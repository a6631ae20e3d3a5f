"""The package and the command line have the same numbers, bit for bit, and read each other's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import command_line

import nnqft
from nnqft._document import arrays, plain

INPUTS = ["--inputs", "0.2;0.7;1.1"]
X = [0.2, 0.7, 1.1]
SMALL = ["--nets", "500", "--experiments", "20", "--backend", "cpu"]
FEW: dict[str, Any] = {"nets": 500, "experiments": 20, "backend": "cpu"}

CASES = {
    "ensemble": (["--arch", "relu", "--width", "7"], lambda: nnqft.ensemble(nnqft.Net("relu", 7), X, **FEW)),
    "ensemble connected": (
        ["--activation", "z*exp(-z^2)", "--law-w", "gaussian,uniform", "--estimator", "connected", "--seed", "9"],
        lambda: nnqft.ensemble(
            nnqft.Net(activation="z*exp(-z^2)", law_w=["gaussian", "uniform"]), X, estimator="connected", seed=9, **FEW
        ),
    ),
    "ensemble tilted": (
        "--arch gauss --width 3 --estimator connected --tilt auto --orders 4".split(),
        lambda: nnqft.ensemble(nnqft.Net("gauss", 3), X, estimator="connected", tilt="auto", orders=[4], **FEW),
    ),
    "ensemble outputs": (
        "--arch erf --d-out 2 --sigma-w 1.5,1 --orders 2,4".split(),
        lambda: nnqft.ensemble(nnqft.Net("erf", sigma_w=[1.5, 1], d_out=2), X, orders=[2, 4], **FEW),
    ),
    "falloff": (
        "--arch relu --width 2,5,10 --orders 2,4".split(),
        lambda: nnqft.falloff(nnqft.Net("relu"), X, widths=[2, 5, 10], orders=[2, 4], **FEW),
    ),
    "ensemble deep": (
        "--arch tanh --hidden 8,5 --critical --estimator connected --orders 2,4".split(),
        lambda: nnqft.ensemble(nnqft.critical("tanh", [8, 5]), X, estimator="connected", orders=[2, 4], **FEW),
    ),
    "depth": (
        "--arch relu --critical --width 10 --depth 1,2,3 --orders 2,4".split(),
        lambda: nnqft.depth(nnqft.critical("relu", 10), X, depths=[1, 2, 3], orders=[2, 4], **FEW),
    ),
    "eft": (
        "--arch relu --width 20 --cutoffs 10,100".split(),
        lambda: nnqft.eft(nnqft.Net("relu", 20), X, cutoffs=[10, 100], **FEW),
    ),
    "depth aspect": (
        "--arch relu --critical --aspect 0.2 --depth 1,2 --orders 2,4".split(),
        lambda: nnqft.depth(nnqft.critical("relu"), X, depths=[1, 2], aspect=0.2, orders=[2, 4], **FEW),
    ),
    "depth widths": (
        "--arch relu --critical --width 10,20 --depth 1,2 --orders 2,4".split(),
        lambda: nnqft.depth(nnqft.critical("relu"), X, depths=[1, 2], widths=[10, 20], orders=[2, 4], **FEW),
    ),
    "eft fit": (
        "--arch relu --width 20 --fit --cutoffs 100".split(),
        lambda: nnqft.eft(nnqft.Net("relu", 20), X, fit=True, cutoffs=[100], **FEW),
    ),
    "eft fit exact": (
        "--arch gauss --width 20 --fit --moments exact".split(),
        lambda: nnqft.eft(nnqft.Net("gauss", 20), X, fit=True, moments="exact"),
    ),
    "eft exact": (
        "--arch gauss --width 50 --moments exact --vertex weight --cutoffs 10,inf".split(),
        lambda: nnqft.eft(nnqft.Net("gauss", 50), X, moments="exact", vertex="weight", cutoffs=[10, float("inf")]),
    ),
    "rg": (
        "--arch relu --width 20 --cutoffs 10,20,40".split(),
        lambda: nnqft.rg(nnqft.Net("relu", 20), X, cutoffs=[10, 20, 40], **FEW),
    ),
    "symmetry": (
        "--arch relu --width 20 --d-out 1,2".split(),
        lambda: nnqft.symmetry(nnqft.Net("relu", 20), X, d_out=[1, 2], **FEW),
    ),
    "symmetry exact": (
        "--arch relu --width 20 --d-out 1,2 --moments exact".split(),
        lambda: nnqft.symmetry(nnqft.Net("relu", 20), X, d_out=[1, 2], moments="exact"),
    ),
    "train": (
        ["--arch", "tanh", "--width", "5,9", "--data", "-1=0.5;0.3=1", "--steps", "0,3,20", "--rate", "0.1"],
        lambda: nnqft.train(
            nnqft.Net("tanh"), [-1.0, 0.3], [0.5, 1.0], X, steps=[0, 3, 20], rate=0.1, widths=[5, 9], **FEW
        ),
    ),
    "train readout": (
        "--arch relu --width 7 --data 1=0.5,2;0.3=1,0 --train readout --rate 0.2 --seed 3".split(),
        lambda: nnqft.train(
            nnqft.Net("relu", 7), [1.0, 0.3], [[0.5, 2.0], [1.0, 0.0]], X, train="readout", rate=0.2, seed=3, **FEW
        ),
    ),
    "theory": ("--arch relu --width 20".split(), lambda: nnqft.theory(nnqft.Net("relu", 20), X)),
}


def same(ours: Any, theirs: Any, where: str = "") -> None:
    """Equal to the bit, NaN where NaN, but for the time that it took."""
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), where
        for key in ours:
            if key != "timing":
                same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype, (where, ours, theirs)
        np.testing.assert_array_equal(ours, theirs, where)
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for k, (a, b) in enumerate(zip(ours, theirs)):
            same(a, b, f"{where}[{k}]")
    else:
        assert type(ours) is type(theirs) and ours == theirs, (where, ours, theirs)


@pytest.mark.filterwarnings("ignore::nnqft.Unreliable")
@pytest.mark.parametrize("case", CASES)
def test_documents_are_the_same(case: str) -> None:
    options, run = CASES[case]
    command = case.split()[0]
    draws = [] if command == "theory" else [option for option in SMALL if "exact" not in case or option not in SMALL]
    done = command_line(command, *options, *draws, *INPUTS, "--json", "-q")
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    same(run().document, arrays(json.loads(done.stdout)))


@pytest.mark.filterwarnings("ignore::nnqft.Unreliable")
@pytest.mark.parametrize("case", ["ensemble", "ensemble outputs", "eft", "eft fit", "falloff", "depth", "rg", "symmetry", "train", "theory"])
def test_files_are_the_same_and_come_back(case: str, tmp_path: Path) -> None:
    options, run = CASES[case]
    command = case.split()[0]
    draws = [] if command == "theory" else SMALL
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    command_line(command, *options, *draws, *INPUTS, "--out", str(theirs), "-q")
    result = run()
    result.save(ours)
    assert sorted(p.name for p in ours.iterdir()) == sorted(p.name for p in theirs.iterdir())
    for folder in (ours, theirs):
        back = nnqft.load(folder)
        assert type(back) is type(result)
        same(result.document, back.document)
        assert repr(back).splitlines()[:3] == repr(result).splitlines()[:3]
    if command == "ensemble":
        with np.load(ours / "moments.npz") as a, np.load(theirs / "moments.npz") as b:
            assert a.files == b.files
            for name in a.files:
                np.testing.assert_array_equal(a[name], b[name])
        back = nnqft.load(theirs)
        np.testing.assert_array_equal(back[4].experiments, result[4].experiments)
        np.testing.assert_array_equal(back[4].tensor(), result[4].tensor())


def test_sweeps_are_read_with_the_arrays_of_each_net(tmp_path: Path) -> None:
    options = "--arch relu --width 5 --depth 1,2 --orders 4".split()
    assert command_line("ensemble", *options, *SMALL, *INPUTS, "--out", str(tmp_path), "-q").returncode == 0
    for depth, loaded in zip((1, 2), nnqft.load(tmp_path)):
        ours = nnqft.ensemble(nnqft.Net("relu", [5] * depth), X, orders=[4], **FEW)
        assert loaded.spec["hidden"] == [5] * depth
        np.testing.assert_array_equal(loaded[4].experiments, ours[4].experiments)


def test_samples_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "draws.npy"
    options = "--arch relu --width 20 --nets 300 --experiments 2 --backend cpu -q".split()
    assert command_line("sample", *options, *INPUTS, "--out", str(file)).returncode == 0
    ours = nnqft.sample(nnqft.Net("relu", 20), X, nets=300, experiments=2, backend="cpu")
    np.testing.assert_array_equal(ours, np.load(file))


def test_lists_of_json_become_the_arrays_of_the_engine() -> None:
    value = {"a": [1, 2], "b": [1.0, None], "c": [[1, 2], [3, 4]], "d": [True], "e": [], "f": [[1], [2, 3]], "g": [None]}
    got = arrays(value)
    assert got["a"].dtype == np.int64 and got["b"].dtype == np.float64 and np.isnan(got["b"][1])
    assert got["c"].shape == (2, 2) and got["d"].dtype == bool and got["e"] == []
    assert isinstance(got["f"], list) and got["f"][1].tolist() == [2, 3]
    assert np.isnan(got["g"]).all()
    assert plain(arrays({"a": [[1, 2]]})) == {"a": [[1, 2]]}
