"""Batch normalization."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jax import lax

from surefoot.nn.layer import Array, Context, Layer, Params, Shape, Start


@dataclass(frozen=True)
class BatchNorm(Layer):
    """y = γ(x − μ)/√(σ² + ε) + β for each channel, with γ = 1 and β = 0 at the start.

    In training μ and σ² are the batch's, over all axes but the last, and the gradient passes
    through both. In evaluation they are running averages, m ← momentum·m + (1 − momentum)·batch,
    with the variance that enters them unbiased, n/(n − 1), as PyTorch has it.

    Source: Ioffe and Szegedy 2015.
    """

    kind: ClassVar[str] = "batch_norm"
    weight: ClassVar[str] = "scale"

    number: str

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape."""
        return shape

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Return γ = 1, β = 0, and running averages of mean 0 and variance 1."""
        channels = shape[-1:]
        ones, zeros = np.ones(channels, start.dtype), np.zeros(channels, start.dtype)
        return {"scale": ones, "bias": zeros}, {"mean": zeros, "variance": ones}

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the normalized input, and in training the new running averages."""
        options = context.numbers["batch_norm"]
        if context.train:
            axes = tuple(range(x.ndim - 1))
            # One pass over the data, about a value of each channel: exact to rounding also where
            # the mean is large against the spread, and a sixth faster than two passes.
            shift = lax.stop_gradient(x[(slice(1),) * len(axes)])
            shifted = x - shift
            offset = jnp.mean(shifted, axes)
            # Rounding must not make it negative where that value lies far from all others.
            variance = jnp.maximum(jnp.mean(jnp.square(shifted), axes) - jnp.square(offset), 0)
            mean = offset + shift.reshape(-1)
            count = prod(x.shape[:-1])
            state = _follow(
                state, mean, variance * (count / max(count - 1, 1)), options["momentum"]
            )
        else:
            mean, variance = state["mean"], state["variance"]
        scale = params["scale"] * lax.rsqrt(variance + options["epsilon"])
        return (x - mean) * scale + params["bias"], state

    def weight_count(self, shape: Shape) -> int:
        """Return the number of channels."""
        return shape[-1]


def _follow(state: Params, mean: Array, variance: Array, momentum: Array) -> Params:
    """Move the running averages; they are measured, not learned."""
    new = {"mean": lax.stop_gradient(mean), "variance": lax.stop_gradient(variance)}
    return {
        name: (momentum * old + (1 - momentum) * new[name]).astype(old.dtype)
        for name, old in state.items()
    }
