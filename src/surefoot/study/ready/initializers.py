"""From which first weights?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.outcomes import Outcome, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark

# All equal, far too small, far too large, and the ones that keep a signal's size.
_INITIALIZERS: Mapping[str, Any] = {
    "zeros": "zeros",
    "normal 0.01": {"name": "normal", "stddev": 0.01},
    "normal 1": {"name": "normal", "stddev": 1.0},
    **{
        name: name
        for name in (
            "lecun_normal",
            "glorot_normal",
            "glorot_uniform",
            "he_normal",
            "he_uniform",
            "orthogonal",
        )
    },
}


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    return [
        Arm(name, {"initializer": name}, {"net.initializer": given})
        for name, given in _INITIALIZERS.items()
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return (validation(measure),)


INITIALIZERS = Question(
    "initializers",
    "From which first weights does a deep net train, each at its own best learning rate?",
    _arms,
    _outcomes,
    # Deep enough that a signal which shrinks or grows in each layer is lost.
    net="mlp:32,32,32,32,32,32,32,32",
    keys={"optimizer": "momentum"},
    varies=("net.initializer",),
    remarks=rates_remark,
)
