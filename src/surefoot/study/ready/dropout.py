"""How much dropout?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.layers import layers_of, with_dropout, without
from surefoot.study.ready.outcomes import Outcome, gap, validation
from surefoot.study.ready.question import Arm, Question

_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def _name(share: float) -> str:
    return f"dropout {share:g}" if share else "no dropout"


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    plain = without(layers_of(recipe), "dropout")
    return [
        Arm(
            _name(share),
            {"dropout": share},
            {"net.layers": with_dropout(plain, share)},
            against=None if share == 0 else _name(0.0),
        )
        for share in _SHARES
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return validation(measure), gap(measure)


DROPOUT = Question(
    "dropout",
    "How much dropout helps a net that learns few rows by heart?",
    _arms,
    _outcomes,
    net="mlp:128",
    updates=600,
    training_rows=200,
    varies=("net.layers",),
)
