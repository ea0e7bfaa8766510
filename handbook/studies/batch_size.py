"""How big a batch: the noise of its gradient, its time, and what is learned."""

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
    "noise": lambda n: all(abs(own - 1) < 0.15 for own in n["noise_times_root"]),
    "epochs": lambda n: n["small_accuracy"] > n["whole_accuracy"] + 0.02,
    # Times are measured in full alone: what a test finds must not depend on the machine.
    "time": lambda n: "update_ms" not in n or n["update_ms"][-1] < n["sizes"][-1] / n["sizes"][0],
}


def _noise(full: bool) -> dict[str, Any]:
    """Return how far a batch's gradient is from that of all rows, for a linear softmax."""
    data = prepare("digits", net="mlp:", facts=False).dataset
    x, y = np.asarray(data.x_train, np.float64), np.asarray(data.y_train)
    x = x.reshape(len(x), -1)
    errors = np.full((len(x), 10), 0.1)  # all shares are equal at zero weights
    errors[np.arange(len(x)), y] -= 1
    whole = x.T @ errors / len(x)
    generator = np.random.default_rng(0)
    sizes = [8, 32, 128, 512]
    found = []
    for size in sizes:
        away = []
        for _ in range(500 if full else 100):
            rows = generator.integers(len(x), size=size)
            away.append(np.sum((x[rows].T @ errors[rows] / size - whole) ** 2))
        found.append(float(np.sqrt(np.mean(away))))
    # σ/√B, with the spread σ of single rows' gradients, which is known exactly.
    spread = np.sqrt(np.mean(np.sum(x**2, axis=1) * np.sum(errors**2, axis=1)) - np.sum(whole**2))
    return {
        "noise_sizes": sizes,
        "noise": found,
        "norm": float(np.linalg.norm(whole)),
        "noise_times_root": [
            own * size**0.5 / spread for own, size in zip(found, sizes, strict=True)
        ],
    }


def _epochs(full: bool) -> dict[str, Any]:
    """Train equally many epochs with few rows at a time and with all of them."""
    trained = train_lanes(
        "digits",
        {
            f"{size} {rate}": {"batch_size": size, "learning_rate": rate}
            for size in (16, "full")
            for rate in (0.01, 0.1, 1.0)
        },
        net="mlp:32",
        seeds=5 if full else 1,
        keys={"optimizer": "sgd", "epochs": 10 if full else 5},
    )
    accuracy = np.array([own.of("validation").mean() for own in trained.values()])
    small, whole = accuracy.reshape(2, -1).max(axis=1)
    return {"small_accuracy": small, "whole_accuracy": whole}


def _times() -> tuple[dict[str, Any], Any]:
    """Ask the ready study: the time of an update and of an epoch, and what is learned."""
    with tempfile.TemporaryDirectory() as folder:
        table = sf.ready_study("batch-size", "digits", seeds=8, out=f"{folder}/study").table()
        half = len(table["mean"]) // 2
        names = ("update_ms", "epoch_ms", "mean")
        columns = {name: [float(own) for own in table[name][:half]] for name in names}
        sizes = [int(size) for size in table["batch_size"][:half]]
        updates = [float(own) for own in table["mean"][half:]]
    numbers = {
        "sizes": sizes,
        "update_ms": columns["update_ms"],
        "epoch_ms": columns["epoch_ms"],
        "equal_epochs": columns["mean"],
        "equal_updates": updates,
    }
    lines = [
        series("an update", sizes, columns["update_ms"], role=0),
        series("an epoch", sizes, columns["epoch_ms"], role=1),
    ]
    across, up = axis("batch size", "log"), axis("milliseconds", "log")
    return numbers, plot("times", "Time of an update and of an epoch", across, up, lines)


def measure(full: bool) -> Found:
    """Measure the noise of batches, train with small and whole ones, and time them."""
    numbers = {**_noise(full), **_epochs(full)}
    line = series("distance", numbers["noise_sizes"], numbers["noise"], role=0)
    title = "How far a batch's gradient is from that of all rows"
    across, up = axis("batch size", "log", low=8, high=512), axis("distance", "log")
    charts = {"": plot("noise", title, across, up, [line])}
    if full:
        times, charts["times"] = _times()
        numbers |= times
    return Found(numbers, charts)
