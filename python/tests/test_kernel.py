"""Kernels against formulas, and what points may be."""

from __future__ import annotations

import time

import numpy as np
import pytest

import nnqft

RNG = np.random.default_rng(1)


def test_erf_is_williams_formula() -> None:
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3))
    net = nnqft.Net("erf", sigma_w=1.3, sigma_b=0.4)
    sw, sb = 1.3**2, 0.4**2

    def inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return sb + sw * (a @ b.T) / 3

    xx, yy = np.diag(inner(x, x)), np.diag(inner(y, y))
    angle = np.arcsin(2 * inner(x, y) / np.sqrt((1 + 2 * xx)[:, None] * (1 + 2 * yy)[None, :]))
    np.testing.assert_allclose(net.kernel(x, y), sb + sw * 2 / np.pi * angle, rtol=1e-13)


def test_relu_is_cho_and_saul() -> None:
    x = RNG.normal(size=(6, 2))
    size = np.linalg.norm(x, axis=1)
    angle = np.arccos(np.clip((x @ x.T) / np.outer(size, size), -1, 1))
    want = np.outer(size, size) / 2 / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    np.testing.assert_allclose(nnqft.Net("relu").kernel(x), want, rtol=1e-7)


@pytest.mark.parametrize("arch", ["erf", "relu"])
def test_two_thousand_points_take_less_than_two_seconds(arch: str) -> None:
    x = RNG.normal(size=(2000, 3))
    start = time.perf_counter()
    k = nnqft.Net(arch).kernel(x)
    assert time.perf_counter() - start < 2
    assert (k == k.T).all()
    values = np.linalg.eigvalsh(k)
    # Rounding of the entries moves eigenvalues by no more than P ulp of the largest.
    assert values[0] > -2000 * np.finfo(float).eps * values[-1]


def test_a_kernel_between_points_is_part_of_the_kernel_of_all() -> None:
    x, y = RNG.normal(size=(3, 2)), RNG.normal(size=(4, 2))
    for net in [nnqft.Net("erf"), nnqft.Net("tanh"), nnqft.Net("relu", law_w="uniform")]:
        whole = net.kernel(np.vstack([x, y]))
        np.testing.assert_allclose(net.kernel(x, y), whole[:3, 3:], rtol=1e-10)


def test_points_may_be_lists_float32_fortran_and_flat() -> None:
    net = nnqft.Net("erf")
    x = RNG.normal(size=(4, 2)).astype(np.float32)
    want = net.kernel(x.astype(float))
    for same in [x, x.tolist(), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]]:
        assert (net.kernel(same) == want).all()
    assert (net.kernel([1, 2]) == net.kernel([[1.0], [2.0]])).all()


@pytest.mark.parametrize(
    ("x", "part"),
    [
        ([[1.0], [2.0, 3.0]], "same number of coordinates"),
        ([[1j]], "complex128"),
        ([["a"]], "dtype"),
        (np.zeros((2, 2, 2)), "(2, 2, 2)"),
        ([[np.nan]], "finite"),
        ([], "at least one point"),
        (np.zeros((2, 0)), "no coordinates"),
    ],
)
def test_what_is_no_points_is_one_clear_error(x: object, part: str) -> None:
    with pytest.raises(nnqft.InvalidSpec, match=r"^x") as error:
        nnqft.Net("erf").kernel(x)  # type: ignore[arg-type]
    assert part in str(error.value)
    assert isinstance(error.value, ValueError)


def test_points_of_another_dimension_are_refused() -> None:
    with pytest.raises(nnqft.InvalidSpec, match="^y with 2 coordinates .* x have 1$"):
        nnqft.Net("erf").kernel([1.0], [[1.0, 2.0]])
