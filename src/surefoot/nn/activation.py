"""The layer that applies an activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surefoot.nn.activations import ACTIVATIONS
from surefoot.nn.layer import Array, Context, Layer, Numbers, Params, Shape, Start


@dataclass(frozen=True)
class ActivationLayer(Layer):
    """a = f(z), for each number alone (softmax: over the last axis)."""

    kind: ClassVar[str] = "activation"
    weight: ClassVar[str] = "slope"  # PReLU's

    number: str
    name: str

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Return what the activation learns, at the values that the recipe gives."""
        learned = ACTIVATIONS[self.name].learned
        return {name: np.asarray(start.numbers[name], start.dtype) for name in learned}, {}

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return f(x)."""
        activation = ACTIVATIONS[self.name]
        # Without a key nothing is drawn: a random slope is then its mean, as dropout drops nothing.
        train = context.train and context.key is not None
        return activation.function(x, context.numbers, params, context.key, train), state

    def saturated(self, y: Array, numbers: Numbers) -> Array | None:
        """Return which outputs lie in the flat part, as the activation defines it."""
        test = ACTIVATIONS[self.name].saturated
        return None if test is None else test(y, numbers)

    @property
    def label(self) -> str:
        """The activation's name."""
        return self.name

    def weight_count(self, shape: Shape) -> int:
        """Return how many numbers the activation learns."""
        return len(ACTIVATIONS[self.name].learned)
