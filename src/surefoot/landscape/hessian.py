"""The training loss over a fixed sample of rows, its gradient, and Hessian-vector products.

The loss is the one that the update rule follows, without what is drawn anew in each step: no
dropout, no random slopes, no random change of pictures; class and row weights count, and so does
the penalty λ‖w‖²/2 of a weight decay that is added to the gradient. Normalization works as in
training, with batch statistics: the sample is then cut into batches of the run's own size, and
the loss is the mean over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.cohort import Cohort
from surefoot.engine.placement import place_lanes
from surefoot.engine.step import LaneInput
from surefoot.engine.weights import row_weights
from surefoot.nn.layer import Array, Context
from surefoot.nn.network import Network
from surefoot.nn.probes import FORWARD
from surefoot.optim import is_decayed
from surefoot.optim.rules import RULES

Vector = NDArray[Any]

# The sample is cut into this many parts: their gradients' spread is the noise of the sample.
_PARTS = 8
# Numbers that the layers' outputs of one part may hold; a product keeps about three times that.
_PART_NUMBERS = 8_000_000
# Places of a plane whose losses are computed together.
_MOST_AT_ONCE = 32


class Fixed(NamedTuple):
    """What stays the same while the weights move.

    Attributes:
        params: a tree of the weights' shapes.
        state: the running averages of normalization.
        given: the lane's numbers.
        x: the sample's inputs, [parts, rows, …].
        y: its targets, [parts, rows, …].
        weights: of its rows, [parts, rows]; 0 for rows that only fill the last part.
        decay: the factor of each weight's square in the penalty, a vector.
    """

    params: Any
    state: Any
    given: LaneInput
    x: Array
    y: Array
    weights: Array
    decay: Array


class _Functions:
    """The compiled functions of one blueprint; `jax.jit` keeps one for each set of shapes."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self.numbers = _numbers(blueprint.network)
        self.loss = jax.jit(self._loss)
        self.losses = jax.jit(self._losses)
        self.gradient = jax.jit(self._gradient)
        self.product = jax.jit(self._product)
        self.vitals = jax.jit(self._vitals)

    def _part(self, theta: Array, fixed: Fixed, part: Any, probes: Array | None = None) -> Any:
        """Return the part's sum of losses over the weight of all rows, and its vital signs."""
        x, y, weights = part
        given = fixed.given
        x = self._blueprint.inputs(x, given.inputs, None)
        params = ravel_pytree(fixed.params)[1](theta)
        # A training pass without a key draws nothing.
        context = Context(True, None, given.numbers["net"], probes)
        objective = self._blueprint.objective
        outputs, _, vitals = objective.network.apply(params, fixed.state, x, context)
        total, _ = objective.sums(outputs, y, weights, given.scaling)
        return total / jnp.sum(fixed.weights), vitals

    def _sum(self, function: Callable[[Any], Any], fixed: Fixed) -> Any:
        """Add up a function of the parts, one at a time.

        Derivatives are taken of each part, within the scan and not through it: through it JAX
        0.10.2 gives softplus(wx) at w = 0 twice its second derivative.
        """
        parts = (fixed.x, fixed.y, fixed.weights)
        first = jax.tree.map(lambda array: array[0], parts)
        zero = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(function, first))

        def body(carry: Any, part: Any) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, carry, function(part)), None

        return lax.scan(body, zero, parts)[0]

    def _loss(self, theta: Array, fixed: Fixed) -> Array:
        total = self._sum(lambda part: self._part(theta, fixed, part)[0], fixed)
        return total + jnp.sum(fixed.decay * jnp.square(theta)) / 2

    def _losses(self, origin: Array, directions: Array, coordinates: Array, fixed: Fixed) -> Array:
        """Return the losses at places of a plane: [points]."""
        return jax.vmap(lambda own: self._loss(origin + own @ directions, fixed))(coordinates)

    def _gradient(self, theta: Array, fixed: Fixed) -> tuple[Array, Array, Array]:
        """Return the loss, the gradient, and the variance of the gradient over the parts."""
        every = jnp.sum(fixed.weights)

        def part(rows: Any) -> Any:
            loss, own = jax.value_and_grad(lambda t: self._part(t, fixed, rows)[0])(theta)
            share = jnp.sum(rows[2]) / every
            return loss, own, jnp.sum(jnp.square(own)), share * own, jnp.square(share)

        loss, gradient, squares, weighted, shares = self._sum(part, fixed)
        # Σ‖gᵢ − sᵢ g‖² with gᵢ the part's contribution and sᵢ its share of the rows.
        norm = jnp.sum(jnp.square(gradient))
        spread = squares - 2 * jnp.dot(weighted, gradient) + shares * norm
        penalty = fixed.decay * theta
        return loss + jnp.dot(penalty, theta) / 2, gradient + penalty, jnp.maximum(spread, 0)

    def _product(self, theta: Array, vector: Array, fixed: Fixed) -> Array:
        def part(rows: Any) -> Array:
            gradient = jax.grad(lambda t: self._part(t, fixed, rows)[0])
            return jax.jvp(gradient, (theta,), (vector,))[1]

        return self._sum(part, fixed) + fixed.decay * vector

    def _vitals(self, theta: Array, fixed: Fixed) -> Array:
        """Return the vital signs of each part: [parts, sites, `FORWARD`]."""
        probes = self._blueprint.network.no_probes()
        parts = (fixed.x, fixed.y, fixed.weights)
        return lax.map(lambda part: self._part(theta, fixed, part, probes)[1], parts)


