"""Nets, and what is refused of them."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

import nnqft


def test_a_net_has_what_it_was_given_and_the_rest_of_the_catalogue() -> None:
    net = nnqft.Net("cos", hidden=7, sigma_w=[1, 2.5], d_out=3)
    assert (net.arch, net.hidden, net.d_out) == ("cos", [7], 3)
    assert net.sigma_w == [1.0, 2.5]
    assert net.law_b[0] == "phase"
    assert net.sigma_b[0] == pytest.approx(math.pi / math.sqrt(3))
    assert nnqft.Net(activation="max(z, 0)").arch is None
    assert nnqft.Net("ReLU-net").arch == "relu"


def test_nets_are_values() -> None:
    net = nnqft.Net(activation="z*exp(-z^2)", hidden=[5], law_w=["gaussian", "uniform"])
    for same in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert same == net and hash(same) == hash(net)
    assert net != nnqft.Net("relu")


@pytest.mark.parametrize(
    ("given", "start", "part"),
    [
        ({"arch": "rleu"}, "arch rleu", "relu"),
        ({"activation": "max(z,"}, "activation", "^"),
        ({"sigma_w": [1, 2, 3]}, "sigma_w with 3 entries", "each affine layer"),
        ({"law_w": "cauchy"}, "law_w cauchy", "gaussian"),
        ({"law_w": "phase"}, "law_w phase", "biases"),
        ({"hidden": 2.5}, "hidden 2.5", "whole number"),
        ({"hidden": []}, "hidden", "layer"),
        ({"sigma_b": "wide"}, "sigma_b 'wide'", "number"),
        ({"d_out": -1}, "d_out -1", "whole number"),
    ],
)
def test_a_wrong_argument_says_which_and_why(given: dict[str, Any], start: str, part: str) -> None:
    with pytest.raises(nnqft.InvalidSpec) as error:
        nnqft.Net(**given)
    assert str(error.value).startswith(start), error.value
    assert part in str(error.value)
    assert "--" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"nets": 0}, "nets 0"),
        ({"nets": 1.5}, "nets 1.5"),
        ({"nets": "many"}, "nets 'many'"),
        ({"orders": [7]}, "orders 7"),
        ({"estimator": "best"}, "estimator 'best'"),
        ({"tilt": "auto"}, "tilt auto"),
        ({"tilt": "up"}, "tilt 'up'"),
        ({"seed": -1}, "seed -1"),
        ({"backend": "tpu"}, "backend 'tpu'"),
        ({"backend": "cpu", "adapter": "llvmpipe"}, "adapter 'llvmpipe'"),
        ({"orders": [3], "estimator": "connected"}, "orders 3"),
        ({"x": "no-such-preset"}, "x 'no-such-preset'"),
        ({"x": [[1.0] * 4] * 60, "orders": [6]}, "x"),
        ({"resume": "there-is-none.state"}, "resume there-is-none.state"),
    ],
)
def test_ensembles_refuse_what_no_run_can_use(relu: nnqft.Net, given: dict[str, Any], start: str) -> None:
    with pytest.raises(nnqft.InvalidSpec) as error:
        nnqft.ensemble(relu, **given)
    assert str(error.value).startswith(start), error.value
    assert "--" not in str(error.value)


def test_widths_and_nets_have_the_names_of_their_arguments() -> None:
    with pytest.raises(nnqft.InvalidSpec, match="^hidden 0"):
        nnqft.ensemble(nnqft.Net("relu", hidden=0))
    with pytest.raises(nnqft.InvalidSpec, match="^net 'relu'"):
        nnqft.ensemble("relu")  # type: ignore[call-overload]
    with pytest.raises(nnqft.InvalidSpec, match="^net None"):
        nnqft.ensemble()
    with pytest.raises(nnqft.DeviceError, match="adapter"):
        nnqft.ensemble(nnqft.Net("relu"), backend="gpu", adapter="no such adapter")


def test_critical_nets() -> None:
    net = nnqft.critical("relu", hidden=[10, 20])
    assert net.hidden == [10, 20]
    assert net.sigma_w == pytest.approx([math.sqrt(2)] * 3) and net.sigma_b == [0.0] * 3
    half = nnqft.critical(activation="z/(1+exp(-z))")
    assert half.critical_point.kind == "half-stable" and half.sigma_b[0] > 0
    with pytest.raises(nnqft.InvalidSpec, match="^activation .*no critical point"):
        nnqft.critical("step")


def test_deep_kernels_are_the_map_of_one_layer_again_and_again() -> None:
    # ReLU at its critical point keeps K(x, x), layer after layer.
    deep = nnqft.critical("relu", hidden=[10, 10, 10]).kernel([1.0, -2.0])
    assert deep[0, 0] == pytest.approx(2.0) and deep[1, 1] == pytest.approx(8.0)
    cosine = -1.0
    for _ in range(3):
        angle = math.acos(cosine)
        cosine = (math.sin(angle) + (math.pi - angle) * cosine) / math.pi
    assert deep[0, 1] == pytest.approx(2 * 2 * cosine)
