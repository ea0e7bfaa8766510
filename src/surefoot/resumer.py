"""A run that was stopped goes on, and ends as if it never had been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from surefoot.engine.agreement import everybody, once
from surefoot.engine.events import Block
from surefoot.errors import RunError
from surefoot.job import Job, prepare
from surefoot.keeper import sweep
from surefoot.recipe import Recipe
from surefoot.resuming import recipe_of
from surefoot.run import Run
from surefoot.saving import FOLDER
from surefoot.trainer import execute, follow


def resume(
    run: Run | str | Path,
    *,
    progress: Callable[[Job], Callable[[Block], None]] = lambda job: lambda block: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Run:
    """Go on with a run that was interrupted or killed, from its newest good checkpoint.

    Weights, tables and findings end with the same bits as those of a run that was never stopped,
    on the same machine. Where no checkpoint is good training begins anew. A run that is over is
    returned as it is.

    Args:
        run: a run, or its folder, or that of a repair whose training was stopped.
        progress: called with the job when it is made ready; returns what is called after each
            dispatch.
        tell: called with a line about each file that cannot be used.

    Raises:
        RunError: there is no such run, or another process trains it.
        RecipeError: its recipe was changed.
        DataError: its data were changed, or are not there any more.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net=sf.nets.mlp(8), epochs=2, out=f"{folder}/run")
    ...     sf.resume(run).summary["ended"]
    'finished'
    """
    path = _place(run.path if isinstance(run, Run) else Path(run))
    recipe = _recipe(path, tell)
    if recipe is None:
        return Run(path)
    with everybody():
        job = prepare(recipe)
    return execute(job, path, progress(job), tell=tell, resumed=True)


def resume_following(run: str | Path) -> None:
    """Go on with a run beside the process that writes, in any of the others."""
    recipe = _recipe(_place(Path(run)), lambda line: None)
    if recipe is not None:
        with everybody():
            job = prepare(recipe)
        follow(job)


def _place(path: Path) -> Path:
    """Return the folder of a run: that within a repair's, where it is one."""
    return path / "run" if (path / "proof.json").is_file() and (path / "run").is_dir() else path


def _is_over(path: Path, tell: Callable[[str], None]) -> bool:
    """Return whether a run ended, and was not interrupted."""
    if not (path / "summary.json").is_file():
        return False
    try:
        return Run(path).summary.get("ended") != "interrupted"
    except RunError as error:
        # It tells how far the run had come; what there is to go on from is told by others.
        if not any((path / FOLDER).glob("step-*")):
            raise
        tell(f"{error}; a checkpoint is looked for")
        return False


def _recipe(path: Path, tell: Callable[[str], None]) -> Recipe | None:
    """Return what a run was stopped at, as the first process finds it; None where it is over."""

    def look() -> dict[str, Any] | None:
        if (path / "study.toml").is_file():
            raise RunError(
                f"{path}: is the folder of a study; `surefoot study` goes on with it, given what "
                f"it was given before and --out {path}"
            )
        if _is_over(path, tell):
            sweep(path)  # should it have been killed in its last moment
            return None
        recipe = recipe_of(path, tell)
        if recipe.data.source is None:
            raise RunError(
                f"{path}: was trained on arrays from Python, which a run does not keep; train "
                "anew, or from a file such as an .npz with x and y"
            )
        return recipe.to_dict()

    tables = once(look)
    return None if tables is None else Recipe.parse(tables)
