"""A place where gradients are looked at: a net's weights, some rows, and the loss there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from surefoot.engine.blueprint import Blueprint
from surefoot.engine.cohort import Cohort
from surefoot.engine.placement import place_lanes
from surefoot.engine.step import LaneInput
from surefoot.engine.weights import row_weights
from surefoot.errors import InputError
from surefoot.job import prepare
from surefoot.landscape.points import Place, find
from surefoot.nn.layer import Array, Context, Layer
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual
from surefoot.recipe import numbers
from surefoot.run import Run


@dataclass(frozen=True)
class Weight:
    """One array of weights.

    Attributes:
        layer: its layer's number; "4[1–20].2" stands for all repetitions, stacked.
        kind: of the layer, such as "dense".
        name: of the array, such as "kernel".
    """

    layer: str
    kind: str
    name: str


@dataclass(frozen=True)
class Point:
    """Weights and rows, all in float64, with the loss as a function of the weights.

    Attributes:
        blueprint: the structure that the loss has.
        params: θ, a tree.
        state: running averages.
        given: the lane's numbers.
        x: rows as they lie in the data, [rows, …].
        y: their targets.
        weights: how much each counts, [rows].
        train: whether layers work as in training, with batch statistics and dropout's mask.
    """

    blueprint: Blueprint
    params: Any
    state: Any
    given: LaneInput
    x: Any
    y: Any
    weights: Any
    train: bool

    @classmethod
    def of(cls, place: Place, chosen: Any, *, train: bool) -> Point:
        """Return a point at some training rows.

        Args:
            place: recipe, data and weights.
            chosen: which of the training rows, [rows].
            train: whether layers work as in training.
        """
        cohort, dataset = place.cohort, place.cohort.dataset
        given = jax.tree.map(lambda array: np.asarray(array)[0], place_lanes(cohort, 0))
        counted = row_weights(
            cohort.recipes[0].train, dataset.target, dataset.y_train, dataset.w_train
        )
        weights = np.ones(len(chosen)) if counted is None else counted[chosen]
        x, y = dataset.x_train[chosen], dataset.y_train[chosen]
        params, state, given, x, y = double((place.params, place.state, given, x, y))
        weights = np.asarray(weights, np.float64)
        return cls(cohort.blueprint, params, state, given, x, y, weights, train)

    @property
    def context(self) -> Context:
        """What layers are told; dropout's mask is that of the run's first step, each time."""
        network = self.blueprint.network
        drawn = self.train and network.random
        seed = jax.random.key(self.given.seed)
        key = jax.random.fold_in(seed, 0) if drawn else None
        return Context(self.train, key, self.given.numbers["net"], None)

    @property
    def inputs(self) -> Array:
        """The rows as the first layer takes them, without random changes."""
        return self.blueprint.inputs(jnp.asarray(self.x), self.given.inputs, None)

    def loss(self, params: Any) -> Array:
        """Return the mean loss of the rows."""
        network = self.blueprint.network
        outputs, _, _ = network.apply(params, self.state, self.inputs, self.context)
        return self.loss_of(outputs)

    def loss_of(self, outputs: Array) -> Array:
        """Return the mean loss of the rows by the net's outputs in front of the head."""
        objective = self.blueprint.objective
        total, _ = objective.sums(outputs, self.y, self.weights, self.given.scaling)
        return total / jnp.sum(self.weights)


def place_of(
    source: Any, *, net: Any = None, optimizer: Any = None, keys: Mapping[str, Any] | None = None
) -> Place:
    """Return a run with the weights that it kept, or a recipe or source with its first ones.

    Args:
        source: a run or its folder; else what `surefoot.train` takes.
        net: layers in place of the recipe's.
        optimizer: its update rule.
        keys: of the recipe, to be set.

    Raises:
        InputError: a run is given beside changes, or cannot be used.
    """
    if isinstance(source, str | Path) and (Path(source) / "recipe.toml").is_file():
        source = Run(source)
    if not isinstance(source, Run):
        job = prepare(source, net=net, optimizer=optimizer, keys=keys, facts=False)
        return first_weights(job.cohort)
    if net is not None or keys:
        raise InputError(
            f"{source.path}: is a run, whose net is trained already; give its recipe.toml or "
            "source to look at another net"
        )
    return find(source, "best")


def first_weights(cohort: Cohort, lane: int = 0) -> Place:
    """Return the weights with which a lane of a cohort begins."""
    recipe = cohort.recipes[lane]
    params, state = cohort.networks[lane].init(recipe.seed, numbers(recipe.net), cohort.precision)
    return Place("step", 0, cohort, params, state)


def choose_rows(cohort: Cohort, rows: int, seed: int) -> Any:
    """Return which training rows are looked at, at most so many, [rows].

    Raises:
        InputError: none is asked for, or one alone for a net with batch normalization.
    """
    if rows < 1:
        raise InputError(f"rows = {rows}: must be at least 1")
    sites = cohort.blueprint.network.sites
    if rows == 1 and any(site.kind == "batch_norm" for site in sites):
        raise InputError("rows = 1: batch normalization needs at least 2 rows")
    every = len(cohort.dataset.x_train)
    return np.sort(np.random.default_rng(seed).choice(every, min(rows, every), replace=False))


def labels(layers: Sequence[Layer], params: Any, outer: str = "", shown: str = "") -> list[Any]:
    """Return the tree of weights with a `Weight` in place of each array.

    Args:
        layers: as a `Sequential` has them.
        params: their weights.
        outer: the number of the layer that they are in.
        shown: how that one is called.
    """
    trees: list[Any] = []
    for layer, own in zip(layers, params, strict=True):
        name = shown + layer.number[len(outer) :]
        match layer:
            case Repeat(block=block, times=times):
                inside = f"{name}[1–{times}]"
                trees.append(labels(block.layers, own, layer.number, inside))
            case Residual(branch=branch):
                inner = labels(branch.layers, own["branch"], layer.number, name)
                mine = {key: Weight(name, layer.label, key) for key in own}
                trees.append({**mine, "branch": inner})
            case _:
                trees.append({key: Weight(name, layer.label, key) for key in own})
    return trees


def double(tree: Any) -> Any:
    """Return a tree of arrays with float64 in place of other floating types."""

    def wide(leaf: Any) -> Any:
        array = np.asarray(leaf)
        return array.astype(np.float64) if np.issubdtype(array.dtype, np.floating) else array

    return jax.tree.map(wide, tree)
