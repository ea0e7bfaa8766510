"""A genetic algorithm as lanes against the same one in NumPy: `python -m benchmarks.evolution`.

512 individuals, full batches, tournament of 3, uniform crossover, Gaussian mutation, two elites,
float32. NumPy does it as it is written down in a textbook: an individual after another. Ours is
timed twice: as `surefoot train` runs it, an epoch for each generation, with all that belongs to a
run's loop; and as `evolve.minimize` does, all generations in one dispatch. They take turns in one
process; a ratio is NumPy's time over ours of the same turn, and the table has the median of all
turns, the smallest and the largest. Compilation is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from benchmarks import machine
from surefoot.engine.placement import place_lanes, place_rows
from surefoot.engine.training import Training
from surefoot.evolve.minimize import _search
from surefoot.job import Job, prepare
from surefoot.nn.layer import Context
from surefoot.recipe.section import numbers

POPULATION, TARGET = 512, 30.0
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Work:
    """A problem: a source, the net's hidden layers and their activation, and the data's keys."""

    title: str
    source: str
    hidden: tuple[int, ...]
    activation: str
    rows: int | None = None
    noise: float | None = None


WORKS = (
    Work("XOR, its 4 corners, 2-4-1 tanh", "xor", (4,), "tanh", 4, 0.0),
    Work("XOR, 64 rows, 2-8-1 tanh", "xor", (8,), "tanh", 64, 0.2),
    Work("spirals, 800 rows, 2-32-16-1 step", "spirals", (32, 16), "step", 800),
    Work("digits, 1,797 rows, 64-32-10 relu", "digits", (32,), "relu"),
)


def ready(work: Work, generations: int) -> Job:
    """Return the work as a job of so many generations."""
    layers: list[Any] = []
    for size in work.hidden:
        layers += [{"dense": size}, {"activation": work.activation}]
    classes = work.source == "digits"
    layers += [{"dense": "classes" if classes else 1}]
    layers += [{"activation": "softmax" if classes else "sigmoid"}]
    data = {"source": work.source, "validation": 0.0, "rows": work.rows, "noise": work.noise}
    tables = {
        "data": {key: value for key, value in data.items() if value is not None},
        "net": {"layers": layers},
        "train": {
            "method": "genetic",
            "loss": "cross_entropy" if classes else "binary_cross_entropy",
            "batch_size": "full",
            "epochs": generations,
        },
        "evolution": {"population": POPULATION},
    }
    return prepare(tables)


class Plain:
    """The same genetic algorithm in NumPy, an individual after another."""

    def __init__(self, job: Job, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._x, self._y = job.dataset.x_train.reshape(job.dataset.rows, -1), job.dataset.y_train
        self._activation = job.recipe.net.layers[1].activation
        params, _ = job.cohort.networks[0].init(0, numbers(job.recipe.net))
        arrays = [(layer["kernel"], layer["bias"]) for layer in params if layer]
        self._shapes = [kernel.shape for kernel, _ in arrays]
        first = np.concatenate([part.ravel() for pair in arrays for part in pair])
        self._keys = job.recipe.evolution
        self._scale = self._keys.mutation_scale
        spread = self._rng.standard_normal((POPULATION, first.size), np.float32)
        self.population = list(first + 0.1 * spread)

    def generation(self) -> float:
        """Evaluate all, put the next generation in their place; return the best loss."""
        losses = np.array([self.loss(genome) for genome in self.population])
        order = np.argsort(losses)
        new = [self.population[i] for i in order[: self._keys.elite]]
        while len(new) < POPULATION:
            new.append(self._child(losses))
        self.population = new
        self._scale *= self._keys.mutation_decay
        return float(losses[order[0]])

    def loss(self, genome: Array) -> float:
        """Return one individual's mean loss over all rows."""
        x, place = self._x, 0
        for number, (inputs, outputs) in enumerate(self._shapes):
            kernel = genome[place : place + inputs * outputs].reshape(inputs, outputs)
            place += inputs * outputs
            x = x @ kernel + genome[place : place + outputs]
            place += outputs
            if number < len(self._shapes) - 1:
                x = self._activate(x)
        if x.shape[1] == 1:
            z = x[:, 0]
            return float(np.mean(np.logaddexp(0, z) - z * self._y))
        top = x.max(axis=1, keepdims=True)
        logs = np.log(np.sum(np.exp(x - top), axis=1)) + top[:, 0]
        return float(np.mean(logs - x[np.arange(len(x)), self._y]))

    def _activate(self, x: Array) -> Array:
        if self._activation == "tanh":
            return np.tanh(x)
        return np.maximum(x, 0) if self._activation == "relu" else (x >= 0).astype(np.float32)

    def _child(self, losses: NDArray[Any]) -> Array:
        rng, keys = self._rng, self._keys
        child = self.population[self._parent(losses)]
        if rng.random() < keys.crossover_rate:
            other = self.population[self._parent(losses)]
            child = np.where(rng.random(child.size, np.float32) < 0.5, child, other)
        hit = rng.random(child.size, np.float32) < keys.mutation_rate
        change = self._scale * rng.standard_normal(child.size, np.float32)
        return child + np.where(hit, change, 0).astype(np.float32)

    def _parent(self, losses: NDArray[Any]) -> int:
        drawn = self._rng.integers(POPULATION, size=self._keys.tournament_size)
        return int(drawn[np.argmin(losses[drawn])])


