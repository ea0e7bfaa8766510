"""`sf.ensemble`: several nets that predict together, in one folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surefoot.engine.events import Block
from surefoot.ensemble.folder import write_ensemble
from surefoot.ensemble.members import Member, open_runs
from surefoot.ensemble.seeds import train_seeds
from surefoot.ensemble.snapshots import snapshot_members
from surefoot.errors import InputError, RunError
from surefoot.job import Job, prepare
from surefoot.keeper import new_folder
from surefoot.recipe.section import is_whole
from surefoot.run import Run

MEMBERS, MOST_MEMBERS = 8, 1000
# What a run's folder has, and a folder of data has not.
_SIGNS = ("summary.json", "recipe.toml")


def ensemble(
    *what: Any,
    members: int | None = None,
    checkpoints: bool = False,
    net: Any = None,
    optimizer: Any = None,
    out: str | Path | None = None,
    progress: Callable[[Job], Callable[[Block], None]] = lambda job: lambda block: None,
    tell: Callable[[str], None] = lambda line: None,
    **keys: Any,
) -> Run:
    """Make several nets one: `predict` gives their mean, `disagreement` how far they lie apart.

    Of a source of data, or a recipe, as many seeds are trained side by side, as lanes of one
    program, each with first weights and an order of batches of its own. Of several runs, or of the
    snapshots of one, nothing is trained: their nets are put together.

    Args:
        *what: a source or a recipe, as `surefoot.train` takes it; or runs or their folders; or,
            with ``checkpoints``, one run.
        members: how many seeds; 8 where nothing is given.
        checkpoints: whether the members are the snapshots that one run kept
            (`checkpoints.snapshots`); those that are clearly worse than the best on the validation
            rows are left out.
        net: of a source: as `surefoot.train` takes it.
        optimizer: of a source.
        out: the folder; ``runs/SOURCE-N`` where nothing is given.
        progress: called with the job when it is made ready; returns what is called after each
            dispatch.
        tell: called with a line for people.
        **keys: of the recipe, as `surefoot.train` takes them.

    Returns:
        The run. Its `summary` holds `metrics`, those of the mean prediction, and `ensemble`.

    Raises:
        InputError: too few members, or arguments that do not go together.
        RunError: a run has no model, is damaged, or means something else than the first; or the
            folder exists.
        RecipeError: a key is wrong.
        DataError: the data cannot be used.
        TrainingError: all members diverged.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.ensemble("iris", members=3, net="mlp:4", epochs=5, out=f"{folder}/e")
    ...     found = run.disagreement([[5.1, 3.5, 1.4, 0.2]])
    >>> found.members, found.std.shape
    (3, (1, 3))
    """
    started = time.perf_counter()
    if out is not None and os.path.lexists(out):  # before the work, not after it
        raise RunError(f"{out}: exists already; give another folder, or remove this one")
    if not what:
        raise InputError("an ensemble needs a source, a recipe, or the folders of runs")
    runs = [own for own in what if is_run(own)]
    named = {key.replace("__", "."): value for key, value in keys.items()}
    if runs or checkpoints:
        given = {"members": members, "net": net, "optimizer": optimizer, **keys}
        useless = [name for name, value in given.items() if value is not None]
        if useless:
            raise InputError(
                f"{useless[0]}: goes with a source or a recipe; the nets of runs are trained"
            )
        found, about = _of_runs(what, checkpoints, tell)
        about["seconds"] = time.perf_counter() - started
        with new_folder(out, found[0].model.recipe.data.source or "ensemble") as path:
            return write_ensemble(path, found, found[0].model.recipe, about)
    if len(what) > 1:
        raise InputError(f"{what[0]}: not the folder of a run, and only runs are put together")
    count = MEMBERS if members is None else members
    if not is_whole(count) or not 2 <= count <= MOST_MEMBERS:
        raise InputError(
            f"members = {count!r}: must be a whole number from 2 to {MOST_MEMBERS:,}; one alone "
            "is `surefoot train`"
        )
    job = prepare(what[0], net=net, optimizer=optimizer, keys=named)
    found, cohort = train_seeds(job, count, progress(job), tell)
    about = {
        "kind": "seeds",
        "left_out": [],
        "steps": max(int(own.values["steps"]) for own in found),
        "compile_seconds": cohort.compile_seconds,
        "facts": job.facts,
        "seconds": time.perf_counter() - started,
    }
    with new_folder(out, job.dataset.source) as path:
        return write_ensemble(path, found, job.recipe, about)


def is_run(given: Any) -> bool:
    """Return whether this is a run, or a folder that says it is one's."""
    if isinstance(given, Run):
        return True
    if not isinstance(given, str | Path) or not Path(given).is_dir():
        return False
    return any((Path(given) / name).is_file() for name in _SIGNS)


def _of_runs(
    what: tuple[Any, ...], checkpoints: bool, tell: Callable[[str], None]
) -> tuple[list[Member], dict[str, Any]]:
    """Return the nets of runs, or the snapshots of one."""
    if checkpoints:
        if len(what) != 1:
            raise InputError("checkpoints: are those of one run; give one folder")
        run = what[0] if isinstance(what[0], Run) else Run(what[0])
        found, left_out = snapshot_members(run, tell)
        return found, {"kind": "checkpoints", "left_out": left_out}
    if len(what) < 2:
        raise InputError(
            f"{what[0]}: is one run; give two or more, or --checkpoints for its snapshots"
        )
    strangers = [str(own) for own in what if not is_run(own)]
    if strangers:
        Run(strangers[0])  # says what is wrong with a folder
        raise RunError(f"{strangers[0]}: not the folder of a run")
    return open_runs(what), {"kind": "runs", "left_out": []}
