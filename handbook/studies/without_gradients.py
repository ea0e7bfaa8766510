"""Without gradients: evolution where there is no slope, and beside descent where there is one."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

import surefoot as sf
from handbook.study import Found
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "genetic": lambda n: n["genetic_accuracy"] > 0.9,
    "step": lambda n: n["strategy_step"] > n["gradient_step"] + 0.1,
}
_STEPS = [
    {"dense": 16},
    {"activation": "step"},
    {"dense": 16},
    {"activation": "step"},
    {"dense": 1},
    {"activation": "sigmoid"},
]


def _train(folder: str, name: str, source: str, net: Any, epochs: int, **keys: Any) -> Any:
    return sf.train(source, net=net, epochs=epochs, out=f"{folder}/{name}", **keys)


def measure(full: bool) -> Found:
    """Train XOR by a genetic algorithm, and a net of steps by evolution and by its gradient."""
    epochs, generations = (300, 60) if full else (40, 30)
    loss = {"loss": "binary_cross_entropy"}
    with tempfile.TemporaryDirectory() as folder:
        genetic = _train(folder, "genetic", "xor", "mlp:4", generations, method="genetic")
        strategy = _train(
            folder, "steps", "circles", _STEPS, epochs, method="evolution_strategy", **loss
        )
        gradient = _train(folder, "gradient", "circles", _STEPS, epochs, **loss)
        losses = {
            "genetic, XOR": np.asarray(genetic.history["loss"], np.float64),
            "evolution strategy, steps": np.asarray(strategy.history["loss"], np.float64),
        }
        numbers = {
            "genetic_accuracy": genetic.metrics["validation"]["accuracy"],
            "genetic_generations": len(losses["genetic, XOR"]),
            "generations": epochs,
            "strategy_step": strategy.metrics["validation"]["accuracy"],
            "gradient_step": gradient.metrics["validation"]["accuracy"],
        }
    lines = [
        series(name, range(1, len(own) + 1), own, role=role)
        for role, (name, own) in enumerate(losses.items())
    ]
    title = "Training loss by generation"
    chart = plot("evolution", title, axis("generation", low=0), axis("loss"), lines)
    return Found(numbers, {"": chart})
