"""One step of one lane, plain and instrumented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.inputs import InputScaling
from surefoot.engine.objective import Scaling
from surefoot.engine.packing import Packing
from surefoot.engine.rates import Factors
from surefoot.nn.layer import Array, Context
from surefoot.nn.probes import WEIGHT, measure_norm, measure_weight
from surefoot.optim import build, clip, from_optax, learning_rate
from surefoot.optim.averaging import Averaged, begin, take
from surefoot.vitals.columns import VITAL_COLUMNS


class LaneState(NamedTuple):
    """What a lane carries from step to step.

    Attributes:
        params: the weights; within the compiled loop as `Packing` carries them.
        state: the running averages of normalization.
        optimizer: the update rule's memory, for weights as the loop carries them. It is not
            guarded against what is not finite, where a lane stops there: that would make XLA copy
            it in every step.
        diverged: the first step whose loss or gradient was not finite; −1 while there is none.
            From that step on the lane stands still, at its last good weights; where such batches
            are skipped it stays −1.
        average: the mean of its weights, carried as they are; None where the recipe has none.
    """

    params: Any
    state: Any
    optimizer: Any
    diverged: Array
    average: Averaged | None = None

    def carried(self, pack: Callable[[Any], Any]) -> LaneState:
        """Return the state with its weights, and their mean, packed or unpacked."""
        average = self.average
        if average is not None:
            average = average._replace(params=pack(average.params))
        return self._replace(params=pack(self.params), average=average)


class LaneInput(NamedTuple):
    """What a lane is given, the same for all of its steps within one dispatch.

    Attributes:
        numbers: the recipe's lane numbers.
        scaling: of the targets.
        inputs: the scaling of the inputs.
        seed: of the randomness of its steps.
        total_steps: how many steps its run has; the schedule is stretched over them.
        rate_scale: what the plateau schedule multiplies the rate by.
        factors: what multiplies the update of each layer; None where the recipe says nothing.
    """

    numbers: Any
    scaling: Scaling
    inputs: InputScaling
    seed: Array
    total_steps: Array
    rate_scale: Array
    factors: Factors | None = None


class Measured(NamedTuple):
    """What an instrumented step measures, in one array: each array more is a kernel more.

    Attributes:
        values: [3 + sites × columns]: the learning rate, NaN where the rule keeps it to itself;
            the norm of the whole gradient before and after clipping; and the vital signs.
    """

    values: Array

    @classmethod
    def of(cls, rate: Array, norm: Array, clipped_norm: Array, vitals: Array) -> Measured:
        """Put the measurements together; vitals are [sites, `VITAL_COLUMNS`]."""
        numbers = jnp.stack([rate, norm, clipped_norm]).astype(vitals.dtype)
        return cls(jnp.concatenate([numbers, vitals.ravel()]))

    @classmethod
    def size(cls, sites: int) -> int:
        """Return how many values there are."""
        return 3 + sites * len(VITAL_COLUMNS)

    @property
    def rate(self) -> Array:
        """The learning rate, [records, lanes]."""
        return self.values[..., 0]

    @property
    def norm(self) -> Array:
        """The gradient's norm before clipping, [records, lanes]."""
        return self.values[..., 1]

    @property
    def clipped_norm(self) -> Array:
        """And after it."""
        return self.values[..., 2]

    @property
    def vitals(self) -> Array:
        """The vital signs, [records, lanes, sites, `VITAL_COLUMNS`]."""
        return self.values[..., 3:].reshape(*self.values.shape[:-1], -1, len(VITAL_COLUMNS))


