"""Learned by heart, or no room to learn."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.doctor.detectors.generalization import overfitting, underfitting

TAIL = ({"dense": "classes"}, {"activation": "softmax"})


def ends(values, steps=640, every=32):
    """A number at the end of each epoch."""
    column = np.full(steps, np.nan)
    column[every - 1 :: every] = values
    return column


def test_a_loss_that_turned_is_dated(evidence):
    losses = np.append(np.linspace(1.0, 0.5, 5), np.linspace(0.6, 2.0, 15))
    sick = evidence(metrics={"validation_loss": ends(losses), "validation_accuracy": ends(0.55)})
    found = overfitting(sick)
    assert found.strength == pytest.approx(0.9)
    assert found.since_step == 5 * 32 - 1
    assert found.evidence["loss_over_lowest"] == pytest.approx(4.0)
    assert found.evidence["gap"] == pytest.approx(0.97 - 0.55, abs=0.01)
    for word in ("55.0% accuracy", "step 159", "4 times", "1,024 training rows"):
        assert word in found.explanation
    stopping, decay, fewer = (remedy.apply(sick.recipe) for remedy in found.remedies)
    assert stopping.train.early_stopping.patience == 5
    assert (decay.optimizer.name, decay.optimizer.learning_rate) == ("adamw", 1e-3)
    assert fewer.train.epochs == 5


def test_numbers_are_judged_by_their_spread(evidence, numbers):
    sick = evidence(
        layers=({"dense": 8}, {"activation": "relu"}, {"dense": "outputs"}),
        recipe={"train.loss": "mean_squared_error"},
        facts=numbers,
        metrics={"accuracy": np.nan, "rmse": 0.1, "validation_rmse": ends(0.9)},
    )
    found = overfitting(sick)
    assert found.evidence["gap"] == pytest.approx(0.81 - 0.01)
    assert "rmse of 0.9" in found.explanation


def test_a_gap_without_rows_for_validation_is_not_known(evidence):
    assert overfitting(evidence(without=("validation_accuracy",))) is None


def test_a_loss_that_never_turned_is_not_dated(evidence):
    found = overfitting(evidence(metrics={"validation_accuracy": ends(0.5)}))
    assert "The net has learned what is particular to its" in found.explanation


def test_what_is_not_learned_is_not_learned_by_heart(evidence):
    columns = {"accuracy": 0.6, "validation_accuracy": ends(0.4)}
    half = overfitting(evidence(metrics=columns))
    whole = overfitting(evidence(metrics={"validation_accuracy": ends(0.77)}))
    assert half.strength < 0.5 < whole.strength


def test_a_row_count_that_is_not_known_is_not_told(evidence):
    facts = {"prepared": {"rows": None}}
    found = overfitting(evidence(facts=facts, metrics={"validation_accuracy": ends(0.5)}))
    assert "particular to its training rows" in found.explanation


@pytest.mark.parametrize(
    ("layers", "recipe", "word", "remedy"),
    [
        (({"dense": 32}, {"dropout": 0.9}, *TAIL), {}, "leaves 10%", "no dropout"),
        (({"dense": 1}, {"activation": "relu"}, *TAIL), {}, "1 unit", "wider layers"),
    ],
    ids=["dropout", "narrow"],
)
def test_too_little_room_is_seen_in_the_recipe(evidence, layers, recipe, word, remedy):
    sick = evidence(layers=layers, recipe=recipe)
    found = underfitting(sick)
    assert word in found.explanation
    assert [r.text for r in found.remedies] == [remedy]
    mended = found.remedies[0].apply(sick.recipe)
    assert underfitting(evidence(layers=tuple(mended.to_dict()["net"]["layers"]))) is None


def test_weights_that_decayed_to_nothing(evidence):
    weights = np.geomspace(0.2, 0.002, 55)[:, None] * np.ones(6)
    decay = {"optimizer": {"name": "adamw", "weight_decay": 5.0}}
    sick = evidence(recipe=decay, vitals={"weight_rms": weights})
    found = underfitting(sick)
    assert found.strength == pytest.approx(0.95)
    assert "weight decay of 5" in found.explanation
    assert found.remedies[0].apply(sick.recipe).optimizer.weight_decay == 0.01
    assert underfitting(evidence(vitals={"weight_rms": weights})) is None
