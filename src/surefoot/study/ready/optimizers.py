"""Which update rule?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.recipe.optimizer import RULES
from surefoot.study.ready.outcomes import Outcome, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    return [Arm(name, {"optimizer": name}, {"optimizer": name}) for name in RULES]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return (validation(measure),)


OPTIMIZERS = Question(
    "optimizers",
    "Which update rule does best, each at its own best learning rate?",
    _arms,
    _outcomes,
    varies=("optimizer",),
    remarks=rates_remark,
)
