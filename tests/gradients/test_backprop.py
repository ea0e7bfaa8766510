"""One example's way through a net and back: by hand, and beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.gradients.products import count_products

OUT = [{"dense": "classes"}, {"activation": "softmax"}]
WITHOUT_SCALING = {"data.standardize": False, "data.validation": 0}


def test_two_weights_by_hand():
    """One input 2, z = 0.5·2 = 1, a = tanh 1, ŷ = 3a; L = (ŷ − 1)² on a target of 1."""
    layers = [
        {"dense": 1, "initializer": {"name": "constant", "value": 0.5}},
        {"activation": "tanh"},
        {"dense": 1, "initializer": {"name": "constant", "value": 3.0}},
    ]
    x, y = np.full((4, 1), 2.0), np.array([1.0, 1.0, 1.0, 2.0])
    keys = {**WITHOUT_SCALING, "loss": "mean_squared_error", "data.standardize_targets": False}
    shown = sf.backprop((x, y), 0, net=layers, keys={**keys, "batch_size": 4})
    first, tanh, last = shown.layers
    a = np.tanh(1.0)
    signal = 2 * (3 * a - 1)
    assert shown.loss == pytest.approx((3 * a - 1) ** 2)
    assert first.y == pytest.approx(1.0)
    assert tanh.y == pytest.approx(a)
    assert last.signal == pytest.approx(signal)
    assert last.gradients["kernel"] == pytest.approx(signal * a)
    assert tanh.signal == pytest.approx(3 * signal)
    assert first.signal == pytest.approx(3 * signal * (1 - a**2))
    assert first.gradients["kernel"] == pytest.approx(2 * 3 * signal * (1 - a**2))
    assert first.gradients["bias"] == pytest.approx(3 * signal * (1 - a**2))
    assert [step.output_name for step in shown.layers] == ["z", "a", "z"]
    assert shown.agrees


def test_every_number_is_that_of_torch():
    torch = pytest.importorskip("torch")
    layers = [{"dense": 5}, {"activation": "tanh"}, {"dense": 4}, {"activation": "relu"}, *OUT]
    shown = sf.backprop("iris", 7, net=layers)
    x = torch.tensor(shown.input, requires_grad=True)
    weights, kept, z = [], [], x
    for step in shown.layers:
        if step.kind == "dense":
            own = [torch.tensor(step.weights[k], requires_grad=True) for k in ("kernel", "bias")]
            z = z @ own[0] + own[1]
            weights.append(own)
        else:
            z = torch.tanh(z) if step.kind == "tanh" else torch.relu(z)
        z.retain_grad()
        kept.append(z)
    loss = torch.nn.functional.cross_entropy(z[None], torch.tensor([shown.target]))
    loss.backward()
    assert shown.loss == pytest.approx(loss.item(), rel=1e-12)
    for step, z in zip(shown.layers, kept, strict=True):
        np.testing.assert_allclose(step.y, z.detach(), rtol=1e-10)
        np.testing.assert_allclose(step.signal, z.grad, rtol=1e-10, atol=1e-15)
    dense = [step for step in shown.layers if step.kind == "dense"]
    for step, (kernel, bias) in zip(dense, weights, strict=True):
        np.testing.assert_allclose(step.gradients["kernel"], kernel.grad, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(step.gradients["bias"], bias.grad, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(shown.layers[0].input_signal, x.grad, rtol=1e-10, atol=1e-15)


def test_every_kind_of_layer_agrees_with_reverse_mode():
    layers = [
        {"conv": 2, "size": 3},
        {"batch_norm": {}},
        {"activation": "prelu"},
        {"max_pool": 2},
        {"residual": [{"conv": 3, "size": 3}]},
        {"flatten": {}},
        {"dropout": 0.5},
        {"dense": 6},
        {"repeat": 2, "layers": [{"residual": [{"dense": 6}, {"activation": "tanh"}]}]},
        *OUT,
    ]
    shown = sf.backprop("digits", 1, net=layers)
    assert shown.agrees
    names = [step.layer for step in shown.layers]
    assert names[-6:] == ["9[1].1.2", "9[1].1", "9[2].1.1", "9[2].1.2", "9[2].1", "10"]
    assert names.count("5") == 1
    for word in ("batch normalization", "dropout", "softmax"):
        assert any(word in note for note in shown.notes)
    # Convolutions: 8·8 places × 9·1·2, 4·4 × 9·2·3, the projection 4·4 × 2·3; the dense ones.
    forward = 64 * 18 + 16 * 54 + 16 * 6 + 48 * 6 + 2 * 36 + 60
    assert shown.products.forward == forward
    assert shown.products.paths is None


def test_a_wrong_product_would_be_seen():
    shown = sf.backprop("iris", 0, net="mlp:3")
    assert set(shown.layers[0].checks) == {"kernel", "input", "bias"}
    shown.layers[0].checks["kernel"] = 0.1
    assert not shown.agrees


def test_products_are_counted_as_by_hand():
    """2-3-1: m = 6, 3. Stored: 9 forward, 9 for the weights, 3 back.

    Nothing stored: layer 2 needs its signal, z₂ anew (9), its input anew (6) and the product (3);
    layer 1 the signal of layer 2 (9), passed on (3), z₁ anew (6), and the product (6). Paths: each
    of layer 1's six weights has one of two factors, each of layer 2's three one of one.
    """
    counted = count_products([6, 3], [(2, 3), (3, 1)])
    assert counted.forward == 9
    assert counted.stored == 9 + 9 + 3
    assert counted.recomputed == (9 + 6 + 3) + (9 + 3 + 6 + 6)
    assert counted.paths == 6 * 1 * 2 + 3
    assert counted.saved == 42 - 21


def test_what_storing_saves_grows_with_depth():
    ratios = [
        counted.recomputed / counted.stored
        for counted in (count_products([64] * depth) for depth in (2, 8, 32))
    ]
    assert ratios[0] < 2 < ratios[1] < ratios[2]


@pytest.mark.parametrize("example", [-1, 120])
def test_an_example_out_of_range_is_named(example):
    with pytest.raises(sf.InputError, match="training rows 0 to 119"):
        sf.backprop("iris", example, net="mlp:3")