@lru_cache(maxsize=16)
def _functions(blueprint: Blueprint) -> _Functions:
    return _Functions(blueprint)


@dataclass(frozen=True)
class Surface:
    """L(θ) over a fixed sample, for weights as one flat vector.

    Attributes:
        start: θ that was given, [parameters].
        rows: how many rows the sample has.
        training_rows: how many the run has.
        fixed: the rest.
        functions: what is compiled.
    """

    start: Vector
    rows: int
    training_rows: int
    fixed: Fixed
    functions: _Functions

    @classmethod
    def of(
        cls,
        cohort: Cohort,
        params: Any,
        state: Any,
        *,
        lane: int = 0,
        rows: int = 1024,
        seed: int = 0,
    ) -> Surface:
        """Return the surface around a lane's weights.

        Args:
            cohort: what was trained.
            params: the lane's weights, a tree.
            state: its running averages.
            lane: which one of the cohort's.
            rows: how many training rows the sample has at most.
            seed: of the choice of rows.
        """
        given = jax.tree.map(lambda array: array[lane], place_lanes(cohort, 0))
        dataset, recipe = cohort.dataset, cohort.recipes[lane]
        # Of a stream, the sample of it that is in memory.
        chosen, size = _choose(cohort, len(dataset.x_train), rows, seed)
        weights = row_weights(recipe.train, dataset.target, dataset.y_train, dataset.w_train)
        own = np.ones(len(chosen)) if weights is None else weights[chosen]
        own = own.astype(cohort.precision)
        sample = _cut(size, dataset.x_train[chosen], dataset.y_train[chosen], own)
        rule = RULES.get(recipe.optimizer.name)
        coupled = rule is not None and not rule.decoupled_decay
        decay = recipe.optimizer.weight_decay if coupled else 0.0
        marks = jax.tree.map(lambda a, on: np.full(a.shape, on * decay), params, is_decayed(params))
        theta, decays = (_flat(tree, cohort.precision) for tree in (params, marks))
        fixed = jax.device_put(Fixed(params, state, given, *sample, decays))
        return cls(theta, len(chosen), cohort.rows, fixed, _functions(cohort.blueprint))

    def on_validation(self, cohort: Cohort, *, rows: int = 1024, seed: int = 0) -> Surface | None:
        """Return the surface of the loss on validation rows; None where there are none.

        It is what training lowers, on other rows: class weights and the penalty do not count, and
        normalization works as in training, for running averages belong to one point's weights.

        Args:
            cohort: that of this surface.
            rows: how many validation rows the sample has at most.
            seed: of the choice of rows.
        """
        dataset = cohort.dataset
        if dataset.x_val is None or dataset.y_val is None:
            return None
        chosen, size = _choose(cohort, len(dataset.x_val), rows, seed)
        own = np.ones(len(chosen)) if dataset.w_val is None else dataset.w_val[chosen]
        own = own.astype(cohort.precision)
        x, y, weights = jax.device_put(
            _cut(size, dataset.x_val[chosen], dataset.y_val[chosen], own)
        )
        none = jax.device_put(np.zeros(self.size, cohort.precision))
        fixed = self.fixed._replace(x=x, y=y, weights=weights, decay=none)
        return replace(self, rows=len(chosen), fixed=fixed)

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.start.size

    def loss(self, theta: Vector) -> float:
        """Return L(θ)."""
        return float(self.functions.loss(self._placed(theta), self.fixed))

    def losses(self, origin: Vector, directions: Vector, coordinates: Vector) -> Vector:
        """Return L(θ + Σᵢ cᵢ dᵢ) at many places of a slice or plane; what overflows stays so.

        Args:
            origin: θ, [parameters].
            directions: d, [directions, parameters].
            coordinates: c of each place, [points, directions].
        """
        # As many at each call, so that one program serves slices and planes; the host's loop can
        # be interrupted in between.
        held = max(self.functions.numbers * self.fixed.x.shape[1], self.size)
        chunk = int(np.clip(_PART_NUMBERS // held, 1, _MOST_AT_ONCE))
        found = []
        for first in range(0, len(coordinates), chunk):
            own = coordinates[first : first + chunk]
            filled = np.zeros((chunk, len(directions)))
            filled[: len(own)] = own
            placed = map(self._placed, (origin, directions, filled))
            losses = self.functions.losses(*placed, self.fixed)
            found.append(np.asarray(losses, np.float64)[: len(own)])
        return np.concatenate(found)

    def gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Return L(θ) and g = ∇L(θ)."""
        loss, gradient, _ = self.functions.gradient(self._placed(theta), self.fixed)
        return float(loss), np.asarray(gradient, np.float64)

    def noise(self, theta: Vector) -> float:
        """Return the standard error of g for the choice of the sample, from its parts' spread.

        √(Σᵢ ‖gᵢ − g/B‖² · B/(B−1) · (1 − n/N)) for B parts of n rows out of N: 0 where the sample
        has all rows, NaN where it is a single part.
        """
        parts = len(self.fixed.weights)
        if self.rows == self.training_rows:
            return 0.0
        if parts == 1:
            return float("nan")
        spread = float(self.functions.gradient(self._placed(theta), self.fixed)[2])
        left_out = 1 - self.rows / self.training_rows
        return float(np.sqrt(spread * parts / (parts - 1) * left_out))

    def product(self, theta: Vector, vector: Vector) -> Vector:
        """Return Hv at θ, forward over reverse: the directional derivative of the gradient."""
        moved = self.functions.product(self._placed(theta), self._placed(vector), self.fixed)
        return np.asarray(moved, np.float64)

    def vitals(self, theta: Vector) -> dict[str, Vector]:
        """Return what the forward probes measure, by name, each [parts, sites]."""
        measured = np.asarray(self.functions.vitals(self._placed(theta), self.fixed))
        return {name: measured[:, :, i] for i, name in enumerate(FORWARD)}

    def _placed(self, vector: Vector) -> Vector:
        return np.asarray(vector, self.start.dtype)


def _choose(cohort: Cohort, every: int, rows: int, seed: int) -> tuple[NDArray[np.int64], int]:
    """Return which of so many rows make the sample, and how many of them make a part."""
    generator = np.random.default_rng(seed)
    count = min(rows, every)
    network = cohort.blueprint.network
    size = min(max(1, _PART_NUMBERS // _numbers(network)), ceil(count / _PARTS))
    if any(site.kind == "batch_norm" for site in network.sites):
        size = min(cohort.batch, count)
        count = count // size * size
    return np.sort(generator.choice(every, count, replace=False)), size


def _numbers(network: Network) -> int:
    """Return how many numbers the layers hold for one row."""
    return prod(network.input_shape) + sum(prod(site.shape) for site in network.sites)


def _cut(size: int, *arrays: Any) -> list[NDArray[Any]]:
    """Cut rows into parts of a size; zeros fill the last one."""
    parts = ceil(len(arrays[0]) / size)
    cut = []
    for array in arrays:
        filled = np.zeros((parts * size, *array.shape[1:]), array.dtype)
        filled[: len(array)] = array
        cut.append(filled.reshape(parts, size, *array.shape[1:]))
    return cut


def _flat(tree: Any, dtype: np.dtype) -> Vector:
    leaves = [np.ravel(leaf) for leaf in jax.tree.leaves(tree)]
    return np.concatenate([*leaves, np.zeros(0)]).astype(dtype)
