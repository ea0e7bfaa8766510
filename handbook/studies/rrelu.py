"""RReLU in training and in evaluation, and how random its slope may be."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from handbook.lanes import train_lanes
from handbook.strengths import by_strength
from handbook.study import Found
from surefoot.nn.activations import ACTIVATIONS
from surefoot.report.charts import axis, plot

CLAIMS = {
    "training": lambda n: abs(n["mean_slope"] - n["slope"]) < 5e-3 and n["spread"] > 0.05,
    "evaluation": lambda n: n["evaluation_spread"] == 0,
    "backward": lambda n: n["slopes_differ"] < 1e-6,
    "regularizes": lambda n: n["train_loss"][-1] > n["train_loss"][0],
}
_MIDDLE = 0.25
_RRELU = ACTIVATIONS["rrelu"]


def _slopes() -> dict[str, float]:
    """Return what becomes of −1 in training, in evaluation, and of its gradient."""
    x, key = -jnp.ones(20_000), jax.random.key(0)
    trained = _RRELU(x, key=key, train=True)
    evaluated = _RRELU(x)
    gradient = jax.grad(lambda x: _RRELU(x, key=key, train=True).sum())(x)
    return {
        "low": float(-trained.max()),
        "high": float(-trained.min()),
        "mean_slope": float(-trained.mean()),
        "spread": float(trained.std()),
        "slope": float(-evaluated[0]),
        "evaluation_spread": float(evaluated.std()),
        "slopes_differ": float(jnp.abs(gradient + trained).max()),
    }


def measure(full: bool) -> Found:
    """Train a net on 200 rows of digits, with slopes from certain to very random."""
    widths = [0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0] if full else [0.0, 0.25, 2.0]
    layers = [
        {"dense": 128},
        {"activation": "rrelu", "low": _MIDDLE, "high": _MIDDLE},
        {"dense": 128},
        {"activation": "rrelu", "low": _MIDDLE, "high": _MIDDLE},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    trained = train_lanes(
        "digits",
        {
            f"{width:g}": {
                f"net.layers.{place}.{end}": _MIDDLE + sign * width
                for place in (1, 3)
                for end, sign in (("low", -1), ("high", 1))
            }
            for width in widths
        },
        net=layers,
        seeds=16 if full else 2,
        keys={"validation": 0.889, "epochs": 60 if full else 20, "learning_rate": 0.001},
    )
    numbers, lines = by_strength(trained, "width", widths)
    title = "Accuracy by half the width of the slopes' range about ¼"
    chart = plot("rrelu", title, axis("half the width"), axis("accuracy"), lines)
    return Found({**_slopes(), **numbers}, {"": chart})
