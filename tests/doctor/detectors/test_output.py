"""Outputs and losses that do not fit the target, and those that do."""

from __future__ import annotations

import pytest

from surefoot.doctor.detectors.output import wrong_loss, wrong_output

HIDDEN = ({"dense": 8}, {"activation": "relu"})
LABELS = {"prepared": {"targets": {"kind": "labels", "size": 3, "counts": None}}}
BINARY = {"prepared": {"targets": {"size": 2, "counts": [512, 512]}}}


def net(units, *activations):
    return (*HIDDEN, {"dense": units}, *({"activation": name} for name in activations))


@pytest.mark.parametrize(
    ("layers", "loss", "strength", "word"),
    [
        (net(1, "softmax"), "cross_entropy", 1.0, "always 1"),
        (net(1, "sigmoid"), "cross_entropy", 1.0, "one output"),
        (net("classes", "relu", "softmax"), "cross_entropy", 0.75, "relu stands in front"),
        (net("classes", "sigmoid", "softmax"), "cross_entropy", 0.9, "sigmoid stands in front"),
        (net("classes"), "cross_entropy", 0.9, "raw numbers"),
        (net("classes", "relu"), "cross_entropy", 0.9, "ends in relu"),
        (net("classes", "relu"), "mean_squared_error", 0.6, "compared with 0 and 1"),
        (net("classes", "step"), "mean_squared_error", 0.3, "compared with 0 and 1"),
    ],
)
def test_outputs_that_do_not_fit_classes(evidence, layers, loss, strength, word):
    sick = evidence(layers=layers, recipe={"train.loss": loss})
    found = wrong_output(sick)
    assert found.strength == strength
    assert word in found.explanation
    assert found.layers == (str(len(layers)),)
    mended = found.remedies[0].apply(sick.recipe)
    assert mended.net.layers[-1].activation == "softmax"
    assert mended.train.loss == "cross_entropy"
    again = evidence(layers=tuple(mended.to_dict()["net"]["layers"]))
    assert wrong_output(again) is None


@pytest.mark.parametrize(
    ("layers", "recipe", "facts"),
    [
        (net("classes", "softmax"), {}, {}),
        (net("classes"), {"train.from_logits": True}, {}),
        (net("outputs", "sigmoid"), {"train.loss": "binary_cross_entropy"}, LABELS),
        (net(1, "sigmoid"), {"train.loss": "binary_cross_entropy"}, BINARY),
        (net("classes", "softmax"), {"train.loss": "mean_squared_error"}, {}),
    ],
)
def test_outputs_that_fit(evidence, layers, recipe, facts):
    assert wrong_output(evidence(layers=layers, recipe=recipe, facts=facts)) is None


def test_logits_that_are_none(evidence):
    found = wrong_output(evidence(recipe={"train.from_logits": True}))
    assert (found.strength, "from_logits" in found.explanation) == (0.6, True)


def test_a_softmax_makes_labels_exclude_each_other(evidence):
    found = wrong_output(evidence(layers=net("outputs", "softmax"), facts=LABELS))
    assert found.strength == 0.7
    assert found.remedies[0].edits["train.loss"] == "binary_cross_entropy"


@pytest.mark.parametrize(
    ("activation", "mean", "strength"),
    [("relu", 0.0, 1.0), ("sigmoid", 50.0, 1.0), ("tanh", 0.0, 0.9 * 0.861353), ("relu", 9.0, 0)],
)
def test_numbers_outside_of_what_the_output_can_give(evidence, numbers, activation, mean, strength):
    about = {"targets": {**numbers["prepared"]["targets"], "mean": mean}}
    sick = evidence(layers=net("outputs", activation), facts={**numbers, "prepared": about})
    found = wrong_output(sick)
    if strength == 0:
        assert found is None
        return
    assert found.strength == pytest.approx(strength, abs=1e-3)
    mended = found.remedies[0].apply(sick.recipe)
    assert (len(mended.net.layers), mended.train.loss) == (3, "mean_squared_error")


def test_nothing_is_said_about_a_target_that_is_not_known(evidence):
    unknown = {"prepared": None}
    assert wrong_output(evidence(layers=net(3, "softmax"), facts=unknown)) is None
    assert wrong_loss(evidence(facts=unknown)) is None


@pytest.mark.parametrize(
    ("loss", "facts", "strength"),
    [
        ("mean_absolute_error", {}, 0.9),
        ("mean_squared_error", {}, 0.55),
        ("mean_squared_error", BINARY, 0.4),
        ("binary_cross_entropy", {}, 0.3),
    ],
)
def test_losses_that_do_not_fit_classes(evidence, loss, facts, strength):
    sick = evidence(recipe={"train.loss": loss}, facts=facts)
    found = wrong_loss(sick)
    assert found.strength == strength
    assert found.evidence["loss"] == loss
    assert found.remedies[0].apply(sick.recipe).train.loss == "cross_entropy"


def test_a_loss_for_classes_on_numbers(evidence, numbers):
    found = wrong_loss(evidence(facts=numbers))
    assert (found.strength, found.evidence["target"]) == (1.0, "numbers")
    assert "target is 1 number." in found.explanation
    squared = evidence(recipe={"train.loss": "mean_squared_error"}, facts=numbers)
    assert wrong_loss(squared) is None
