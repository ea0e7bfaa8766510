"""When a run's state is kept while it trains, and the writing of it."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import jax

from surefoot.engine.background import Background
from surefoot.engine.checkpoint import Point, write
from surefoot.engine.checkpoints import Checkpoints
from surefoot.engine.snapshot import Snapshot
from surefoot.errors import RecipeError, RunError, SurefootError
from surefoot.recipe import Recipe, dumps
from surefoot.recipe.devices import Devices

FOLDER = "checkpoints"
SNAPSHOTS = "snapshots"
# Of the time of training that checkpoints may take at most: with the noise of a timing, a run
# with them takes as long as one without.
_MOST_SHARE = 0.01


def recipe_hash(recipe: Recipe) -> str:
    """Return SHA-256 of a recipe as TOML, but for its devices: others may go on with a run."""
    anywhere = recipe.model_copy(update={"devices": Devices()})
    return hashlib.sha256(dumps(anywhere).encode()).hexdigest()


class Snapshots:
    """Keeps the weights of a run at the ends of equal parts of it, for an ensemble.

    They lie in `snapshots/`, in the form of checkpoints, and stay when the run is over.

    Args:
        folder: the run's.
        recipe: what is trained.
        steps_per_epoch: of the run.
        tell: called with a line where one cannot be written; training goes on.

    Raises:
        RecipeError: there are more parts than epochs.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, steps_per_epoch: int, tell: Callable[[str], None]
    ) -> None:
        self._folder, self._hash, self._tell = folder / SNAPSHOTS, recipe_hash(recipe), tell
        count, epochs = recipe.checkpoints.snapshots, recipe.train.epochs
        self._epochs = snapshot_epochs(count or 0, epochs, recipe.schedule.warmup)
        self._steps_per_epoch = steps_per_epoch

    def keep(self, step: int, take: Callable[[], Snapshot], score: float | None) -> None:
        """Keep the weights where a part ends with this step."""
        epoch, position = divmod(step, self._steps_per_epoch)
        if position or epoch not in self._epochs:
            return
        states = take().lanes.states
        weights = jax.tree.map(itemgetter(0), {"params": states.params, "state": states.state})
        point = Point(self._hash, step, epoch, 0, score, {})
        try:
            write(self._folder, point, {"weights": weights})
        except RunError as error:
            self._tell(f"{error}; training goes on without this snapshot")


def snapshot_epochs(count: int, epochs: int, warmup: float) -> tuple[int, ...]:
    """Return the epochs after which weights are kept: the last before the end of each part.

    Args:
        count: of equal parts of what follows the warm-up.
        epochs: of the run.
        warmup: its share of the run.

    Raises:
        RecipeError: two parts end in the same epoch.

    >>> snapshot_epochs(4, 20, 0.0), snapshot_epochs(2, 5, 0.2)
    ((5, 10, 15, 20), (3, 5))
    """
    ends = [warmup + (1 - warmup) * part / count for part in range(1, count + 1)]
    found = tuple(math.floor(end * epochs + 1e-6) for end in ends)
    if len(set(found)) < count or 0 in found:
        raise RecipeError(
            f"checkpoints.snapshots = {count}: each is kept at the end of an epoch, and the run "
            f"has {epochs}; set it to less, or train.epochs to more"
        )
    return found


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
