"""The compiled programs of a cohort: start, train, evaluate, predict.

Each is compiled once for a structure, a number of lanes and the shapes of the data. Everything
that a recipe says in numbers is an argument of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.generation import step_of
from surefoot.engine.mesh import SINGLE, Layout
from surefoot.engine.packing import Packing
from surefoot.engine.program import Program
from surefoot.engine.step import LaneInput, LaneState, Measured
from surefoot.nn.layer import Array, Context


class Rows(NamedTuple):
    """All rows on the device, those for training first, then those for validation.

    Attributes:
        x: inputs, [rows, …].
        y: targets, [rows] or [rows, outputs].
        weights: one for each row, or None where all are 1.
    """

    x: Array
    y: Array
    weights: Array | None


class Orders(NamedTuple):
    """Which steps a dispatch takes.

    Attributes:
        rows: the rows of each batch, [steps, batch], or [lanes, steps, batch] where lanes see
            batches of their own.
        first: the number of the first step within the run.
        gaps: how many plain steps precede each instrumented one, [records].
        recorded: whether an instrumented step follows that gap, [records].
        count: how many entries of `gaps` are to be worked off.
    """

    rows: Array
    first: Array
    gaps: Array
    recorded: Array
    count: Array


class Record(NamedTuple):
    """What a dispatch brings back: room for all its steps, filled as far as it went.

    Attributes:
        steps: of each step and lane, [steps, lanes, 2]: loss; accuracy or mean squared error.
        measured: of each instrumented step, [records, lanes, …].
    """

    steps: Array
    measured: Measured

    @property
    def loss(self) -> Array:
        """Of each step and lane, [steps, lanes]."""
        return self.steps[..., 0]

    @property
    def measure(self) -> Array:
        """Accuracy or mean squared error of each step and lane, [steps, lanes]."""
        return self.steps[..., 1]


class Programs:
    """The compiled functions of one blueprint. `jax.jit` keeps one for each set of shapes.

    Each takes a *layout*: how lanes and batches lie on devices. On several devices results are
    whole on every one of them, but for what the lanes carry.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self._network = blueprint.network
        self._objective = blueprint.objective
        self._inputs = blueprint.inputs
        self._step = step_of(blueprint)
        self.start = Program(self._start, static=("layout",))
        fixed = ("shared", "whole", "instrument", "layout")
        self.train = Program(self._train, static=fixed, donate=(0,))
        self.evaluate = Program(self._evaluate, static=("chunk", "layout"))
        self.predict = Program(self._predict)
        self.draw = Program(self._draw)

    def _start(
        self, params: Any, state: Any, given: LaneInput, *, layout: Layout = SINGLE
    ) -> LaneState:
        """Return all lanes' states before their first step."""
        start = layout.over_lanes(jax.vmap(self._step.start), (0, 0, 0), 0)
        return layout.own(start(params, state, given))

    def _train(
        self,
        lanes: LaneState,
        given: LaneInput,
        data: Rows,
        orders: Orders,
        *,
        shared: bool,
        whole: int,
        instrument: bool,
        layout: Layout = SINGLE,
    ) -> tuple[LaneState, Record]:
        """Take steps with all lanes, on all devices; arguments are those of `_steps`."""

        def own(lanes: LaneState, given: LaneInput, data: Rows, orders: Orders) -> Any:
            return self._steps(lanes, given, data, orders, shared, whole, instrument, layout)

        batches = Orders(None if shared else 0, None, None, None, None)
        spread = layout.over_lanes(own, (0, 0, None, batches), (0, 1))
        states, record = spread(lanes, given, data, orders)
        return layout.own(states), layout.same(record)

    def _steps(
        self,
        lanes: LaneState,
        given: LaneInput,
        data: Rows,
        orders: Orders,
        shared: bool,
        whole: int,
        instrument: bool,
        layout: Layout,
    ) -> tuple[LaneState, Record]:
        """Take steps with the lanes of one device.

        Args:
            lanes: their states; the memory is used again.
            given: their numbers.
            data: all rows.
            orders: which steps to take.
            shared: whether all lanes see the same batches.
            whole: how many rows the training data have, where each batch is all of them; else 0.
            instrument: whether vital signs are recorded at all.
            layout: by which each batch's rows are split.
        """
        batch_axis = None if shared or whole else 0
        steps = orders.rows.shape[0 if shared else 1]
        count = lanes.diverged.shape[0]

        def batch(index: Array) -> Any:
            if whole:
                return layout.rows(jax.tree.map(lambda array: array[:whole], data))
            rows = lax.dynamic_index_in_dim(
                orders.rows, index, axis=0 if shared else 1, keepdims=False
            )
            if count == 1 and not shared:
                rows = rows[0]  # nothing is mapped over a single lane
            rows = layout.rows(rows, rows.ndim - 1)
            return layout.rows(jax.tree.map(lambda array: array[rows], data), rows.ndim - 1)

        def mapped(step: Callable[..., Any]) -> Callable[..., Any]:
            return step if count == 1 else jax.vmap(step, in_axes=(0, 0, None, batch_axis))

        def plain(_: Any, carry: Any) -> Any:
            lanes, index, record = carry
            step = mapped(partial(self._step.plain, packing))
            lanes, (loss, measure) = step(lanes, given, orders.first + index, batch(index))
            return lanes, index + 1, _write(record, index, loss, measure)

        def instrumented(slot: Array, carry: Any) -> Any:
            lanes, index, record = carry
            step = mapped(partial(self._step.instrumented, packing))
            lanes, (loss, measure), measured = step(
                lanes, given, orders.first + index, batch(index)
            )
            record = _write(record, index, loss, measure)
            record = record._replace(measured=_put(record.measured, slot, measured))
            return lanes, index + 1, record

        def entry(slot: Array, carry: Any) -> Any:
            carry = lax.fori_loop(0, orders.gaps[slot], plain, carry)
            if not instrument:
                return carry
            return lax.cond(orders.recorded[slot], instrumented, lambda _, c: c, slot, carry)

        record = self._empty_record(lanes, steps, orders.gaps.shape[0])
        first = jax.tree.map(itemgetter(0), lanes)
        packing = Packing.of(first.params)
        if count == 1:
            # Out of its axis for the whole loop, not in each step: what one step writes is then
            # what the next one reads, with no view between them that would cost a copy.
            given = jax.tree.map(itemgetter(0), given)
            packed = first.carried(packing.pack)
        else:
            packed = lanes.carried(jax.vmap(packing.pack))
        carry = (packed, jnp.asarray(0, jnp.int32), record)
        packed, _, record = lax.fori_loop(0, orders.count, entry, carry)
        if count == 1:
            packed = jax.tree.map(lambda array: array[None], packed)
        return packed.carried(jax.vmap(packing.unpack)), record

    def _empty_record(self, lanes: LaneState, steps: int, records: int) -> Record:
        count = lanes.diverged.shape[0]
        dtype = jax.tree.leaves(lanes.params)[0].dtype if jax.tree.leaves(lanes.params) else None
        values = (records, count, Measured.size(len(self._network.sites)))
        measured = Measured(jnp.zeros(values, jnp.float32))
        return Record(jnp.zeros((steps, count, 2), dtype), measured)

    def _evaluate(
        self,
        params: Any,
        state: Any,
        given: LaneInput,
        data: Rows,
        first: Array,
        end: Array,
        *,
        chunk: int,
        layout: Layout = SINGLE,
    ) -> tuple[Array, Array]:
        """Return the mean loss and the mean measure of each lane over rows ``first`` to ``end``."""

        def own(
            params: Any, state: Any, given: LaneInput, data: Rows, first: Array, end: Array
        ) -> Any:
            def lane(params: Any, state: Any, given: LaneInput) -> tuple[Array, Array]:
                def body(i: Array, sums: Any) -> Any:
                    # The last slice is moved back to fit; rows that were counted weigh nothing.
                    start = first + i * chunk
                    fitting = jnp.minimum(start, data.x.shape[0] - chunk)
                    part = jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, fitting, chunk), data)
                    part = layout.rows(part)
                    rows = fitting + jnp.arange(chunk)
                    weights = ((rows >= start) & (rows < end)).astype(given.rate_scale.dtype)
                    if part.weights is not None:
                        weights = weights * part.weights
                    x = self._inputs(part.x, given.inputs, None)
                    outputs = self._forward(params, state, given, x)
                    new = (
                        *self._objective.sums(outputs, part.y, weights, given.scaling),
                        jnp.sum(weights),
                    )
                    return jax.tree.map(jnp.add, sums, new)

                zero = jnp.zeros((), given.rate_scale.dtype)
                chunks = (end - first + chunk - 1) // chunk
                loss, measure, total = lax.fori_loop(0, chunks, body, (zero, zero, zero))
                total = jnp.maximum(total, 1e-12)
                return loss / total, measure / total

            return over_lanes(lane, given.seed.shape[0], (0, 0, 0))(params, state, given)

        spread = layout.over_lanes(own, (0, 0, 0, None, None, None), 0)
        return layout.same(spread(params, state, given, data, first, end))

    def _predict(self, params: Any, state: Any, given: LaneInput, x: Array) -> Array:
        """Return each lane's predictions for a batch: [lanes, batch, outputs]."""

        def lane(params: Any, state: Any, given: LaneInput) -> Array:
            outputs = self._forward(params, state, given, x)
            return self._objective.predict(outputs, given.scaling)

        return over_lanes(lane, given.seed.shape[0], (0, 0, 0))(params, state, given)

    def _draw(
        self, params: Any, state: Any, given: LaneInput, x: Array, seed: Array, sample: Array
    ) -> Array:
        """Return each lane's predictions by a net that dropout has thinned, as `_predict` does.

        Rows are mapped over one by one with the same key: they all meet the same thinned net.
        """
        key = jax.random.fold_in(jax.random.key(seed), sample)

        def lane(params: Any, state: Any, given: LaneInput) -> Array:
            context = Context(False, key, given.numbers["net"], thinned=True)

            def row(x: Array) -> Array:
                return self._network.apply(params, state, x[None], context)[0][0]

            return self._objective.predict(jax.vmap(row)(x), given.scaling)

        return over_lanes(lane, given.seed.shape[0], (0, 0, 0))(params, state, given)

    def _forward(self, params: Any, state: Any, given: LaneInput, x: Array) -> Array:
        context = Context(False, None, given.numbers["net"])
        return self._network.apply(params, state, x, context)[0]


