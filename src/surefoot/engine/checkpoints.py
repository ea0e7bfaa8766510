"""A run's checkpoints: the last few and the best are kept, and the newest good one is used."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from surefoot.engine.checkpoint import Checkpoint, Point, read, write
from surefoot.errors import RunError

T = TypeVar("T")


class Checkpoints:
    """The folder of a run's checkpoints.

    Args:
        folder: it is made with the first checkpoint.
        keep: how many of the last ones are kept; the best is kept beside them.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder = folder
        self._keep = keep

    def save(self, point: Point, trees: Mapping[str, Any]) -> Checkpoint:
        """Write a checkpoint, then remove those that are neither among the last nor the best.

        Raises:
            RunError: it cannot be written; all earlier ones are still there.
        """
        written = write(self.folder, point, trees)
        there = [checkpoint for checkpoint in map(_readable, self.paths()) if checkpoint]
        kept = {checkpoint.path for checkpoint in there[: self._keep]}
        scored = [
            (c.point.score, -c.point.step, c.path) for c in there if c.point.score is not None
        ]
        kept |= {path for *_, path in sorted(scored)[:1]}
        for checkpoint in there:
            if checkpoint.path not in kept:
                shutil.rmtree(checkpoint.path, ignore_errors=True)
        return written

    def paths(self) -> list[Path]:
        """Return the checkpoints' folders, the newest first."""
        return sorted(self.folder.glob("step-" + "[0-9]" * 12), reverse=True)

    def newest(self, use: Callable[[Checkpoint], T]) -> tuple[T | None, list[str]]:
        """Use the newest checkpoint that is good.

        Args:
            use: takes a checkpoint; a `RunError` of it says why it is not good.

        Returns:
            What `use` returned, or None where no checkpoint is good; and a line about each newer
            one that is not.
        """
        complaints = []
        for path in self.paths():
            try:
                return use(read(path)), complaints
            except RunError as error:
                complaints.append(str(error))
        return None, complaints

    def discard_after(self, step: int) -> None:
        """Remove the checkpoints of later steps, and what is left of unfinished ones."""
        for path in [*self.paths(), *self.folder.glob("*.tmp")]:
            if path.suffix == ".tmp" or int(path.name.removeprefix("step-")) > step:
                shutil.rmtree(path, ignore_errors=True)


def _readable(path: Path) -> Checkpoint | None:
    try:
        return read(path)
    except RunError:
        return None
