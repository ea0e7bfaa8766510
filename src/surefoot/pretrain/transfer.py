"""Layers of another run, in the place of those that were drawn."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.model import Model
from surefoot.errors import RecipeError
from surefoot.nn.layer import Layer
from surefoot.nn.network import Network
from surefoot.nn.selection import matching, places
from surefoot.recipe.transfer import Transfer
from surefoot.run import Run


class Weighted(NamedTuple):
    """A layer of a net that has weights.

    Attributes:
        index: among the net's layers.
        layer: the layer.
        weights: its parameters and its state.
    """

    index: int
    layer: Layer
    weights: tuple[Any, Any]

    @property
    def name(self) -> str:
        """Number and kind, "3 (dense)"."""
        return f"{self.layer.number} ({self.layer.kind})"

    @property
    def shapes(self) -> str:
        """The shapes of its weights, the largest first: "64×32 and 32"."""
        leaves = sorted(jax.tree.leaves(self.weights[0]), key=np.size, reverse=True)
        return " and ".join("×".join(map(str, np.shape(leaf))) or "1" for leaf in leaves)

    def fits(self, other: Weighted) -> bool:
        """Return whether the other's weights can stand in its place."""

        def form(own: Weighted) -> Any:
            leaves, tree = jax.tree.flatten(own.weights)
            return own.layer.kind, tree, [np.shape(leaf) for leaf in leaves]

        return bool(form(self) == form(other))


class Taken(NamedTuple):
    """What was taken from another run.

    Attributes:
        weights: parameters and states of the net.
        layers: the numbers of the layers that were taken.
        note: what was taken and what not, a sentence.
    """

    weights: tuple[Any, Any]
    layers: tuple[str, ...]
    note: str


def take(network: Network, weights: tuple[Any, Any], transfer: Transfer) -> Taken:
    """Return a net's weights with layers of another run in their places.

    Layers with weights are compared in their order, the first with the first: they fit where kind
    and shapes agree. Without ``transfer.layers`` all are taken from the input up to the first that
    does not fit, but no net's output layer; with it those that are named, each of which has to fit.
    Running averages of normalization come with their layers; scaling of inputs does not.

    Raises:
        RecipeError: no layer fits, or one that was named does not; names them and their shapes.
        RunError: the run is missing, unfinished or damaged.
    """
    folder = str(transfer.source)
    model = _model(folder)
    theirs = _weighted(_network(model), (model.params, model.state))
    own = _weighted(network, weights)
    # What stands above the last common layer cannot fit, and says why.
    if transfer.layers:
        chosen = _named(network, weights, transfer.layers, own)
        for rank in chosen:
            if rank >= len(theirs) or not own[rank].fits(theirs[rank]):
                raise RecipeError(
                    f"transfer.layers: {_difference(own, theirs, rank, folder)}; leave it out of "
                    "transfer.layers, or change its size"
                )
    else:
        most = min(len(own), len(theirs)) - 1
        fit = [own[rank].fits(theirs[rank]) for rank in range(most)]
        chosen = range((*fit, False).index(False))
        if not chosen:
            why = (
                _difference(own, theirs, 0, folder)
                if most > 0
                else "there is none below an output layer"
            )
            raise RecipeError(
                f"transfer.from = {folder!r}: no layer of that run fits this net: {why}; give both "
                "the same first layers"
            )
    params, state = list(weights[0]), list(weights[1])
    for rank in chosen:
        to, source = own[rank], theirs[rank]
        alike = jax.tree.map(
            lambda old, new: np.asarray(new, np.asarray(old).dtype), to.weights, source.weights
        )
        params[to.index], state[to.index] = alike
    taken = tuple(own[rank].layer.number for rank in chosen)
    rest = [own[rank].name for rank in range(len(own)) if rank not in chosen]
    note = f"begins with layer{'s' * (len(taken) > 1)} {', '.join(taken)} of {folder}"
    if rest:
        note += f"; drawn anew: {', '.join(rest)}"
    return Taken((params, state), taken, note)


def _named(
    network: Network, weights: tuple[Any, Any], selectors: Iterable[str], own: list[Weighted]
) -> list[int]:
    """Return the ranks, among the layers with weights, of those that are named."""
    tree = places(network.body, weights[0])
    found = set().union(*matching(selectors, tree, "transfer.layers").values())
    numbers = {place.outer for place in found}
    return [rank for rank, each in enumerate(own) if each.layer.number in numbers]


def _difference(own: list[Weighted], theirs: list[Weighted], rank: int, folder: str) -> str:
    here = f"layer {own[rank].name} has weights of {own[rank].shapes} here"
    if rank >= len(theirs):
        return f"{here}, and {folder} has only {len(theirs)} layers with weights"
    other = theirs[rank]
    return f"{here}, and layer {other.name} of {folder} has {other.shapes}"


def _weighted(network: Network, weights: tuple[Any, Any]) -> list[Weighted]:
    each = zip(network.body.layers, *weights, strict=True)
    return [
        Weighted(index, layer, (params, state))
        for index, (layer, params, state) in enumerate(each)
        if jax.tree.leaves((params, state))
    ]


def _network(model: Model) -> Network:
    return Blueprint.of(model.recipe, model.feature_shape, model.target).network


def _model(folder: str) -> Model:
    """Return the model of a run, read once as long as its file stays as it is."""
    path = Path(folder) / "model.safetensors"
    written = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(str(Path(folder).absolute()), folder, written)


@lru_cache(maxsize=4)
def _read(place: str, folder: str, written: int) -> Model:
    return Run(folder).model
