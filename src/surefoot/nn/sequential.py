"""Layers one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from surefoot.nn.layer import Array, Context, Layer, Params, Shape, Site, Start


@dataclass(frozen=True)
class Sequential(Layer):
    """Each layer's output is the next one's input. Its parameters are a list, one entry a layer."""

    kind: ClassVar[str] = "layers"

    number: str
    layers: tuple[Layer, ...]

    def shapes(self, shape: Shape) -> Iterator[tuple[Layer, Shape]]:
        """Yield each layer with the shape of its input."""
        for layer in self.layers:
            yield layer, shape
            shape = layer.output_shape(shape)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape after the last layer."""
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Return the lists of parameters and of states."""
        pairs = [
            layer.init(size, start.inner(i, start.numbers["layers"][i]))
            for i, (layer, size) in enumerate(self.shapes(shape))
        ]
        return [params for params, _ in pairs], [state for _, state in pairs]

    def apply(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params, Array | None]:
        """Pass the input through all layers."""
        states, vitals, first = [], [], 0
        for i, layer in enumerate(self.layers):
            probes = context.probes
            if probes is not None:
                count = len(layer.sites(x.shape[1:]))
                probes, first = probes[first : first + count], first + count
            inner = context.inner(i, context.numbers["layers"][i], probes)
            x, new_state, signs = layer.apply(params[i], state[i], x, inner)
            states.append(new_state)
            if signs is not None:
                vitals.append(signs)
        return x, states, jnp.concatenate(vitals) if vitals else None

    def sites(self, shape: Shape) -> tuple[Site, ...]:
        """Return the sites of all layers, in order."""
        return tuple(site for layer, size in self.shapes(shape) for site in layer.sites(size))

    def measure_weights(
        self, trees: Sequence[Params], measure: Callable[..., Array], width: int
    ) -> Array:
        """Measure the weights of every site of every layer."""
        parts = [
            layer.measure_weights([tree[i] for tree in trees], measure, width)
            for i, layer in enumerate(self.layers)
        ]
        return jnp.concatenate(parts) if parts else jnp.zeros((0, width))
