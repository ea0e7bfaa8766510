"""From a run or recipe that fails to a repaired one, trained, in a folder of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from surefoot.checksums import resealed, seal
from surefoot.engine.training import Training
from surefoot.errors import RecipeError, RunError
from surefoot.files import write_json, write_text
from surefoot.job import Job, prepare
from surefoot.keeper import new_folder
from surefoot.recipe import Recipe
from surefoot.recipe.toml import save
from surefoot.repair.mending import mend
from surefoot.repair.result import Repair
from surefoot.run import FORMAT, Run
from surefoot.trainer import execute

# What a repair's checksums.json speaks for; the run within has its own.
SEALED = ("recipe.toml", "changes.diff", "proof.json")


def _compiled(recipe: Recipe) -> Job:
    """Make a job; compile its programs, where that needs neither taught weights nor a stream."""
    job = prepare(recipe)
    if not (recipe.pretrain or recipe.transfer or job.dataset.stream):
        Training(job.cohort)
    return job


def repair(
    target: Run | Recipe | Job | str | Path,
    *,
    budget_seconds: float | None = None,
    out: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Repair:
    """Find the smallest edit that makes a failing run or recipe train well; prove it; train it.

    What is given is diagnosed. What its findings propose, and what helps in general, is tried over
    seeds, alone and together, and scored on one half of the validation rows. Changes that are not
    needed are undone. What is left is trained beside the recipe as it was, the same with other
    seeds (the no-op) and a change drawn at random, on fresh seeds, and scored on the other half:
    it is a repair where it is better by more than the seeds differ.

    A repair is written into a folder: `recipe.toml`, `changes.diff`, `proof.json` and `run/`, the
    trained network. Where nothing was wrong, or nothing helped, nothing is written. What was given
    is never changed.

    Args:
        target: a run or its folder, a recipe or the path of its TOML file, or a job.
        budget_seconds: how long search and proof may take, about; a training of the repaired
            recipe comes after it. A minute or six trainings, whichever is longer, without it.
        out: the folder; ``repairs/NAME-N`` where nothing is given.
        tell: called with a line for people before each thing that takes long.

    Returns:
        The repair: `repaired`, `before`, `after`, `changes`, `recipe`, `proof`, `diff`.

    Raises:
        RunError: there is no such run, or the folder exists.
        RecipeError: the recipe cannot be read, or does not fit its data.
        DataError: the data cannot be used, or have too few validation rows.

    >>> import surefoot as sf
    >>> layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    >>> healthy = sf.Recipe.parse({
    ...     "data": {"source": "iris"},
    ...     "net": {"layers": [*layers, {"activation": "softmax"}]},
    ...     "optimizer": {"name": "adam", "learning_rate": 0.01},
    ...     "train": {"epochs": 80},
    ... })
    >>> sf.repair(healthy).repaired
    False
    """
    if budget_seconds is not None and not budget_seconds > 0:
        raise RecipeError(f"budget_seconds = {budget_seconds}: must be above 0")
    if out is not None and os.path.lexists(out):  # before the work, not after it
        raise RunError(f"{out}: exists already; give another folder, or remove this one")
    started = time.monotonic()
    jobs: dict[Recipe, Future[Job]] = {}
    with ThreadPoolExecutor(1, thread_name_prefix="surefoot-ahead") as pool:

        def chosen(recipe: Recipe) -> None:
            """Compile what would train a recipe while it is being proven."""
            jobs[recipe] = pool.submit(_compiled, recipe)

        try:
            done = mend(target, budget_seconds, tell, chosen)
        except KeyboardInterrupt:
            tell(
                "stopped before there was a proof: nothing was written; the same command begins "
                "anew"
            )
            raise
    if not done.repaired:
        return done
    with new_folder(out, done.recipe.data.source or "recipe", "repairs") as path:
        # First, so that a training that is stopped leaves what was found, and can be resumed.
        save(done.recipe, path / "recipe.toml")
        write_text(path / "changes.diff", done.diff)
        done = replace(done, folder=path, seconds=time.monotonic() - started)
        write_json(path / "proof.json", {"format": FORMAT, **done.to_dict()})
        seal(path, SEALED)
        tell("training the repaired recipe…")
        run = path / "run"
        run.mkdir()
        execute(jobs[done.recipe].result(), run)
        done = replace(done, seconds=time.monotonic() - started)
        with resealed(path, "proof.json"):
            write_json(path / "proof.json", {"format": FORMAT, **done.to_dict()})
    return done
