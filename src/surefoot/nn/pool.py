"""Pooling: pictures made smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from surefoot.nn.conv import Pair, require_pictures, window_shape
from surefoot.nn.layer import Array, Context, Layer, Params, Shape
from surefoot.nn.lowering import average_pool2d, max_pool2d


@dataclass(frozen=True)
class Pool(Layer):
    """One value for each window and channel: the largest (`max_pool`) or the mean."""

    vital: ClassVar[bool] = False

    kind: str
    number: str
    size: Pair
    stride: Pair
    padding: str

    def output_shape(self, shape: Shape) -> Shape:
        """Return height, width and channels of the output."""
        require_pictures(self, shape)
        return (*window_shape(self, shape, self.size, self.stride, self.padding), shape[2])

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the pooled pictures."""
        pool: Callable[..., Array] = max_pool2d if self.kind == "max_pool" else average_pool2d
        return pool(x, self.size, self.stride, self.padding), state


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """Each channel's mean over the picture: [batch, h, w, c] → [batch, c]."""

    kind: ClassVar[str] = "global_average_pool"
    vital: ClassVar[bool] = False

    number: str

    def output_shape(self, shape: Shape) -> Shape:
        """One number for each channel."""
        require_pictures(self, shape)
        return shape[2:]

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the means."""
        return jnp.mean(x, axis=(1, 2)), state
