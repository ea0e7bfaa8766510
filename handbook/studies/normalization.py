"""Why normalize inputs: the error surface of raw and of standardized features."""

from __future__ import annotations

import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.job import prepare
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "ravine": lambda n: n["raw_condition"] > 1e4 > 10 * n["scaled_condition"],
    "learns": lambda n: n["scaled_accuracy"] > n["raw_accuracy"] + 0.1,
}


def _condition(standardize: bool) -> float:
    """Return the largest over the smallest curvature of a linear model's squared error."""
    keys = {"data.standardize": standardize}
    data = prepare("wine", net="mlp:", keys=keys, facts=False).dataset
    rows = np.asarray(data.x_train, np.float64)
    rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    curvatures = np.linalg.eigvalsh(rows.T @ rows)
    return float(curvatures[-1] / curvatures[0])


def measure(full: bool) -> Found:
    """Train on the wine data as they are and standardized, with many rates."""
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-6, 1, 22 if full else 8)]
    trained = train_lanes(
        "wine",
        {
            f"{name} {rate:g}": {"data.standardize": name == "scaled", "learning_rate": rate}
            for name in ("raw", "scaled")
            for rate in rates
        },
        net="mlp:16",
        seeds=8 if full else 2,
        keys={"optimizer": "sgd", "epochs": 50 if full else 30},
    )
    accuracy = np.array([own.of("train").mean() for own in trained.values()]).reshape(2, -1)
    raw, scaled = accuracy
    names = {"raw": raw, "standardized": scaled}
    lines = [series(n, rates, own, role=role) for role, (n, own) in enumerate(names.items())]
    title = "Training accuracy on the wine data by rate"
    chart = plot("scaling", title, axis("learning rate η", "log"), axis("accuracy"), lines)
    numbers = {
        "raw_condition": _condition(standardize=False),
        "scaled_condition": _condition(standardize=True),
        "rates": len(rates),
        "raw_accuracy": raw.max(),
        "raw_rate": rates[int(raw.argmax())],
        "scaled_accuracy": scaled.max(),
        "scaled_rate": rates[int(scaled.argmax())],
        "scaled_good": int((scaled > 0.95).sum()),
        "raw_good": int((raw > 0.95).sum()),
    }
    return Found(numbers, {"": chart})
