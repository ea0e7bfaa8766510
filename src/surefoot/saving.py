"""When a run's state is kept while it trains, and the writing of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from surefoot.engine.background import Background
from surefoot.engine.checkpoint import Point
from surefoot.engine.checkpoints import Checkpoints
from surefoot.engine.snapshot import Snapshot
from surefoot.errors import SurefootError
from surefoot.recipe import Recipe, dumps

FOLDER = "checkpoints"
# Of the time of training that checkpoints may take at most: with the noise of a timing, a run
# with them takes as long as one without.
_MOST_SHARE = 0.01


def recipe_hash(recipe: Recipe) -> str:
    """Return SHA-256 of a recipe as TOML."""
    return hashlib.sha256(dumps(recipe).encode()).hexdigest()


class Saver:
    """Writes checkpoints in the background, so often as the recipe says or their cost allows.

    Args:
        folder: the run's.
        recipe: what is trained.
        tell: called with a line where a checkpoint cannot be written; training goes on.
    """

    def __init__(self, folder: Path, recipe: Recipe, tell: Callable[[str], None]) -> None:
        self.checkpoints = Checkpoints(folder / FOLDER, recipe.checkpoints.keep)
        self._every = recipe.checkpoints.every_seconds
        self._hash, self._text = recipe_hash(recipe), dumps(recipe)
        self._tell = tell
        self._background = Background()
        self._ended = time.monotonic()
        self._blocked = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint, and none is being written."""
        if not self._every or self._background.busy:
            return False
        self._report()
        rest = (self._blocked + self._background.seconds) / _MOST_SHARE
        return time.monotonic() - self._ended >= max(self._every, rest)

    def save(self, take: Callable[[], Snapshot], about: Mapping[str, Any]) -> None:
        """Take a snapshot, and write it while training goes on.

        Args:
            take: returns the snapshot.
            about: what else there is to know of the run; what it tells of is on disk.
        """
        started = time.monotonic()
        told = {**about, "recipe": self._text}
        snapshot = take()
        point = Point(
            recipe=self._hash,
            step=snapshot.step,
            epoch=snapshot.epoch,
            position=snapshot.position,
            score=told.pop("score", None),
            about=told,
        )
        self._background.wait()
        self._report()
        self._background.start(lambda: self._write(point, snapshot))
        self._blocked = time.monotonic() - started

    def _write(self, point: Point, snapshot: Snapshot) -> None:
        self.checkpoints.save(point, snapshot.trees)
        self._ended = time.monotonic()

    def wait(self) -> None:
        """Wait until what is being written is there."""
        self._background.wait()
        self._report()

    def close(self) -> None:
        """Wait, and end the thread."""
        self.wait()
        self._background.close()

    def _report(self) -> None:
        """Say what went wrong with the last checkpoint."""
        error = self._background.error()
        if isinstance(error, SurefootError):
            self._ended = time.monotonic()  # not at once again
            self._tell(f"{error}; training goes on, the earlier checkpoints are kept")
        elif error is not None:
            raise error
