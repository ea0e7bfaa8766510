"""Runs that are to predict together: opened, and checked to mean the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from surefoot.data import Dataset
from surefoot.data.builtin import BUILTIN
from surefoot.engine.committee import Committee
from surefoot.engine.model import Model
from surefoot.errors import DataError, RunError
from surefoot.job import dataset_of, reading
from surefoot.run import Run


@dataclass(frozen=True)
class Member:
    """One net of an ensemble.

    Attributes:
        name: what it is called: its run's folder, a seed, or a step.
        model: the net.
        dataset: the rows that it was trained and validated on, where they can be had.
        values: what the table of members holds of it.
    """

    name: str
    model: Model
    dataset: Dataset | None
    values: dict[str, Any]


def open_runs(runs: Sequence[Run | str | Path]) -> list[Member]:
    """Return the nets of runs; of an ensemble's folder all of its members.

    Raises:
        RunError: a run cannot be opened, has no model, or means something else than the first.
    """
    found: list[Member] = []
    known: dict[Hashable, Dataset | None] = {}
    for given in runs:
        run = given if isinstance(given, Run) else Run(given)
        predictor = run.predictor
        models = predictor.members if isinstance(predictor, Committee) else (predictor,)
        for number, model in enumerate(models):
            name = str(run.path) if len(models) == 1 else f"{run.path}#{number}"
            values = {"member": name, "seed": model.recipe.seed}
            dataset = run.dataset or _dataset(model, known)
            found.append(Member(name, model, dataset, values))
    for other in found[1:]:
        check_alike(found[0], other)
    return found


def _dataset(model: Model, known: dict[Hashable, Dataset | None]) -> Dataset | None:
    """Return the rows that a net was trained on; None where they are not there any more."""
    if model.recipe.data.source is None:
        return None
    key = reading(model.recipe)
    if key not in known:
        try:
            known[key] = dataset_of(model.recipe)
        except DataError:
            known[key] = None
    return known[key]


def check_alike(first: Member, other: Member) -> None:
    """Refuse nets that do not predict the same from the same.

    Raises:
        RunError: names both, and what differs.
    """
    for say in (_target, _inputs, _data):
        mine, theirs = say(first.model), say(other.model)
        if mine != theirs:
            raise RunError(
                f"{other.name}: {theirs}, and {first.name}: {mine}; the members of an ensemble "
                "predict the same target from the same inputs"
            )


def _target(model: Model) -> str:
    """Say what a net predicts."""
    target, columns = model.target, model.recipe.data.target
    of = f" of {', '.join(columns)}" if columns else ""
    if target.kind == "classes":
        names = ", ".join(repr(name) for name in target.classes or ())
        return f"predicts the classes {names}{of}"
    what = "label" if target.kind == "labels" else "number"
    return f"predicts {target.size} {what}{'s' if target.size > 1 else ''}{of}"


def _inputs(model: Model) -> str:
    """Say what a net reads."""
    if model.encoding is not None:
        return "reads the columns " + ", ".join(_columns(model))
    return f"reads rows of {prod(model.feature_shape)} numbers"


def _columns(model: Model) -> list[str]:
    assert model.encoding is not None
    return sorted({treatment.column for treatment in model.encoding.treatments})


def _data(model: Model) -> str:
    """Say which built-in set a net was trained on: one's classes 0 and 1 are not another's."""
    source = str(model.recipe.data.source)
    return f"was trained on {source}" if source in BUILTIN else "was trained on files or arrays"
