"""Which rates does batch normalization allow?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.layers import layers_of, with_norm, without
from surefoot.study.ready.outcomes import Outcome, rates_that_train, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark
from surefoot.study.space import logspace

_WITHOUT, _WITH = "without", "with batch norm"


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    plain = without(layers_of(recipe), "batch_norm")
    return [
        Arm(_WITHOUT, {"batch_norm": "no"}, {"net.layers": plain}),
        Arm(_WITH, {"batch_norm": "yes"}, {"net.layers": with_norm(plain)}, _WITHOUT),
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return rates_that_train(measure), validation(measure)


BATCH_NORM = Question(
    "batch-norm",
    "Which learning rates does batch normalization allow that a net does not train with otherwise?",
    _arms,
    _outcomes,
    net="mlp:64,64,64,64",
    keys={"optimizer": "momentum"},
    # Four a factor of ten: the range itself is what is asked for.
    rates=tuple(float(f"{rate:.2g}") for rate in logspace(-4, 2, 25)),
    choosing_seeds=8,
    varies=("net.layers",),
    remarks=rates_remark,
)
