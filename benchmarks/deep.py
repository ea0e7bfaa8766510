"""Very deep nets on digits: `python -m benchmarks.deep` prints the tables of docs/deep.md.

    python -m benchmarks.deep              # all of it, in about fifteen minutes on two cores
    python -m benchmarks.deep --only delta # one table: compile, delta, fixup, degradation

Seeds and arms are lanes of one program where their nets have one structure. Accuracy is that on
the training rows: the question is whether a net fits what it is trained on. Seconds are those of
the whole row, on one machine, compilation apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.engine.cohort import Cohort
from surefoot.engine.training import Training
from surefoot.job import prepare
from surefoot.nn.nets import Ready, delta_orthogonal, fixup, plain, resnet
from surefoot.recipe import Recipe, numbers

Tables = dict[str, Any]
Layers = list[dict[str, Any]]
SEEDS = range(3)
# Chosen by the training loss of other seeds.
_DELTA_RATE, _FIXUP_RATE = 1e-4, 0.03
# The best tried for each net: docs/deep.md has the grid.
_RATES = {"plain:20": 0.01, "plain:56": 0.003, "resnet:20": 0.01, "resnet:56": 0.01}
_DELTA_EPOCHS, _FIXUP_EPOCHS, _EPOCHS = 2, 6, 10


def recipe(
    layers: Layers, rate: float, epochs: int, seed: int = 0, optimizer: Tables | None = None
) -> Tables:
    """Return a recipe for digits, without vital signs."""
    return {
        "seed": seed,
        "data": {"source": "digits"},
        "net": {"layers": layers},
        "optimizer": {"learning_rate": rate, **(optimizer or {})},
        "train": {"epochs": epochs, "batch_size": 32, "loss": "cross_entropy"},
        "vitals": {"every": 0, "first": 0},
    }


def started(net: Ready, start: str | None) -> Layers:
    """Return a ready net's layers, with another start in place of its own where one is named."""
    layers = net.layers("softmax")
    return layers if start is None else [_restarted(layer, start) for layer in layers]


def _restarted(layer: Mapping[str, Any], start: str) -> dict[str, Any]:
    own = {key: value for key, value in layer.items() if key != "bias_initializer"}
    for key in ("layers", "residual"):
        if key in own:
            own[key] = [_restarted(inner, start) for inner in own[key]]
    if "conv" in own or "dense" in own:
        own["initializer"] = start
    return own


def trained(recipes: Sequence[Tables]) -> tuple[list[Any], float, float]:
    """Train recipes of one structure as lanes; return results, and seconds before and after."""
    job = prepare(dict(recipes[0]))
    began = time.perf_counter()
    training = Training(Cohort([Recipe.parse(dict(own)) for own in recipes], job.dataset))
    compiled = time.perf_counter()
    training.advance()
    results = training.results()
    return results, compiled - began, time.perf_counter() - compiled


def row(name: str, recipes: Sequence[Tables]) -> None:
    """Train one arm's seeds, and print its row."""
    results, before, after = trained(recipes)
    losses = np.array([result.train[0] for result in results])
    shares = 100 * np.array([result.train[1] for result in results])
    each = ", ".join(f"{share:.1f}" for share in shares)
    print(f"| {name} | {losses.mean():.3g} | {each} | {before:.1f} | {after:.0f} |", flush=True)


def head(first: str) -> None:
    """Print the first two lines of a table of trained nets."""
    print(f"\n| {first} | training loss | training accuracy, % | compiled, s | trained, s |")
    print("| --- | ---: | ---: | ---: | ---: |")


def compile_times() -> None:
    """Print how long a training takes to be ready for its first step, by depth."""
    print("\n| layers | weights | drawn, s | compiled, s |\n| ---: | ---: | ---: | ---: |")
    for depth in (10, 100, 1000, 10_000):
        tables = recipe(delta_orthogonal(depth).layers("softmax"), _DELTA_RATE, 1)
        job = prepare(tables)
        (network,) = job.cohort.networks
        began = time.perf_counter()
        network.init(0, numbers(job.recipe.net))
        drawn = time.perf_counter()
        Training(job.cohort)  # which draws them once more
        after = time.perf_counter() - drawn - (drawn - began)
        count = sum(site.weights for site in network.sites)
        # What is loaded once for all is no part of it.
        if depth > 10:
            print(f"| {depth:,} | {count:,} | {drawn - began:.1f} | {after:.1f} |", flush=True)


def delta() -> None:
    """Print what a thousand plain layers learn, by their start."""
    head("1,000 plain layers, first weights")
    for start in (None, "glorot_normal", "he_normal"):
        layers = started(delta_orthogonal(1000), start)
        row(start or "delta_orthogonal", [recipe(layers, _DELTA_RATE, _DELTA_EPOCHS)])


def without_normalization() -> None:
    """Print what 200 residual layers without normalization learn, by their start."""
    head("200 residual layers, not normalized, first weights")
    for start in (None, "he_normal"):
        layers = started(fixup(200, 4), start)
        row(start or "fixup", _momentum(layers, _FIXUP_RATE, _FIXUP_EPOCHS))


def degradation() -> None:
    """Print what 20 and 56 layers learn, plain and residual, all normalized."""
    head("net")
    for net in (plain, resnet):
        for depth in (20, 56):
            layers = net(depth, 4).layers("softmax")
            name = f"{net.__name__}:{depth}"
            row(name, _momentum(layers, _RATES[name], _EPOCHS))


def _momentum(layers: Layers, rate: float, epochs: int) -> list[Tables]:
    rule = {"name": "momentum"}
    return [recipe(layers, rate, epochs, seed, optimizer=rule) for seed in SEEDS]


TABLES = {
    "compile": compile_times,
    "delta": delta,
    "fixup": without_normalization,
    "degradation": degradation,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=TABLES, help="one table")
    only = parser.parse_args().only
    for name, table in TABLES.items():
        if only in (None, name):
            table()


if __name__ == "__main__":
    main()
