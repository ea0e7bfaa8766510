"""The loop: draw a batch, forward, backward, update, for all lanes at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.engine import records
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Listener, Silent, Validation
from surefoot.engine.falling import FallingRates
from surefoot.engine.feed import feed_for
from surefoot.engine.groups import Groups
from surefoot.engine.objective import Scaling
from surefoot.engine.placement import place_lanes, place_rows
from surefoot.engine.program import compile_all
from surefoot.engine.programs import Orders, Programs, Record, programs_for
from surefoot.engine.step import LaneInput, LaneState
from surefoot.engine.stopping import Stopping, choose
from surefoot.recipe import Recipe, numbers
from surefoot.vitals.columns import VITAL_COLUMNS

# A dispatch is kept short enough for progress and Ctrl-C, and long enough that its start, about
# 0.2 ms, does not count. The first one is short, to learn how long a step takes.
_DISPATCH_SECONDS = 0.25
_FIRST_STEPS = 16
_MOST_STEPS = 512
# How many numbers the buffers of one dispatch, and the layers of one evaluation, may hold.
_BUFFER_NUMBERS = 16_000_000
_EVALUATION_NUMBERS = 8_000_000


@dataclass(frozen=True)
class LaneResult:
    """What training one lane left behind.

    Attributes:
        recipe: the run's recipe.
        params: the weights that are kept: the best where early stopping watched, else the last
            that were finite. A tree of NumPy arrays.
        state: the running averages that go with them.
        last: everything that the lane carried after its last step, to go on from.
        scaling: of the targets.
        train: loss and measure (accuracy, or rmse) over all training rows, of a stream over the
            sample of them that is in memory, with these weights.
        validation: the same over the validation rows, or None where there are none.
        epochs: how many were begun.
        steps: how many updates were made.
        diverged: the step at which loss or gradient stopped being finite, or None.
        best_epoch: the epoch whose weights are kept, where early stopping watched.
        ended: why training ended: "finished", "early", "diverged" or "interrupted".
    """

    recipe: Recipe
    params: Any
    state: Any
    last: LaneState
    scaling: Scaling
    train: tuple[float, float]
    validation: tuple[float, float] | None
    epochs: int
    steps: int
    diverged: int | None
    best_epoch: int | None
    ended: str


def train(
    cohort: Cohort,
    listener: Listener | None = None,
    *,
    start: Sequence[LaneState] | None = None,
    epochs_before: int = 0,
    until: int | None = None,
) -> list[LaneResult]:
    """Train a cohort; return what each lane left behind, in the order of its recipes.

    Args:
        cohort: what to train.
        listener: who is told of each dispatch.
        start: each lane's state to go on from; drawn anew where nothing is given.
        epochs_before: how many epochs were trained before: batches and schedule go on from there.
        until: the step before which to end, where that is not the last one.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Recipe
    >>> layers = [{"dense": "classes"}, {"activation": "softmax"}]
    >>> tables = {"data": {"source": "iris"}, "net": {"layers": layers}, "train": {"epochs": 3}}
    >>> slow, fast = (
    ...     Recipe.parse({**tables, "optimizer": {"learning_rate": rate}}) for rate in (1e-5, 1e-2)
    ... )
    >>> results = train(Cohort([slow, fast], load(slow.data)))
    >>> results[1].train[0] < results[0].train[0]
    True
    """
    with jax.enable_x64(cohort.recipes[0].train.precision == "float64"):
        return _Training(cohort, listener or Silent(), start, epochs_before, until).run()


class _Training:
    """One training of a cohort, from its first weights to its results."""

    def __init__(
        self,
        cohort: Cohort,
        listener: Listener,
        start: Sequence[LaneState] | None,
        epochs_before: int,
        until: int | None,
    ) -> None:
        self._cohort = cohort
        self._until = np.inf if until is None else until
        self._listener = listener
        self._from = start
        self._epochs_before = epochs_before
        self._recipes = cohort.recipes
        self._dtype = cohort.precision
        self._vitals = self._recipes[0].vitals
        self._instrument = self._vitals.every > 0 or self._vitals.first > 0
        self._stopping = Stopping([recipe.train.early_stopping for recipe in self._recipes])
        self._falling = FallingRates(
            [recipe.schedule for recipe in self._recipes], cohort.dataset.x_val is not None
        )
        self._running = np.ones(cohort.lanes, bool)
        self._diverged = np.full(cohort.lanes, -1, np.int32)
        self._end = np.zeros(cohort.lanes, np.int64)
        self._epochs = np.zeros(cohort.lanes, np.int64)
        data, self._all_rows = place_rows(cohort)
        first, last = epochs_before + 1, epochs_before + self._recipes[0].train.epochs
        self._feed = feed_for(cohort, data, self._steps_per_dispatch(), first, last)
        self._room = self._feed.steps
        self._pace = min(_FIRST_STEPS, self._room)
        self._groups = Groups(cohort.lanes)
        given = place_lanes(cohort, epochs_before)
        self._given = [jax.device_put(part) for part in self._groups.split(given)]
        self._compile()

    def run(self) -> list[LaneResult]:
        """Train until the last epoch, or until nothing is left to train."""
        self._kept = jax.tree.map(jnp.copy, self._weights()) if self._stopping.active else None
        interrupted = False
        first = self._epochs_before + 1
        try:
            for epoch in range(first, first + self._recipes[0].train.epochs):
                complete = self._epoch(epoch)
                if not complete:
                    interrupted = bool(self._running.any())
                    break
                if not self._running.any():
                    break
        finally:
            self._feed.close()
        return self._results(interrupted)

    # What is fixed for the whole training.

    def _steps_per_dispatch(self) -> int:
        """Return how many steps the buffers of one dispatch have room for."""
        cohort = self._cohort
        steps = min(cohort.steps_per_epoch, _MOST_STEPS)
        per_record = len(VITAL_COLUMNS) * cohort.lanes * max(1, len(cohort.blueprint.network.sites))
        while steps > 1 and records.room_for(self._vitals, steps) * per_record > _BUFFER_NUMBERS:
            steps //= 2
        return steps

    def _chunk(self) -> int:
        """Return how many rows are evaluated at once."""
        network = self._cohort.blueprint.network
        per_row = prod(network.input_shape) + sum(prod(site.shape) for site in network.sites)
        fitting = _EVALUATION_NUMBERS // (per_row * self._cohort.lanes)
        power = 1 << max(0, min(fitting, 1024).bit_length() - 1)
        return min(power, self._all_rows.x.shape[0])

    def _compile(self) -> None:
        """Compile what training needs, side by side; programs that exist are used again."""
        programs: Programs = programs_for(self._cohort.blueprint)
        data, rows = self._feed.take(self._epochs_before + 1, 0, self._room)
        started = time.perf_counter()
        self._lanes = self._first_lanes(programs)
        lanes, given = self._lanes[0], self._given[0]  # all groups have the same shapes
        resident = self._cohort.dataset.stream is None
        full = resident and self._cohort.batch == self._cohort.rows
        training = programs.train.prepare(
            lanes,
            given,
            data,
            self._orders(rows, 0, 1)[0][0],
            shared=self._cohort.shared,
            whole=self._cohort.rows if full else 0,
            instrument=self._instrument,
        )
        bounds = np.int32(0), np.int32(1)
        evaluation = programs.evaluate.prepare(
            lanes.params, lanes.state, given, self._all_rows, *bounds, chunk=self._chunk()
        )
        self._train, self._evaluate = compile_all(training, evaluation)
        self._cohort.compile_seconds = time.perf_counter() - started

    def _first_lanes(self, programs: Programs) -> list[LaneState]:
        """Return the lanes that were given to go on from, or lanes with weights drawn anew."""
        if self._from is not None:
            stacked = jax.tree.map(lambda *lanes: np.stack(lanes), *self._from)
            return [jax.device_put(part) for part in self._groups.split(stacked)]
        drawn = [
            network.init(recipe.seed, numbers(recipe.net), self._dtype)
            for network, recipe in zip(self._cohort.networks, self._recipes, strict=True)
        ]
        stacked = jax.tree.map(lambda *arrays: np.stack(arrays), *drawn)
        weights = [jax.device_put(part) for part in self._groups.split(stacked)]
        start = programs.start.prepare(*weights[0], self._given[0]).compiled()
        return [start(*own, given) for own, given in zip(weights, self._given, strict=True)]

    # One epoch, dispatch by dispatch.

    def _epoch(self, epoch: int) -> bool:
        """Train all steps of an epoch; return whether it was completed."""
        cohort = self._cohort
        begin = (epoch - 1) * cohort.steps_per_epoch
        self._epochs[self._running] = epoch
        done, losses, measures = 0, [], []
        while done < cohort.steps_per_epoch:
            left = self._until - begin - done
            if left <= 0 or self._listener.stop() or not self._running.any():
                return False
            wanted = int(min(self._pace, cohort.steps_per_epoch - done, left))
            block = self._dispatch(done, begin + done, wanted, epoch)
            done += len(block.loss)
            losses.append(block.loss)
            measures.append(block.measure)
            if done == cohort.steps_per_epoch and cohort.dataset.x_val is not None:
                validation = Validation(*self._measure(self._weights(), 1))
                block = block.with_validation(validation)
            self._listener.block(block)
            self._end[self._running] = [
                block.last_step(lane) for lane in np.flatnonzero(self._running)
            ]
            self._diverged = block.diverged
            self._running &= block.diverged < 0
        self._judge(epoch, np.concatenate(losses), np.concatenate(measures), block.validation)
        return True

    def _dispatch(self, done: int, first: int, wanted: int, epoch: int) -> Block:
        """Take some steps, as many as are wanted or fewer; return what was recorded."""
        data, rows = self._feed.take(epoch, done, wanted)
        count = rows.shape[-2]
        started = time.perf_counter()
        orders, recorded = self._orders(rows, first, count)

        def group(lanes: LaneState, given: LaneInput, orders: Orders) -> tuple[LaneState, Record]:
            """Take the steps of one group, and wait for them."""
            lanes, record = self._train(lanes, given, data, orders)
            return lanes, jax.tree.map(np.asarray, record)

        trained = self._groups.run(group, self._lanes, self._given, orders)
        self._lanes = [lanes for lanes, _ in trained]
        host: Record = self._groups.join([record for _, record in trained], axis=1)
        diverged = np.array(self._groups.join([lanes.diverged for lanes in self._lanes]))
        each = (time.perf_counter() - started) / count
        self._pace = int(min(max(_DISPATCH_SECONDS / each, 1), self._room))
        number = len(recorded)
        measured = host.measured
        return Block(
            epoch=epoch,
            first=first,
            loss=host.loss[:count],
            measure=self._in_units(host.measure[:count]),
            recorded=recorded,
            rate=measured.rate[:number],
            norm=measured.norm[:number],
            clipped_norm=measured.clipped_norm[:number],
            vitals=measured.vitals[:number],
            validation=None,
            running=self._running.copy(),
            diverged=diverged,
        )

    def _orders(
        self, rows: NDArray[np.int32], first: int, count: int
    ) -> tuple[list[Orders], NDArray[np.int64]]:
        """Lay out a dispatch for each group; arrays are filled up to what was compiled for."""
        padded = np.zeros((*rows.shape[:-2], self._room, rows.shape[-1]), np.int32)
        padded[..., : rows.shape[-2], :] = rows
        room = records.room_for(self._vitals, self._room)
        gaps, followed, recorded, used = records.plan(self._vitals, first, count, room)
        shared = self._cohort.shared
        parts = [padded] * self._groups.count if shared else self._groups.split(padded)
        orders = [Orders(part, np.int32(first), gaps, followed, np.int32(used)) for part in parts]
        return orders, recorded

    def _judge(
        self,
        epoch: int,
        losses: NDArray[Any],
        measures: NDArray[Any],
        validation: Validation | None,
    ) -> None:
        """After an epoch: are the weights the best so far, and should the rate fall?"""
        if not (self._stopping.active or self._falling.active):
            return
        name = self._cohort.measure
        mean = (
            np.sqrt(np.mean(measures**2, axis=0)) if name == "rmse" else np.mean(measures, axis=0)
        )
        metrics = {"train_loss": np.mean(losses, axis=0), f"train_{name}": mean}
        if validation is not None:
            metrics["validation_loss"] = validation.loss
            metrics[f"validation_{name}"] = validation.measure
        if self._stopping.active:
            improved = self._stopping.update(epoch, metrics)
            chosen = self._groups.split(improved)
            self._kept = [
                choose(*group) for group in zip(chosen, self._weights(), self._kept, strict=True)
            ]
            self._running &= ~self._stopping.stopped
        if self._falling.active:
            scale = self._falling.update(metrics)
            scales = self._groups.split(scale)
            self._given = [
                given._replace(rate_scale=jnp.asarray(own, self._dtype))
                for given, own in zip(self._given, scales, strict=True)
            ]

    # What is measured and handed back.

    def _measure(
        self, weights: Sequence[tuple[Any, Any]], part: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return loss and measure over the training rows (part 0) or validation rows (1).

        Of a stream's training rows it is the sample that is kept.
        """
        rows, every = len(self._cohort.dataset.x_train), self._all_rows.x.shape[0]
        bounds = (0, rows) if part == 0 else (rows, every)

        def group(own: tuple[Any, Any], given: LaneInput) -> Any:
            measured = self._evaluate(*own, given, self._all_rows, *map(np.int32, bounds))
            return jax.tree.map(np.asarray, measured)

        loss, measure = self._groups.join(self._groups.run(group, weights, self._given))
        return loss, self._in_units(measure)

    def _in_units(self, measure: NDArray[Any]) -> NDArray[Any]:
        return np.sqrt(measure) if self._cohort.measure == "rmse" else measure

    def _weights(self) -> list[tuple[Any, Any]]:
        """Return each group's parameters and running averages."""
        return [(lanes.params, lanes.state) for lanes in self._lanes]

    def _results(self, interrupted: bool) -> list[LaneResult]:
        weights = self._kept or self._weights()
        train_loss, train_measure = self._measure(weights, 0)
        validation = None
        if self._cohort.dataset.x_val is not None:
            validation = self._measure(weights, 1)
        scalings = [given.scaling for given in self._given]
        host = self._groups.join(list(zip(weights, self._lanes, scalings, strict=True)))
        results = []
        for lane, recipe in enumerate(self._recipes):
            (own_params, own_state), last, scaling = jax.tree.map(itemgetter(lane), host)
            watched = recipe.train.early_stopping is not None
            diverged = int(self._diverged[lane])
            results.append(
                LaneResult(
                    recipe=recipe,
                    params=own_params,
                    state=own_state,
                    last=last,
                    scaling=scaling,
                    train=(float(train_loss[lane]), float(train_measure[lane])),
                    validation=None
                    if validation is None
                    else (float(validation[0][lane]), float(validation[1][lane])),
                    epochs=int(self._epochs[lane]),
                    steps=int(self._end[lane]),
                    diverged=None if diverged < 0 else diverged,
                    best_epoch=int(self._stopping.best_epoch[lane]) if watched else None,
                    ended=self._ended(lane, interrupted),
                )
            )
        return results

    def _ended(self, lane: int, interrupted: bool) -> str:
        if self._diverged[lane] >= 0:
            return "diverged"
        if self._stopping.stopped[lane]:
            return "early"
        return "interrupted" if interrupted else "finished"
