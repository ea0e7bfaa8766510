"""Where a run that was stopped can go on from: the newest of its checkpoints that is good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.data.fingerprint import alike, fingerprint
from surefoot.engine.checkpoint import Checkpoint, Point
from surefoot.engine.checkpoints import Checkpoints
from surefoot.engine.training import Training
from surefoot.errors import DataError, RecipeError, RunError
from surefoot.job import Job
from surefoot.keeper import TABLES
from surefoot.recipe import Recipe, load
from surefoot.recipe.toml import tomllib
from surefoot.saving import FOLDER, recipe_hash
from surefoot.vitals.table import Table, read_parts


@dataclass(frozen=True)
class Before:
    """What earlier processes left of a run.

    Attributes:
        point: where it goes on.
        tables: the rows of its tables up to there.
    """

    point: Point
    tables: dict[str, Table]


def recipe_of(path: Path, tell: Callable[[str], None]) -> Recipe:
    """Return the recipe of a run that was stopped.

    Where its file is missing or broken, the one that its newest good checkpoint holds is used.

    Raises:
        RunError: there is no such folder, or no recipe in it that can be read.
    """
    if not path.is_dir():
        raise RunError(f"{path}: no such folder; give the folder of a run")
    try:
        return load(path / "recipe.toml")
    except RecipeError as error:
        found, _ = Checkpoints(path / FOLDER).newest(_recipe_in)
        if found is None:
            raise RunError(f"{error}; and no checkpoint holds the recipe") from None
        tell(f"{error}; the one that a checkpoint holds is used")
        return found


def _recipe_in(checkpoint: Checkpoint) -> Recipe:
    try:
        return Recipe.parse(tomllib.loads(str(checkpoint.point.about["recipe"])))
    except (KeyError, ValueError) as error:
        raise RunError(f"{checkpoint.path}: holds no recipe: {error}") from None


def restore(path: Path, job: Job, training: Training, tell: Callable[[str], None]) -> Before | None:
    """Put a training where its newest good checkpoint is; return None where there is none.

    Args:
        path: the run's folder.
        job: the run's recipe and data, made ready again.
        training: a new one, of the job's cohort.
        tell: called with a line about each checkpoint that cannot be used.

    Raises:
        RecipeError: the recipe is not the one that the run began with.
        DataError: the data are not.
    """
    known, seen = recipe_hash(job.recipe), fingerprint(job.dataset)
    steps, epochs = job.cohort.steps_per_epoch, job.recipe.train.epochs
    fresh = training.snapshot()

    def use(checkpoint: Checkpoint) -> Before:
        point = checkpoint.point
        if point.recipe != known:
            raise RecipeError(
                f"{path / 'recipe.toml'}: was changed since the run was stopped; undo the change, "
                "or remove the file to go on with the recipe that the checkpoint holds"
            )
        if not alike(point.about.get("data"), seen):
            raise DataError(
                f"{job.dataset.source}: the data are not those that {path} was trained on; train "
                "anew"
            )
        at = (point.epoch - 1) * steps + point.position
        if not (
            0 <= point.position < steps and 1 <= point.epoch <= epochs + 1 and at == point.step
        ):
            raise RunError(f"{checkpoint.path}: is at no step of this run")
        tables = {name: _rows(path / name, point, name) for name in TABLES}
        if tables["metrics"].rows != point.step:
            raise RunError(f"{path / 'metrics'}: has other rows than {checkpoint.path} knows")
        trees = checkpoint.restore(fresh.templates(point.position))
        training.restore(fresh.at(point.epoch, point.position, point.step, trees))
        return Before(point, tables)

    found, complaints = Checkpoints(path / FOLDER).newest(use)
    for line in complaints:
        tell(f"{line}; an earlier checkpoint is used" if found else line)
    return found


def _rows(folder: Path, point: Point, name: str) -> Table:
    """Return the rows of a table that were on disk at a checkpoint."""
    parts: Any = point.about.get("parts")
    count = parts.get(name) if isinstance(parts, dict) else None
    if not isinstance(count, int) or count < 0:
        raise RunError(f"{folder}: the checkpoint does not say how many parts it has")
    return Table(read_parts(folder, count))
