"""Residual blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from surefoot.nn.layer import (
    Array,
    Context,
    Initial,
    Layer,
    Params,
    Shape,
    Site,
    Start,
    describe_shape,
)
from surefoot.nn.lowering import conv2d
from surefoot.nn.probes import measure_output, probe
from surefoot.nn.sequential import Sequential


@dataclass(frozen=True)
class Residual(Layer):
    """y = branch(x) + x, or branch(x) + P x where the shapes differ.

    The projection P is a matrix for rows and a 1×1 convolution for pictures, with the stride that
    brings the input to the branch's size. Its vital signs are taken behind the sum.

    Source: He and others 2016.
    """

    kind: ClassVar[str] = "residual"
    weight: ClassVar[str] = "projection"

    number: str
    branch: Sequential
    initial: Initial

    def output_shape(self, shape: Shape) -> Shape:
        """Return the branch's output shape, if the input can be brought to it."""
        out = self.branch.output_shape(shape)
        if out != shape:
            self._stride(shape, out)
        return out

    def _stride(self, shape: Shape, out: Shape) -> tuple[int, int]:
        """Return the projection's stride, or refuse shapes that no projection joins."""
        if len(shape) == 1 and len(out) == 1:
            return (1, 1)
        if len(shape) == 3 and len(out) == 3:
            strides = tuple(-(-n // m) for n, m in zip(shape[:2], out[:2], strict=True))
            if tuple(-(-n // s) for n, s in zip(shape[:2], strides, strict=True)) == out[:2]:
                return strides[0], strides[1]
        both = len(shape) == len(out) == 3
        fix = 'use padding = "same" inside' if both else "take what makes rows of pictures out of"
        raise self.refuse(
            f"its branch turns {describe_shape(shape)} into {describe_shape(out)}, which no "
            f"projection of the input fits; {fix} the branch"
        )

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Return the branch's parameters, and the projection where one is needed."""
        inner = start.inner(0, {"layers": start.numbers["residual"]})
        params, state = self.branch.init(shape, inner)
        out = self.branch.output_shape(shape)
        if out == shape:
            return {"branch": params}, {"branch": state}
        kernel = (shape[-1], out[-1]) if len(shape) == 1 else (1, 1, shape[-1], out[-1])
        projection = start.draw(self.initial, "initializer", kernel)
        return {"branch": params, "projection": projection}, {"branch": state}

    def apply(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params, Array | None]:
        """Return the sum of the branch and of the input or its projection."""
        probes = None if context.probes is None else context.probes[:-1]
        inner = context.inner(0, {"layers": context.numbers["residual"]}, probes)
        y, new_state, vitals = self.branch.apply(params["branch"], state["branch"], x, inner)
        y = y + self.around(params, x, y.shape[1:])
        if context.probes is not None:
            own = measure_output(y, None)[None]
            vitals = own if vitals is None else jnp.concatenate([vitals, own])
            y = probe(y, context.probes[-1])
        return y, {"branch": new_state}, vitals

    def around(self, params: Params, x: Array, out: Shape) -> Array:
        """Return what is added to the branch: the input, or its projection to a shape."""
        if "projection" not in params:
            return x
        kernel = params["projection"]
        if x.ndim == 2:
            return jnp.dot(x, kernel)
        return conv2d(x, kernel, self._stride(x.shape[1:], out), "same")

    def sites(self, shape: Shape) -> tuple[Site, ...]:
        """Return the branch's sites, then the sum."""
        return (*self.branch.sites(shape), *super().sites(shape))

    def weight_count(self, shape: Shape) -> int:
        """Return the projection's weights."""
        out = self.branch.output_shape(shape)
        return 0 if out == shape else shape[-1] * out[-1]

    def measure_weights(
        self, trees: Sequence[Params], measure: Callable[..., Array], width: int
    ) -> Array:
        """Measure the branch's weights, then the projection's."""
        branch = self.branch.measure_weights([tree["branch"] for tree in trees], measure, width)
        return jnp.concatenate([branch, super().measure_weights(trees, measure, width)])
