"""A run that was stopped goes on, and ends as if it never had been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from surefoot.engine.events import Block
from surefoot.errors import RunError
from surefoot.job import Job, prepare
from surefoot.keeper import sweep
from surefoot.resuming import recipe_of
from surefoot.run import Run
from surefoot.trainer import execute


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
        run: a run, or its folder.
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
    path = run.path if isinstance(run, Run) else Path(run)
    if (path / "summary.json").is_file():
        known = Run(path)
        if known.summary.get("ended") != "interrupted":
            sweep(path)  # should it have been killed in its last moment
            return known
    recipe = recipe_of(path, tell)
    if recipe.data.source is None:
        raise RunError(
            f"{path}: was trained on arrays from Python, which a run does not keep; train anew, or "
            "from a file such as an .npz with x and y"
        )
    job = prepare(recipe)
    return execute(job, path, progress(job), tell=tell, resumed=True)