class Step:
    """The step of a blueprint: draw a batch, forward, backward, update."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._network = blueprint.network
        self._recipe = blueprint.recipe
        self._foreign = self._foreign_rule()

    def start(self, params: Any, state: Any, given: LaneInput) -> LaneState:
        """Return a lane's state before its first step."""
        rate = jnp.zeros_like(given.rate_scale)
        if self._foreign is None:
            packing = Packing.of(params)
            rule = self._rule(given.numbers, rate, packing.decayed)
            optimizer = rule.init(packing.pack(params))
        else:
            optimizer = self._foreign(rate).init(params)
        average = None if self._recipe.average is None else begin(params, state)
        return LaneState(params, state, optimizer, jnp.asarray(-1, jnp.int32), average)

    def plain(
        self, packing: Packing, lane: LaneState, given: LaneInput, step: Array, batch: Any
    ) -> tuple[LaneState, tuple[Array, Array]]:
        """Take one step; return the new state, and the batch's loss and measure."""
        batch = self._prepared(given, step, batch)
        context = self._context(given, step, None)
        value_and_grad = jax.value_and_grad(self._blueprint.objective, has_aux=True)
        (loss, (state, measured, _)), grads = value_and_grad(
            packing.unpack(lane.params), lane.state, batch, context, given.scaling
        )
        new, *_ = self._update(packing, lane, given, step, loss, grads, state)
        return new, (loss, measured)

    def instrumented(
        self, packing: Packing, lane: LaneState, given: LaneInput, step: Array, batch: Any
    ) -> tuple[LaneState, tuple[Array, Array], Measured]:
        """Take one step and measure it: its update is that of the plain step."""
        batch = self._prepared(given, step, batch)
        params = packing.unpack(lane.params)

        def objective(params: Any, probes: Array) -> Any:
            context = self._context(given, step, probes)
            return self._blueprint.objective(params, lane.state, batch, context, given.scaling)

        value_and_grad = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
        (loss, (state, measured, forward)), (grads, backward) = value_and_grad(
            params, self._network.no_probes()
        )
        new, updates, whole, clipped = self._update(packing, lane, given, step, loss, grads, state)
        weights = self._network.measure_weights(
            (params, grads, packing.unpack(updates)), measure_weight, len(WEIGHT)
        )
        vitals = self._vitals(forward, backward, weights)
        norm = measure_norm(whole)
        clipped_norm = norm if clipped is whole else measure_norm(clipped)
        rate = self._rate(given, step)
        return new, (loss, measured), Measured.of(rate, norm, clipped_norm, vitals)

    def _prepared(self, given: LaneInput, step: Array, batch: Any) -> Any:
        x, y, weights = batch
        inputs = self._blueprint.inputs
        # Layers count from 0 on; this key is none of theirs.
        key = jax.random.fold_in(self._key(given, step), 2**31) if inputs.random else None
        return inputs(x, given.inputs, key), y, weights

    def _context(self, given: LaneInput, step: Array, probes: Array | None) -> Context:
        key = self._key(given, step) if self._network.random else None
        return Context(True, key, given.numbers["net"], probes)

    def _key(self, given: LaneInput, step: Array) -> Array:
        return jax.random.fold_in(jax.random.key(given.seed), step)

    def _rate(self, given: LaneInput, step: Array) -> Array:
        optimizer = given.numbers["optimizer"]
        if "learning_rate" not in optimizer:
            return jnp.asarray(jnp.nan)
        schedule = self._recipe.schedule
        rate = learning_rate(
            schedule.name,
            step,
            given.total_steps,
            optimizer["learning_rate"],
            given.numbers["schedule"],
        )
        return rate * given.rate_scale

    def _rule(
        self, numbers: Any, rate: Array, decayed: Array | None
    ) -> optax.GradientTransformation:
        """Return a rule of ours."""
        spec = self._recipe.optimizer
        flags = {
            flag: getattr(spec, flag)
            for flag in ("average", "bias_correction")
            if hasattr(spec, flag)
        }
        return build(spec.name, numbers["optimizer"], rate, decayed=decayed, **flags)

    def _foreign_rule(self) -> Callable[[Array], optax.GradientTransformation] | None:
        """Return Optax's rule for a rate; None where the recipe's rule is one of ours."""
        given, spec = self._blueprint.transformation, self._recipe.optimizer
        if given is not None:
            return lambda rate: given
        if spec.name.startswith("optax."):
            return lambda rate: from_optax(spec.name, dict(spec.options), rate)
        return None

    def _update(
        self,
        packing: Packing,
        lane: LaneState,
        given: LaneInput,
        step: Array,
        loss: Array,
        grads: Any,
        state: Any,
    ) -> tuple[LaneState, Any, Any, Any]:
        """Clip, apply the update rule, and refuse what is not finite.

        Returns the new state, and, as the loop carries weights, the update and the gradient
        before and after clipping.
        """
        gradient = whole = packing.pack(grads)
        # A sum cannot hide what is not finite, since ±∞ and NaN do not cancel to a number; one
        # that overflows by itself is no gradient to follow either.
        total = sum((jnp.sum(leaf) for leaf in jax.tree.leaves(gradient)), loss)
        finite = jnp.isfinite(total)
        limits = given.numbers["train"]
        if limits:
            grads = clip(
                grads,
                value=limits.get("clip_value"),
                tensor_norm=limits.get("clip_tensor_norm"),
                global_norm=limits.get("clip_norm"),
            )
            gradient = packing.pack(grads)
        rate = self._rate(given, step)
        if self._foreign is None:
            rule = self._rule(given.numbers, rate, packing.decayed)
            updates, optimizer = rule.update(gradient, lane.optimizer, lane.params)
        else:
            weights = packing.unpack(lane.params)
            tree, optimizer = self._foreign(rate).update(grads, lane.optimizer, weights)
            updates = packing.pack(tree)
        if given.factors is not None:
            updates = packing.pack(given.factors.apply(packing.unpack(updates), step))
        going = (lane.diverged < 0) & finite
        new = (optax.apply_updates(lane.params, updates), state)
        old = (lane.params, lane.state)
        if self._recipe.train.on_divergence == "skip":
            diverged = lane.diverged
            new, old = (*new, optimizer), (*old, lane.optimizer)
        else:
            diverged = jnp.where((lane.diverged < 0) & ~finite, step, lane.diverged)
        params, state, *guarded = jax.tree.map(
            lambda new, old: jnp.where(going, new, old), new, old
        )
        optimizer = guarded[0] if guarded else optimizer
        average = self._averaged(lane, given, step, params, state, going)
        return LaneState(params, state, optimizer, diverged, average), updates, whole, gradient

    def _averaged(
        self, lane: LaneState, given: LaneInput, step: Array, params: Any, state: Any, going: Array
    ) -> Averaged | None:
        """Take the new weights into their mean, where the recipe asks for one."""
        if lane.average is None:
            return None
        numbers = given.numbers["average"]
        new = take(lane.average, params, state, step, given.total_steps, numbers)
        return jax.tree.map(lambda new, old: jnp.where(going, new, old), new, lane.average)

    def _vitals(self, forward: Array, backward: Array, weights: Array) -> Array:
        """Join the three measurements in the order of the vitals table's columns."""
        if self._network.head is not None:
            # The loss takes the head over: no signal passes through it alone.
            nothing = jnp.asarray([[jnp.nan, jnp.nan, 0.0]], backward.dtype)
            backward = jnp.concatenate([backward[:-1], nothing])
        nonfinite = forward[:, -1] + backward[:, -1] + jnp.nan_to_num(weights[:, -1])
        columns = (forward[:, :-1], backward[:, :-1], weights[:, :-1], nonfinite[:, None])
        return jnp.concatenate([jnp.asarray(c, jnp.float32) for c in columns], axis=1)
