"""How far to step: rates that are too small, right, and too large."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.job import prepare
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "limit": lambda n: n["below_loss"] < n["above_loss"] / 100,
    "too-small": lambda n: n["small_loss"] > 3 * n["best_loss"],
    "too-large": lambda n: n["large_accuracy"] < n["best_accuracy"] - 0.3,
    "finder": lambda n: n["found_low"] <= n["best_rate"] <= 3 * n["found_high"],
}
_LINEAR = {"optimizer": "sgd", "batch_size": "full", "data.standardize_targets": True}


def _limit(epochs: int) -> dict[str, Any]:
    """Descend on a bowl, which a linear model's error surface is, below and above 2/λ."""
    data = prepare("diabetes", net="mlp:", keys=_LINEAR, facts=False).dataset
    rows = np.asarray(data.x_train, np.float64)
    rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)  # the bias sees a one
    steepest = float(np.linalg.eigvalsh(2 * rows.T @ rows / len(rows))[-1])
    below, above = 0.98 * 2 / steepest, 1.02 * 2 / steepest
    trained = train_lanes(
        "diabetes",
        {"below": {"learning_rate": below}, "above": {"learning_rate": above}},
        net="mlp:",
        keys={**_LINEAR, "epochs": epochs},
    )
    losses = {name: own.losses[0, -1] for name, own in trained.items()}
    return {
        "curvature": steepest,
        "limit": 2 / steepest,
        "limit_steps": epochs,
        "below_loss": losses["below"],
        "above_loss": losses["above"],
    }


def measure(full: bool) -> Found:
    """Train a net with many rates, ask the rate finder, and test the limit 2/λ on a bowl."""
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-4, 2, 25 if full else 7)]
    trained = train_lanes(
        "digits",
        {f"{rate:g}": {"learning_rate": rate} for rate in rates},
        net="mlp:32",
        seeds=5 if full else 1,
        keys={"optimizer": "sgd", "epochs": 10 if full else 5},
    )
    losses = np.array([own.of("train", measure=False).mean() for own in trained.values()])
    accuracy = np.array([own.of("validation").mean() for own in trained.values()])
    best = int(np.nanargmin(losses))
    with tempfile.TemporaryDirectory():
        recipe = prepare("digits", net="mlp:32", optimizer="sgd", facts=False).recipe
        found = sf.find_rate(recipe, seeds=3 if full else 1, steps=300 if full else 100)
    numbers = {
        **_limit(1000 if full else 300),
        "rates": len(rates),
        "small_rate": rates[0],
        "small_loss": losses[0],
        "best_rate": rates[best],
        "best_loss": losses[best],
        "best_accuracy": accuracy[best],
        "large_rate": rates[-1],
        "large_accuracy": accuracy[-1],
        "found_rate": found.rate,
        "found_low": found.low,
        "found_high": found.high,
    }
    curves = [
        series(f"η = {name}", *trained[name].curve(), role=role)
        for role, name in enumerate([f"{rates[i]:g}" for i in (0, best, -1)])
    ]
    marks = [
        {"x": value, "label": f"finder: {end}", "severity": "good"}
        for end, value in (("from", found.low), ("to", found.high))
    ]
    line = series("loss", rates, np.minimum(losses, 1e3), role=0)
    across, up = axis("learning rate η", "log"), axis("training loss", "log")
    by_rate = plot("by-rate", "Training loss by rate", across, up, [line], marks=marks)
    title = "Too small, right, too large"
    steps = plot("curves", title, axis("step"), axis("training loss", "log"), curves)
    return Found(numbers, {"": by_rate, "curves": steps})
