"""What dropout does: its masks, and what its rate does to a net that knows few rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from handbook.lanes import train_lanes
from handbook.strengths import by_strength
from handbook.study import Found
from surefoot.nn.dropout import Dropout
from surefoot.nn.layer import Context
from surefoot.report.charts import axis, plot

CLAIMS = {
    "evaluation": lambda n: n["evaluation_change"] == 0,
    "mean": lambda n: abs(n["mean_of_ones"] - 1) < 0.02,
    "mask": lambda n: n["mask_differs"] == 0,
    "stronger": lambda n: n["train_loss"][-1] > 3 * n["train_loss"][0],
}
_LAYER = Dropout("1")


def _masks() -> dict[str, float]:
    """Compare training with evaluation, and the forward mask with the backward one."""
    ones, rate = jnp.ones((100, 400)), {"dropout": jnp.asarray(0.5)}

    def outputs(x: jax.Array, train: bool) -> jax.Array:
        key = jax.random.key(0) if train else None
        return _LAYER.forward({}, {}, x, Context(train, key, rate))[0]

    forward, backward = outputs(ones, True), jax.grad(lambda x: outputs(x, True).sum())(ones)
    return {
        "evaluation_change": float(jnp.abs(outputs(ones, False) - ones).max()),
        "mean_of_ones": float(forward.mean()),
        "zeros": float((forward == 0).mean()),
        "mask_differs": int(((forward == 0) != (backward == 0)).sum()),
    }


def measure(full: bool) -> Found:
    """Train a wide net on 200 rows of digits with many rates of dropout."""
    rates = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] if full else [0.0, 0.5, 0.9]
    layers = [{"dense": 128}, {"activation": "relu"}, {"dropout": 0.5}]
    layers += [{"dense": "classes"}, {"activation": "softmax"}]
    trained = train_lanes(
        "digits",
        {f"{rate:g}": {"net.layers.2.dropout": rate} for rate in rates},
        net=layers,
        seeds=16 if full else 2,
        keys={"validation": 0.889, "epochs": 60 if full else 30, "learning_rate": 0.003},
    )
    numbers, lines = by_strength(trained, "rate", rates)
    title = "Accuracy by rate of dropout, 200 rows to learn from"
    chart = plot("dropout", title, axis("rate of dropout"), axis("accuracy"), lines)
    return Found({**_masks(), **numbers}, {"": chart})
