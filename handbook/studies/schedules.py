"""Schedules and warm-up: what a rate that changes buys."""

from __future__ import annotations

from typing import Any

import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.job import prepare
from surefoot.optim import learning_rate
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "constant-stays": lambda n: n["constant_excess"] > 4 * n["cosine_excess"],
    "first-step": lambda n: n["first_share"] == 0.01 and n["peak_share"] == 1,
    "warmup-no-worse": lambda n: n["rates_with"] >= n["rates_without"],
}
_SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"factor": 0.1, "every": 1 / 3},
    "exponential": {"factor": 0.01},
    "inverse_time": {"decay": 10.0},
    "cosine": {"final": 0.0},
    "transformer": {"warmup": 0.1},
}
_LINEAR = {"optimizer": "sgd", "data.standardize_targets": True, "batch_size": 8}


def _decays(full: bool) -> dict[str, float]:
    """Return how far above the least loss there is a linear model ends, by schedule."""
    names = list(_SCHEDULES) if full else ["constant", "cosine"]
    trained = train_lanes(
        "diabetes",
        {name: {"schedule": {"name": name, **_SCHEDULES[name]}} for name in names},
        net="mlp:",
        seeds=20 if full else 4,
        keys={**_LINEAR, "learning_rate": 0.03, "epochs": 60 if full else 30},
    )
    data = prepare("diabetes", net="mlp:", keys=_LINEAR, facts=False).dataset
    rows = np.concatenate([data.x_train, np.ones((len(data.x_train), 1))], axis=1)
    targets = np.asarray(data.y_train, np.float64).reshape(-1)
    targets = (targets - targets.mean()) / targets.std()
    left = targets - rows @ np.linalg.lstsq(rows.astype(np.float64), targets)[0]
    least = float(np.mean(left**2))
    return {
        "least": least,
        **{
            f"{name}_excess": (own.of("train", measure=False).mean() - least) / least
            for name, own in trained.items()
        },
    }


def _warmup(full: bool) -> dict[str, Any]:
    """Return how many rates train a deep net without and with warm-up."""
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-3, 0.5, 15 if full else 4)]
    shares = {"without": 0.0, "with": 0.2}
    trained = train_lanes(
        "digits",
        {
            f"{name} {rate:g}": {
                "schedule": {"name": "constant", "warmup": share},
                "learning_rate": rate,
            }
            for name, share in shares.items()
            for rate in rates
        },
        net="mlp:" + ",".join(["32"] * 6),
        seeds=5 if full else 1,
        keys={"optimizer": "momentum", "epochs": 10 if full else 4},
    )
    accuracy = np.array([own.of("train").min() for own in trained.values()]).reshape(2, -1)
    serves = accuracy >= 0.1 + 0.8 * (accuracy.max() - 0.1)
    return {
        "rates": len(rates),
        **{f"rates_{name}": int(own.sum()) for name, own in zip(shares, serves, strict=True)},
        **{
            f"highest_{name}": max(np.array(rates)[own], default=0.0)
            for name, own in zip(shares, serves, strict=True)
        },
    }


def measure(full: bool) -> Found:
    """End a noisy descent with each schedule, and start a deep net with and without warm-up."""
    total = 1000
    warm = [float(learning_rate("constant", step, total, 1.0, {"warmup": 0.1})) for step in (0, 99)]
    steps = np.arange(0, total, 10)
    lines = [
        series(name, steps, learning_rate(name, steps, total, 1.0, numbers), role=role)
        for role, (name, numbers) in enumerate(_SCHEDULES.items())
    ]
    title = "The rate over a run, as a share of its full value"
    chart = plot("schedules", title, axis("step"), axis("η / full η", low=0), lines)
    numbers = {**_decays(full), **_warmup(full), "first_share": warm[0], "peak_share": warm[1]}
    return Found(numbers, {"": chart})
