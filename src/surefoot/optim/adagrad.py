"""AdaGrad's scaling, with its small number where the textbook has it."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike


class RootOfSumState(NamedTuple):
    """The memory of `scale_by_root_of_sum`.

    Attributes:
        sum_of_squares: s, of the parameters' shapes.
    """

    sum_of_squares: Any


def scale_by_root_of_sum(
    initial_accumulator: ArrayLike = 0.0, epsilon: ArrayLike = 1e-10
) -> optax.GradientTransformation:
    """Return s ← s + g², u = g/(√s + ε): steps whose size decays to zero.

    `optax.scale_by_rss` has ε under the root, g/√(s + ε), where 1e-10 acts like 1e-5 here; this
    is the form of the textbook and of `torch.optim.Adagrad`. Where s is zero so is g, and u = 0,
    even with ε = 0.

    Args:
        initial_accumulator: s at the start, not negative; may be traced.
        epsilon: ε, against division by zero; may be traced.

    Source: Duchi, Hazan and Singer 2011, *Adaptive subgradient methods for online learning and
    stochastic optimization*.

    >>> rule = scale_by_root_of_sum()
    >>> update, state = rule.update(jnp.array([3.0, 0.0]), rule.init(jnp.zeros(2)))
    >>> update, state = rule.update(jnp.array([4.0, 0.0]), state)
    >>> [round(u, 3) for u in update.tolist()]  # 4/√(9 + 16)
    [0.8, 0.0]
    """

    def init(params: Any) -> RootOfSumState:
        return RootOfSumState(optax.tree.full_like(params, initial_accumulator))

    def update(
        updates: Any, state: RootOfSumState, params: Any = None
    ) -> tuple[Any, RootOfSumState]:
        del params
        sums = jax.tree.map(lambda g, s: s + g**2, updates, state.sum_of_squares)
        scaled = jax.tree.map(
            lambda g, s: g / jnp.where(s == 0, 1, jnp.sqrt(s) + epsilon), updates, sums
        )
        return scaled, RootOfSumState(sums)

    return optax.GradientTransformation(init, update)
