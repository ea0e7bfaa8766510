"""Edits of a recipe's net, for remedies: each returns keys as `surefoot train --set` takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from surefoot.recipe import Recipe

Layer = dict[str, Any]
Edits = dict[str, Any]

# Slopes below 1/4 for every input: a chain of them makes a signal vanish.
SQUASHING = ("sigmoid", "tanh")
_RECTIFIED = ("relu", "leaky_relu", "prelu", "rrelu", "elu", "gelu", "silu", "softplus")


def layers(recipe: Recipe) -> list[Layer]:
    """Return the net's layers as tables."""
    return recipe.to_dict()["net"]["layers"]


def flat(tables: list[Layer]) -> Iterator[Layer]:
    """Yield every layer, also those within residual branches and repetitions, once each."""
    for layer in tables:
        inner = layer.get("residual") if "residual" in layer else layer.get("layers")
        if isinstance(inner, list):
            yield from flat(inner)
        else:
            yield layer


def kinds(tables: list[Layer]) -> set[str]:
    """Return the keys of all layers, those within residual branches and repetitions too.

    >>> sorted(kinds([{"repeat": 2, "layers": [{"residual": [{"dense": 8}]}]}]))
    ['dense', 'layers', 'repeat', 'residual']
    """
    found = {key for layer in tables for key in layer}
    for layer in tables:
        for key in ("residual", "layers"):
            if isinstance(layer.get(key), list):
                found |= kinds(layer[key])
    return found


def changed(tables: list[Layer], change: Callable[[Layer], list[Layer]]) -> list[Layer]:
    """Return the layers with each one replaced by what ``change`` makes of it."""
    result: list[Layer] = []
    for layer in tables:
        for key in ("residual", "layers"):
            if isinstance(layer.get(key), list):
                layer = {**layer, key: changed(layer[key], change)}
                result.append(layer)
                break
        else:
            result += change(layer)
    return result


def depth(recipe: Recipe) -> int:
    """Return how many layers with weights a signal passes, repetitions counted."""

    def count(tables: list[Layer]) -> int:
        total = 0
        for layer in tables:
            if "residual" in layer:
                total += count(layer["residual"])
            elif "repeat" in layer:
                total += layer["repeat"] * count(layer["layers"])
            else:
                total += "dense" in layer or "conv" in layer
        return total

    return count(layers(recipe))


def hidden_activations(recipe: Recipe) -> set[str]:
    """Return the names of the activations between layers."""
    return {str(layer["activation"]) for layer in _hidden(layers(recipe)) if "activation" in layer}


def output_activation(recipe: Recipe) -> str | None:
    """Return the name of the last layer's activation; None where the net ends in raw numbers."""
    last = layers(recipe)[-1]
    return str(last["activation"]) if "activation" in last else None


def fitting_initializer(recipe: Recipe) -> str:
    """Return the initializer that keeps the signal's scale through the net's activations.

    He's, Var = 2/n, for those that cut half of their input; Glorot's for the others (Glorot and
    Bengio, 2010; He et al., 2015); LeCun's for SELU (Klambauer et al., 2017).
    """
    names = hidden_activations(recipe)
    if "selu" in names:
        return "lecun_normal"
    return "he_normal" if names & set(_RECTIFIED) else "glorot_uniform"


def initialized(recipe: Recipe, name: str | None = None) -> Edits:
    """Return the edits that start all weights by one initializer, and all biases at 0."""
    name = name or fitting_initializer(recipe)
    own = ("initializer", "bias_initializer")

    def plain(layer: Layer) -> list[Layer]:
        return [{key: value for key, value in layer.items() if key not in own}]

    edits: Edits = {"net.initializer": name, "net.bias_initializer": "zeros"}
    tables = layers(recipe)
    if any(key in layer for layer in flat(tables) for key in own):
        edits["net.layers"] = changed(tables, plain)
    return edits


def activated(recipe: Recipe, old: tuple[str, ...], new: str) -> Edits:
    """Return the edits that put another activation between layers, with weights to suit."""
    tables = layers(recipe)
    tail = _tail(tables)

    def swap(layer: Layer) -> list[Layer]:
        return [{"activation": new}] if layer.get("activation") in old else [layer]

    swapped = [*changed(tables[: len(tables) - len(tail)], swap), *tail]
    named = {"relu": "he_normal", "selu": "lecun_normal"}.get(new, "glorot_uniform")
    edits = initialized(recipe, named)
    own = ("initializer", "bias_initializer")
    edits["net.layers"] = changed(
        swapped, lambda layer: [{k: v for k, v in layer.items() if k not in own}]
    )
    return edits


def normalized(recipe: Recipe) -> Edits:
    """Return the edit that puts batch normalization before every hidden activation."""
    tables = layers(recipe)
    tail = _tail(tables)

    def insert(layer: Layer) -> list[Layer]:
        return [{"batch_norm": {}}, layer] if "activation" in layer else [layer]

    bare = [layer for layer in tables if "batch_norm" not in layer]
    return {"net.layers": [*changed(bare[: len(bare) - len(tail)], insert), *tail]}


def without(recipe: Recipe, kind: str) -> Edits:
    """Return the edit that takes out every layer of a kind."""
    return {"net.layers": changed(layers(recipe), lambda layer: [] if kind in layer else [layer])}


def shallower(recipe: Recipe, keep: int) -> Edits:
    """Return the edit that keeps the first ``keep`` hidden layers of a stack of equal ones."""
    kept: list[Layer] = []
    seen = 0
    tables = layers(recipe)
    tail = _tail(tables)
    for layer in tables[: len(tables) - len(tail)]:
        seen += "dense" in layer or "conv" in layer or "residual" in layer
        if "repeat" in layer:
            layer = {**layer, "repeat": max(1, min(layer["repeat"], keep - seen))}
            seen += layer["repeat"]
        if seen <= keep:
            kept.append(layer)
    return {"net.layers": [*kept, *tail]}


def fitted_output(recipe: Recipe, kind: str) -> Edits:
    """Return the edits of output layer and loss that fit a target.

    Args:
        recipe: the recipe.
        kind: of the target: "classes", "labels" or "numbers".
    """
    activation, loss = {
        "classes": ("softmax", "cross_entropy"),
        "labels": ("sigmoid", "binary_cross_entropy"),
        "numbers": (None, "mean_squared_error"),
    }[kind]
    tables = layers(recipe)
    body = tables[: len(tables) - len(_tail(tables))]
    own = {"dense": "classes" if kind == "classes" else "outputs"}
    tail = [own, *([{"activation": activation}] if activation else [])]
    edits: Edits = {"net.layers": [*body, *tail], "train.loss": loss}
    if recipe.train.from_logits:
        edits["train.from_logits"] = False
    return edits


def _tail(tables: list[Layer]) -> list[Layer]:
    """Return the last layer with weights and what follows it."""
    for place in range(len(tables) - 1, -1, -1):
        if "dense" in tables[place]:
            return tables[place:]
    return tables[-1:]


def _hidden(tables: list[Layer]) -> Iterator[Layer]:
    yield from flat(tables[: len(tables) - len(_tail(tables))])


def rate_of(recipe: Recipe) -> float | None:
    """Return the learning rate; None where the rule keeps it to itself."""
    rate = getattr(recipe.optimizer, "learning_rate", None)
    return float(rate) if rate is not None else None
