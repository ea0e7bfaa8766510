"""The loop: draw a batch, forward, backward, update, for all lanes at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.engine import events
from surefoot.engine.agreement import agree
from surefoot.engine.carried import Carried, CarriedLanes, FirstParts
from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.evaluation import VALIDATION, Evaluation
from surefoot.engine.events import Block, Listener, Silent, Validation, epoch_metrics
from surefoot.engine.falling import FallingRates
from surefoot.engine.feed import Feed, feed_for
from surefoot.engine.groups import Groups
from surefoot.engine.mesh import layout_for
from surefoot.engine.nonfinite import Origin, find_origin
from surefoot.engine.orders import lay_out, most_steps
from surefoot.engine.placement import place_rows
from surefoot.engine.program import Prepared, compile_all
from surefoot.engine.programs import Orders, Record, programs_for
from surefoot.engine.result import LaneResult, collect
from surefoot.engine.snapshot import Lanes, Loop, Snapshot
from surefoot.engine.step import LaneState
from surefoot.engine.stopping import Stopping
from surefoot.engine.width import dealt_width

# A dispatch is kept short enough for progress and Ctrl-C, and long enough that its start, about
# 0.2 ms, does not count. The first one is short, to learn how long a step takes.
_DISPATCH_SECONDS = 0.25
_FIRST_STEPS = 16


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
        # Of the epoch that is under way: how many steps were taken, and what they measured.
        self._position = 0
        self._losses: list[NDArray[Any]] = []
        self._measures: list[NDArray[Any]] = []
        self._layout = layout_for(cohort, width)
        alone = self._layout.mesh is None
        self._width = width = dealt_width(cohort) if width is None and alone else width
        self._groups = Groups(cohort.lanes, width, layout=self._layout)
        # Programs of a width are the same, whatever the number of lanes.
        lanes = cohort.lanes if width is None else self._groups.width
        self._compiled_lanes = -(-lanes // self._layout.lanes)
        with self._precision():
            self._data, rows = place_rows(cohort, self._layout)
            self._evaluation = Evaluation(cohort, rows, self._compiled_lanes, self._layout)
            self._last_epoch = epochs_before + self._recipes[0].train.epochs
            self._feed = self._feed_from(epochs_before + 1, 0)
            self._room = self._feed.steps
            self._pace = min(_FIRST_STEPS, self._room)
            self._compile(start)

    def listen(self, listener: Listener) -> None:
        """Have somebody told of each dispatch from here on."""
        self._listener = listener

    def advance(self, epoch: int | None = None) -> None:
        """Train until an epoch is completed, or the last one, or nothing is left to train."""
        last = self._last_epoch if epoch is None else min(epoch, self._last_epoch)
        complete = True
        try:
            with self._precision():
                while complete and self._epoch_done < last and self._running.any():
                    complete = self._epoch(self._epoch_done + 1)
                    self._epoch_done += complete
                    if complete:
                        events.offer(self._listener, self.snapshot)
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

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Which lanes diverged."""
        return self._diverged >= 0

    def results(self) -> list[LaneResult]:
        """Measure what all lanes have by now: those that are gone, what they left behind."""
        with self._precision():
            return self._results()

    def snapshot(self) -> Snapshot:
        """Return a copy of everything that the training is now, between two dispatches."""
        whole = self._lanes.whole()
        # Of their own: the next dispatch uses the memory of what the lanes carry again.
        lanes = jax.tree.map(np.array, Lanes(whole.states, whole.given.rate_scale, whole.kept))
        step = self._epoch_done * self._cohort.steps_per_epoch + self._position
        return Snapshot(self._epoch_done + 1, self._position, step, lanes, self._loop())

    def restore(self, snapshot: Snapshot) -> None:
        """Be what a training of the same cohort was, to go on from there to the same bits."""
        lanes, loop = jax.tree.map(np.array, (snapshot.lanes, snapshot.loop))
        self._epoch_done, self._position = snapshot.epoch - 1, snapshot.position
        self._running, self._dropped = loop.running, loop.dropped
        self._diverged, self._end, self._epochs = loop.diverged, loop.end, loop.epochs
        self._losses, self._measures = [loop.losses], [loop.measures]
        self._stopping.recall(loop.stopping)
        self._falling.recall(loop.falling)
        with self._precision():
            given = self._lanes.whole().given._replace(rate_scale=lanes.rate_scale)
            self._groups.deal(np.arange(self._cohort.lanes))
            parts = self._groups.split(Carried(lanes.states, given, lanes.kept))
            self._lanes = CarriedLanes(self._groups, [self._groups.place(part) for part in parts])
            self._lanes.compact(loop.dealt)
            self._feed.close()
            self._feed = self._feed_from(snapshot.epoch, snapshot.position)

    def origin(self, lane: int = 0) -> Origin | None:
        """Take the step at which a single lane diverged once more, and see where that began."""
        step = int(self._diverged[lane])
        if step < 0 or not self._instrument or self._cohort.lanes > 1:
            return None
        epoch, position = divmod(step, self._cohort.steps_per_epoch)
        with self._precision():
            feed = self._feed_from(epoch + 1, position)
            data, rows = feed.take(epoch + 1, position, 1)
            feed.close()
            every = self._vitals.model_copy(update={"every": 1})
            orders, _ = lay_out(every, rows, step, 1, self._room, self._split, self._vitals)
            part = self._lanes.parts[0]
            states = jax.tree.map(jnp.copy, part.states)
            never = np.full(states.diverged.shape, -1, np.int32)
            states = states._replace(diverged=self._groups.place(never))
            _, record = self._train(states, part.given, data, orders[0])
            vitals = np.asarray(record.measured.vitals)[0, 0]
        sites = self._cohort.blueprint.network.sites
        return find_origin(step, float(record.loss[0, 0]), vitals, sites)

    # What is fixed for the whole training.

    def _precision(self) -> Any:
        return jax.enable_x64(self._dtype == np.float64)

    def _feed_from(self, epoch: int, position: int) -> Feed:
        """Return what gives the batches from so many steps of an epoch on."""
        steps = most_steps(self._cohort, self._compiled_lanes)
        ahead = epoch, self._last_epoch, position
        return feed_for(self._cohort, self._data, steps, *ahead, self._layout)

    def _compile(self, start: Sequence[LaneState] | None) -> None:
        """Compile what training needs, side by side; programs that exist are used again."""
        cohort = self._cohort
        programs = programs_for(cohort.blueprint)
        data, rows = self._feed.take(self._epochs_before + 1, 0, self._room)
        started = time.perf_counter()
        first = FirstParts(cohort, programs, self._groups, start, self._epochs_before)
        lanes, given = first.states, first.given[0]  # all groups have the same shapes
        full = cohort.dataset.stream is None and cohort.batch == cohort.rows

        def traced() -> Iterator[tuple[Prepared, Effort]]:
            training = programs.train.prepare(
                lanes,
                given,
                data,
                lay_out(self._vitals, rows, 0, 1, self._room, self._split)[0][0],
                shared=cohort.shared,
                whole=cohort.rows if full else 0,
                instrument=self._instrument,
                layout=self._layout,
            )
            yield training, cohort.effort
            yield self._evaluation.prepare(programs, lanes, given), cohort.effort.for_evaluation
            # XLA leaves the interpreter free.
            events.offer_time(self._listener)
            self._lanes = CarriedLanes(self._groups, first.draw(keep=self._stopping.active))

        self._train, self._evaluation.program = compile_all(traced())
        cohort.compile_seconds = time.perf_counter() - started

    @property
    def _validates(self) -> bool:
        """Whether there are validation rows, and somebody who looks at them after an epoch."""
        judged = self._stopping.active or self._falling.active
        asked = judged or events.looks_at_validation(self._listener)
        return asked and self._cohort.dataset.x_val is not None

    # One epoch, dispatch by dispatch.

    def _epoch(self, epoch: int) -> bool:
        """Train all steps of an epoch; return whether it was completed."""
        cohort = self._cohort
        begin = (epoch - 1) * cohort.steps_per_epoch
        self._epochs[self._running] = epoch
        while self._position < cohort.steps_per_epoch:
            done = self._position
            left = self._until - begin - done
            if left <= 0 or not self._running.any():
                return False
            stop = self._listener.stop()  # first: it reads what was asked for meanwhile
            stop, factor, pace = agree(stop, events.factor_of(self._listener), self._pace)
            if stop:
                return False
            self._rescale(self._falling.steer(factor))
            wanted = int(min(pace, cohort.steps_per_epoch - done, left))
            block = self._dispatch(done, begin + done, wanted, epoch)
            self._position += len(block.loss)
            self._losses.append(block.loss)
            self._measures.append(block.measure)
            over = self._position == cohort.steps_per_epoch
            if over and self._validates:
                block = block.with_validation(Validation(*self._validated()))
            self._listener.block(block)
            self._end[self._running] = [
                block.last_step(lane) for lane in np.flatnonzero(self._running)
            ]
            self._diverged = block.diverged
            self._running &= block.diverged < 0
            # Early stopping has yet to judge the lanes that diverged within this epoch.
            if not self._stopping.active:
                self._lanes.compact(self._running)
            if not over:
                events.offer(self._listener, self.snapshot)
        losses, measures = np.concatenate(self._losses), np.concatenate(self._measures)
        self._judge(epoch, losses, measures, block.validation)
        self._lanes.compact(self._running)
        self._position, self._losses, self._measures = 0, [], []
        return True

    def _dispatch(self, done: int, first: int, wanted: int, epoch: int) -> Block:
        """Take some steps, as many as are wanted or fewer; return what was recorded."""
        data, rows = self._feed.take(epoch, done, wanted)
        count = rows.shape[-2]
        started = time.perf_counter()
        orders, recorded = lay_out(self._vitals, rows, first, count, self._room, self._split)

        def group(part: Carried, orders: Orders) -> tuple[Carried, Record]:
            """Take the steps of one group, and wait for them."""
            states, record = self._train(part.states, part.given, data, orders)
            self._feed.ahead()
            return part._replace(states=states), jax.tree.map(np.asarray, record)

        trained = self._groups.run(group, self._lanes.parts, orders)
        self._lanes.parts = [part for part, _ in trained]
        host: Record = self._groups.join([record for _, record in trained], axis=1)
        diverged = [part.states.diverged for part in self._lanes.parts]
        diverged = np.array(self._groups.join(diverged, into=self._diverged))
        each = (time.perf_counter() - started) / count
        self._pace = int(min(max(_DISPATCH_SECONDS / each, 1), self._room))
        measure = self._evaluation.in_units(host.measure[:count])
        lanes = {"running": self._running.copy(), "diverged": diverged}
        return Block.of(epoch, first, host.loss[:count], measure, recorded, host.measured, **lanes)

    def _split(self, rows: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """Return each group's batches: all the same where they are shared."""
        return [rows] * self._groups.count if self._cohort.shared else self._groups.split(rows)

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
        metrics = epoch_metrics(self._cohort.measure, losses, measures, validation)
        if self._stopping.active:
            improved = self._stopping.update(epoch, metrics)
            self._lanes.keep(improved)
            self._running &= ~self._stopping.stopped
        if self._falling.active:
            self._rescale(self._falling.update(metrics))

    def _rescale(self, scale: NDArray[Any] | None) -> None:
        """Multiply the lanes' rates from here on; nothing changes where nothing is given."""
        if scale is not None:
            self._lanes.scale_rates(scale)

    # What is measured and handed back.

    def _loop(self) -> Loop:
        """Return a copy of what the loop knows."""
        nothing = np.zeros((0, self._cohort.lanes), self._dtype)
        return Loop(
            running=self._running.copy(),
            dropped=self._dropped.copy(),
            dealt=self._groups.dealt(),
            diverged=self._diverged.copy(),
            end=self._end.copy(),
            epochs=self._epochs.copy(),
            losses=np.concatenate([nothing, *self._losses]),
            measures=np.concatenate([nothing, *self._measures]),
            stopping=self._stopping.remembered(),
            falling=self._falling.remembered(),
        )

    def _validated(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return loss and measure over the validation rows; of lanes that are gone, NaN."""
        weights = [part.weights for part in self._lanes.parts]
        given = [part.given for part in self._lanes.parts]
        return self._evaluation(self._groups, weights, given, VALIDATION)

    def _results(self) -> list[LaneResult]:
        whole = self._lanes.whole()
        groups = Groups(self._cohort.lanes, self._width, layout=self._layout)
        parts = self._lanes.parts
        if groups.count > self._groups.count:  # lanes that are gone are measured as well
            parts = [groups.place(part) for part in groups.split(whole)]
        given, measured = [part.given for part in parts], self._evaluation.whole
        chosen, last = measured(groups, [part.chosen for part in parts], given), None
        if whole.states.average is not None:
            last = measured(groups, [part.weights for part in parts], given)
        return collect(self._recipes, whole, chosen, self._loop(), self._interrupted, last)
