"""Backpropagation written out: each layer's output is stored, then the signal goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from surefoot.nn.conv import Conv
from surefoot.nn.dense import Dense
from surefoot.nn.layer import Array, Context, Layer
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual


@dataclass
class Entry:
    """What is stored of one layer, and what the way back adds.

    Attributes:
        layer: its number; "4[7].2" lies in the seventh repetition of layer 4.
        kind: such as "dense" or "relu".
        weights: its own weights by name.
        x: its input, [1, …].
        y: its output, [1, …]: z of a layer with weights, a of an activation.
        pullback: from the signal at the output to those at the weights and the input.
        multiplications: of one pass with weights: each weight times each number that it meets.
        signal: ∂L/∂y, [1, …].
        input_signal: ∂L/∂x, [1, …].
        gradients: ∂L/∂W of each of its weights, by name.
    """

    layer: str
    kind: str
    weights: dict[str, Any]
    x: Array
    y: Array
    pullback: Callable[[Array], tuple[Any, Array]]
    multiplications: int
    signal: Any = None
    input_signal: Any = None
    gradients: dict[str, Any] = field(default_factory=dict)


@dataclass
class Skip:
    """A residual block: the branch's entries, and the entry of the way around it.

    Attributes:
        branch: what is stored of the branch.
        around: the identity or the projection.
    """

    branch: list[Any]
    around: Entry


Tape = list[Any]


def record(
    layers: Sequence[Layer], params: Any, state: Any, x: Array, context: Context, names: str = ""
) -> tuple[Array, Tape]:
    """Go forward through layers, and store what the way back needs.

    Args:
        layers: as a `Sequential` has them.
        params: their weights.
        state: their running averages.
        x: [rows, …].
        context: of the container.
        names: what the container is called, and the number that it has, "name|number".

    Returns:
        The output, and an entry for each layer in order; a residual block is a `Skip`.
    """
    shown, _, outer = names.partition("|")
    tape: Tape = []
    for i, layer in enumerate(layers):
        inner = context.inner(i, context.numbers["layers"][i], None)
        name = shown + layer.number[len(outer) :]
        match layer:
            case Repeat(block=block, times=times):
                for n in range(times):
                    one = jax.tree.map(lambda array, n=n: array[n], (params[i], state[i]))
                    told = f"{name}[{n + 1}]|{layer.number}"
                    x, own = record(block.layers, *one, x, inner, told)
                    tape += own
            case Residual():
                x, skip = _residual(layer, params[i], state[i], x, inner, name)
                tape.append(skip)
            case _:
                entry = _leaf(layer, params[i], state[i], x, inner, name)
                x = entry.y
                tape.append(entry)
    return x, tape


def go_back(tape: Tape, signal: Array) -> Array:
    """Take the signal ∂L/∂y of the last output back through a tape; return ∂L/∂x of its input.

    Each entry keeps the signals at its output and input and the gradients of its weights:
    ∂L/∂x = (∂y/∂x)ᵀ ∂L/∂y and ∂L/∂W = (∂y/∂W)ᵀ ∂L/∂y, each a product with what was stored.
    """
    for entry in reversed(tape):
        if isinstance(entry, Skip):
            signal = go_back(entry.branch, signal) + go_back([entry.around], signal)
            continue
        entry.signal = signal
        entry.gradients, entry.input_signal = entry.pullback(signal)
        signal = entry.input_signal
    return signal


def flat(tape: Tape) -> list[Entry]:
    """Return all entries in order; of a residual block the branch's, then the way around it."""
    entries: list[Entry] = []
    for entry in tape:
        entries += [*flat(entry.branch), entry.around] if isinstance(entry, Skip) else [entry]
    return entries


def _leaf(layer: Layer, params: Any, state: Any, x: Array, context: Context, name: str) -> Entry:
    y, pullback = jax.vjp(lambda w, x: layer.forward(w, state, x, context)[0], params, x)
    places = prod(y.shape[1:-1]) if isinstance(layer, Conv) else 1
    kernel = params["kernel"] if isinstance(layer, Conv | Dense) else np.zeros(0)
    return Entry(name, layer.label, dict(params), x, y, pullback, places * kernel.size)


def _residual(
    layer: Residual, params: Any, state: Any, x: Array, context: Context, name: str
) -> tuple[Array, Skip]:
    inner = context.inner(0, {"layers": context.numbers["residual"]}, None)
    y, branch = record(
        layer.branch.layers, params["branch"], state["branch"], x, inner, f"{name}|{layer.number}"
    )
    weights = {key: value for key, value in params.items() if key == "projection"}
    around, pullback = jax.vjp(lambda w, x: layer.around(w, x, y.shape[1:]), weights, x)
    places = prod(y.shape[1:-1]) if y.ndim == 4 else 1
    count = places * sum(int(jnp.size(w)) for w in weights.values())
    kind = "projection" if weights else "identity"
    entry = Entry(name, f"residual {kind}", weights, x, around, pullback, count)
    return y + around, Skip(branch, entry)


def gathered(layers: Sequence[Layer], entries: Iterator[Entry]) -> Any:
    """Return the gradients that entries keep, in their order, as a tree like the weights."""
    trees: list[Any] = []
    for layer in layers:
        match layer:
            case Repeat(block=block, times=times):
                each = [gathered(block.layers, entries) for _ in range(times)]
                trees.append(jax.tree.map(lambda *arrays: np.stack(arrays), *each))
            case Residual(branch=branch):
                inner = gathered(branch.layers, entries)
                trees.append({"branch": inner, **next(entries).gradients})
            case _:
                trees.append(next(entries).gradients)
    return trees
