"""The gradient of whole nets, by three modes."""

from __future__ import annotations

import numpy as np
import pytest

import surefoot as sf
from surefoot.gradients.cost import Cost, Mode

OUT = [{"dense": "classes"}, {"activation": "softmax"}]
EVERY_KIND = [
    {"conv": 2, "size": 3},
    {"batch_norm": {}},
    {"activation": "relu"},
    {"max_pool": 2},
    {"residual": [{"conv": 3, "size": 3}]},
    {"flatten": {}},
    {"dropout": 0.5},
    {"dense": 6},
    {"repeat": 2, "layers": [{"residual": [{"dense": 6}, {"activation": "tanh"}]}]},
    *OUT,
]


def test_every_kind_of_layer_agrees_in_all_three_modes():
    found = sf.gradcheck("digits", net=EVERY_KIND, rows=5, entries=3)
    assert found.agrees, found.sentence
    names = [(own.weight.layer, own.weight.name) for own in found.weights]
    assert ("5", "projection") in names
    assert ("9[1–2].1.1", "kernel") in names
    assert max(own.forward_error for own in found.weights) < 1e-9
    told = [own for own in found.weights if own.compared]
    assert max(own.difference_error for own in told) < 1e-6
    # In front of a normalization a bias does nothing: its gradient is rounding.
    bias = found.weights[names.index(("1", "bias"))]
    assert (bias.compared, bias.small) == (0, 2)
    for word in ("batch_norm", "dropout", "repeat"):
        assert any(word in note for note in found.notes)


def test_step_passes_no_gradient_and_says_so():
    found = sf.gradcheck("iris", net=[{"dense": 3}, {"activation": "step"}, *OUT], entries=4)
    assert [own.zero for own in found.weights] == [True, True, False, False]
    assert found.agrees
    assert "layer 2 (step)" in found.notes[0]


def test_relu_at_zero_is_a_kink_and_no_error():
    zeros = {"dense": 3, "initializer": "zeros"}
    found = sf.gradcheck("iris", net=[zeros, {"activation": "relu"}, *OUT], entries=4)
    first = found.weights[:2]
    assert [own.kinks for own in first] == [3, 4]
    assert [own.compared for own in first] == [0, 0]
    assert found.agrees
    assert "7 at kinks" in found.sentence


def test_embedding_agrees():
    generator = np.random.default_rng(0)
    x = np.stack([generator.normal(size=40), generator.integers(0, 5, 40)], axis=1)
    y = (x[:, 0] > 0).astype(int)
    layers = [{"embedding": 3, "columns": [[1, 5]]}, *OUT]
    found = sf.gradcheck((x, y), net=layers, keys={"data.standardize": False}, entries=15)
    assert found.agrees
    table = next(own for own in found.weights if own.weight.kind == "embedding")
    assert table.sampled == 15


def test_reverse_mode_is_cheaper_for_a_loss_and_the_counts_say_so():
    cost = sf.gradcheck("iris", net="mlp:4", entries=1).cost
    reverse, forward, differences = cost.modes
    assert cost.inputs == forward.passes == differences.passes // 2 == 35
    assert reverse.passes == 1
    assert cost.cheapest is reverse
    assert cost.loss_operations < reverse.operations < 5 * cost.loss_operations
    assert forward.operations > 20 * reverse.operations
    assert "35 passes" in cost.sentence


def test_the_sentence_knows_when_forward_mode_is_cheaper():
    modes = (Mode("reverse", 1, 300, 1), Mode("forward", 1, 200, 1), Mode("differences", 2, 400, 1))
    cost = Cost(1, 100, 1.0, modes)
    assert cost.cheapest.name == "forward"
    assert "Forward mode is cheaper here" in cost.sentence


def test_a_run_is_checked_at_its_own_weights(digits_run):
    found = sf.gradcheck(digits_run, entries=2)
    assert found.agrees
    assert found.loss < 2.3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"entries": 0}, "entries = 0"),
        ({"rows": 0}, "rows = 0"),
        ({"rows": 1, "net": [{"dense": 2}, {"batch_norm": {}}, *OUT]}, "at least 2 rows"),
        ({"net": [{"activation": "softmax"}]}, "outputs"),
    ],
)
def test_bad_input_is_one_line(arguments, words):
    with pytest.raises(sf.InputError, match=words) as raised:
        sf.gradcheck("iris", **arguments)
    assert "\n" not in str(raised.value)


def test_a_run_takes_no_changes(digits_run):
    with pytest.raises(sf.InputError, match="is a run"):
        sf.gradcheck(digits_run, net="mlp:4")
