"""Convolution over pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import ClassVar

from surefoot.nn.layer import Array, Context, Initial, Layer, Params, Shape, Start, describe_shape
from surefoot.nn.lowering import conv2d
from surefoot.nn.precision import in_bfloat16

Pair = tuple[int, int]


@dataclass(frozen=True)
class Conv(Layer):
    """Filters with shared weights, each over a k×k receptive field that moves by the stride.

    x [batch, height, width, channels] and W [k, k, channels, filters] give
    z[n, i, j, f] = Σ x[n, s·i + a, s·j + c, d] W[a, c, d, f] + b[f]: a dense layer whose weights
    are restricted to a neighbourhood and shared between the places.
    """

    kind: ClassVar[str] = "conv"
    weight: ClassVar[str] = "kernel"

    number: str
    filters: int
    size: Pair
    stride: Pair
    padding: str
    bias: bool
    initial: Initial
    bias_initial: Initial
    # Whether its products are taken in bfloat16.
    low: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        """Return height, width and channels of the output."""
        require_pictures(self, shape)
        if self.initial.name == "delta_orthogonal" and shape[2] > self.filters:
            raise self.refuse(
                f'initializer "delta_orthogonal" needs at least as many filters as the {shape[2]} '
                f"channels that come in, not {self.filters}; widen it or use another initializer"
            )
        return (*window_shape(self, shape, self.size, self.stride, self.padding), self.filters)

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Draw the filters and their biases."""
        kernel_shape = (*self.size, shape[2], self.filters)
        params = {"kernel": start.draw(self.initial, "initializer", kernel_shape)}
        if self.bias:
            params["bias"] = start.draw(self.bias_initial, "bias_initializer", (self.filters,))
        return params, {}

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the filtered pictures."""
        filtered = partial(conv2d, stride=self.stride, padding=self.padding)
        kernel = params["kernel"]
        z = in_bfloat16(filtered, x, kernel) if self.low else filtered(x, kernel)
        return (z + params["bias"] if self.bias else z), state

    def weight_count(self, shape: Shape) -> int:
        """Return k × k × channels × filters."""
        return self.size[0] * self.size[1] * shape[2] * self.filters


def require_pictures(layer: Layer, shape: Shape) -> None:
    """Refuse anything but [height, width, channels]."""
    if len(shape) != 3:
        raise layer.refuse(
            f"needs pictures (height, width, channels) and gets {describe_shape(shape)}; put it "
            "before any layer that makes rows of pictures, or take it out where the data are rows"
        )


def window_shape(layer: Layer, shape: Shape, size: Pair, stride: Pair, padding: str) -> Pair:
    """Return how many places a moving window has, down and across.

    "same" has ⌈n/s⌉ places, "valid" ⌊(n − k)/s⌋ + 1.
    """
    if padding == "same":
        return ceil(shape[0] / stride[0]), ceil(shape[1] / stride[1])
    if shape[0] < size[0] or shape[1] < size[1]:
        raise layer.refuse(
            f"its {size[0]}×{size[1]} window is larger than its {shape[0]}×{shape[1]} input; "
            'make it smaller, pool less before it, or set padding = "same"'
        )
    return (shape[0] - size[0]) // stride[0] + 1, (shape[1] - size[1]) // stride[1] + 1
