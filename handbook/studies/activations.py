"""Activations: their curves, their slopes, and what they do to a signal."""

from __future__ import annotations

import tempfile
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.job import prepare
from surefoot.nn.activations import ACTIVATIONS
from surefoot.recipe import numbers as numbers_of
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "slopes": lambda n: (
        n["rows"]["sigmoid"]["steepest"] == 0.25 and n["rows"]["tanh"]["steepest"] == 1
    ),
    "tanh": lambda n: n["tanh_differs"] < 1e-6,
    "sparse": lambda n: abs(n["rows"]["relu"]["zeros"] - 0.5) < 0.02 and n["only_sparse"],
    "step": lambda n: n["step_moved"] == 0 and n["step_reaches"] < n["relu_reaches"] - 0.05,
}
_BOUNDED = ("step", "sigmoid", "tanh", "softplus")
_RECTIFIED = ("relu", "leaky_relu", "rrelu", "elu", "selu", "gelu", "silu")
_HIDDEN = (*_BOUNDED, "identity", *_RECTIFIED, "prelu")


_GRID = np.linspace(-6, 6, 1201)
_NOISE = np.random.default_rng(0).standard_normal(20_000)
# Those of the grid from −4 to 4 that are drawn.
_DRAWN = slice(200, 1001, 5)
Curve = tuple[NDArray[Any], NDArray[Any]]


def _curve(name: str) -> tuple[Curve, Curve]:
    """Return an activation's outputs and slopes in evaluation: on the grid, and of the noise."""
    own = jax.jit(jax.vmap(jax.value_and_grad(lambda place: ACTIVATIONS[name](place))))
    values = [np.asarray(part) for part in own(np.float32(np.concatenate([_GRID, _NOISE])))]
    grid, noise = zip(*(np.split(part, [len(_GRID)]) for part in values), strict=True)
    return grid, noise


def _row(grid: Curve, noise: Curve) -> dict[str, float]:
    """Return what an activation does to numbers of N(0, 1)."""
    outputs, slopes = noise
    return {
        "zeros": float((outputs == 0).mean()),
        "mean": float(outputs.mean()),
        "steepest": float(np.abs(grid[1]).max()),
        "mean_slope": float(slopes.mean()),
        "flat": float((np.abs(slopes) < 0.01).mean()),
    }


def _step(full: bool) -> dict[str, float]:
    """Train two layers with a step and with ReLU between them."""
    net = [{"dense": 32}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]
    trained = train_lanes(
        "digits",
        {name: {"net.layers.1.activation": name} for name in ("relu", "step")},
        net=net,
        seeds=5 if full else 1,
        keys={"epochs": 20 if full else 5, "learning_rate": 0.005},
    )
    result = trained["step"].results[0]
    job = prepare("digits", net=net, facts=False)
    start, _ = job.cohort.blueprint.network.init(0, numbers_of(job.recipe)["net"])
    moved = np.asarray(result.params[0]["kernel"]) - start[0]["kernel"]
    reached = {f"{name}_reaches": own.of("validation").mean() for name, own in trained.items()}
    return {"step_moved": float(np.abs(moved).max()), **reached}


def _ranking(full: bool) -> list[list[Any]]:
    if not full:
        return []
    with tempfile.TemporaryDirectory() as folder:
        table = sf.ready_study("activations", "digits", seeds=8, out=f"{folder}/study").table()
        order = np.argsort(-table["mean"])
        columns = ("mean", "learning_rate", "rates_that_train")
        return [
            [str(table["activation"][i]), *(float(table[name][i]) for name in columns)]
            for i in order
        ]


def measure(full: bool) -> Found:
    """Draw all activations, pass noise through them, and train with a step."""
    curves = {name: _curve(name) for name in _HIDDEN}
    rows = {name: _row(*own) for name, own in curves.items()}
    tanh, slope = curves["tanh"][0]
    sparse = [name for name, row in rows.items() if row["zeros"] > 0.01]
    numbers = {
        "rows": rows,
        "tanh_differs": float(np.abs(slope - (1 - tanh**2)).max()),
        # A step is 0 as often as a ReLU; no other hidden activation is ever exactly 0.
        "only_sparse": sorted(sparse) == ["relu", "step"],
        **_step(full),
        "ranking": _ranking(full),
    }
    x = _GRID[_DRAWN]
    shown = ("step", "sigmoid", "tanh", "relu", "softplus", "leaky_relu", "elu", "gelu")
    charts = {}
    titles = ("Activations", "Their slopes, which the gradient is multiplied by")
    for which, (end, title) in enumerate(zip(("", "slopes"), titles, strict=True)):
        lines = [
            series(name, x, curves[name][0][which][_DRAWN], role=i) for i, name in enumerate(shown)
        ]
        up = axis("f′(x)" if which else "f(x)", high=None if which else 3.0)
        charts[end] = plot(end or "curves", title, axis("x"), up, lines)
    return Found(numbers, charts)
