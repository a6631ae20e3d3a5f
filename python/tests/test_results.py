"""What is measured on n-point functions, and how results are shown and kept."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import nnqft


@pytest.fixture(scope="module")
def drawn() -> nnqft.Ensemble:
    return nnqft.ensemble(nnqft.Net("relu", hidden=20), nets=20_000, backend="cpu")


def test_falloff_has_slope_minus_one() -> None:
    f = nnqft.falloff(nnqft.Net("relu"), widths=[10, 20, 40, 80], nets=20_000, orders=[4])
    slope, error = f.slopes[4]
    assert abs(slope + 1) < 5 * error < 0.5
    np.testing.assert_allclose(f.exact(4), 5 / f.widths)
    pulls = (f.mean(4, "connected") - f.exact(4)) / f.std_err(4, "connected")
    assert (abs(pulls) < 5).all() and (f.std_err(4, "connected") < f.std_err(4)).all()


def test_couplings_of_an_ensemble_are_those_of_its_net(drawn: nnqft.Ensemble, tmp_path: Path) -> None:
    there = nnqft.eft(drawn, cutoffs=[10, 100])
    anew = nnqft.eft(nnqft.Net("relu", hidden=20), nets=20_000, backend="cpu", cutoffs=[10, 100])
    np.testing.assert_array_equal(there.coupling, anew.coupling)
    np.testing.assert_array_equal(there.delta, anew.delta)
    drawn.save(tmp_path)
    loaded = nnqft.eft(nnqft.load(tmp_path), cutoffs=[10, 100])
    np.testing.assert_array_equal(loaded.coupling, anew.coupling)
    exact = nnqft.eft(nnqft.Net("relu", hidden=20), moments="exact", cutoffs=[10, 100])
    assert (abs(there.coupling - exact.coupling) < 5 * there.coupling_std_err).all()
    assert (abs(there.delta - exact.delta) < 5 * there.delta_std_err).all() and (there.delta_std_err > 0).all()
    assert "x" not in repr(exact).splitlines()[0]
    # Beside the ensemble that it was measured on.
    there.save(tmp_path)
    assert nnqft.load(tmp_path, "eft").coupling.shape == (2,)
    with pytest.raises(nnqft.InvalidSpec, match="^nets: the ensemble has been drawn"):
        nnqft.eft(drawn, nets=100)
    with pytest.raises(nnqft.InvalidSpec, match="^moments 'best'"):
        nnqft.eft(nnqft.Net("relu"), moments="best")  # type: ignore[call-overload]


def test_running_and_symmetry(drawn: nnqft.Ensemble) -> None:
    g = nnqft.rg(drawn, cutoffs=[10, 20, 40, 80])
    assert g.slope == pytest.approx(g.theory_slope) == pytest.approx(-5)
    np.testing.assert_allclose(g.beta, g.slope * g.coupling, rtol=1e-9)
    s = nnqft.symmetry(nnqft.Net("erf", hidden=20), [0.5, 1.0], nets=200, d_out=[1, 2])
    assert s.passed and {check["d_out"] for check in s.checks} == {1, 2}
    assert s.tree[0] == s.tree[1] and s.one_loop[0] != s.one_loop[1]


def test_what_is_not_to_be_relied_on_is_a_warning() -> None:
    with pytest.warns(nnqft.Unreliable, match="4-point function"):
        nnqft.eft(nnqft.Net("gauss", hidden=2), nets=2000, cutoffs=[100], backend="cpu")
    r = nnqft.ensemble(nnqft.Net("gauss", hidden=2), nets=2000, backend="cpu")
    assert "NOT CONVERGED" in repr(r) and r[6].reason is not None


def test_results_are_tables(drawn: nnqft.Ensemble) -> None:
    lines = repr(drawn).splitlines()
    assert lines[0].startswith("relu, hidden = 20, sigma_w = 1, sigma_b = 0, 6 points")
    assert lines[1].split()[0] == "n" and lines[3].split()[:2] == ["2", "21"]
    html = drawn._repr_html_()
    assert html.count("<tr>") == 4 and "<th>background</th>" in html
    assert "<td>auto" not in nnqft.devices()._repr_html_()
    hostile = nnqft.ensemble(nnqft.Net(activation="min(z, 1) "), nets=100, experiments=2)
    assert "<script>" not in hostile._repr_html_()


def test_settings_travel(drawn: nnqft.Ensemble) -> None:
    assert drawn.spec["hidden"] == [20] and drawn.spec["seed"] == 0
    assert drawn.spec["inputs"] == drawn.inputs.tolist()
    assert drawn.device["backend"] == "cpu" and drawn.timing["wall_s"] > 0
    assert drawn.version == nnqft.__version__
    drawn.spec["seed"] = 7
    assert drawn.spec["seed"] == 0


def test_a_folder_of_another_run_is_refused(drawn: nnqft.Ensemble, tmp_path: Path) -> None:
    drawn.save(tmp_path / "a")
    with pytest.raises(nnqft.InvalidSpec, match="holds results .* use force"):
        drawn.save(tmp_path / "a")
    drawn.save(tmp_path / "a", force=True)
    loaded = nnqft.load(tmp_path / "a")
    loaded.save(tmp_path / "b")
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == sorted(p.name for p in (tmp_path / "a").iterdir())
    with pytest.raises(nnqft.InvalidSpec, match="not empty"):
        loaded.save(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        nnqft.load(tmp_path / "c")


def test_devices_say_what_auto_takes() -> None:
    d = nnqft.devices()
    assert d.auto.startswith(("cpu", "gpu")) and all("name" in adapter for adapter in d.adapters)


def test_good_runs_have_no_warnings(drawn: nnqft.Ensemble) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nnqft.eft(nnqft.Net("relu", hidden=20), moments="exact")
