"""Outcomes: what a recipe reaches over three seeds, and what that says about a program.

A program's label follows from its validation result against the healthy reference of its data
set, and not from what was done to it. A fault is the root cause where undoing it alone restores
the outcome.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.faults.datasets import arrays
from benchmarks.faults.edits import apply
from benchmarks.faults.programs import Program
from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block
from surefoot.engine.recorder import metric_rows, vital_rows
from surefoot.engine.training import train
from surefoot.files import write_json, write_text, write_whole
from surefoot.recipe import Recipe, dumps
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import TableWriter

SEEDS = (0, 1, 2)
FAILS = 0.10
"""A program fails if it is this far below the reference, in accuracy or R²."""
TRAINS = 0.03
"""It trains if it is at most this far below."""
RESTORES = 0.8
"""Undoing a fault restores the outcome if it gains this share of the gap to the reference."""

Label = Literal["fails", "between", "trains"]


@dataclass(frozen=True)
class Outcome:
    """What a recipe reached.

    Attributes:
        scores: on validation rows, of each seed: accuracy, or R².
        train_scores: on training rows, likewise.
        diverged: the step at which each seed's loss stopped being finite, or None.
        steps: that each seed took.
        shown: the place of the seed whose tables are kept: the one with the median score.
    """

    scores: tuple[float, ...]
    train_scores: tuple[float, ...]
    diverged: tuple[int | None, ...]
    steps: tuple[int, ...]
    shown: int

    @property
    def score(self) -> float:
        """The median over the seeds."""
        return statistics.median(self.scores)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Outcome:
        """Return the outcome that a JSON file holds."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def label(score: float, reference: float) -> Label:
    """Return a program's label.

    >>> label(0.86, 0.97), label(0.95, 0.97), label(0.90, 0.97)
    ('fails', 'trains', 'between')
    """
    # A hair's breadth of room, so that 0.87 against 0.97 is 10 points below in binary, too.
    below = reference - score
    if below >= FAILS - 1e-9:
        return "fails"
    return "trains" if below <= TRAINS + 1e-9 else "between"


def restores(score: float, undone: float, reference: float) -> bool:
    """Return whether undoing one fault restores what a failing program lost.

    >>> restores(0.50, 0.92, 0.97), restores(0.50, 0.70, 0.97), restores(0.80, 0.945, 0.97)
    (True, False, True)
    """
    gap = reference - score
    return label(undone, reference) == "trains" or undone - score >= RESTORES * gap - 1e-9


def r_squared(rmse: float, variance: float) -> float:
    """Return R² = 1 − rmse²/variance, at least −1: worse is no worse.

    >>> r_squared(1.0, 4.0), r_squared(100.0, 4.0), r_squared(float("nan"), 4.0)
    (0.75, -1.0, -1.0)
    """
    value = 1.0 - rmse**2 / variance
    return max(value, -1.0) if math.isfinite(value) else -1.0


# The data on disk.


def edits_of(file: str) -> tuple[str, tuple[str, ...]]:
    """Return the data set and the edits that a file's name tells.

    >>> edits_of("moons--inputs-times=100.npz")
    ('moons', ('inputs-times=100',))
    """
    name, *edits = file.removesuffix(".npz").split("--")
    return name, tuple(edits)


@cache
def _digest(file: str) -> str:
    name, edits = edits_of(file)
    data = apply(arrays(name), edits)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part) for part in data)).hexdigest()


def write_data(recipe: Recipe) -> None:
    """Write the arrays that a recipe reads, unless the same ones are there."""
    path = Path(str(recipe.data.source))
    if path.suffix != ".npz" or _same_data(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    name, edits = edits_of(path.name)
    data = apply(arrays(name), edits)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, digest=_digest(path.name), **data._asdict())

    write_whole(path, write)


def _same_data(path: Path) -> bool:
    if not path.exists():
        return False
    with np.load(path) as archive:
        return bool(archive["digest"] == _digest(path.name))


# Recipe keys that are younger than the corpus: at their defaults a recipe trains as it did before.
_LATER = (("checkpoints", "every_seconds"), ("checkpoints", "keep"), ("train", "on_divergence"))


