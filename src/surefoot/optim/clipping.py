"""Clipping of gradients: by value, by the norm of each array, by the norm of all."""

from __future__ import annotations

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.typing import ArrayLike


def global_norm(tree: Any) -> Array:
    """Return √Σg² over all numbers of a tree of arrays.

    Exploding gradients are what clipping is for, and in float32 a square overflows from 1.8e19
    on, far below the largest number: so Optax's norm is taken of g/max|g|.

    >>> norm = global_norm({"kernel": jnp.array([3e30]), "bias": jnp.array([4e30])})
    >>> f"{norm:.3e}"
    '5.000e+30'
    """
    largest = [jnp.max(jnp.abs(g), initial=0) for g in jax.tree.leaves(tree)]
    unit = reduce(jnp.maximum, largest, 0.0)
    unit = jnp.where(unit == 0, 1.0, unit)
    return unit * optax.tree.norm(jax.tree.map(lambda g: g / unit, tree))


def clip(
    grads: Any,
    *,
    value: ArrayLike | None = None,
    tensor_norm: ArrayLike | None = None,
    global_norm: ArrayLike | None = None,
) -> Any:
    """Return gradients within limits, those that are given, applied in this order.

    - value: each number g becomes min(max(g, −limit), limit).
    - tensor_norm: each array G becomes G · min(1, limit/‖G‖).
    - global_norm: every array becomes G · min(1, limit/‖all‖).

    What is within its limits keeps its bits; zero stays zero. A norm that is not finite makes
    every number that it governs NaN, so that it cannot pass unseen; the limit by value brings
    ±∞ to ±limit, so look at the gradients themselves for what is not finite.

    Args:
        grads: a tree of arrays.
        value: limit of each number, positive; may be traced.
        tensor_norm: limit of each array's norm, positive; may be traced.
        global_norm: limit of the norm of all, positive; may be traced.

    Source: Pascanu, Mikolov and Bengio 2013, *On the difficulty of training recurrent neural
    networks*.

    >>> grads = {"kernel": jnp.array([3.0, -4.0]), "bias": jnp.array([0.0])}
    >>> clip(grads, value=3.5)["kernel"].tolist()
    [3.0, -3.5]
    >>> clip(grads, global_norm=2.5)["kernel"].tolist()
    [1.5, -2.0]
    """
    if value is not None:
        grads = optax.tree.clip(grads, -value, value)
    if tensor_norm is not None:
        grads = jax.tree.map(lambda g: _shrink(g, tensor_norm), grads)
    if global_norm is not None:
        grads = _shrink(grads, global_norm)
    return grads


def _shrink(tree: Any, limit: ArrayLike) -> Any:
    """Scale a tree so that its norm is at most the limit."""
    norm = global_norm(tree)
    factor = limit / jnp.maximum(norm, limit)
    return jax.tree.map(lambda g: g * factor.astype(g.dtype), tree)