def plain_turn(plain: Plain, generations: int) -> Callable[[], float]:
    """Return what takes so many generations in NumPy, and the seconds of one."""

    def turn() -> float:
        began = time.perf_counter()
        for _ in range(generations):
            plain.generation()
        return (time.perf_counter() - began) / generations

    return turn


def trained_turn(job: Job, generations: int) -> Callable[[], float]:
    """Return what takes so many more generations of a training, and the seconds of one."""
    training = Training(job.cohort)
    training.advance(3)
    done = [3]

    def turn() -> float:
        began = time.perf_counter()
        done[0] += generations
        training.advance(done[0])
        return (time.perf_counter() - began) / generations

    return turn


def dispatched_turn(job: Job, generations: int) -> Callable[[], float]:
    """Return what takes so many generations in one dispatch, and the seconds of one."""
    blueprint, recipe = job.cohort.blueprint, job.recipe
    rows, given = place_rows(job.cohort)[0], place_lanes(job.cohort, 0)
    own = numbers(recipe.net)
    scaling = jax.tree.map(lambda array: array[0], given.scaling)
    params, state = job.cohort.networks[0].init(0, own)
    genome, unravel = ravel_pytree(params)

    def loss(genome: Any) -> Any:
        context = Context(True, None, own)
        batch = (rows.x, rows.y, rows.weights)
        return blueprint.objective(unravel(genome), state, batch, context, scaling)[0]

    search = partial(_search, loss, "genetic", recipe.evolution, generations)
    arguments = genome, 0.1, jax.random.key(0), numbers(recipe.evolution)
    compiled = jax.jit(search).lower(*arguments).compile()

    def turn() -> float:
        began = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        return (time.perf_counter() - began) / generations

    return turn


def measure(work: Work, turns: int, seconds: float) -> list[str]:
    """Return the table's rows of one work."""
    slow = plain_turn(Plain(ready(work, 1)), 1)
    slow()
    few = max(1, round(seconds / slow()))
    many = 20 * few
    job = ready(work, 3 + (turns + 1) * many)
    arms = {
        "surefoot train": trained_turn(job, many),
        "evolve.minimize": dispatched_turn(job, many),
    }
    base = plain_turn(Plain(job), few)
    times: dict[str, list[float]] = {name: [] for name in ("NumPy", *arms)}
    for turn in range(turns + 1):
        for name, arm in {"NumPy": base, **arms}.items():
            taken = arm()
            if turn:
                times[name].append(taken)
    lines = []
    for name in arms:
        ratios = [slow / fast for slow, fast in zip(times["NumPy"], times[name], strict=True)]
        middle = statistics.median(ratios)
        lines.append(
            f"{work.title:36s} {name:16s} {middle:6.1f}× {'✓' if middle >= TARGET else ' '} "
            f"{min(ratios):6.1f}–{max(ratios):<6.1f} "
            f"{statistics.median(times['NumPy']) * 1e3:9.2f} ms "
            f"{statistics.median(times[name]) * 1e3:8.3f} ms"
        )
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="works whose title has this text")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of NumPy's turns")
    options = parser.parse_args()
    for name, value in machine.describe().items():
        print(f"{name}: {value}")
    print(f"\n{POPULATION} individuals, one generation: NumPy's time over ours, median of turns")
    for work in WORKS:
        if options.only.lower() in work.title.lower():
            print("\n".join(measure(work, options.turns, options.seconds)), flush=True)


if __name__ == "__main__":
    main()
