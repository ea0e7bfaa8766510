"""Back-propagation: its two halves, its check, and what each mode costs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from handbook.study import Found
from surefoot.job import prepare
from surefoot.nn.layer import Context
from surefoot.recipe import numbers as numbers_of
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "halves": lambda n: n["weights_differ"] < 1e-12 and n["inputs_differ"] < 1e-12,
    "agree": lambda n: n["forward_differs"] < 1e-12 and n["finite_differs"] < 1e-6,
    "valley": lambda n: min(n["errors"]) < 1e-3 * min(n["errors"][0], n["errors"][-1]),
    "cost": lambda n: n["reverse_cost"] < 6 and n["forward_cost"] > n["weights"] / 2,
}
_STEPS = [10.0**power for power in range(-13, 0)]


def _halves() -> dict[str, float]:
    """Compare ∂W = zᵀg and ∂z = gWᵀ with what differentiation says of z W."""
    keys = jax.random.split(jax.random.key(0), 3)
    z, weights, signal = (
        jax.random.normal(key, shape)
        for key, shape in zip(keys, ((5, 4), (4, 3), (5, 3)), strict=True)
    )
    _, back = jax.vjp(lambda z, w: z @ w, z, weights)
    by_inputs, by_weights = back(signal)
    return {
        "weights_differ": float(jnp.abs(by_weights - z.T @ signal).max()),
        "inputs_differ": float(jnp.abs(by_inputs - signal @ weights.T).max()),
    }


def _loss() -> tuple[Any, jax.Array]:
    """Return a small net's loss as a function of one vector of weights, and that vector."""
    hidden = [{"dense": 8}, {"activation": "tanh"}] * 2
    net = [*hidden, {"dense": "classes"}, {"activation": "softmax"}]
    job = prepare("iris", net=net, facts=False)
    network, data = job.cohort.blueprint.network, job.dataset
    own = jax.tree.map(lambda value: np.asarray(value, np.float64), numbers_of(job.recipe)["net"])
    params, state = network.init(0, own, np.float64)
    theta, unravel = ravel_pytree(params)
    x, y = jnp.asarray(data.x_train, jnp.float64), jnp.asarray(data.y_train)

    def loss(theta: jax.Array) -> jax.Array:
        z, _, _ = network.apply(unravel(theta), state, x, Context(True, None, own))
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()

    return loss, theta


def _operations(function: Any, theta: jax.Array) -> float:
    """Return how many operations a compiled function takes, as the compiler counts them."""
    return float(jax.jit(function).lower(theta).compile().cost_analysis()["flops"])


def measure(full: bool) -> Found:
    """Check a small net's gradient three ways, and count what the ways cost."""
    with jax.enable_x64(True):
        loss, theta = _loss()
        reverse = jax.jit(jax.grad(loss))(theta)
        # One pass for each weight: a unit vector goes through, and its derivative comes out.
        forward = jax.jit(jax.jacfwd(loss))(theta)
        values = jax.jit(jax.vmap(loss))
        norm = jnp.linalg.norm(reverse)
        errors = []
        for step in _STEPS:
            moves = step * jnp.eye(len(theta))
            slopes = (values(theta + moves) - values(theta - moves)) / (2 * step)
            errors.append(float(jnp.linalg.norm(slopes - reverse) / norm))
        once = _operations(loss, theta)
        single = _operations(lambda t: jax.jvp(loss, (t,), (jnp.ones_like(t),))[1], theta)
        numbers = {
            **_halves(),
            "weights": len(theta),
            "forward_differs": float(jnp.linalg.norm(forward - reverse) / norm),
            "finite_differs": min(errors),
            "best_step": _STEPS[int(np.argmin(errors))],
            "errors": errors,
            "reverse_cost": _operations(jax.grad(loss), theta) / once,
            "forward_cost": len(theta) * single / once,
            "finite_cost": 2 * len(theta),
        }
    line = series("central differences", _STEPS, errors, role=0)
    across, up = axis("step of the difference", "log"), axis("relative error", "log")
    chart = plot("check", "Error of numerical gradients by their step, float64", across, up, [line])
    return Found(numbers, {"": chart})
