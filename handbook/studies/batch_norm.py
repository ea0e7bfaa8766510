"""Why normalize within the net: batch normalization, and the rates it allows."""

from __future__ import annotations

import tempfile
from typing import Any

import jax.numpy as jnp
import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.nn.batch_norm import BatchNorm
from surefoot.nn.layer import Context
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "training": lambda n: abs(n["batch_mean"]) < 1e-5 and abs(n["batch_std"] - 1) < 1e-3,
    "evaluation": lambda n: n["alone_differs"] == 0 < n["company_differs"],
    "start": lambda n: n["scale"] == 1 and n["shift"] == 0,
    "rates": lambda n: n["before_highest"] > 3 * n["without_highest"],
}
_LAYER = BatchNorm("1")
_WAYS = ("without", "before", "after")


def _modes() -> dict[str, float]:
    """Return what becomes of a batch in training, and of a row by itself in evaluation."""
    x = jnp.asarray(np.random.default_rng(0).normal(5, 3, (64, 4)), jnp.float32)
    options = {"batch_norm": {"momentum": jnp.asarray(0.9), "epsilon": jnp.asarray(1e-5)}}
    params = {"scale": jnp.ones(4), "bias": jnp.zeros(4)}
    state = {"mean": jnp.zeros(4), "variance": jnp.ones(4)}

    def outputs(x: Any, train: bool) -> Any:
        return _LAYER.forward(params, state, x, Context(train, None, options))

    y, followed = outputs(x, True)
    other, _ = outputs(jnp.concatenate([x[:1], 2 * x[1:]]), True)
    alone, _ = outputs(x[:1], False)
    among, _ = outputs(x, False)
    return {
        "batch_mean": float(y.mean()),
        "batch_std": float(y.std()),
        "company_differs": float(jnp.abs(other[0] - y[0]).max()),
        "alone_differs": float(jnp.abs(alone[0] - among[0]).max()),
        "followed_share": float((followed["mean"] / x.mean(axis=0))[0]),
        "scale": float(params["scale"][0]),
        "shift": float(params["bias"][0]),
    }


def _net(way: str, layers: int) -> list[dict[str, Any]]:
    norm, bend = {"batch_norm": {}}, {"activation": "relu"}
    hidden = {"without": [bend], "before": [norm, bend], "after": [bend, norm]}[way]
    output = [{"dense": "classes"}, {"activation": "softmax"}]
    return [*[layer for _ in range(layers) for layer in ({"dense": 64}, *hidden)], *output]


def _slices() -> tuple[dict[str, float], Any]:
    """Draw the loss along a random direction, without and with batch normalization."""
    lines, rises = [], {}
    for role, way in enumerate(_WAYS[:2]):
        with tempfile.TemporaryDirectory() as folder:
            run = sf.train(
                "digits", net=_net(way, 4), optimizer="momentum", epochs=10, out=f"{folder}/run"
            )
            places = sf.measure_surface(run, kind="slice", plane="random", points=41).points
        lines.append(series(way, places["a"], places["loss"], role=role))
        rises[f"{way}_rise"] = float(np.max(places["loss"]) - places["loss"][20])
    title = "Loss along a random direction, filters of length 1"
    return rises, plot("slices", title, axis("share of the weights"), axis("loss"), lines)


def measure(full: bool) -> Found:
    """Compare training with evaluation, and train with many rates without it and with it."""
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-4, 2, 25 if full else 7)]
    ways = _WAYS if full else _WAYS[:2]
    trained = train_lanes(
        "digits",
        {
            f"{way} {rate:g}": {"net.layers": _net(way, 4), "learning_rate": rate}
            for way in ways
            for rate in rates
        },
        net=_net("without", 4),
        seeds=8 if full else 1,
        keys={"optimizer": "momentum", "epochs": 20 if full else 3},
    )
    lowest = np.array([own.of("train").min() for own in trained.values()])
    lowest = lowest.reshape(len(ways), -1)
    held = np.array([own.of("validation").mean() for own in trained.values()]).reshape(
        len(ways), -1
    )
    serves = lowest >= 0.1 + 0.8 * (lowest.max() - 0.1)
    numbers: dict[str, Any] = {**_modes(), "rates": len(rates)}
    for way, own, accuracy in zip(ways, serves, held, strict=True):
        numbers[f"{way}_rates"] = int(own.sum())
        numbers[f"{way}_highest"] = max(np.array(rates)[own], default=0.0)
        numbers[f"{way}_best"] = accuracy.max()
    lines = [
        series(way, rates, own, role=i) for i, (way, own) in enumerate(zip(ways, held, strict=True))
    ]
    title = "Validation accuracy by rate: batch norm before, after the activation"
    charts = {"": plot("rates", title, axis("learning rate η", "log"), axis("accuracy"), lines)}
    if full:
        rises, charts["surface"] = _slices()
        numbers |= rises
    return Found(numbers, charts)
