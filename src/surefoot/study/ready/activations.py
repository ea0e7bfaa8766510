"""Which activation?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.recipe.layers import ActivationName
from surefoot.study.ready.layers import layers_of, with_activation
from surefoot.study.ready.outcomes import Outcome, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark

# One overflows, and one is for outputs. Step and identity show what a net without a useful bend
# reaches.
_LEFT_OUT = frozenset({"exponential", "softmax"})
_ACTIVATIONS = tuple(name for name in get_args(ActivationName) if name not in _LEFT_OUT)


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    layers = layers_of(recipe)
    return [
        Arm(name, {"activation": name}, {"net.layers": with_activation(layers, name)})
        for name in _ACTIVATIONS
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return (validation(measure),)


ACTIVATIONS = Question(
    "activations",
    "Which activation does best in the hidden layers, each at its own best learning rate?",
    _arms,
    _outcomes,
    net="mlp:32,32,32,32",
    varies=("net.layers",),
    remarks=rates_remark,
)
