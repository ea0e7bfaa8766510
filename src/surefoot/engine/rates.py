"""A rate for each layer: what its updates are multiplied by, and layers that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from surefoot.errors import RecipeError
from surefoot.nn.layer import Array
from surefoot.nn.network import Network
from surefoot.nn.selection import Place, matching, places
from surefoot.recipe import Recipe, numbers

# Steps are counted in 32 bits: no run comes so far.
_NEVER = 2**31 - 1


class Factors(NamedTuple):
    """What the update of each array of weights is multiplied by.

    They act on what the update rule says, after weight decay, momentum and clipping: with a factor
    of 0 the weights keep their bits. The rule's memory goes on, so that a layer that thaws moves at
    once as one that never was frozen. Running averages of normalization are no weights: they
    follow the batches, which is what the frozen scale and shift are applied to in training.

    Attributes:
        before: a number for each array, a tree of the params' shape, until the thaw.
        after: from the thaw on.
        thaw: the step of the thaw.
    """

    before: Any
    after: Any
    thaw: Array

    def apply(self, updates: Any, step: Array) -> Any:
        """Return a tree of updates, each times its factor.

        >>> one, none = {"kernel": jnp.ones(())}, {"kernel": jnp.zeros(())}
        >>> factors = Factors(none, one, jnp.asarray(3))
        >>> [factors.apply({"kernel": jnp.ones(1)}, step)["kernel"].tolist() for step in (2, 3)]
        [[0.0], [1.0]]
        """
        frozen = step < self.thaw

        def scaled(update: Array, before: Array, after: Array) -> Array:
            factor = jnp.where(frozen, before, after)
            # 0 · ∞ is no number: what is frozen is not touched by an update that overflowed.
            return jnp.where(factor == 0, jnp.zeros_like(update), factor * update)

        return jax.tree.map(scaled, updates, self.before, self.after)


def factors_of(
    recipes: Sequence[Recipe], networks: Sequence[Network], steps_per_epoch: int
) -> Factors | None:
    """Return the factors of all lanes, stacked; None where no recipe of a cohort has any.

    Args:
        recipes: one for each lane.
        networks: each one's net.
        steps_per_epoch: how many steps an epoch has.

    Raises:
        RecipeError: a layer does not exist, is named twice, or all are frozen.
    """
    if not any(_has(recipe) for recipe in recipes):
        return None
    each = [
        _of_lane(network, recipe, steps_per_epoch)
        for network, recipe in zip(networks, recipes, strict=True)
    ]
    dtype = recipes[0].train.dtype

    def stacked(trees: Sequence[Any]) -> Any:
        return jax.tree.map(lambda *own: np.asarray(own, dtype), *trees)

    return Factors(
        stacked([own.before for own in each]),
        stacked([own.after for own in each]),
        np.asarray([own.thaw for own in each], np.int32),
    )


def _has(recipe: Recipe) -> bool:
    return recipe.transfer is not None and bool(recipe.transfer.freeze or recipe.transfer.rates)


def _of_lane(network: Network, recipe: Recipe, steps_per_epoch: int) -> Factors:
    params, _ = network.init(0, numbers(recipe.net))
    tree = places(network.body, params)
    transfer = recipe.transfer
    if transfer is None:
        ones = jax.tree.map(lambda _: 1.0, tree)
        return Factors(ones, ones, 0)
    rates = _rates(tree, dict(transfer.rates))
    frozen = set().union(*matching(transfer.freeze, tree, "transfer.freeze").values())
    after = jax.tree.map(lambda place: rates.get(place, 1.0), tree)
    before = jax.tree.map(lambda place, rate: 0.0 if place in frozen else rate, tree, after)
    thaw = _NEVER if transfer.thaw is None else min(transfer.thaw * steps_per_epoch, _NEVER)
    if not transfer.freeze:
        thaw = 0
    _check_moves(before, after, transfer.thaw, recipe.train.epochs)
    return Factors(before, after, thaw)


def _rates(tree: Any, rates: dict[str, float]) -> dict[Place, float]:
    """Return the factor of each place that is named."""
    found: dict[Place, float] = {}
    named: dict[Place, str] = {}
    for selector, own in matching(rates, tree, "transfer.rates").items():
        for place in own:
            if place in named:
                raise RecipeError(
                    f"transfer.rates: layer {place.number} ({place.kind}) is named by both "
                    f"{named[place]!r} and {selector!r}; name each layer once"
                )
            named[place], found[place] = selector, rates[selector]
    return found


def _check_moves(before: Any, after: Any, thaw: int | None, epochs: int) -> None:
    """Refuse a recipe by which no weight ever moves."""
    late = any(jax.tree.leaves(after)) and thaw is not None and thaw < epochs
    if not (late or any(jax.tree.leaves(before))):
        never = "" if thaw is None else f" before transfer.thaw = {thaw} of {epochs} epochs"
        raise RecipeError(
            f"transfer: every layer with weights is frozen{never}, so that nothing would be "
            'learned; leave one out of freeze and rates, such as "output"'
        )
