"""The loop: draw a batch, forward, backward, update, for all lanes at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.engine import records
from surefoot.engine.carried import Carried, CarriedLanes, first_parts
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Listener, Silent, Validation, factor_of
from surefoot.engine.falling import FallingRates
from surefoot.engine.feed import feed_for
from surefoot.engine.groups import Groups
from surefoot.engine.placement import place_rows
from surefoot.engine.program import compile_all
from surefoot.engine.programs import Orders, Record, programs_for
from surefoot.engine.result import LaneResult
from surefoot.engine.step import LaneInput, LaneState
from surefoot.engine.stopping import Stopping
from surefoot.vitals.columns import VITAL_COLUMNS

# A dispatch is kept short enough for progress and Ctrl-C, and long enough that its start, about
# 0.2 ms, does not count. The first one is short, to learn how long a step takes.
_DISPATCH_SECONDS = 0.25
_FIRST_STEPS = 16
_MOST_STEPS = 512
# How many numbers the buffers of one dispatch, and the layers of one evaluation, may hold.
_BUFFER_NUMBERS = 16_000_000
_EVALUATION_NUMBERS = 8_000_000


def train(
    cohort: Cohort,
    listener: Listener | None = None,
    *,
    start: Sequence[LaneState] | None = None,
    epochs_before: int = 0,
    until: int | None = None,
    width: int | None = None,
) -> list[LaneResult]:
    """Train a cohort; return what each lane left behind, in the order of its recipes.

    Args:
        cohort: what to train.
        listener: who is told of each dispatch.
        start: each lane's state to go on from; drawn anew where nothing is given.
        epochs_before: how many epochs were trained before: batches and schedule go on from there.
        until: the step before which to end, where that is not the last one.
        width: how many lanes a program has, so that a lane's result does not depend on the others;
            without it lanes are dealt out to the cores.

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
    training = Training(
        cohort, listener, start=start, epochs_before=epochs_before, until=until, width=width
    )
    training.advance()
    return training.results()


