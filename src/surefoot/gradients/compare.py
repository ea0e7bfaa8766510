"""A function's gradient by reverse mode, forward mode and finite differences, array by array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from surefoot.gradients.differences import differentiate, step_sizes
from surefoot.gradients.point import Weight

# Reverse and forward mode do the same arithmetic in another order: float64 leaves 1e-12 or so.
MODES_TOLERANCE = 1e-9
# Finite differences of the same loss reach 1e-8 or so where nothing bends.
DIFFERENCES_TOLERANCE = 1e-5
# Gradients below this share of the largest are compared as if they were that large: a bias before
# a normalization has 0, which rounding makes 1e-16 of the others.
_FLOOR = 1e-5
# A value too small for its differences agrees where it is this many times their error away.
_WITHIN = 30.0


@dataclass(frozen=True)
class Checked:
    """What was found about one array of weights.

    Attributes:
        weight: which array.
        shape: of it.
        sampled: how many of its entries were looked at.
        compared: of those, how many finite differences could tell.
        kinks: those where the loss has a kink, left out.
        small: those whose gradient rounding hides from finite differences; they agree with 0.
        zero: whether the gradient of every entry is exactly 0.
        forward_error: largest relative error of forward against reverse mode; None where forward
            mode is not defined.
        difference_error: largest relative error of finite differences against reverse mode; NaN
            where none could be compared.
        agrees: whether both are as small as they should be.
        entries: what was sampled: `index`, `reverse`, `forward`, `difference`, `kink`.
    """

    weight: Weight
    shape: tuple[int, ...]
    sampled: int
    compared: int
    kinks: int
    small: int
    zero: bool
    forward_error: float | None
    difference_error: float
    agrees: bool
    entries: dict[str, list[Any]]


def compare(
    function: Callable[[Any], Any],
    params: Any,
    weights: Sequence[Weight],
    *,
    entries: int,
    seed: int = 0,
) -> tuple[Checked, ...]:
    """Compare the gradient of a function by three modes on sampled entries of each array.

    The relative error of two values a and b is |a − b| / max(|a|, |b|).

    Args:
        function: from a tree of float64 arrays to a number; called under `jax.enable_x64`.
        params: where, a tree.
        weights: what each array of it is called, in the order of `jax.tree.leaves`.
        entries: how many of each array to look at, at most.
        seed: of the choice of entries.

    >>> with jax.enable_x64(True):
    ...     found = compare(
    ...         lambda w: jnp.sum(w["a"] ** 3),
    ...         {"a": np.array([1.0, 2.0])},
    ...         [Weight("1", "cube", "a")],
    ...         entries=9,
    ...     )
    >>> found[0].entries["reverse"], found[0].compared, found[0].agrees
    ([3.0, 12.0], 2, True)
    """
    theta, unravel = ravel_pytree(params)
    theta = np.asarray(theta, np.float64)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    chosen, scales = _choose(leaves, entries, seed)

    def loss(theta: Any) -> Any:
        return function(unravel(theta))

    reverse = np.asarray(jax.jit(jax.grad(loss))(theta))
    forward = _forward(loss, theta, chosen)
    steps = step_sizes(theta[chosen], scales)
    middle, above, below = _around(loss, theta, chosen, steps)
    found = differentiate(middle, above, below, steps, DIFFERENCES_TOLERANCE)
    one, two = reverse[chosen], found.derivative
    near = np.abs(one - two) <= _WITHIN * found.uncertainty
    sizes = np.maximum(np.abs(one), np.abs(two))
    hidden = found.uncertainty > DIFFERENCES_TOLERANCE * sizes
    small = ~found.kink & hidden & near
    compared = ~found.kink & ~small
    table = _Table(reverse, chosen, forward, found.derivative, found.kink, small, compared, sizes)
    first, results = 0, []
    for leaf, weight in zip(leaves, weights, strict=True):
        own = (chosen >= first) & (chosen < first + leaf.size)
        results.append(table.checked(weight, leaf.shape, first, own))
        first += leaf.size
    return tuple(results)


@dataclass(frozen=True)
class _Table:
    """What was found, a row for each sampled entry; the gradient by reverse mode is whole."""

    reverse: NDArray[np.float64]
    chosen: NDArray[np.int64]
    forward: NDArray[np.float64] | None
    difference: NDArray[np.float64]
    kink: NDArray[np.bool_]
    small: NDArray[np.bool_]
    compared: NDArray[np.bool_]
    sizes: NDArray[np.float64]

    def checked(self, weight: Weight, shape: tuple[int, ...], first: int, own: Any) -> Checked:
        """Return what was found about the array that begins at a place of the vector."""
        one = self.reverse[self.chosen]
        error = np.abs(one - self.difference) / np.where(self.sizes > 0, self.sizes, 1)
        told = own & self.compared
        difference_error = float(error[told].max()) if told.any() else float("nan")
        forward_error = None
        if self.forward is not None:
            floor = _FLOOR * np.abs(self.reverse).max(initial=0.0)
            sizes = np.maximum(np.maximum(np.abs(one), np.abs(self.forward)), floor)
            apart = np.abs(one - self.forward) / np.where(sizes > 0, sizes, 1)
            forward_error = float(apart[own].max(initial=0.0))
        size = int(np.prod(shape))
        entries = {
            "index": [list(map(int, np.unravel_index(i - first, shape))) for i in self.chosen[own]],
            "reverse": one[own].tolist(),
            "forward": None if self.forward is None else self.forward[own].tolist(),
            "difference": self.difference[own].tolist(),
            "kink": self.kink[own].tolist(),
        }
        return Checked(
            weight,
            shape,
            int(own.sum()),
            int(told.sum()),
            int((own & self.kink).sum()),
            int((own & self.small).sum()),
            not self.reverse[first : first + size].any(),
            forward_error,
            difference_error,
            not (difference_error > DIFFERENCES_TOLERANCE)
            and not (forward_error is not None and not forward_error <= MODES_TOLERANCE),
            entries,
        )


def _choose(leaves: Sequence[Any], entries: int, seed: int) -> tuple[Any, Any]:
    """Return places in the vector of all weights, and the usual size of the weights around each."""
    generator, first = np.random.default_rng(seed), 0
    chosen, scales = [np.zeros(0, np.int64)], [np.zeros(0)]
    for leaf in leaves:
        count = min(entries, leaf.size)
        own = np.sort(generator.choice(leaf.size, count, replace=False))
        chosen.append(own + first)
        scales.append(np.full(count, np.sqrt(np.mean(np.square(leaf))) if leaf.size else 0.0))
        first += leaf.size
    return np.concatenate(chosen), np.concatenate(scales)


def _forward(loss: Callable[[Any], Any], theta: Any, chosen: Any) -> Any:
    """Return the derivative along each entry by forward mode; None where it is not defined."""

    def along(place: Any) -> Any:
        direction = jnp.zeros_like(theta).at[place].set(1.0)
        return jax.jvp(loss, (theta,), (direction,))[1]

    try:
        return np.asarray(jax.jit(lambda places: lax.map(along, places))(chosen))
    except TypeError as error:
        if "custom_vjp" not in str(error):  # a gradient that is written by hand for reverse mode
            raise
        return None


def _around(loss: Callable[[Any], Any], theta: Any, chosen: Any, steps: Any) -> Any:
    """Return f(w), and f(w ± h) for each entry and step."""
    one = jax.jit(jax.vmap(lambda place, by: loss(theta.at[place].add(by)), (None, 0)))
    theta = jnp.asarray(theta)
    both = [
        np.asarray(one(place, np.concatenate([own, -own])))
        for place, own in zip(chosen, steps, strict=True)
    ]
    values = np.asarray(both).reshape(len(chosen), 2, -1)
    return float(jax.jit(loss)(theta)), values[:, 0], values[:, 1]
