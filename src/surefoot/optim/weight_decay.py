"""Weight decay, of weight matrices and filters alone."""

from __future__ import annotations

from typing import Any

import jax
import optax
from jax.typing import ArrayLike

# A bias or a normalization's scale and shift does not make a net rough; pulling them to zero
# only makes it worse. A residual block's projection is a weight matrix like any other.
DECAYED = frozenset({"kernel", "projection"})


def decay_weights(
    weight_decay: ArrayLike, decayed: ArrayLike | None = None
) -> optax.GradientTransformation:
    """Return u ← u + λw for weight matrices and filters, and u ← u for all other parameters.

    Before a rule this is the gradient of an L2 penalty λ|w|²/2, as PyTorch's ``weight_decay``;
    behind it, the decoupled decay of AdamW. What is a weight is told by the last key of its place
    in the tree of parameters: "kernel", or "projection" of a residual block.

    Args:
        weight_decay: λ, not negative; may be traced.
        decayed: for parameters that are one vector: 1 where decay acts, else 0.

    Source: Loshchilov and Hutter 2019, *Decoupled weight decay regularization*.

    >>> import jax.numpy as jnp
    >>> params = {"kernel": jnp.array([[2.0]]), "bias": jnp.array([2.0])}
    >>> rule = decay_weights(0.5)
    >>> update, _ = rule.update(optax.tree.zeros_like(params), rule.init(params), params)
    >>> update["kernel"].tolist(), update["bias"].tolist()
    ([[1.0]], [0.0])
    """
    if decayed is None:
        return optax.add_decayed_weights(weight_decay, mask=is_decayed)
    # In this order: the other product is the same in each step, so that XLA keeps it for all
    # lanes, and reads that in each step.
    return optax.stateless(lambda updates, params: updates + decayed * (weight_decay * params))


def is_decayed(params: Any) -> Any:
    """Return a tree of booleans: which of the parameters decay."""
    return jax.tree.map_with_path(lambda path, _: _last_key(path) in DECAYED, params)


def _last_key(path: tuple[Any, ...]) -> str | None:
    """Return the innermost dictionary key of a place in a tree."""
    keys = [entry.key for entry in path if isinstance(entry, jax.tree_util.DictKey)]
    return keys[-1] if keys else None