class Training:
    """One training of a cohort, from its first weights to its results.

    It may be halted after any epoch, to look at results, drop lanes, and go on. Lanes that
    diverged, stopped early or were dropped are gone at the next boundary: those that are left are
    dealt out to fewer programs, where there is a width.
    """

    def __init__(
        self,
        cohort: Cohort,
        listener: Listener | None = None,
        *,
        start: Sequence[LaneState] | None = None,
        epochs_before: int = 0,
        until: int | None = None,
        width: int | None = None,
    ) -> None:
        """Place the data, draw the first weights and compile; arguments are those of `train`."""
        self._cohort = cohort
        self._until = np.inf if until is None else until
        self._listener = listener or Silent()
        self._epochs_before = self._epoch_done = epochs_before
        self._recipes = cohort.recipes
        self._dtype = cohort.precision
        self._vitals = self._recipes[0].vitals
        self._instrument = self._vitals.every > 0 or self._vitals.first > 0
        self._stopping = Stopping([recipe.train.early_stopping for recipe in self._recipes])
        self._falling = FallingRates(
            [recipe.schedule for recipe in self._recipes], cohort.dataset.x_val is not None
        )
        self._running = np.ones(cohort.lanes, bool)
        self._dropped = np.zeros(cohort.lanes, bool)
        self._interrupted = False
        self._diverged = np.full(cohort.lanes, -1, np.int32)
        self._end = np.zeros(cohort.lanes, np.int64)
        self._epochs = np.zeros(cohort.lanes, np.int64)
        self._width = width
        self._groups = Groups(cohort.lanes, width)
        # Programs of a width are the same, whatever the number of lanes.
        self._compiled_lanes = cohort.lanes if width is None else self._groups.width
        with self._precision():
            data, self._all_rows = place_rows(cohort)
            first, last = epochs_before + 1, epochs_before + self._recipes[0].train.epochs
            self._last_epoch = last
            self._feed = feed_for(cohort, data, self._steps_per_dispatch(), first, last)
            self._room = self._feed.steps
            self._pace = min(_FIRST_STEPS, self._room)
            self._compile(start)

    def advance(self, epoch: int | None = None) -> None:
        """Train until an epoch is completed, or the last one, or nothing is left to train."""
        last = self._last_epoch if epoch is None else min(epoch, self._last_epoch)
        complete = True
        try:
            with self._precision():
                while complete and self._epoch_done < last and self._running.any():
                    complete = self._epoch(self._epoch_done + 1)
                    self._epoch_done += complete
        except BaseException:
            self._feed.close()
            raise
        if not complete:
            self._interrupted = bool(self._running.any())
        if not complete or self._epoch_done == self._last_epoch:
            self._feed.close()

    def drop(self, lanes: NDArray[np.bool_]) -> None:
        """Train these lanes no further."""
        self._dropped |= lanes & self._running
        self._running &= ~lanes
        with self._precision():
            self._lanes.compact(self._running)

    def results(self) -> list[LaneResult]:
        """Measure what all lanes have by now: those that are gone, what they left behind."""
        with self._precision():
            return self._results()

    # What is fixed for the whole training.

    def _precision(self) -> Any:
        return jax.enable_x64(self._dtype == np.float64)

    def _steps_per_dispatch(self) -> int:
        """Return how many steps the buffers of one dispatch have room for."""
        cohort = self._cohort
        steps = min(cohort.steps_per_epoch, _MOST_STEPS)
        sites = max(1, len(cohort.blueprint.network.sites))
        per_record = len(VITAL_COLUMNS) * self._compiled_lanes * sites
        while steps > 1 and records.room_for(self._vitals, steps) * per_record > _BUFFER_NUMBERS:
            steps //= 2
        return steps

    def _chunk(self) -> int:
        """Return how many rows are evaluated at once."""
        network = self._cohort.blueprint.network
        per_row = prod(network.input_shape) + sum(prod(site.shape) for site in network.sites)
        fitting = _EVALUATION_NUMBERS // (per_row * self._compiled_lanes)
        power = 1 << max(0, min(fitting, 1024).bit_length() - 1)
        return min(power, self._all_rows.x.shape[0])

    def _compile(self, start: Sequence[LaneState] | None) -> None:
        """Compile what training needs, side by side; programs that exist are used again."""
        cohort = self._cohort
        programs = programs_for(cohort.blueprint)
        data, rows = self._feed.take(self._epochs_before + 1, 0, self._room)
        started = time.perf_counter()
        parts = first_parts(cohort, programs, self._groups, start, self._epochs_before)
        if self._stopping.active:
            parts = [part._replace(kept=jax.tree.map(jnp.copy, part.weights)) for part in parts]
        self._lanes = CarriedLanes(self._groups, parts)
        lanes, given, _ = self._lanes.parts[0]  # all groups have the same shapes
        resident = cohort.dataset.stream is None
        full = resident and cohort.batch == cohort.rows
        training = programs.train.prepare(
            lanes,
            given,
            data,
            self._orders(rows, 0, 1)[0][0],
            shared=cohort.shared,
            whole=cohort.rows if full else 0,
            instrument=self._instrument,
        )
        bounds = np.int32(0), np.int32(1)
        evaluation = programs.evaluate.prepare(
            lanes.params, lanes.state, given, self._all_rows, *bounds, chunk=self._chunk()
        )
        self._train, self._evaluate = compile_all(training, evaluation)
        cohort.compile_seconds = time.perf_counter() - started

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
            self._rescale(self._falling.steer(factor_of(self._listener)))
            wanted = int(min(self._pace, cohort.steps_per_epoch - done, left))
            block = self._dispatch(done, begin + done, wanted, epoch)
            done += len(block.loss)
            losses.append(block.loss)
            measures.append(block.measure)
            if done == cohort.steps_per_epoch and cohort.dataset.x_val is not None:
                weights = [part.weights for part in self._lanes.parts]
                validation = Validation(*self._measure(weights, 1))
                block = block.with_validation(validation)
            self._listener.block(block)
            self._end[self._running] = [
                block.last_step(lane) for lane in np.flatnonzero(self._running)
            ]
            self._diverged = block.diverged
            self._running &= block.diverged < 0
            # Early stopping has yet to judge the lanes that diverged within this epoch.
            if not self._stopping.active:
                self._lanes.compact(self._running)
        self._judge(epoch, np.concatenate(losses), np.concatenate(measures), block.validation)
        self._lanes.compact(self._running)
        return True

    def _dispatch(self, done: int, first: int, wanted: int, epoch: int) -> Block:
        """Take some steps, as many as are wanted or fewer; return what was recorded."""
        data, rows = self._feed.take(epoch, done, wanted)
        count = rows.shape[-2]
        started = time.perf_counter()
        orders, recorded = self._orders(rows, first, count)

        def group(part: Carried, orders: Orders) -> tuple[Carried, Record]:
            """Take the steps of one group, and wait for them."""
            states, record = self._train(part.states, part.given, data, orders)
            return part._replace(states=states), jax.tree.map(np.asarray, record)

        trained = self._groups.run(group, self._lanes.parts, orders)
        self._lanes.parts = [part for part, _ in trained]
        host: Record = self._groups.join([record for _, record in trained], axis=1)
        diverged = [part.states.diverged for part in self._lanes.parts]
        diverged = np.array(self._groups.join(diverged, into=self._diverged))
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
            chosen = zip(self._lanes.parts, self._groups.split(improved), strict=True)
            self._lanes.parts = [part.keep(own) for part, own in chosen]
            self._running &= ~self._stopping.stopped
        if self._falling.active:
            self._rescale(self._falling.update(metrics))

    def _rescale(self, scale: NDArray[Any] | None) -> None:
        """Multiply the lanes' rates from here on; nothing changes where nothing is given."""
        if scale is not None:
            scaled = zip(self._lanes.parts, self._groups.split(scale), strict=True)
            self._lanes.parts = [part.scale_rates(own) for part, own in scaled]

    # What is measured and handed back.

    def _measure(
        self, weights: Sequence[tuple[Any, Any]], part: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return loss and measure over the training rows (part 0) or validation rows (1).

        Of a stream's training rows it is the sample that is kept; of lanes that are gone, NaN.
        """
        given = [carried.given for carried in self._lanes.parts]
        loss, measure = self._groups.join(self._evaluated(self._groups, weights, given, part))
        return loss, self._in_units(measure)

    def _evaluated(
        self, groups: Groups, weights: Sequence[Any], given: Sequence[LaneInput], part: int
    ) -> list[Any]:
        rows, every = len(self._cohort.dataset.x_train), self._all_rows.x.shape[0]
        bounds = (0, rows) if part == 0 else (rows, every)

        def group(own: tuple[Any, Any], given: LaneInput) -> Any:
            measured = self._evaluate(*own, given, self._all_rows, *map(np.int32, bounds))
            return jax.tree.map(np.asarray, measured)

        return groups.run(group, weights, given)

    def _in_units(self, measure: NDArray[Any]) -> NDArray[Any]:
        return np.sqrt(measure) if self._cohort.measure == "rmse" else measure

    def _results(self) -> list[LaneResult]:
        whole = self._lanes.whole()
        groups, parts = Groups(self._cohort.lanes, self._width), self._lanes.parts
        if groups.count > self._groups.count:  # lanes that are gone are measured as well
            parts = [jax.device_put(part) for part in groups.split(whole)]
        weights, given = [part.chosen for part in parts], [part.given for part in parts]

        def measured(part: int) -> list[tuple[float, float]]:
            loss, measure = groups.join(self._evaluated(groups, weights, given, part))
            return list(zip(loss.tolist(), self._in_units(measure).tolist(), strict=True))

        train = measured(0)
        held_out = None if self._cohort.dataset.x_val is None else measured(1)
        everything = whole.chosen, whole.states, whole.given.scaling
        results = []
        for lane, recipe in enumerate(self._recipes):
            (own_params, own_state), last, scaling = jax.tree.map(itemgetter(lane), everything)
            watched = recipe.train.early_stopping is not None
            diverged = int(self._diverged[lane])
            results.append(
                LaneResult(
                    recipe=recipe,
                    params=own_params,
                    state=own_state,
                    last=last,
                    scaling=scaling,
                    train=train[lane],
                    validation=None if held_out is None else held_out[lane],
                    epochs=int(self._epochs[lane]),
                    steps=int(self._end[lane]),
                    diverged=None if diverged < 0 else diverged,
                    best_epoch=int(self._stopping.best_epoch[lane]) if watched else None,
                    ended=self._ended(lane),
                )
            )
        return results

    def _ended(self, lane: int) -> str:
        if self._diverged[lane] >= 0:
            return "diverged"
        if self._stopping.stopped[lane]:
            return "early"
        if self._dropped[lane]:
            return "dropped"
        return "interrupted" if self._interrupted else "finished"
