"""`surefoot resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from surefoot.engine.events import Block
    from surefoot.job import Job


def resume(
    run: Annotated[
        Path, typer.Argument(help="the folder of a run that was stopped", show_default=False)
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run that was interrupted or killed, from its newest good checkpoint.

    It ends with the same bits as a run that was never stopped. Where no checkpoint is good
    training begins anew; a run that is over stays as it is.
    """
    from surefoot.cli.output import console
    from surefoot.processes import is_first, together
    from surefoot.resumer import resume_following

    with together():
        if is_first():
            return _resume(run, as_json, console(quiet))
        resume_following(run)
    return 0


def _resume(run: Path, as_json: bool, people: Console) -> int:
    """Go on with a run; return the exit code."""
    from contextlib import ExitStack

    from surefoot.cli.output import print_json
    from surefoot.cli.progress import TrainingProgress
    from surefoot.cli.train import JSON_NAMES, conclude, exit_code
    from surefoot.resumer import resume as go_on

    jobs = []

    def tell(line: str) -> None:
        people.print(line, markup=False, soft_wrap=True)

    with ExitStack() as stack:

        def progress(job: Job) -> Callable[[Block], None]:
            jobs.append(job)
            total, epochs = job.cohort.total_steps, job.recipe.train.epochs
            bar = TrainingProgress(people, total, epochs, job.cohort.measure)
            return stack.enter_context(bar).block

        found = go_on(run, progress=progress, tell=tell)
    if jobs:
        conclude(people, jobs[0], found)
    else:
        tell(f"{found.path}: this run is over; there is nothing to go on with")
    if as_json:
        print_json({name: found.summary[name] for name in JSON_NAMES})
    return exit_code(found)
