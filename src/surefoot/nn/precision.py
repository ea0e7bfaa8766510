"""Products in bfloat16, with everything else in the precision of the weights."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp


def in_bfloat16(
    product: Callable[[jax.Array, jax.Array], jax.Array], x: jax.Array, kernel: jax.Array
) -> jax.Array:
    """Return a bilinear function of two arrays that are rounded to bfloat16, in the first's type.

    bfloat16 has float32's range and 8 bits of its 24: a relative error of up to 2⁻⁹ for each
    number. Both backward products are taken in bfloat16 as well, since rounding passes gradients
    on, rounded. Weights, sums over the batch, normalization, losses and statistics stay as they
    are: small updates are not lost.

    Source: Kalamkar and others 2019, A study of bfloat16 for deep learning training.

    >>> in_bfloat16(jnp.dot, jnp.ones((1, 1)), jnp.full((1, 1), 1 + 2**-10)).tolist()
    [[1.0]]
    """
    rounded = product(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16))
    return rounded.astype(x.dtype)
