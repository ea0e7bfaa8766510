"""A whole network: built from a recipe's layers, checked before anything compiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from surefoot.errors import RecipeError
from surefoot.nn.activation import ActivationLayer
from surefoot.nn.activations import ACTIVATIONS
from surefoot.nn.batch_norm import BatchNorm
from surefoot.nn.conv import Conv
from surefoot.nn.dense import Dense
from surefoot.nn.dropout import Dropout
from surefoot.nn.embedding import Embedding
from surefoot.nn.fixup import fixup_initials
from surefoot.nn.flatten import Flatten
from surefoot.nn.layer import (
    Array,
    Context,
    Initial,
    Layer,
    Numbers,
    Params,
    Shape,
    Site,
    Start,
    describe_shape,
)
from surefoot.nn.pool import GlobalAveragePool, Pool
from surefoot.nn.probes import BACKWARD, measure_output
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual
from surefoot.nn.sequential import Sequential
from surefoot.recipe import Net, Section, kind_of

# Activations at the output that the loss takes over, to compute both in one stable formula.
HEADS = ("softmax", "sigmoid")


@dataclass(frozen=True)
class Network:
    """A net for inputs of one shape.

    Attributes:
        body: all layers but the head.
        head: the output activation that the loss takes over ("softmax", "sigmoid"), or None.
        input_shape: of one example.
        output_shape: of one example's outputs.
    """

    body: Sequential
    head: ActivationLayer | None
    input_shape: Shape
    output_shape: Shape

    def init(self, seed: int, numbers: Numbers, dtype: Any = np.float32) -> Any:
        """Draw parameters and states.

        Args:
            seed: all randomness comes from it.
            numbers: the lane numbers of the recipe's net.
            dtype: of all arrays.

        Returns:
            The parameters and the state: two lists of NumPy arrays, with one entry a layer.
        """
        return self.body.init(self.input_shape, Start(seed, (), dtype, numbers, net=numbers))

    def apply(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params, Array | None]:
        """Pass a batch through the net.

        Returns:
            The outputs [batch, outputs] in front of the head, the new state, and the vital signs
            [sites, 7] or None.
        """
        if context.probes is None or self.head is None:
            return self.body.apply(params, state, x, context)
        inner = Context(context.train, context.key, context.numbers, context.probes[:-1])
        z, state, vitals = self.body.apply(params, state, x, inner)
        y, _ = self.head.forward({}, {}, z, inner)
        own = measure_output(y, self.head.saturated(y, {}))[None]
        return z, state, own if vitals is None else jnp.concatenate([vitals, own])

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The places where vital signs are taken, from the input to the output."""
        sites = self.body.sites(self.input_shape)
        if self.head is None:
            return sites
        return (*sites, Site(self.head.number, self.head.label, self.output_shape, 0))

    @cached_property
    def random(self) -> bool:
        """Whether a training step draws random numbers: dropout, random slopes."""
        return any(_is_random(layer) for layer in self.body.layers)

    def no_probes(self) -> Array:
        """Return the dummy argument that carries the backward statistics out."""
        return jnp.zeros((len(self.sites), len(BACKWARD)), jnp.float32)

    def measure_weights(self, trees: Sequence[Params], measure: Any, width: int) -> Array:
        """Measure the weights of every site: [sites, width], NaN where there are none."""
        measured = self.body.measure_weights(trees, measure, width)
        if self.head is None:
            return measured
        return jnp.concatenate([measured, jnp.full((1, width), jnp.nan)])


def _is_random(layer: Layer) -> bool:
    match layer:
        case Residual(branch=inner) | Repeat(block=inner):
            return any(_is_random(part) for part in inner.layers)
        case ActivationLayer(name=name):
            return ACTIVATIONS[name].random
    return isinstance(layer, Dropout)


def build(net: Net, input_shape: Shape, outputs: int, *, low: bool = False) -> Network:
    """Build the network that a recipe describes and check every layer's shape.

    Args:
        net: the recipe's net.
        input_shape: of one example: (features,) or (height, width, channels).
        outputs: what "classes" or "outputs" stand for as a size.
        low: whether dense and convolutional layers multiply in bfloat16.

    Raises:
        RecipeError: a layer that does not fit its input; names it by number and kind.
    """
    layers = tuple(_Builder(net, outputs, low).layers(net.layers, ""))
    last = layers[-1]
    head = last if isinstance(last, ActivationLayer) and last.name in HEADS else None
    body = Sequential("", layers[:-1] if head else layers)
    shape = body.output_shape(input_shape)
    if len(shape) != 1:
        raise RecipeError(
            f"layer {last.number} ({last.kind}): the net ends in {describe_shape(shape)}; "
            "end it with a row of numbers, for instance by {flatten = {}} and {dense = "
            '"outputs"}'
        )
    return Network(body, head, tuple(input_shape), shape)


class _Builder:
    """Turns the specs of a recipe into layers."""

    def __init__(self, net: Net, outputs: int, low: bool) -> None:
        self._net = net
        self._low = low
        self._outputs = outputs
        self._fixup = fixup_initials(net)

    def layers(self, specs: Sequence[Section], prefix: str) -> list[Layer]:
        return [self._layer(spec, f"{prefix}{i}") for i, spec in enumerate(specs, start=1)]

    def _layer(self, spec: Any, number: str) -> Layer:
        match kind_of(spec):
            case "dense":
                units = spec.dense if isinstance(spec.dense, int) else self._outputs
                return Dense(number, units, spec.bias, *self._initials(spec, number), self._low)
            case "conv":
                return Conv(
                    number,
                    spec.conv,
                    spec.size,
                    spec.stride,
                    spec.padding,
                    spec.bias,
                    *self._initials(spec, number),
                    self._low,
                )
            case "activation":
                return ActivationLayer(number, spec.activation)
            case "batch_norm":
                return BatchNorm(number)
            case "dropout":
                return Dropout(number)
            case "max_pool":
                return self._pool("max_pool", number, spec.max_pool, spec)
            case "average_pool":
                return self._pool("average_pool", number, spec.average_pool, spec)
            case "global_average_pool":
                return GlobalAveragePool(number)
            case "flatten":
                return Flatten(number)
            case "embedding":
                initial = Initial(spec.initializer.name, own=True)
                return Embedding(number, spec.embedding, spec.columns, initial)
            case "residual":
                branch = Sequential(number, tuple(self.layers(spec.residual, f"{number}.")))
                return Residual(number, branch, self._projection())
            case "repeat":
                block = Sequential(number, tuple(self.layers(spec.layers, f"{number}.")))
                return Repeat(number, spec.repeat, block)
        raise AssertionError(f"no layer for {spec!r}")

    def _initials(self, spec: Any, number: str) -> tuple[Initial, Initial]:
        weights = self._fixup.get(number) or Initial.of(spec.initializer, self._net.initializer)
        return weights, Initial.of(spec.bias_initializer, self._net.bias_initializer)

    def _projection(self) -> Initial:
        initial = Initial.of(None, self._net.initializer)
        # A 1×1 projection has no neighbours to be zero in, and Fixup leaves it at He's.
        names = {"fixup": "he_normal", "delta_orthogonal": "orthogonal"}
        return Initial(names.get(initial.name, initial.name), own=False)

    def _pool(self, kind: str, number: str, size: tuple[int, int], spec: Any) -> Pool:
        return Pool(kind, number, size, spec.stride or size, spec.padding)
