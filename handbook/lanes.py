"""Trains what a page compares: variants of one recipe with several seeds, as lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.events import Block, Silent
from surefoot.engine.result import LaneResult
from surefoot.job import dataset_of, prepare, reading
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.study.plan import make_plan
from surefoot.study.running import train_part
from surefoot.study.space import Setting

Keys = Mapping[str, Any]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """The runs of one variant, one for each seed.

    Attributes:
        results: what each run left behind.
        losses: the training loss of each step, [seeds, steps]; NaN after a run diverged.
    """

    results: Sequence[LaneResult]
    losses: Array

    @property
    def diverged(self) -> bool:
        """Whether any run diverged."""
        return any(result.diverged is not None for result in self.results)

    def of(self, part: str, measure: bool = True) -> Array:
        """Return accuracy (or rmse; without `measure` the loss) of each run, [seeds].

        Args:
            part: "train" or "validation".
            measure: whether accuracy, or rmse, is asked for.
        """
        pairs = [getattr(result, part) for result in self.results]
        return np.array([pair[1 if measure else 0] for pair in pairs], np.float64)

    def curve(self, points: int = 100) -> tuple[Array, Array]:
        """Return the mean loss over seeds in windows of steps: steps and losses."""
        mean = self.losses.mean(axis=0)
        edges = np.unique(np.linspace(0, len(mean), min(points, len(mean)) + 1).astype(int))
        return edges[1:].astype(np.float64), np.array(
            [mean[a:b].mean() for a, b in pairwise(edges)]
        )


class _Losses(Silent):
    """Remembers the training loss of each step of each lane."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._parts: list[Array] = []

    def block(self, block: Block) -> None:
        """Add the steps of one dispatch."""
        loss = np.array(block.loss, np.float64)[:, : self._lanes]
        step = block.first + np.arange(len(loss))[:, None]
        diverged, running = block.diverged[: self._lanes], block.running[: self._lanes]
        loss[~(running & ((diverged < 0) | (step < diverged)))] = np.nan
        self._parts.append(loss)

    def of(self, lane: int) -> Array:
        """Return the losses of a lane, [steps]."""
        return np.concatenate(self._parts)[:, lane]


def train_lanes(
    source: Any,
    variants: Mapping[str, Keys],
    *,
    seeds: int = 1,
    net: Any = None,
    keys: Keys | None = None,
) -> dict[str, Trained]:
    """Train variants of a recipe; return the runs of each by its name.

    Variants that differ in numbers alone are lanes of one program. Equal seeds have the same first
    weights, where the net is the same, and see the same batches.

    Args:
        source: of the data, or a recipe's tables.
        variants: by name, the keys of a recipe that each sets.
        seeds: how many, from 0 on.
        net: a ready net, or layers.
        keys: of the recipe that is varied.
    """
    job = prepare(source, net=net, keys=dict(keys or {}), facts=False)
    settings = [
        Setting({"variant": name}, changed(job.recipe, own)) for name, own in variants.items()
    ]
    loaded: dict[Any, Any] = {}

    def load(recipe: Recipe) -> Any:
        key = reading(recipe)
        if key not in loaded:
            loaded[key] = dataset_of(recipe)
        return loaded[key]

    results: dict[tuple[int, int], tuple[LaneResult, Array]] = {}
    for group in make_plan(settings, range(seeds), load).groups:
        for part in group.parts:
            losses = _Losses(len(part))
            trained, _ = train_part(group, part, losses)
            for place, lane in enumerate(part):
                results[lane.setting, lane.seed] = trained[place], losses.of(place)
    found = {}
    for number, name in enumerate(variants):
        runs = [results[number, seed] for seed in range(seeds)]
        longest = max(len(own) for _, own in runs)
        curves = np.full((seeds, longest), np.nan)
        for curve, (_, own) in zip(curves, runs, strict=True):
            curve[: len(own)] = own
        found[name] = Trained([result for result, _ in runs], curves)
    return found


def changed(recipe: Recipe, keys: Keys) -> Recipe:
    """Return a recipe with other values for some of its keys."""
    tables = recipe.to_dict()
    for key, value in keys.items():
        set_key(tables, key, value)
    return Recipe.parse(tables)