def over_lanes(
    function: Callable[..., Any], count: int, axes: tuple[int | None, ...]
) -> Callable[..., Any]:
    """Map a function of one lane over all lanes; arguments whose axis is None are shared.

    A single lane is taken out of its axis and put back, not mapped: with a mapped axis of length
    one XLA lays out the gradients of shared inputs otherwise, at 10 to 20 % of a convolutional
    net's step on the CPU.
    """
    if count > 1:
        return jax.vmap(function, in_axes=axes)

    def one(*args: Any) -> Any:
        own = [
            arg if axis is None else jax.tree.map(lambda array: array[0], arg)
            for arg, axis in zip(args, axes, strict=True)
        ]
        return jax.tree.map(lambda array: array[None], function(*own))

    return one


def _write(record: Record, index: Array, loss: Array, measure: Array) -> Record:
    """Write a step's loss and measure into its place."""
    row = jnp.stack([loss, measure.astype(loss.dtype)], axis=-1)
    return record._replace(steps=_put(record.steps, index, row))


def _put(rows: Any, index: Array, row: Any) -> Any:
    return jax.tree.map(
        lambda rows, row: lax.dynamic_update_index_in_dim(
            rows, row.astype(rows.dtype).reshape(rows.shape[1:]), index, 0
        ),
        rows,
        row,
    )


@lru_cache(maxsize=32)
def programs_for(blueprint: Blueprint) -> Programs:
    """Return the programs of a blueprint; equal blueprints get the same ones."""
    return Programs(blueprint)
