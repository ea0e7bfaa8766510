"""One program of the corpus, repaired, and what the repaired recipe reaches; kept on disk."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import surefoot
from benchmarks.faults.outcomes import SEEDS, r_squared
from surefoot.data import Dataset
from surefoot.doctor.lanes import without_vitals
from surefoot.engine.cohort import Cohort
from surefoot.engine.training import LaneResult, train
from surefoot.files import read_json, write_json
from surefoot.job import dataset_of
from surefoot.recipe import Recipe
from surefoot.repair.halves import halves

FOLDER = Path("build/repair")
BUDGET = 60.0
"""Seconds that a repair may take: as many as `surefoot repair` takes for
programs as short as these, where nothing is said."""


@dataclass(frozen=True)
class Scores:
    """What a recipe reached, the median over the corpus's seeds: accuracy, or R².

    Attributes:
        whole: on all validation rows, by which the corpus labels programs.
        proving: on the half of them that no repair chooses by.
    """

    whole: float
    proving: float


@dataclass(frozen=True)
class Mended:
    """What a repair made of one program.

    Attributes:
        repaired: what it said of itself.
        sentence: likewise.
        root: the root cause that was named.
        changes: what was changed.
        seconds: how long diagnosis, search and proof took.
        processor: seconds of the processor's time that they took, on all cores together.
        trials: how many trainings were made.
        after: what the recipe that was delivered reaches: the program's own where nothing was.
        recipe: it, as plain data.
        tried: what was tried, the best first.
        random: what as many trainings of changes drawn at random reach; None if not asked for.
    """

    repaired: bool
    sentence: str
    root: str | None
    changes: tuple[str, ...]
    seconds: float
    processor: float
    trials: int
    after: Scores
    recipe: Mapping[str, Any]
    tried: Sequence[Mapping[str, Any]]
    random: Scores | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Mended:
        """Return what a JSON file holds."""
        random = values.get("random")
        return cls(
            **{
                **values,
                "changes": tuple(values["changes"]),
                "after": Scores(**values["after"]),
                "random": None if random is None else Scores(**random),
            }
        )


@cache
def code() -> str:
    """Return a digest of the package: another one may repair otherwise."""
    root = Path(surefoot.__file__).parent
    files = sorted(path for path in root.rglob("*.py") if "cli" not in path.parts)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def kept(name: str, key: str, folder: Path, stale: bool, random: bool) -> Mended | None:
    """Return the stored repair of a program; None where there is none, or by other code.

    Args:
        name: of the program.
        key: of its recipe and data, as `benchmarks.faults.outcomes.key_of` has it.
        folder: where repairs are kept.
        stale: whether one by other code will do.
        random: whether changes at random have to be there.
    """
    path = _path(key, folder)
    if not path.exists():
        return None
    stored = read_json(path)
    fitting = stored["name"] == name and (stale or stored["code"] == code())
    found = Mended.from_dict(stored["mended"]) if fitting else None
    return None if found is None or (random and found.random is None) else found


def _path(key: str, folder: Path) -> Path:
    return folder / f"{key}.json"


def mend_one(
    name: str, key: str, recipe: Recipe, folder: Path, random: bool, budget: float
) -> Mended:
    """Repair a program as a new process would, measure what comes out, and keep it.

    Of one that is kept without changes at random, these alone are tried.
    """
    found = kept(name, key, folder, stale=False, random=False) or _mended(recipe, budget)
    if random:
        from benchmarks.faults.random_changes import at_random

        found = replace(found, random=measured(at_random(recipe, found.trials)))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(_path(key, folder), {"name": name, "code": code(), "mended": asdict(found)})
    return found


def _mended(recipe: Recipe, budget: float) -> Mended:
    from surefoot.repair.mending import mend

    forget()
    started, used = time.perf_counter(), time.process_time()
    done = mend(recipe, budget)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    return Mended(
        done.repaired,
        done.sentence,
        done.diagnosis.root_cause,
        done.changes,
        seconds,
        processor,
        done.trials,
        measured(done.recipe),
        done.recipe.to_dict(),
        [{"changes": row["changes"], "mean": row["mean"]} for row in done.tried],
    )


def forget() -> None:
    """Forget compiled programs, and what simple methods reach: a new process knows none."""
    import jax

    from surefoot.data import reference
    from surefoot.engine.programs import programs_for

    reference.forget()
    programs_for.cache_clear()
    jax.clear_caches()


def measured(recipe: Recipe) -> Scores:
    """Train a recipe over the corpus's seeds, and score it on its validation rows.

    Where training is stopped early it is by the half that a repair chooses by: the other half is
    held back from weights and choices alike.
    """
    bare = without_vitals(recipe)
    recipes = [bare.model_copy(update={"seed": seed}) for seed in SEEDS]
    dataset = dataset_of(bare)
    choosing, proving = halves(dataset)
    results = train(Cohort(recipes, choosing))
    return Scores(_score(recipes, dataset, results), _score(recipes, proving, results))


def _score(recipes: Sequence[Recipe], dataset: Dataset, results: Iterable[LaneResult]) -> float:
    """Return the median score of trained weights on a data set's validation rows."""
    cohort = Cohort(recipes, dataset)
    start = [r.last._replace(params=r.params, state=r.state) for r in results]
    values = []
    for result in train(cohort, start=start, until=0):
        assert result.validation is not None, "every set of the corpus has validation rows"
        value = result.validation[1]
        if cohort.measure == "rmse":
            values.append(r_squared(value, float(np.var(dataset.y_val))))
        else:
            values.append(value if math.isfinite(value) else 0.0)
    return statistics.median(values)


def reference(name: str, bases: Sequence[Recipe], folder: Path) -> Scores:
    """Return the best healthy base of a data set, measured likewise, and keep it."""
    texts = [json.dumps(base.to_dict(), sort_keys=True) for base in bases]
    key = hashlib.sha256("".join(texts).encode()).hexdigest()[:12]
    path = folder / f"reference-{name}-{key}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        best = max((measured(base) for base in bases), key=lambda found: found.whole)
        write_json(path, asdict(best))
    return Scores(**read_json(path))
