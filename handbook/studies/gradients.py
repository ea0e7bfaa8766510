"""When a gradient vanishes or explodes: layer by layer, and clipping."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.job import prepare
from surefoot.nn.layer import Context
from surefoot.optim import clip
from surefoot.recipe import numbers as numbers_of
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "vanishes": lambda n: n["sigmoid_share"] < 1e-6,
    "remedied": lambda n: 0.05 < n["relu_share"] < 20 and 0.05 < n["residual_share"] < 20,
    "explodes": lambda n: n["large_share"] > 1e3,
    "clip": lambda n: n["clipped_direction"] < 1e-6 and n["value_direction"] > 0.01,
    "cliff": lambda n: n["clipped_accuracy"] > n["plain_accuracy"] + 0.1,
}
_DEPTH, _WIDTH = 16, 32
_LARGE = {"name": "normal", "stddev": 0.5}


def _body(activation: str, initializer: Any = None) -> list[dict[str, Any]]:
    own = {} if initializer is None else {"initializer": initializer}
    return [{"dense": _WIDTH, **own}, {"activation": activation}] * _DEPTH


_NETS = {
    "sigmoid": _body("sigmoid", "glorot_normal"),
    "tanh": _body("tanh", "glorot_normal"),
    "relu": _body("relu", "he_normal"),
    "large": _body("relu", _LARGE),
    "residual": [
        {"dense": _WIDTH},
        *[
            {
                "residual": [
                    {"dense": _WIDTH, "initializer": "glorot_normal"},
                    {"activation": "sigmoid"},
                ]
            }
        ]
        * (_DEPTH - 1),
    ],
}
_TOLD = {
    "sigmoid": "sigmoid, Glorot",
    "tanh": "tanh, Glorot",
    "relu": "ReLU, He",
    "large": "ReLU, σ = 0.5",
    "residual": "sigmoid, residual",
}


def _norms(name: str) -> list[float]:
    """Return the norm of each hidden layer's weight gradient, at the start, for 256 digits."""
    output = [{"dense": "classes"}, {"activation": "softmax"}]
    job = prepare("digits", net=[*_NETS[name], *output], facts=False)
    network, data = job.cohort.blueprint.network, job.dataset
    own = numbers_of(job.recipe)["net"]
    params, state = network.init(0, own)
    x, y = jnp.asarray(data.x_train[:256]), jnp.asarray(data.y_train[:256])

    def loss(params: Any) -> jax.Array:
        z, _, _ = network.apply(params, state, x, Context(True, None, own))
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()

    gradient = jax.jit(jax.grad(loss))(params)
    kernels = [path for path, _ in jax.tree.leaves_with_path(gradient) if "kernel" in str(path)]
    leaves = dict(jax.tree.leaves_with_path(gradient))
    return [float(jnp.linalg.norm(leaves[path])) for path in kernels][:_DEPTH]


def _clipping() -> dict[str, float]:
    """Return how far a clipped gradient points away from the gradient: 1 − cosine."""
    gradient = jnp.array([3.0, -40.0, 1.0])

    def away(clipped: jax.Array) -> float:
        lengths = jnp.linalg.norm(clipped) * jnp.linalg.norm(gradient)
        return float(jnp.abs(1 - clipped @ gradient / lengths))

    return {
        "clipped_direction": away(clip(gradient, global_norm=1.0)),
        "value_direction": away(clip(gradient, value=1.0)),
    }


def _training(full: bool) -> dict[str, Any]:
    """Train a net whose gradients explode with many rates, with and without clipping."""
    ways: dict[str, dict[str, Any]] = {"plain": {}, "clipped": {"clip_norm": 1.0}}
    if full:
        ways |= {"tensor": {"clip_tensor_norm": 1.0}, "value": {"clip_value": 0.01}}
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-5, 1, 19)] if full else [0.01, 0.22]
    trained = train_lanes(
        "digits",
        {
            f"{name} {rate:g}": {**own, "learning_rate": rate}
            for name, own in ways.items()
            for rate in rates
        },
        net=[*_body("relu", _LARGE)[:12], {"dense": "classes"}, {"activation": "softmax"}],
        seeds=5 if full else 1,
        keys={"optimizer": "sgd", "epochs": 20},
    )
    accuracy = np.array([own.of("train").mean() for own in trained.values()])
    found: dict[str, Any] = {"rates": len(rates)}
    for name, own in zip(ways, accuracy.reshape(len(ways), -1), strict=True):
        found[f"{name}_accuracy"] = own.max()
        found[f"{name}_rate"] = rates[int(own.argmax())]
    return found


def measure(full: bool) -> Found:
    """Measure each layer's gradient in deep nets, and train one that explodes."""
    norms = {name: _norms(name) for name in _NETS}
    lines = [
        series(_TOLD[name], range(1, _DEPTH + 1), own, role=role)
        for role, (name, own) in enumerate(norms.items())
    ]
    title = f"Norm of each layer's gradient, {_DEPTH} layers, at the start"
    chart = plot("norms", title, axis("layer"), axis("gradient norm", "log"), lines)
    numbers = {
        "depth": _DEPTH,
        "quarter": 0.25 ** (_DEPTH - 1),
        # The second layer's: the first one has other inputs, and so another norm.
        **{f"{name}_share": own[1] / own[-1] for name, own in norms.items()},
        **_clipping(),
        **_training(full),
    }
    numbers["large_share"] = max(norms["large"]) / norms["relu"][int(np.argmax(norms["large"]))]
    return Found(numbers, {"": chart})
