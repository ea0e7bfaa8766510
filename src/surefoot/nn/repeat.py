"""Identical blocks, many times, as one scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import numpy as np
from jax import lax

from surefoot.nn.layer import Array, Context, Layer, Params, Shape, Site, Start, describe_shape
from surefoot.nn.sequential import Sequential


@dataclass(frozen=True)
class Repeat(Layer):
    """A block applied n times, each time with weights of its own.

    The parameters are stacked along a first axis and the block is the body of one `lax.scan`, so
    that a thousand repetitions compile about as fast as one. Each keeps its own vital signs.
    """

    kind: ClassVar[str] = "repeat"

    number: str
    times: int
    block: Sequential

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape: what is repeated must lead back to it."""
        out = self.block.output_shape(shape)
        if out != shape:
            raise self.refuse(
                f"its block turns {describe_shape(shape)} into {describe_shape(out)}; a repeated "
                "block must keep the shape, so put a layer that changes it before the repeat"
            )
        return shape

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Draw each repetition's parameters, stacked."""
        each = [self.block.init(shape, start.inner(i, start.numbers)) for i in range(self.times)]
        return jax.tree.map(lambda *arrays: np.stack(arrays), *each)

    def apply(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params, Array | None]:
        """Scan the block over its stacked parameters."""
        keys = None if context.key is None else jax.random.split(context.key, self.times)
        probes = context.probes
        if probes is not None:
            probes = probes.reshape(self.times, -1, probes.shape[-1])

        def body(x: Array, each: Any) -> tuple[Array, Any]:
            params, state, key, probes = each
            inner = replace(context, key=key, probes=probes)
            x, state, vitals = self.block.apply(params, state, x, inner)
            return x, (state, vitals)

        # The length is said for blocks without anything to scan over, such as an activation.
        x, (state, vitals) = lax.scan(body, x, (params, state, keys, probes), self.times)
        return x, state, None if vitals is None else vitals.reshape(-1, vitals.shape[-1])

    def sites(self, shape: Shape) -> tuple[Site, ...]:
        """Return the block's sites once for each repetition, as "4[7].2"."""
        inner = self.block.sites(shape)
        prefix = len(self.number)
        return tuple(
            replace(site, name=f"{self.number}[{i}]{site.name[prefix:]}")
            for i in range(1, self.times + 1)
            for site in inner
        )

    def measure_weights(
        self, trees: Sequence[Params], measure: Callable[..., Array], width: int
    ) -> Array:
        """Measure the weights of every repetition."""
        block = jax.vmap(
            lambda *each: self.block.measure_weights(each, measure, width), axis_size=self.times
        )
        return block(*trees).reshape(-1, width)
