"""Ensembles: means of predictions, and means of weights."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.engine.cohort import Cohort
from surefoot.job import dataset_of
from surefoot.nn.layer import Context
from surefoot.recipe import numbers as numbers_of
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "helps": lambda n: n["gain"] > 2 * n["gain_error"] if n["groups"] > 2 else n["gain"] > 0,
    "weights": lambda n: n["averaged_weights"] < n["worst_single"] - 0.05,
}


def measure(full: bool) -> Found:
    """Train many nets on 200 rows of digits, and put them together in groups."""
    groups, members = (8, 8) if full else (2, 4)
    trained = train_lanes(
        "digits",
        {"": {}},
        net="mlp:32",
        seeds=groups * members,
        keys={"validation": 0.889, "epochs": 40, "learning_rate": 0.005},
    )[""].results
    data = dataset_of(trained[0].recipe)
    network = Cohort([trained[0].recipe], data).blueprint.network
    own = numbers_of(trained[0].recipe)["net"]
    x, y = np.asarray(data.x_val), np.asarray(data.y_val)

    def chances(params: Any) -> NDArray[Any]:
        outputs, _, _ = network.apply(params, trained[0].state, x, Context(False, None, own))
        return np.asarray(jax.nn.softmax(outputs))

    def right(shares: NDArray[Any]) -> float:
        return float((shares.argmax(axis=-1) == y).mean())

    shares = np.stack([chances(result.params) for result in trained])
    shares = shares.reshape(groups, members, *shares.shape[1:])
    single = np.array([[right(one) for one in group] for group in shares])
    sizes = list(range(1, members + 1))
    by_size = [np.mean([right(group[:size].mean(axis=0)) for group in shares]) for size in sizes]
    whole = np.array([right(group.mean(axis=0)) for group in shares])
    gains = whole - single.mean(axis=1)
    first = [result.params for result in trained[:members]]
    mean_weights = jax.tree.map(lambda *leaves: np.mean(leaves, axis=0), *first)
    numbers = {
        "groups": groups,
        "members": members,
        "single": single.mean(),
        "best_single": single.max(axis=1).mean(),
        "together": whole.mean(),
        "gain": gains.mean(),
        "gain_error": gains.std(ddof=1) / groups**0.5,
        "worst_single": single[0].min(),
        "averaged_weights": right(chances(mean_weights)),
        "by_size": by_size,
    }
    line = series("mean of predictions", sizes, by_size, role="validation")
    title = "Validation accuracy by the number of nets"
    chart = plot("members", title, axis("nets"), axis("accuracy"), [line])
    return Found(numbers, {"": chart})
