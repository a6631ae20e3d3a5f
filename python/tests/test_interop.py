"""pandas, xarray, matplotlib, scikit-learn and tqdm, where they are installed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nnqft


@pytest.fixture(scope="module")
def drawn() -> nnqft.Ensemble:
    return nnqft.ensemble(nnqft.Net("relu", hidden=20), nets=2000, orders=[2, 4], backend="cpu")


def test_pandas(drawn: nnqft.Ensemble) -> None:
    pytest.importorskip("pandas")
    frame = drawn.to_pandas()
    assert len(frame) == 21 + 126
    four = frame[frame.order == 4]
    np.testing.assert_array_equal(four["mean"], drawn[4].mean)
    assert four["indices"].iloc[1] == (0, 0, 0, 1)
    assert json.loads(frame.attrs["spec"]) == drawn.spec and frame.attrs["seed"] == 0
    assert list(nnqft.rg(nnqft.Net("relu"), moments="exact").to_pandas()["cutoff"])[0] == 7


def test_xarray(drawn: nnqft.Ensemble, tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    data = drawn.to_xarray()
    assert dict(data.sizes) == {
        "point": 6, "coordinate": 1, "other_point": 6, "element_2": 21, "leg_2": 2, "experiment": 10,
        "element_4": 126, "leg_4": 4,
    }  # fmt: skip
    np.testing.assert_array_equal(data.G4_mean, drawn[4].mean)
    np.testing.assert_allclose(data.G4_experiments.mean("experiment"), data.G4_mean, rtol=1e-12)
    assert data.attrs["version"] == nnqft.__version__ and data.attrs["backend"] == "cpu"
    assert all(isinstance(value, (str, int)) for value in data.attrs.values())
    assert "cutoff" in nnqft.eft(nnqft.Net("relu"), moments="exact").to_xarray()


def test_matplotlib(drawn: nnqft.Ensemble) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.axes import Axes

    falloff = nnqft.falloff(nnqft.Net("relu"), widths=[5, 10, 20], nets=1000, orders=[2, 4])
    ax = falloff.plot()
    assert isinstance(ax, Axes) and ax.get_xscale() == ax.get_yscale() == "log"
    assert len(ax.containers) == 2  # error bars: direct and connected
    relu = nnqft.Net("relu", hidden=20)
    results = [drawn, nnqft.theory(relu), nnqft.eft(relu, moments="exact"), nnqft.rg(relu, moments="exact")]
    for result in [*results, nnqft.symmetry(relu, moments="exact", d_out=[1, 2])]:
        own = matplotlib.pyplot.subplots()[1]
        assert result.plot(own) is own and own.has_data()
        own.figure.canvas.draw()
    matplotlib.pyplot.close("all")


def test_scikit_learn_fits_with_a_network_as_prior() -> None:
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, WhiteKernel

    net = nnqft.Net("erf", sigma_w=3.0)
    assert isinstance(net.kernel, Kernel) and clone(net.kernel).net == net
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, size=(30, 1))
    y = np.sin(x[:, 0])
    gp = GaussianProcessRegressor(net.kernel, alpha=1e-8).fit(x, y)
    k = net.kernel(x) + 1e-8 * np.eye(30)
    want = net.kernel([[0.3]], x) @ np.linalg.solve(k, y)
    np.testing.assert_allclose(gp.predict([[0.3]]), want, rtol=1e-6)
    assert abs(want[0] - np.sin(0.3)) < 0.01
    kernel = ConstantKernel() * net.kernel + WhiteKernel(1e-3)
    fitted = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0).fit(x, y)
    assert fitted.log_marginal_likelihood_value_ > GaussianProcessRegressor(kernel, optimizer=None).fit(x, y).log_marginal_likelihood()
    np.testing.assert_allclose(net.kernel.diag(x), np.diag(net.kernel(x)))


def test_tqdm_shows_networks(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    run = nnqft.ensemble(nnqft.Net("relu"), nets=4e9, backend="cpu", blocking=False)
    with pytest.raises(TimeoutError):
        run.result(timeout=2.0)
    run.abort()
    with pytest.raises(nnqft.Interrupted):
        run.result()
    assert "networks/s" in capsys.readouterr().err


def test_the_package_is_imported_in_no_time_and_alone() -> None:
    script = (
        "import sys, time; start = time.perf_counter(); import nnqft; took = time.perf_counter() - start;"
        "print(took); print(sorted(m for m in ('pandas', 'xarray', 'matplotlib', 'sklearn', 'tqdm') if m in sys.modules))"
    )
    times = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        took, others = done.stdout.splitlines()
        assert others == "[]"
        times.append(float(took))
    assert min(times) < 0.3


def test_calls_cost_little_beside_the_run() -> None:
    net = nnqft.Net("relu", hidden=20)
    nnqft.ensemble(net, nets=1000, backend="cpu")
    start = time.perf_counter()
    r = nnqft.ensemble(net, nets=1e6, backend="cpu", progress=False)
    assert time.perf_counter() - start < 1.05 * r.timing["wall_s"] + 0.15
