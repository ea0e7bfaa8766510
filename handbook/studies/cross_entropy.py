"""Why cross-entropy: its error surface beside that of squared error on a softmax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "wrong-and-sure": lambda n: n["cross_entropy_slope"] > 0.99 and n["squared_slope"] < 1e-3,
    "bad-start": lambda n: n["bad_cross_entropy"] > n["bad_squared"] + 0.03,
}
_SURE = 10.0


def _losses(margin: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return both losses of two classes, where the right one's logit is ahead by so much."""
    log_shares = jax.nn.log_softmax(jnp.stack([margin, jnp.zeros_like(margin)]))
    shares = jnp.exp(log_shares)
    return -log_shares[0], (1 - shares[0]) ** 2 + shares[1] ** 2


def _surface() -> tuple[NDArray[Any], list[NDArray[Any]], list[float]]:
    margins = jnp.linspace(-12, 6, 145)
    heights = [np.asarray(own) for own in jax.vmap(_losses)(margins)]
    slopes = [abs(float(own)) for own in jax.jacobian(_losses)(jnp.asarray(-_SURE))]
    return np.asarray(margins), heights, slopes


def _training(full: bool) -> dict[str, Any]:
    """Train with both losses, from the usual start and from one that is sure and wrong."""
    rates = [float(f"{rate:.2g}") for rate in sf.logspace(-3, 1.5, 10 if full else 4)]
    starts = {"usual": "he_normal", "bad": {"name": "normal", "stddev": 5.0}}
    losses = {"cross_entropy": "cross_entropy", "squared": "mean_squared_error"}
    layers = [
        {"dense": 64},
        {"activation": "relu"},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    trained = train_lanes(
        "digits",
        {
            f"{start} {name} {rate:g}": {
                "net.layers.2.initializer": initializer,
                "loss": loss,
                "learning_rate": rate,
            }
            for start, initializer in starts.items()
            for name, loss in losses.items()
            for rate in rates
        },
        net=layers,
        seeds=5 if full else 1,
        keys={"optimizer": "sgd", "epochs": 15 if full else 5, "from_logits": False},
    )
    accuracy = np.array([own.of("train").mean() for own in trained.values()])
    held = np.array([own.of("validation").mean() for own in trained.values()])
    best = accuracy.reshape(4, -1).argmax(axis=1)
    found: dict[str, Any] = {}
    for place, name in enumerate(f"{start}_{name}" for start in starts for name in losses):
        found[name] = float(held.reshape(4, -1)[place, best[place]])
        found[f"{name}_rate"] = rates[int(best[place])]
    return found


def measure(full: bool) -> Found:
    """Look at both losses where a net is sure and wrong, and train from such a start."""
    margins, heights, slopes = _surface()
    numbers = {
        "sure": _SURE,
        "cross_entropy_slope": slopes[0],
        "squared_slope": slopes[1],
        **_training(full),
    }
    names = ("cross-entropy", "squared error")
    lines = [
        series(name, margins, own, role=role)
        for role, (name, own) in enumerate(zip(names, heights, strict=True))
    ]
    title = "The loss by how far the right class is ahead"
    across = axis("logit of the right class less that of the wrong one")
    return Found(numbers, {"": plot("surface", title, across, axis("loss"), lines)})
