"""Trains small nets on several devices and on one; a process of its own, that simulates them.

Writes what each left behind into a file: the test compares it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jax
import numpy as np

from surefoot.data import load
from surefoot.engine import training
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Silent
from surefoot.engine.mesh import layout_for
from surefoot.recipe import Recipe

CASES = {
    # A net with everything that is measured over a batch, or drawn for it.
    "batch": (
        [{"dense": 12}, {"batch_norm": {}}, {"activation": "relu"}, {"dropout": 0.2}],
        {"batch": 8},
        [0],
        None,
    ),
    # Lanes that do not divide among the devices, and see batches of their own.
    "lanes": ([{"dense": 8}, {"activation": "tanh"}], {"lanes": 4}, range(11), 2),
    "both": ([{"dense": 8}, {"batch_norm": {}}], {"lanes": 4, "batch": 2}, range(4), None),
}


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """480 rows of 3 classes."""
    generator = np.random.default_rng(0)
    y = np.arange(480) % 3
    return generator.normal(size=(480, 5)) + 2.0 * np.eye(5)[y], y


class Blocks(Silent):
    """Keeps losses and vital signs."""

    def __init__(self) -> None:
        self.losses: list[np.ndarray] = []
        self.vitals: list[np.ndarray] = []

    def block(self, block: training.Block) -> None:
        self.losses.append(block.loss)
        self.vitals.append(block.vitals)


def run(name: str, devices: dict[str, int]) -> tuple[dict[str, np.ndarray], int]:
    """Train a case; return what it left behind, and how many devices it took."""
    layers, _, seeds, width = CASES[name]
    recipes = [
        Recipe.parse(
            {
                "seed": seed,
                "data": {"validation": 80 / 480, "shuffle_seed": 5 if name == "both" else seed},
                "net": {"layers": [*layers, {"dense": "classes"}, {"activation": "softmax"}]},
                "optimizer": {"name": "momentum", "learning_rate": 0.02 * (1 + 0.1 * seed)},
                "train": {"epochs": 16, "batch_size": 64, "early_stopping": {"patience": 99}},
                "vitals": {"every": 10, "first": 2},
                "devices": devices,
            }
        )
        for seed in seeds
    ]
    dataset = load(recipes[0].data, arrays=arrays())
    cohort = Cohort(recipes, dataset)
    blocks = Blocks()
    # The last batch of an epoch is filled up: 400 rows are 7 batches.
    results = training.train(cohort, blocks, until=100, width=width)
    leaves = [leaf for r in results for leaf in jax.tree.leaves((r.last, r.params, r.state))]
    found = {f"leaf {i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
    found["loss"] = np.concatenate(blocks.losses)
    found["vitals"] = np.concatenate(blocks.vitals)
    found["metrics"] = np.array([(*r.train, *r.validation) for r in results])
    mesh = layout_for(cohort, width).mesh
    return found, 1 if mesh is None else mesh.size


def main(path: str) -> None:
    told = {}
    for name, (_, devices, *_) in CASES.items():
        one, single = run(name, {"lanes": 1, "batch": 1})
        many, count = run(name, devices)
        far = {
            key: float(np.nanmax(np.abs(one[key] - many[key]) / (1 + np.abs(one[key]))))
            for key in one
        }
        same = all(np.array_equal(np.isnan(one[key]), np.isnan(many[key])) for key in one)
        told[name] = {"devices": [single, count], "far": far, "same": same}
    Path(path).write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
