"""The ready studies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from surefoot.errors import RecipeError, nearest
from surefoot.study.ready.activations import ACTIVATIONS
from surefoot.study.ready.batch_norm import BATCH_NORM
from surefoot.study.ready.batch_size import BATCH_SIZE
from surefoot.study.ready.depth import DEPTH
from surefoot.study.ready.dropout import DROPOUT
from surefoot.study.ready.initializers import INITIALIZERS
from surefoot.study.ready.loss import LOSS
from surefoot.study.ready.momentum import MOMENTUM
from surefoot.study.ready.optimizers import OPTIMIZERS
from surefoot.study.ready.question import Question

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        question.name: question
        for question in (
            OPTIMIZERS,
            INITIALIZERS,
            ACTIVATIONS,
            MOMENTUM,
            BATCH_SIZE,
            DEPTH,
            BATCH_NORM,
            DROPOUT,
            LOSS,
        )
    }
)


def question_of(name: str) -> Question:
    """Return a ready study by its name.

    Raises:
        RecipeError: there is none of that name.
    """
    if name not in QUESTIONS:
        raise RecipeError(
            f"no ready study is called {name!r}{nearest(name, QUESTIONS)} "
            f"(there are: {', '.join(QUESTIONS)})"
        )
    return QUESTIONS[name]
