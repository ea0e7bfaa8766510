"""Trains the runs of a ready study, and keeps each part, with its losses, as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.dataset import Dataset
from surefoot.engine.events import Block, Silent
from surefoot.errors import RunError
from surefoot.recipe import Recipe
from surefoot.study.folder import StudyFolder
from surefoot.study.plan import duration, make_plan
from surefoot.study.ready.outcomes import Stage
from surefoot.study.running import rows, train_part
from surefoot.study.space import Setting
from surefoot.vitals.table import Table, read, read_parts, write, write_part

Array = NDArray[np.float64]


class _Losses(Silent):
    """Remembers the mean training loss of each epoch, of the steps before a run diverged."""

    looks_at_validation = False

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._sums: list[Array] = []
        self._counts: list[Array] = []

    def block(self, block: Block) -> None:
        """Add the steps of one dispatch."""
        while len(self._sums) < block.epoch:
            self._sums.append(np.zeros(self._lanes))
            self._counts.append(np.zeros(self._lanes))
        loss = np.asarray(block.loss, np.float64)[:, : self._lanes]
        step = block.first + np.arange(len(loss))[:, None]
        diverged, running = block.diverged[: self._lanes], block.running[: self._lanes]
        counted = running & np.isfinite(loss) & ((diverged < 0) | (step < diverged))
        self._sums[-1] += np.where(counted, loss, 0).sum(axis=0)
        self._counts[-1] += counted.sum(axis=0)

    def means(self) -> Array:
        """Return them, [lanes, epochs]; NaN where a run took no step."""
        sums, counts = np.array(self._sums).T, np.array(self._counts).T
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


class Training:
    """The runs of a ready study, those by which rates are chosen and those that are compared.

    Args:
        folder: where they are kept, part by part.
        guess: what guessing reaches on the training rows.
        tell: called with a line for people.
    """

    def __init__(self, folder: StudyFolder, guess: float, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._guess = guess
        self._tell = tell

    def train(
        self,
        purpose: str,
        settings: Sequence[Setting],
        updates: Sequence[int | None],
        seeds: Sequence[int],
        load: Callable[[Recipe], Dataset],
    ) -> Stage:
        """Train settings, but for what is on disk already; return all their runs.

        Args:
            purpose: what they are for, "choosing" or "comparing": a column.
            settings: what to train, with rates that belong to an arm one after the other.
            updates: after how many each setting ends, where not at the end of its epochs.
            seeds: of each.
            load: from a recipe to its rows.
        """
        done = self._done(purpose)
        started, finished, total = time.perf_counter(), 0, len(settings) * len(seeds) - len(done)
        plans = []
        for until in dict.fromkeys(updates):
            others = {
                (number, seed)
                for number, own in enumerate(updates)
                if own != until
                for seed in seeds
            }
            plans.append((until, make_plan(settings, seeds, load, done=done | others)))
        seconds = sum(plan.seconds for _, plan in plans)
        if total:
            programs = sum(plan.programs for _, plan in plans)
            self._tell(
                f"{purpose}: {total:,} runs in {programs} program{'s' if programs > 1 else ''}, "
                f"about {duration(seconds)}"
            )
        said = started
        for until, plan in plans:
            for group in plan.groups:
                for part in group.parts:
                    losses = _Losses(len(part))
                    begun = time.perf_counter()
                    results, compiled = train_part(group, part, losses, until=until)
                    spent = (time.perf_counter() - begun - compiled) / len(part)
                    table = rows(settings, part, results, plan.measure, spent)
                    steps = np.full(len(part), -(-group.dataset.rows // _batch(group)))
                    self._keep(purpose, {**table, "epoch_steps": steps}, losses.means())
                    finished += len(part)
                    now = time.perf_counter()
                    if now - said > 5 and finished < total:
                        said, rest = now, (now - started) * (total - finished) / finished
                        self._tell(
                            f"{finished:,} of {total:,} runs after {duration(now - started)}, "
                            f"about {duration(rest)} to go"
                        )
        return self._stage(purpose, len(settings), len(seeds))

    def _keep(self, purpose: str, table: Mapping[str, NDArray[Any]], curves: Array) -> None:
        count, epochs = curves.shape
        place = self._folder.path / "losses"
        place.mkdir(exist_ok=True)
        number = len(list(place.glob("part-*.parquet")))
        columns = {
            "purpose": np.full(count * epochs, purpose, object),
            **{key: np.repeat(table[key], epochs) for key in ("setting", "seed")},
            "epoch": np.tile(np.arange(1, epochs + 1), count),
            "train_loss": curves.ravel(),
        }
        write_part(place, number, columns)
        # What is kept last says that both are there.
        self._folder.keep({"purpose": np.full(count, purpose, object), **table})

    def _done(self, purpose: str) -> set[tuple[int, int]]:
        runs = self._folder.runs()
        if not runs.rows:
            return set()
        own = runs.where(runs["purpose"] == purpose)
        return set(zip(own["setting"].tolist(), own["seed"].tolist(), strict=True))

    def _stage(self, purpose: str, settings: int, seeds: int) -> Stage:
        runs = self._folder.runs()
        runs = runs.where(runs["purpose"] == purpose)
        order = np.lexsort((runs["seed"], runs["setting"]))
        columns = {
            name: column[order].reshape(settings, seeds)
            for name, column in runs.items()
            if column.dtype != object
        }
        losses = self.losses().where(self.losses()["purpose"] == purpose)
        curves = np.full((settings, seeds, int(losses["epoch"].max())), np.nan)
        places = {seed: i for i, seed in enumerate(columns["seed"][0].tolist())}
        seed_place = np.array([places[seed] for seed in losses["seed"].tolist()])
        curves[losses["setting"], seed_place, losses["epoch"] - 1] = losses["train_loss"]
        return Stage(columns, curves, columns["epoch_steps"][:, 0], self._guess, 1)

    def losses(self) -> Table:
        """Return the mean training loss of each epoch of each run.

        Raises:
            RunError: a part of it was altered.
        """
        path = self._folder.path
        if not any((path / "losses").glob("part-*.parquet")):
            return read(path, "losses")
        try:
            return Table(read_parts(path / "losses"))
        except RunError as error:
            raise RunError(f"{error}; remove {path} and do the study anew") from None

    def join(self) -> None:
        """Make one file of all parts, of the runs and of their losses; the parts stay."""
        write(self._folder.path, "losses", self.losses())
        self._folder.join(self._folder.runs())


def _batch(group: Any) -> int:
    size = group.lanes[0].recipe.train.batch_size
    return group.dataset.rows if size == "full" else size


def guessing(dataset: Dataset) -> float:
    """Return what guessing reaches on the training rows: the commonest class, or the mean.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> round(guessing(load(Data(source="iris"))), 3)
    0.333
    """
    targets = np.asarray(dataset.y_train)
    if dataset.target.kind == "classes":
        return float(np.bincount(targets.astype(np.int64).ravel()).max() / len(targets))
    if dataset.target.kind == "labels":
        share = targets.mean(axis=0)
        return float(np.maximum(share, 1 - share).mean())
    return float(np.sqrt(np.mean(np.square(targets - targets.mean(axis=0)))))
