"""Ensembles: their numbers, tensors and outputs."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest

import nnqft


def test_exact_values_are_five_over_n(relu: nnqft.Net) -> None:
    r = nnqft.ensemble(relu, nets=1000, estimator="connected")
    assert sorted(r) == [2, 4, 6] and 4 in r and len(r) == 3
    four = r[4]
    assert four.mean is not None and four.exact is not None and four.pull is not None
    np.testing.assert_allclose(four.exact / four.gp, 1.25)
    assert abs(four.summary["deviation_mean_pull"]) < 4
    assert four.first_order is None and four.reference == "exact"
    assert four.converged is not None and four.converged.all()
    with pytest.raises(KeyError, match="there are 2, 4, 6"):
        r[3]


def test_the_outputs_are_those_that_the_ensemble_averages(relu: nnqft.Net) -> None:
    x = [[0.5], [1.0]]
    f = nnqft.sample(relu, x, nets=500, experiments=2, seed=3, backend="cpu")
    r = nnqft.ensemble(relu, x, nets=500, experiments=2, seed=3, orders=[2, 4], backend="cpu")
    assert f.shape == (1000, 2, 1) and f.dtype == np.float64 and f.flags.c_contiguous
    g = f[:, :, 0]
    np.testing.assert_allclose(np.einsum("ni,nj->ij", g, g) / 1000, r[2].tensor(), rtol=1e-12)
    np.testing.assert_allclose(np.einsum("ni,nj,nk,nl->ijkl", g, g, g, g) / 1000, r[4].tensor(), rtol=1e-12)
    assert r[4].experiments is not None and r[4].experiments.shape == (2, 5)


def test_tensors_of_several_outputs() -> None:
    net = nnqft.Net("erf", hidden=10, d_out=2)
    x = [[0.2], [0.9]]
    f = nnqft.sample(net, x, nets=400, backend="cpu")
    r = nnqft.ensemble(net, x, nets=400, experiments=1, orders=[2, 4], backend="cpu")
    want = np.einsum("npa,nqb,nrc,nsd->paqbrcsd", f, f, f, f) / 400
    np.testing.assert_allclose(r[4].tensor(), want, rtol=1e-10, atol=1e-16)


def test_tensors_of_paired_outputs_have_every_name_of_the_outputs() -> None:
    net = nnqft.Net("erf", hidden=5, d_out=2)
    x = [[0.2], [0.9]]
    connected = nnqft.ensemble(net, x, nets=100, estimator="connected", orders=[4], backend="cpu")
    direct = nnqft.ensemble(net, x, nets=1000, orders=[4], backend="cpu")
    exact = connected[4].tensor("exact")
    assert exact.shape == (2,) * 8
    np.testing.assert_allclose(exact, direct[4].tensor("exact"), rtol=1e-10, atol=1e-15)
    assert exact[0, 0, 0, 0, 0, 0, 0, 1] == 0
    assert math.isnan(connected[4].tensor("pull")[0, 0, 0, 0, 0, 0, 0, 1])


def test_a_tensor_is_symmetric(relu: nnqft.Net) -> None:
    r = nnqft.ensemble(relu, [0.3, 0.5, 1.0], nets=100, orders=[3, 6])
    for n in (3, 6):
        for name in ("mean", "std_err", "gp", "converged"):
            full = r[n].tensor(name)
            assert full.shape == (3,) * n
            for order in itertools.islice(itertools.permutations(range(n)), 1, None, 17):
                assert (full == full.transpose(order)).all()
    with pytest.raises(nnqft.InvalidSpec, match="no such column"):
        r[6].tensor("means")


def test_equal_arguments_have_equal_bits(relu: nnqft.Net) -> None:
    runs = [nnqft.ensemble(relu, nets=3000, experiments=2, seed=5, orders=[4])[4].mean for _ in range(2)]
    other = nnqft.ensemble(relu, nets=3000, experiments=2, seed=6, orders=[4])[4].mean
    assert runs[0] is not None and other is not None
    assert (runs[0] == runs[1]).all() and (runs[0] != other).any()


def test_theory_is_what_ensembles_are_held_against(relu: nnqft.Net) -> None:
    t, r = nnqft.theory(relu), nnqft.ensemble(relu, nets=100, backend="cpu")
    for n in (2, 4, 6):
        exact, other = t[n].exact, r[n].exact
        assert exact is not None and other is not None and (exact == other).all()
        assert t[n].mean is None and t[n].converged is None
    assert (t.kernel == relu.kernel(t.inputs)).all() and (r.kernel == t.kernel).all()


def test_a_million_outputs_are_one_array(relu: nnqft.Net) -> None:
    # tracemalloc sees what NumPy allocates: the memory of the outputs is the engine's, and is not copied.
    tracemalloc.start()
    f = nnqft.sample(relu, nets=1e6, backend="cpu")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f.shape == (1_000_000, 6, 1)
    assert peak < f.nbytes / 10
    assert f.base is not None and not f.flags.owndata


def test_samples_have_no_importance_sampling_and_no_endless_memory(relu: nnqft.Net) -> None:
    with pytest.raises(nnqft.InvalidSpec, match="^nets with shape"):
        nnqft.sample(relu, nets=4e9, experiments=1_000_000)
