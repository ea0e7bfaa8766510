"""One hidden layer approximates any function: built by hand, and trained."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.nn.activations import ACTIVATIONS
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "built": lambda n: all(a > 1.6 * b for a, b in zip(n["built"], n["built"][1:], strict=False)),
    "trained": lambda n: n["trained"][-1] < n["trained"][0] / 3,
}
_STEEP = 20.0  # how many times steeper than a stair is wide


def _target(x: NDArray[Any]) -> NDArray[Any]:
    """Return what is to be approximated on [−1, 1]: two waves and a corner."""
    return np.sin(4 * x) + 0.5 * np.sin(11 * x) + np.abs(x - 0.3)


def _staircase(units: int, x: NDArray[Any]) -> NDArray[Any]:
    """Return a layer of sigmoids that are set by hand, one for each stair.

    Unit k turns on at the place t_k, and is weighed with how much the target rises there.
    """
    edges = np.linspace(-1, 1, units + 1)
    width = edges[1] - edges[0]
    places, heights = edges[:-1] + width / 2, np.diff(_target(edges))
    inputs = np.clip(_STEEP / width * (x[:, None] - places), -80, 80)
    hidden = np.asarray(ACTIVATIONS["sigmoid"](inputs.astype(np.float32)))
    return _target(edges[:1]) + hidden @ heights


def _trained(widths: list[int], full: bool) -> tuple[list[float], dict[str, NDArray[Any]]]:
    """Train layers of tanh on 400 points; return their errors, and what they predict."""
    x = np.linspace(-1, 1, 400)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.npz"
        np.savez(path, x=x[:, None], y=_target(x))
        trained = train_lanes(
            str(path),
            {str(width): {"net.layers.0.dense": width} for width in widths},
            net=[{"dense": 1}, {"activation": "tanh"}, {"dense": 1}],
            seeds=3 if full else 1,
            keys={
                "loss": "mean_squared_error",
                "epochs": 2000 if full else 150,
                "learning_rate": 0.01,
                "schedule": "cosine",
                "net.initializer": {"name": "normal", "stddev": 2.0},
                "net.bias_initializer": {"name": "normal", "stddev": 2.0},
                "data.validation": 0.0,
                "net.layers.2.initializer": "glorot_normal",
            },
        )
    curves = {}
    for width, own in trained.items():
        hidden, _, last = (
            {key: np.asarray(value, np.float64) for key, value in layer.items()}
            for layer in own.results[0].params
        )
        inputs = (x[:, None] - x.mean()) / x.std()
        layer = np.tanh(inputs @ hidden["kernel"] + hidden["bias"])
        curves[width] = (layer @ last["kernel"] + last["bias"])[:, 0]
    return [float(own.of("train").mean()) for own in trained.values()], curves


def measure(full: bool) -> Found:
    """Approximate a curve by stairs of sigmoids, and by trained layers of several widths."""
    x = np.linspace(-1, 1, 2001)
    widths = [10, 20, 40, 80, 160]
    built = [float(np.abs(_staircase(units, x) - _target(x)).max()) for units in widths]
    sizes = [1, 2, 4, 8, 16, 32, 64] if full else [1, 32]
    errors, curves = _trained(sizes, full)
    near = np.linspace(-1, 1, 400)
    lines = [series("the function", near, _target(near), role=6)]
    shown = ("2", "8", "64") if full else ("32",)
    lines += [
        series(f"{width} units", near, curves[width], role=role) for role, width in enumerate(shown)
    ]
    title = "One hidden layer of tanh, trained on 400 points"
    chart = plot("curve", title, axis("x"), axis("f(x)"), lines)
    numbers = {
        "widths": widths,
        "built": built,
        "sizes": sizes,
        "trained": errors,
        "spread": float(_target(near).std()),
    }
    return Found(numbers, {"": chart})
