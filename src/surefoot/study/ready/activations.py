"""Which activation?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.layers import layers_of, with_activation
from surefoot.study.ready.outcomes import Outcome, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark

# Of one output each; step and identity show what a net without a useful bend reaches.
_ACTIVATIONS = (
    "step",
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "softplus",
    "leaky_relu",
    "prelu",
    "rrelu",
    "elu",
    "selu",
    "gelu",
    "silu",
)


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
