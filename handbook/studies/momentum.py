"""Why momentum: a ravine, both forms of it, and averages that forget."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import surefoot as sf
from handbook.drawing import rings
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.optim import build
from surefoot.report.charts import Chart, axis, plot, series

CLAIMS = {
    "ravine": lambda n: n["ravine_speedup"] > 4,
    "net": lambda n: n["steps_without"] > 3 * n["steps_with"],
    "forms": lambda n: n["forms_differ"] < 1e-4,
    "correction": lambda n: n["corrected_first"] == 1 and n["uncorrected_first"] < 0.11,
}
_STEEP = 100.0  # the ravine's curvature across over that along it
_START = (-10.0, 1.0)
_LEFT = 1e-4  # the share of the way that is left where it counts as gone


def _path(numbers: dict[str, float], rate: float, steps: int, **switches: bool) -> NDArray[Any]:
    """Return where momentum goes on ½(x² + κy²), [steps + 1, 2]."""
    rule = build("momentum", numbers, rate, **switches)
    curvature = jnp.array([1.0, _STEEP])

    def step(carried: Any, _: None) -> Any:
        place, state = carried
        update, state = rule.update(curvature * place, state, place)
        return (place + update, state), place + update

    start = jnp.array(_START)
    _, places = jax.lax.scan(step, (start, rule.init(start)), None, steps)
    return np.concatenate([np.asarray(start)[None], np.asarray(places)])


def _height(path: NDArray[Any]) -> NDArray[Any]:
    return (path[:, 0] ** 2 + _STEEP * path[:, 1] ** 2) / 2


def _arrived(losses: NDArray[Any], goal: float) -> int:
    """Return after how many steps the loss stays at the goal or lower; all, where it never does."""
    above = np.flatnonzero(~(losses <= goal))
    return int(above[-1]) + 1 if len(above) else 0


def _ravine() -> tuple[dict[str, float], Chart]:
    root = np.sqrt(_STEEP)
    # The best rates there are, without and with momentum (Polyak 1964).
    plain = _path({"momentum": 0.0}, 2 / (1 + _STEEP), 1000)
    beta = float(((root - 1) / (root + 1)) ** 2)
    heavy = _path({"momentum": beta}, 4 / (root + 1) ** 2, 1000)
    goal = _LEFT * _height(plain)[0]
    steps = [_arrived(_height(path), goal) for path in (plain, heavy)]
    averaged = _path({"momentum": 0.9}, 0.01 / (1 - 0.9), 200, average=True)
    summed = _path({"momentum": 0.9}, 0.01, 200)
    numbers = {
        "steep": _STEEP,
        "plain_steps": steps[0],
        "heavy_steps": steps[1],
        "heavy_beta": beta,
        "ravine_speedup": steps[0] / steps[1],
        "forms_differ": float(np.abs(averaged - summed).max()),
    }
    x, y = np.linspace(-11, 6, 60), np.linspace(-1.6, 1.6, 40)
    heights = (x[None, :] ** 2 + _STEEP * y[:, None] ** 2) / 2
    lines = [rings(x, y, heights, [1.0, 4.0, 12.0, 30.0, 60.0, 100.0])]
    for role, (name, path) in enumerate({"without": plain, "with momentum": heavy}.items()):
        lines.append(series(name, *path[:60].T, mark="path", role=role))
    title = "60 steps in a ravine, each at its best rate"
    return numbers, plot("ravine", title, axis("x"), axis("y"), lines, named=True)


def _averages() -> tuple[dict[str, float], Chart]:
    steps = np.arange(1, 201)
    noisy = np.cos(steps / 40) + 0.5 * np.random.default_rng(0).standard_normal(len(steps))
    ones = jnp.ones(())
    firsts = {}
    for name, correct in (("corrected", True), ("uncorrected", False)):
        rule = build("momentum", {"momentum": 0.9}, 1.0, average=True, bias_correction=correct)
        update, _ = rule.update(ones, rule.init(ones), ones)
        firsts[f"{name}_first"] = -float(update)
    lines = [series("what is averaged", steps, noisy, mark="points", role=6)]
    for role, beta in enumerate((0.5, 0.9, 0.98)):
        averages, value = [], 0.0
        for step, new in zip(steps, noisy, strict=True):
            value = beta * value + (1 - beta) * new
            averages.append(value / (1 - beta**step))
        lines.append(series(f"β = {beta:g}", steps, averages, role=role))
    title = "Exponentially weighted averages, corrected for their start"
    return firsts, plot("averages", title, axis("step"), axis("value"), lines)


def _net(full: bool) -> dict[str, float]:
    """Return the steps to the end of a linear model's ravine, each β at its own best rate."""
    rates = sf.logspace(-2.5, 0, 16 if full else 6)
    betas = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99) if full else (0.0, 0.9, 0.95)
    trained = train_lanes(
        "diabetes",
        {
            f"{beta:g} {rate:g}": {
                "optimizer": {"name": "momentum", "momentum": beta, "learning_rate": float(rate)}
            }
            for beta in betas
            for rate in rates
        },
        net="mlp:",
        keys={
            "batch_size": "full",
            "data.standardize_targets": True,
            "epochs": 3000 if full else 1500,
        },
    )
    losses = np.array([own.losses[0] for own in trained.values()])
    losses = np.where(np.isfinite(losses), losses, np.inf)
    least = losses.min()
    goal = least + _LEFT * (losses[0, 0] - least)
    steps = np.array([_arrived(own, goal) for own in losses]).reshape(len(betas), -1).min(axis=1)
    best = int(np.argmin(steps))
    return {
        "steps_without": int(steps[0]),
        "steps_with": int(steps[best]),
        "best_beta": betas[best],
        "net_speedup": steps[0] / steps[best],
    }


def measure(full: bool) -> Found:
    """Descend a ravine of two weights and a linear model's, and average noise."""
    ravine, paths = _ravine()
    firsts, averages = _averages()
    return Found({**ravine, **firsts, **_net(full)}, {"": paths, "averages": averages})
