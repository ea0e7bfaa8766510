"""The names and defaults of a recipe are those of the code that carries it out."""

from __future__ import annotations

from typing import get_args

from surefoot import optim
from surefoot.nn.activations import ACTIVATIONS
from surefoot.nn.initializers import INITIALIZERS
from surefoot.nn.losses import LOSSES
from surefoot.recipe.initializers import INITIALIZER_NUMBERS, InitializerName
from surefoot.recipe.layers import ACTIVATION_NUMBERS, ActivationName
from surefoot.recipe.optimizer import RULES
from surefoot.recipe.schedule import SCHEDULES
from surefoot.recipe.train import LossName


def test_initializers():
    defaults = {name: dict(entry.defaults) for name, entry in INITIALIZERS.items()}
    # Fixup is a rule for a whole net: it becomes other initializers, with the same gain.
    assert {**defaults, "fixup": {"gain": 1.0}} == INITIALIZER_NUMBERS
    assert set(get_args(InitializerName)) == set(INITIALIZER_NUMBERS)


def test_activations():
    assert set(get_args(ActivationName)) == set(ACTIVATIONS)
    defaults = {name: dict(entry.defaults) for name, entry in ACTIVATIONS.items()}
    assert {name: ACTIVATION_NUMBERS.get(name, {}) for name in ACTIVATIONS} == defaults
    assert set(ACTIVATION_NUMBERS) <= set(ACTIVATIONS)


def test_losses():
    assert set(get_args(LossName)) == set(LOSSES)


def test_update_rules():
    assert set(RULES) == set(optim.RULES)


def test_schedules():
    # The plateau follows a measured value, not the step, and is decided after each epoch.
    assert set(SCHEDULES) == {*optim.SCHEDULES, "plateau"}
