"""Layers by name: which of a net's weights a number, a range, a kind or a part stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from surefoot.errors import RecipeError
from surefoot.nn.layer import Layer, Params
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual
from surefoot.nn.sequential import Sequential


@dataclass(frozen=True)
class Place:
    """The layer that an array of weights belongs to.

    Attributes:
        number: of the layer, "4.2" within layer 4; layers that are repeated share one.
        kind: of the layer.
    """

    number: str
    kind: str

    @property
    def outer(self) -> str:
        """The number of the layer of the net that it is or lies in."""
        return self.number.partition(".")[0]


def places(layer: Layer, params: Params) -> Any:
    """Return a tree of the params' shape with the `Place` of each array.

    >>> from surefoot.nn.activation import ActivationLayer
    >>> relu = ActivationLayer("1", "prelu")
    >>> places(Sequential("", (relu,)), [{"slope": 0.25}])
    [{'slope': Place(number='1', kind='activation')}]
    """
    match layer:
        case Sequential(layers=layers):
            return [places(own, tree) for own, tree in zip(layers, params, strict=True)]
        case Repeat(block=block):
            return places(block, params)
        case Residual(branch=branch):
            inner = {"branch": places(branch, params["branch"])}
            own = {name: Place(layer.number, layer.kind) for name in params if name != "branch"}
            return {**inner, **own}
    return jax.tree.map(lambda _: Place(layer.number, layer.kind), params)


def matching(selectors: Iterable[str], tree: Any, key: str) -> dict[str, set[Place]]:
    """Return what each selector stands for among the places of a net's weights.

    Args:
        selectors: numbers ("3", "4.2"), ranges ("1-4"), kinds, "hidden" or "output".
        tree: from `places`.
        key: of the recipe, for the error.

    Raises:
        RecipeError: one of them stands for no weights at all.

    >>> tree = [{"kernel": Place("1", "dense")}, {}, {"kernel": Place("3", "dense")}]
    >>> sorted(place.number for place in matching(["hidden"], tree, "freeze")["hidden"])
    ['1']
    """
    every: Sequence[Place] = list(dict.fromkeys(jax.tree.leaves(tree)))
    last = every[-1].outer if every else ""
    found = {name: {p for p in every if _is(name, p, last)} for name in selectors}
    for name, own in found.items():
        if not own:
            known = ", ".join(f"{place.number} ({place.kind})" for place in every) or "none"
            raise RecipeError(f"{key}: no layer {name!r} has weights; those that have are {known}")
    return found


def _is(selector: str, place: Place, last: str) -> bool:
    """Return whether a selector stands for a place; ``last`` is the output layer's number."""
    if selector == "hidden":
        return place.outer != last
    if selector == "output":
        return place.outer == last
    low, dash, high = selector.partition("-")
    if dash:
        return int(low) <= int(place.outer) <= int(high)
    if selector[0].isdigit():
        return place.number == selector or place.number.startswith(f"{selector}.")
    return place.kind == selector
