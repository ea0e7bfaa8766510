"""What a ready study is: a question, what is compared for it, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.study.space import logspace

if TYPE_CHECKING:
    from surefoot.data.dataset import Dataset
    from surefoot.recipe import Recipe
    from surefoot.study.ready.found import Found
    from surefoot.study.ready.outcomes import Outcome

# Two rates a factor of ten: what is best lies within a factor of 1.8 of one of them.
RATES = tuple(float(f"{rate:.2g}") for rate in logspace(-4, 0.5, 10))


@dataclass(frozen=True)
class Arm:
    """One of the things that are compared.

    Attributes:
        name: what it is called in sentences: "adam", "16 residual layers".
        values: its columns in the tables.
        keys: those of a recipe that it sets.
        against: the name of the arm that it is compared with; None: with the one that did best
            while rates were chosen, or with none where others name theirs.
        updates: after how many it ends, where that is not at the end of its epochs.
    """

    name: str
    values: Mapping[str, Any]
    keys: Mapping[str, Any]
    against: str | None = None
    updates: int | None = None


def no_remarks(found: Found) -> list[str]:
    """Return no sentences beside those that every study has."""
    return []


def no_columns(recipe: Recipe, dataset: Dataset, arms: Sequence[Arm]) -> dict[str, np.ndarray]:
    """Return no columns beside those that every study has."""
    return {}


@dataclass(frozen=True)
class Question:
    """A ready study.

    Attributes:
        name: as the command line has it.
        asks: the question, one sentence.
        arms: from the recipe and its rows to what is compared.
        outcomes: from "accuracy" or "rmse" to what arms are compared by, the first one above all:
            by it each arm's learning rate is chosen.
        source: the data where none are named.
        net: where a source of data is given and no recipe.
        keys: of the recipe, there.
        updates: of each run, there, about.
        training_rows: how many are kept to train on, there; None: as many as the recipe says.
        rates: that each arm is tried with.
        choosing_seeds: with how many seeds, at most.
        varies: sections and keys that the study sets itself.
        remarks: sentences of its own.
        columns: further columns of the table of arms, a number for each.
    """

    name: str
    asks: str
    arms: Callable[[Recipe, Dataset], Sequence[Arm]]
    outcomes: Callable[[str], Sequence[Outcome]]
    source: str = "digits"
    net: str = "mlp:64,64"
    keys: Mapping[str, Any] = field(default_factory=dict)
    updates: int = 1000
    training_rows: int | None = None
    rates: Sequence[float] = RATES
    choosing_seeds: int = 4
    varies: Sequence[str] = ()
    remarks: Callable[[Found], list[str]] = no_remarks
    columns: Callable[[Recipe, Dataset, Sequence[Arm]], Mapping[str, np.ndarray]] = no_columns
