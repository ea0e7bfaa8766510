"""Which update rule: what each does with gradients that are known, and which learns digits."""

from __future__ import annotations

import tempfile
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import surefoot as sf
from handbook.study import Found
from surefoot.optim import RULES, build
from surefoot.recipe import RULES as SECTIONS
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "adagrad-decays": lambda n: abs(n["adagrad_late"] - 0.1) < 1e-3,
    "rmsprop-stays": lambda n: abs(n["rmsprop_late"] - 1) < 1e-3,
    "adam-scale": lambda n: n["adam_spread"] < 1e-3 and n["sgd_spread"] > 1e5,
    "radam-waits": lambda n: n["radam_plain_steps"] >= 4,
    "quickprop": lambda n: n["quickprop_steps"] <= 5 < n["sgd_steps"],
    "ranking": lambda n: not n["ranking"] or n["ranking"][0][1] - n["ranking"][-1][1] < 0.1,
}
_SHOWN = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "radam")


def _numbers(name: str) -> dict[str, float]:
    """Return a rule's textbook numbers."""
    return {key: value for key, value in SECTIONS[name]().model_dump().items() if key != "name"}


def _walk(name: str, slope: Any, start: float, steps: int, rate: float = 1.0) -> NDArray[Any]:
    """Return the places of one weight, [steps + 1]; `slope` is its gradient by place."""
    rule = build(name, _numbers(name), rate)

    def step(carried: Any, _: None) -> Any:
        place, state = carried
        update, state = rule.update(slope(place), state, place)
        return (place + update, state), place + update

    first = jnp.asarray(start)
    _, places = jax.lax.scan(step, (first, rule.init(first)), None, steps)
    return np.concatenate([[start], np.asarray(places)])


def _constant(name: str, size: float = 1.0, steps: int = 100) -> NDArray[Any]:
    """Return the lengths of the steps where the gradient is always the same, over the rate."""
    return -np.diff(_walk(name, lambda place: jnp.full_like(place, size), 0.0, steps))


def _spread(name: str) -> float:
    """Return the longest over the shortest first step, for gradients of very different sizes."""
    firsts = [_constant(name, size, 1)[0] for size in (1e-3, 1.0, 1e3)]
    return max(firsts) / min(firsts) - 1


def _steps_to_bottom(name: str, rate: float) -> int:
    """Return the steps until a parabola's height is a millionth of what it was."""
    places = _walk(name, lambda place: place, 1.0, 400, rate)
    return int(np.flatnonzero(places**2 > 1e-6)[-1]) + 1


def _ranking(full: bool) -> dict[str, Any]:
    if not full:
        return {"ranking": []}
    with tempfile.TemporaryDirectory() as folder:
        found = sf.ready_study("optimizers", "digits", seeds=8, out=f"{folder}/study")
        table = found.table()
        order = np.argsort(-table["mean"])
        names = [str(table["optimizer"][i]) for i in order]
        columns = ("mean", "learning_rate", "rates_that_train")
        rows = [
            [name, *(float(table[c][i]) for c in columns)]
            for name, i in zip(names, order, strict=True)
        ]
    return {"ranking": rows}


def measure(full: bool) -> Found:
    """Give each rule a constant gradient, gradients of many sizes, and a parabola."""
    late = {name: float(_constant(name)[-1]) for name in RULES if name != "quickprop"}
    radam = _constant("radam", 10.0, 20)
    numbers = {
        **{f"{name}_late": value for name, value in late.items()},
        "adam_spread": _spread("adam"),
        "sgd_spread": _spread("sgd"),
        # Till the variance is known a step is as long as the averaged gradient; then, as 1.
        "radam_plain_steps": int((np.abs(radam - 10) < 0.1).sum()),
        "quickprop_steps": _steps_to_bottom("quickprop", 0.1),
        "sgd_steps": _steps_to_bottom("sgd", 0.1),
        **_ranking(full),
    }
    steps = np.arange(1, 101)
    lines = [series(name, steps, _constant(name), role=role) for role, name in enumerate(_SHOWN)]
    title = "Length of a step over η, where the gradient is always 1"
    chart = plot("steps", title, axis("step"), axis("step / η", "log"), lines)
    return Found(numbers, {"": chart})
