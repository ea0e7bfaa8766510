"""What is done to the layers of a recipe, as a file has them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from surefoot.errors import RecipeError

Layer = dict[str, Any]
Layers = list[Layer]

# What stands in these holds layers of its own.
_INNER = ("residual", "layers")


def hidden_and_output(layers: Sequence[Layer]) -> tuple[Layers, Layers]:
    """Return the layers up to the last one with weights, and the rest: what makes the output.

    >>> hidden_and_output([{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}])
    ([{'dense': 8}, {'activation': 'relu'}], [{'dense': 'classes'}])
    """
    last = max((i for i, layer in enumerate(layers) if "dense" in layer), default=len(layers))
    return copy.deepcopy(list(layers[:last])), copy.deepcopy(list(layers[last:]))


def with_activation(layers: Sequence[Layer], name: str) -> Layers:
    """Return the layers with another activation in each hidden place.

    >>> with_activation([{"dense": 8}, {"activation": "relu"}, {"dense": 1}], "tanh")
    [{'dense': 8}, {'activation': 'tanh'}, {'dense': 1}]

    Raises:
        RecipeError: there is no hidden activation.
    """
    return _at_activations(layers, lambda layer: [{"activation": name}])


def with_norm(layers: Sequence[Layer]) -> Layers:
    """Return the layers with batch normalization before each hidden activation."""
    return _at_activations(layers, lambda layer: [{"batch_norm": {}}, layer])


def with_dropout(layers: Sequence[Layer], rate: float) -> Layers:
    """Return the layers with dropout after each hidden activation."""
    return _at_activations(layers, lambda layer: [layer, {"dropout": rate}])


def without(layers: Sequence[Layer], kind: str) -> Layers:
    """Return the layers without those of a kind.

    >>> without([{"dense": 8}, {"dropout": 0.5}, {"repeat": 2, "layers": [{"dropout": 0.1}]}],
    ...         "dropout")
    [{'dense': 8}, {'repeat': 2, 'layers': []}]
    """
    kept = []
    for layer in layers:
        inner = {key: without(layer[key], kind) for key in _INNER if key in layer}
        if kind not in layer:
            kept.append({**layer, **inner})
    return kept


def _at_activations(layers: Sequence[Layer], change: Callable[[Layer], Layers]) -> Layers:
    hidden, output = hidden_and_output(layers)
    count = 0

    def walk(part: Sequence[Layer]) -> Layers:
        nonlocal count
        changed: Layers = []
        for layer in part:
            if "activation" in layer:
                count += 1
                changed += change(dict(layer))
            else:
                inner = {key: walk(layer[key]) for key in _INNER if key in layer}
                changed.append({**layer, **inner})
        return changed

    changed = walk(hidden)
    if not count:
        raise RecipeError(
            "net.layers: has no activation before the output, which this study changes; give a "
            "net with hidden layers, or a source of data alone"
        )
    return [*changed, *output]


def layers_of(recipe: Any) -> Layers:
    """Return a recipe's layers as a file has them."""
    return recipe.to_dict()["net"]["layers"]
