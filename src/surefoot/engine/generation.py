"""One step of a lane that is trained without gradients: a generation of its population."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.packing import Packing
from surefoot.engine.step import LaneInput, LaneState, Measured, Step
from surefoot.evolve.algorithm import Start
from surefoot.evolve.registry import algorithm_for
from surefoot.nn.layer import Array
from surefoot.nn.probes import BACKWARD, WEIGHT, measure_weight

# How many numbers the layers of the individuals that are evaluated side by side may hold: what is
# left of the processor's caches is slower, and many fewer do not fill it.
_NUMBERS = 2_000_000
# No step has this number, and no layer draws by it: that of the first population.
_FIRST = 2**31


class Generation(Step):
    """The step of a blueprint whose method knows no gradients.

    The lane's weights are the solution that its algorithm stands for: the best individual of the
    last generation, or the mean of the distribution. What is recorded of a step is their loss
    before it, as in any other training. All individuals see the same batch and the same
    dropped units. The population lies where an update rule keeps its memory, so that
    checkpoints hold it.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__(blueprint)
        self._algorithm = algorithm_for(self._recipe.train.method, self._recipe.evolution)

    def start(self, params: Any, state: Any, given: LaneInput) -> LaneState:
        """Return a lane's state before its first generation.

        A genetic algorithm's first individuals are drawn around the mean of each array of weights,
        with the standard deviation that its initializer gave it; the first is what was drawn.
        """
        means = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.mean(leaf)), params)
        spreads = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.std(leaf)), params)
        begin = Start(*(ravel_pytree(tree)[0] for tree in (params, means, spreads)))
        key = self._key(given, jnp.asarray(_FIRST, jnp.uint32))
        population = self._algorithm.start(begin, key, given.numbers["evolution"])
        return super().start(params, state, given)._replace(optimizer=population)

    def plain(
        self, packing: Packing, lane: LaneState, given: LaneInput, step: Array, batch: Any
    ) -> tuple[LaneState, tuple[Array, Array]]:
        """Take one step; return the new state, and the batch's loss and measure."""
        batch = self._prepared(given, step, batch)
        context = self._context(given, step, None)
        loss, (state, measured, _) = self._blueprint.objective(
            packing.unpack(lane.params), lane.state, batch, context, given.scaling
        )
        return self._evolve(packing, lane, given, step, batch, state), (loss, measured)

    def instrumented(
        self, packing: Packing, lane: LaneState, given: LaneInput, step: Array, batch: Any
    ) -> tuple[LaneState, tuple[Array, Array], Measured]:
        """Take one step and measure it; what is of gradients is NaN."""
        batch = self._prepared(given, step, batch)
        params = packing.unpack(lane.params)
        context = self._context(given, step, self._network.no_probes())
        loss, (state, measured, forward) = self._blueprint.objective(
            params, lane.state, batch, context, given.scaling
        )
        new = self._evolve(packing, lane, given, step, batch, state)
        updates = jax.tree.map(jnp.subtract, packing.unpack(new.params), params)
        none = jax.tree.map(jnp.zeros_like, params)
        weights = self._network.measure_weights(
            (params, none, updates), measure_weight, len(WEIGHT)
        )
        absent = jnp.asarray([name.startswith("gradient") for name in WEIGHT])
        weights = jnp.where(absent, jnp.nan, weights)
        backward = jnp.full((forward.shape[0], len(BACKWARD)), jnp.nan).at[:, -1].set(0)
        vitals = self._vitals(forward, backward, weights)
        nothing = jnp.asarray(jnp.nan)
        return new, (loss, measured), Measured.of(nothing, nothing, nothing, vitals)

    def _evolve(
        self,
        packing: Packing,
        lane: LaneState,
        given: LaneInput,
        step: Array,
        batch: Any,
        state: Any,
    ) -> LaneState:
        """Evaluate the population, and return the lane with the next one.

        Where no individual has a finite loss, or the solution is not finite, the lane diverged.
        """
        numbers = given.numbers["evolution"]
        unravel = ravel_pytree(packing.unpack(lane.params))[1]
        ask, tell = jax.random.split(jax.random.fold_in(self._key(given, step), _FIRST))
        genomes = self._algorithm.ask(lane.optimizer, ask, numbers)
        context = self._context(given, step, None)

        def loss(genome: Array) -> Array:
            return self._blueprint.objective(
                unravel(genome), lane.state, batch, context, given.scaling
            )[0]

        losses = over_individuals(loss, genomes, self._chunk(batch[0].shape[0]))
        evolved = self._algorithm.tell(lane.optimizer, genomes, losses, tell, numbers)
        best = self._algorithm.best(evolved)
        finite = jnp.any(jnp.isfinite(losses)) & jnp.all(jnp.isfinite(best))
        going = (lane.diverged < 0) & finite
        params, state, evolved = jax.tree.map(
            lambda new, old: jnp.where(going, new, old),
            (packing.pack(unravel(best)), state, evolved),
            (lane.params, lane.state, lane.optimizer),
        )
        diverged = lane.diverged
        if self._recipe.train.on_divergence != "skip":
            diverged = jnp.where((diverged < 0) & ~finite, step, diverged)
        average = self._averaged(lane, given, step, params, state, going)
        return LaneState(params, state, evolved, diverged, average)

    def _chunk(self, rows: int) -> int:
        """Return how many individuals are evaluated side by side."""
        each = sum(prod(site.shape) for site in self._network.sites)
        return max(1, _NUMBERS // (rows * each))


def over_individuals(loss: Callable[[Array], Array], genomes: Array, chunk: int) -> Array:
    """Return the loss of each individual, [individuals], at most so many at once.

    They are dealt out evenly; the last places are filled up, since a part of another size would
    be compiled as well.

    >>> over_individuals(jnp.sum, jnp.arange(10.0).reshape(5, 2), chunk=2).tolist()
    [1.0, 5.0, 9.0, 13.0, 17.0]
    """
    count = genomes.shape[0]
    parts = -(-count // chunk)
    if parts == 1:
        return jax.vmap(loss)(genomes)
    each = -(-count // parts)
    filled = jnp.pad(genomes, ((0, parts * each - count), (0, 0)), mode="edge")
    losses = lax.map(jax.vmap(loss), filled.reshape(parts, each, -1))
    return losses.reshape(-1)[:count]


def step_of(blueprint: Blueprint) -> Step:
    """Return the step that a blueprint's method asks for."""
    return (Step if blueprint.recipe.train.method == "gradient" else Generation)(blueprint)
