"""One array instead of many for the rules of small nets."""

from __future__ import annotations

from math import prod
from typing import Any

import jax
import optax

# Numbers of one lane. Adam on 2 cores, µs a step with many arrays → one vector: 86 → 53 at 9,000;
# 193 → 135 at 26,000; 330 → 364 at 51,000; 491 → 800 at 85,000; 1,084 → 1,637 at 235,000.
SMALL = 32_768


def flatten_if_small(rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """Return a rule that sees all parameters of a small net as one vector.

    In a step of a small net most of the time goes into starting kernels, one or more for each
    array; a rule over one vector, and the guard over its memory, start a few in all. For large
    nets the copy into the vector and back costs more than that. The size is that of one lane.

    Args:
        rule: a transformation that treats each number by itself.

    >>> import jax.numpy as jnp
    >>> params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    >>> flatten_if_small(optax.trace(0.9)).init(params).trace.shape
    (6,)
    """
    flat = optax.flatten(rule)

    def chosen(params: Any) -> optax.GradientTransformation:
        leaves = jax.tree.leaves(params)
        one_type = len({leaf.dtype for leaf in leaves}) == 1
        return flat if one_type and sum(prod(leaf.shape) for leaf in leaves) <= SMALL else rule

    def init(params: Any) -> Any:
        return chosen(params).init(params)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return chosen(updates).update(updates, state, params)

    return optax.GradientTransformation(init, update)
