"""Dense layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from surefoot.nn.layer import Array, Context, Initial, Layer, Params, Shape, Start, describe_shape
from surefoot.nn.precision import in_bfloat16


@dataclass(frozen=True)
class Dense(Layer):
    """z = xW + b, with x [batch, n_in], W [n_in, units], b [units].

    Backward, for a signal g = ∂L/∂z [batch, units]: ∂L/∂W = xᵀg, ∂L/∂b = Σ g over the batch, and
    ∂L/∂x = gWᵀ passes to the layer below.
    """

    kind: ClassVar[str] = "dense"
    weight: ClassVar[str] = "kernel"

    number: str
    units: int
    bias: bool
    initial: Initial
    bias_initial: Initial
    # Whether its products are taken in bfloat16.
    low: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        """One row in, one row out."""
        if len(shape) != 1:
            raise self.refuse(
                f"needs a row of numbers and gets {describe_shape(shape)}; "
                "put {flatten = {}} or {global_average_pool = {}} before it"
            )
        return (self.units,)

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Draw W and b."""
        params = {"kernel": start.draw(self.initial, "initializer", (shape[0], self.units))}
        if self.bias:
            params["bias"] = start.draw(self.bias_initial, "bias_initializer", (self.units,))
        return params, {}

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return xW + b."""
        kernel = params["kernel"]
        z = in_bfloat16(jnp.dot, x, kernel) if self.low else jnp.dot(x, kernel)
        return (z + params["bias"] if self.bias else z), state

    def weight_count(self, shape: Shape) -> int:
        """Return n_in × units."""
        return shape[0] * self.units
