"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from surefoot.nn.layer import Array, Context, Layer, Params, Shape

_LEVELS = 2**16  # 16 random bits decide: half the cost of a float, and rates to 1/65,536


@dataclass(frozen=True)
class Dropout(Layer):
    """Each number is zero with chance p, else divided by 1 − p; the same mask serves backward.

    Inverted dropout: the expectation is the input, so that evaluation needs no change.

    Source: Srivastava and others 2014.
    """

    kind: ClassVar[str] = "dropout"
    vital: ClassVar[bool] = False

    number: str

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the thinned input in training, the input itself in evaluation."""
        if not (context.train or context.thinned) or context.key is None:
            return x, state
        # One level is always kept: where none is, the backward pass would multiply 0 by infinity.
        dropped = jnp.clip(jnp.round(context.numbers["dropout"] * _LEVELS), 0, _LEVELS - 1)
        bits = jax.random.bits(context.key, x.shape, jnp.uint16)
        keep = (1 - dropped / _LEVELS).astype(x.dtype)
        return jnp.where(bits >= dropped.astype(jnp.uint16), x / keep, 0), state
