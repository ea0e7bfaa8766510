"""Is it a saddle: stuck training whose gradient is large, and stuck training whose is 0."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

import surefoot as sf
from handbook.study import Found
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "ravine": lambda n: (
        (n["ravine_kind"], n["ravine_cause"]) == ("not-critical", "ravine")
        and n["ravine_fall"] < 0.2
        and n["ravine_gradient"] > 10
    ),
    "cured": lambda n: n["cured_loss"] < n["ravine_loss"] / 10,
    "saddle": lambda n: n["saddle_kind"] == "saddle-point" and n["saddle_gradient"] < 1e-3,
    "signs": lambda n: n["saddle_smallest"] < 0 < n["saddle_largest"],
    "escape": lambda n: n["escaped_loss"] < n["saddle_loss"] / 2 < n["waited_loss"],
}
_RULE = {"optimizer": "sgd", "batch_size": "full"}


def _judged(run: Any, name: str) -> dict[str, Any]:
    """Measure the error surface where a run ended, and say what kind of place that is."""
    numbers = sf.measure_landscape(run).numbers
    verdict = sf.judge_plateau(numbers)
    return {
        f"{name}_kind": verdict.kind,
        f"{name}_cause": verdict.cause,
        f"{name}_sentence": verdict.sentence,
        f"{name}_loss": numbers["loss"],
        f"{name}_gradient": numbers["gradient_norm"],
        f"{name}_largest": numbers["largest_eigenvalue"],
        f"{name}_smallest": numbers["smallest_eigenvalue"],
        f"{name}_turn": numbers["step_cosine"],
        "escaped_loss": numbers["escape_descent_loss"],
        "waited_loss": numbers["descent_loss"],
    }


def _saddle(folder: str) -> dict[str, Any]:
    """Train a net that starts at zero, a saddle by its symmetry."""
    hidden = [{"dense": 8}, {"activation": "tanh"}]
    net = [*hidden, {"dense": "classes"}, {"activation": "softmax"}]
    run = sf.train(
        "iris",
        net=net,
        learning_rate=0.1,
        epochs=50,
        initializer="zeros",
        out=f"{folder}/saddle",
        **_RULE,
    )
    return _judged(run, "saddle")


def measure(full: bool) -> Found:
    """Train into a ravine and onto a saddle, and ask what kind of place each is."""
    epochs = 2000 if full else 400
    with tempfile.TemporaryDirectory() as folder:
        ravine, cured = (
            sf.train(
                "wine",
                net="mlp:16",
                learning_rate=rate,
                epochs=epochs,
                standardize=scaled,
                out=f"{folder}/{scaled}",
                **_RULE,
            )
            for scaled, rate in ((False, 3e-5), (True, 0.1))
        )
        numbers = {**_judged(ravine, "ravine"), **_saddle(folder)}
        history = ravine.history
        cured_loss = float(cured.history["loss"][-1])
    loss = np.asarray(history["loss"], np.float64)
    fifth = len(loss) // 5
    early, late = loss[fifth : 2 * fifth].mean(), loss[-fifth:].mean()
    numbers |= {"epochs": epochs, "ravine_fall": 1 - late / early, "cured_loss": cured_loss}
    norm = np.asarray(history["gradient_norm"], np.float64)
    known = np.flatnonzero(np.isfinite(norm))
    every = max(1, epochs // 400)
    lines = [
        series("loss", np.arange(epochs)[::every], loss[::every], role=0),
        series("gradient norm", known, norm[known], role=1),
    ]
    title = "Stuck: the loss hardly falls, and the gradient is far from 0"
    chart = plot("stuck", title, axis("step"), axis("", "log"), lines)
    return Found(numbers, {"": chart})
