"""Pictures as rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from surefoot.nn.layer import Array, Context, Layer, Params, Shape


@dataclass(frozen=True)
class Flatten(Layer):
    """[batch, h, w, c] → [batch, h·w·c], in that order. A row stays as it is."""

    kind: ClassVar[str] = "flatten"
    vital: ClassVar[bool] = False

    number: str

    def output_shape(self, shape: Shape) -> Shape:
        """One row."""
        return (prod(shape),)

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the rows."""
        return x.reshape(x.shape[0], -1), state
