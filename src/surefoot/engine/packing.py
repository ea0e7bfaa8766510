"""How the compiled loop carries the weights of a lane: as one vector where the net is small."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree

from surefoot.nn.layer import Array
from surefoot.optim import is_decayed

# Numbers of one lane. In a step of a small net most of the time goes into starting kernels, one or
# more for each array. For large nets putting the gradients together costs more than that:
# benchmarks/README.md has the times.
SMALL = 32_768


class Packing(NamedTuple):
    """How weights are carried.

    Attributes:
        pack: from a tree of the params' shape to what is carried: a vector, or the tree as it is.
        unpack: back to the tree.
        decayed: where what is carried is a vector, 1 where weight decay acts, else 0.
    """

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]
    decayed: Array | None

    @classmethod
    def of(cls, params: Any) -> Packing:
        """Return the packing for one lane's weights.

        >>> packing = Packing.of({"bias": jnp.zeros(1), "kernel": jnp.zeros((1, 2))})
        >>> packing.decayed.tolist(), packing.unpack(jnp.arange(3.0))["kernel"].tolist()
        ([0.0, 1.0, 1.0], [[1.0, 2.0]])
        """
        leaves = jax.tree.leaves(params)
        if sum(prod(leaf.shape) for leaf in leaves) > SMALL:
            return cls(_same, _same, None)
        marks = jax.tree.map(jnp.full_like, params, is_decayed(params))
        return cls(_ravel, ravel_pytree(params)[1], ravel_pytree(marks)[0])


def _same(tree: Any) -> Any:
    return tree


def _ravel(tree: Any) -> Array:
    # Written out once: fused into each of its uses it would be put together each time anew.
    return lax.optimization_barrier(ravel_pytree(tree)[0])