def _default(recipe: Recipe, section: str, key: str) -> Any:
    return type(getattr(recipe, section)).model_fields[key].default


def key_of(recipe: Recipe) -> str:
    """Return a name for a recipe's outcome: it changes with the recipe, the data and the columns.

    Where the data lie does not matter, nor do keys at their defaults that came after the corpus.
    """
    tables = recipe.to_dict()
    for section, key in _LATER:
        if getattr(getattr(recipe, section), key, None) == _default(recipe, section, key):
            tables[section].pop(key, None)
    tables = {section: keys for section, keys in tables.items() if keys != {}}
    file = Path(str(recipe.data.source)).name
    tables["data"]["source"] = _digest(file) if file.endswith(".npz") else file
    parts = [tables, SEEDS, METRIC_COLUMNS, VITAL_COLUMNS]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


# Training.


class _Blocks:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def block(self, block: Block) -> None:
        self.blocks.append(block)

    def stop(self) -> bool:
        return False


def measure(recipe: Recipe, folder: Path) -> Outcome:
    """Train a recipe over all seeds and leave recipe, tables and outcome in a folder.

    The seeds are lanes of one cohort, each with batches of its own. The outcome is written last:
    a folder with one is complete. The data must have been written.
    """
    pictures = any("conv" in layer.model_fields_set for layer in recipe.net.layers)
    dataset = load(recipe.data, images=pictures)
    recipes = [recipe.model_copy(update={"seed": seed}) for seed in SEEDS]
    cohort = Cohort(recipes, dataset)
    listener = _Blocks()
    results = train(cohort, listener)
    scores = [_score(result.validation, cohort) for result in results]
    shown = int(np.argsort(scores, kind="stable")[len(scores) // 2])
    outcome = Outcome(
        tuple(scores),
        tuple(_score(result.train, cohort) for result in results),
        tuple(result.diverged for result in results),
        tuple(result.steps for result in results),
        shown,
    )
    _write_tables(folder, cohort, listener.blocks, shown)
    write_text(folder / "recipe.toml", dumps(recipes[shown]))
    write_json(folder / "outcome.json", outcome.__dict__)
    return outcome


def _score(measured: tuple[float, float] | None, cohort: Cohort) -> float:
    assert measured is not None, "every set of the corpus has validation rows"
    if cohort.measure == "rmse":
        return r_squared(measured[1], float(np.var(cohort.dataset.y_val)))
    return measured[1] if math.isfinite(measured[1]) else 0.0


def _write_tables(folder: Path, cohort: Cohort, blocks: Sequence[Block], lane: int) -> None:
    sites = [(site.name, site.kind) for site in cohort.blueprint.network.sites]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("metrics", "vitals"):
        writer = TableWriter(folder, name)
        for block in blocks:
            if not block.running[lane]:
                continue
            if name == "metrics":
                writer.append(metric_rows(block, lane, folder.name, cohort.measure))
            else:
                writer.append(vital_rows(block, lane, folder.name, sites))
        writer.close()


# What the outcomes say.


@dataclass(frozen=True)
class Judged:
    """A program with its outcome.

    Attributes:
        program: the program.
        outcome: what it reached.
        reference: the score of the best healthy base of its data set.
        label: "fails", "between" or "trains".
        undone: the score without each fault, by the fault's text.
        causes: the faults whose removal alone restores a failing program.
        right: the findings that name one of them.
    """

    program: Program
    outcome: Outcome
    reference: float
    label: Label
    undone: Mapping[str, float]
    causes: tuple[str, ...]
    right: frozenset[str]


def judge(program: Program, outcomes: Mapping[Recipe, Outcome], reference: float) -> Judged:
    """Label a program by its outcome, and find its root causes."""
    outcome = outcomes[program.recipe]
    said = label(outcome.score, reference)
    undone = {text: outcomes[recipe].score for text, recipe in program.undo.items()}
    causes = [
        fault
        for fault in program.faults
        if said == "fails" and restores(outcome.score, undone[str(fault)], reference)
    ]
    right = frozenset().union(*(fault.right for fault in causes))
    names = tuple(map(str, causes))
    return Judged(program, outcome, reference, said, undone, names, right)
