"""The one protocol that every layer obeys, and what a layer is told when it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.errors import RecipeError
from surefoot.nn.initializers import INITIALIZERS, initialize
from surefoot.recipe.initializers import InitializerSpec

Array = jax.Array
Shape = tuple[int, ...]
Params = Any  # a tree of arrays in the layers' order
Numbers = Mapping[str, Any]  # the lane numbers of a layer, as the recipe names them


@dataclass(frozen=True)
class Site:
    """A place in the net where vital signs are taken: the output of one layer.

    Attributes:
        name: the layer's number, counted from 1; "4.2" lies within layer 4, and "4[7].2" in the
            seventh of its repetitions.
        kind: the layer's kind, such as "dense" or "relu".
        shape: of one example's output.
        weights: how many weights the layer has; 0 for none.
    """

    name: str
    kind: str
    shape: Shape
    weights: int


@dataclass(frozen=True)
class Context:
    """What a layer is told when it is applied, beside its parameters and its input.

    Attributes:
        train: whether this is training: dropout drops, batch statistics are used. Static.
        key: randomness of this step, or None where nothing is random.
        numbers: the lane numbers of this layer.
        probes: one row for each site of this layer: its gradient carries the statistics of the
            backward signal out. None in the plain step.
        thinned: whether dropout drops outside of training too. Static.
    """

    train: bool
    key: Array | None
    numbers: Numbers
    probes: Array | None = None
    thinned: bool = False

    def inner(self, number: int, numbers: Numbers, probes: Array | None) -> Context:
        """Return the context of the layer with this number within the present one."""
        key = None if self.key is None else jax.random.fold_in(self.key, number)
        return replace(self, key=key, numbers=numbers, probes=probes)


@dataclass(frozen=True)
class Initial:
    """How a layer's weights begin: a named initializer times a fixed factor.

    Attributes:
        name: of the initializer.
        own: whether its numbers stand in the layer's table, else in the net's.
        factor: by which every weight is multiplied; Fixup's rule sets it.
    """

    name: str
    own: bool
    factor: float = 1.0

    @classmethod
    def of(cls, spec: InitializerSpec | None, default: InitializerSpec) -> Initial:
        """Return the layer's own initializer, or the net's."""
        return cls((spec or default).name, own=spec is not None)


@dataclass(frozen=True)
class Start:
    """What a layer is told when its parameters are drawn.

    Weights are drawn by NumPy on the host: nothing is compiled for it, and they are the same on
    every device.

    Attributes:
        seed: of the run.
        path: the layer's place in the net: each place has random numbers of its own.
        dtype: of all arrays.
        numbers: the layer's own lane numbers.
        net: the net's, for layers that name no initializer.
    """

    seed: int
    path: tuple[int, ...]
    dtype: Any
    numbers: Numbers
    net: Numbers

    def draw(self, initial: Initial, which: str, shape: Shape) -> NDArray[Any]:
        """Draw an array; ``which`` is "initializer" or "bias_initializer"."""
        given = (self.numbers if initial.own else self.net)[which]
        takes = INITIALIZERS[initial.name].defaults
        numbers = {name: value for name, value in given.items() if name in takes}
        path = (*self.path, ("initializer", "bias_initializer").index(which))
        sequence = np.random.SeedSequence(self.seed, spawn_key=path)
        generator = np.random.Generator(np.random.Philox(sequence))
        drawn = initialize(initial.name, generator, shape, numbers, self.dtype)
        return drawn * np.asarray(initial.factor, self.dtype)

    def inner(self, number: int, numbers: Numbers) -> Start:
        """Return what the layer with this number within the present one is told."""
        return replace(self, path=(*self.path, number), numbers=numbers)


class Layer:
    """A layer: a pair of pure functions, `init` and `apply`, and what is known before they run.

    A layer of its own kind defines `kind`, `output_shape`, `init` and `forward`. Containers
    override `apply`, `sites` and `measure_weights` as well.
    """

    kind: ClassVar[str]
    # The name in `params` of the weights whose vital signs are recorded.
    weight: ClassVar[str | None] = None
    # Whether vital signs are taken at the output. A layer that only drops or reshapes has none.
    vital: ClassVar[bool] = True

    number: str

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one example's output, or raise a `RecipeError`."""
        raise NotImplementedError

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Return the parameters and the state (running averages) for inputs of this shape."""
        return {}, {}

    def forward(self, params: Params, state: Params, x: Array, context: Context) -> Any:
        """Return the output and the new state."""
        raise NotImplementedError

    def apply(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params, Array | None]:
        """Return the output, the new state, and the vital signs of this layer's sites.

        Vital signs are [sites, `surefoot.nn.probes.FORWARD`], or None in the plain step.
        """
        from surefoot.nn.probes import measure_output, probe

        y, state = self.forward(params, state, x, context)
        if context.probes is None or not self.vital:
            return y, state, None
        vitals = measure_output(y, self.saturated(y, context.numbers))
        return probe(y, context.probes[0]), state, vitals[None]

    def saturated(self, y: Array, numbers: Numbers) -> Array | None:
        """Return which outputs lie where the activation is flat; None where it never is."""
        return None

    def sites(self, shape: Shape) -> tuple[Site, ...]:
        """Return the places where vital signs are taken, in order, for inputs of this shape."""
        if not self.vital:
            return ()
        return (Site(self.number, self.label, self.output_shape(shape), self.weight_count(shape)),)

    @property
    def label(self) -> str:
        """The kind as a person would name it."""
        return self.kind

    def weight_count(self, shape: Shape) -> int:
        """Return how many weights this layer itself has for inputs of this shape."""
        return 0

    def measure_weights(
        self, trees: Sequence[Params], measure: Callable[..., Array], width: int
    ) -> Array:
        """Apply ``measure`` to the weights of each site in several trees of the params' shape.

        Returns [sites, width]; a site without weights has NaN.
        """
        if not self.vital:
            return jnp.zeros((0, width))
        if self.weight is None or self.weight not in trees[0]:
            return jnp.full((1, width), jnp.nan)
        return measure(*(tree[self.weight] for tree in trees))[None]

    def refuse(self, reason: str) -> RecipeError:
        """Return the error that names this layer by number and kind."""
        return RecipeError(f"layer {self.number} ({self.kind}): {reason}")


def describe_shape(shape: Shape) -> str:
    """Write a shape as people say it.

    >>> describe_shape((64,)), describe_shape((8, 8, 1))
    ('a row of 64 numbers', '8×8 pictures with 1 channel')
    """
    if len(shape) == 1:
        return f"a row of {shape[0]} numbers"
    if len(shape) == 3:
        plural = "" if shape[2] == 1 else "s"
        return f"{shape[0]}×{shape[1]} pictures with {shape[2]} channel{plural}"
    return "×".join(map(str, shape)) or "a single number"
