"""Update rules on a function of two variables, from one start: their paths, and who arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from numpy.typing import NDArray

from surefoot.errors import InputError, nearest
from surefoot.landscape.functions import FUNCTIONS, Function
from surefoot.optim import build
from surefoot.recipe import RULES

# A rule is tried at all of these rates; that with which it arrives first is its own.
RATES: NDArray[np.float64] = np.logspace(-4, 0.5, 37)
# So near, for good, is arrived.
NEAR = 0.05
_MOST_STEPS = 100_000


@dataclass(frozen=True)
class Lane:
    """One rule's path.

    Attributes:
        rule: its name.
        rate: η that is shown: given, or that with which it arrives first.
        path: where it was, [steps + 1, 2]; not finite from where it diverged.
        values: f there, [steps + 1].
        arrived: after how many steps it was near a minimum for good; None where it was not.
        serving: the rates, of those tried, with which it arrives.
        tried: how many rates were tried.
    """

    rule: str
    rate: float
    path: NDArray[np.float64]
    values: NDArray[np.float64]
    arrived: int | None
    serving: tuple[float, ...]
    tried: int

    @property
    def diverged(self) -> bool:
        """Whether it ended beyond all numbers."""
        return not bool(np.isfinite(self.path[-1]).all())


@dataclass(frozen=True)
class Race:
    """The paths of some rules on one function.

    Attributes:
        name: of the function.
        function: it.
        steps: how many each rule took.
        lanes: one for each rule.
    """

    name: str
    function: Function
    steps: int
    lanes: tuple[Lane, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return {
            "function": self.name,
            "formula": self.function.formula,
            "start": list(self.function.start),
            "minima": [list(place) for place in self.function.minima],
            "steps": self.steps,
            "rules": {
                lane.rule: {
                    "learning_rate": lane.rate,
                    "arrived": lane.arrived,
                    "diverged": lane.diverged,
                    "end": lane.path[-1].tolist(),
                    "value": float(lane.values[-1]),
                    "rates_tried": lane.tried,
                    "rates_serving": list(lane.serving),
                    "path": lane.path.tolist(),
                }
                for lane in self.lanes
            },
        }


def race(
    name: str,
    rules: Sequence[str] | None = None,
    *,
    learning_rate: float | None = None,
    steps: int = 500,
) -> Race:
    """Follow update rules down a test function of two variables, all from the same start.

    Without a rate each rule is tried at 37 of them, from 0.0001 to 3.2, as lanes of one program,
    and shown at the one with which it arrives first; where it arrives with none, at the one that
    leads lowest. Arrived is: within 0.05 of a minimum, and there to the end. A rule's other
    numbers are those that a recipe has where nothing is said.

    Args:
        name: of the function: ravine, beale, saddle, rosenbrock or himmelblau.
        rules: by name; all of them where nothing is given.
        learning_rate: η of all rules.
        steps: how many updates.

    Raises:
        InputError: there is no such function or rule, or a number is not what it can be.

    >>> found = race("ravine", ["sgd", "momentum"], steps=300)
    >>> [(lane.rule, lane.arrived is not None) for lane in found.lanes]
    [('sgd', True), ('momentum', True)]
    """
    if name not in FUNCTIONS:
        raise InputError(
            f"{name}: no such test function{nearest(name, FUNCTIONS)}; there are "
            f"{', '.join(FUNCTIONS)}"
        )
    rules = list(dict.fromkeys(RULES if rules is None else rules))
    for rule in rules:
        if rule not in RULES:
            raise InputError(
                f"{rule}: no such update rule{nearest(rule, RULES)}; there are {', '.join(RULES)}"
            )
    if not rules:
        raise InputError("no update rule was given; leave --rules out to follow all of them")
    if not 1 <= steps <= _MOST_STEPS:
        raise InputError(f"steps = {steps}: must be from 1 to {_MOST_STEPS:,}")
    if learning_rate is not None and not 0 < learning_rate < float("inf"):
        raise InputError(f"learning rate = {learning_rate}: must be above 0")
    function = FUNCTIONS[name]
    rates = RATES if learning_rate is None else np.array([learning_rate])
    with jax.enable_x64(True):
        lanes = tuple(_lane(function, rule, rates, steps) for rule in rules)
    return Race(name, function, steps, lanes)


def _lane(function: Function, rule: str, rates: NDArray[np.float64], steps: int) -> Lane:
    numbers = RULES[rule]().model_dump()
    # Decay would move the minimum.
    numbers["weight_decay"] = 0.0

    def value(place: Any) -> Any:
        return function.value(place[0], place[1])

    def one(rate: Any) -> Any:
        update_rule = build(rule, numbers, rate)

        def step(carry: Any, _: None) -> Any:
            place, memory = carry
            update, memory = update_rule.update(jax.grad(value)(place), memory, place)
            place = optax.apply_updates(place, update)
            return (place, memory), (place, value(place))

        start = jnp.asarray(function.start)
        _, (path, values) = lax.scan(step, (start, update_rule.init(start)), None, steps)
        return jnp.concatenate([start[None], path]), jnp.append(value(start), values)

    paths, values = map(np.asarray, jax.jit(jax.vmap(one))(rates))
    arrived = [_arrived(path, function) for path in paths]
    ends = np.where(np.isfinite(values[:, -1]), values[:, -1], np.inf)
    # Who arrives is before who does not, then fewer steps, then the lower end.
    order = [(n is None, n or 0, end) for n, end in zip(arrived, ends, strict=True)]
    best = min(range(len(rates)), key=order.__getitem__)
    serving = tuple(float(r) for r, n in zip(rates, arrived, strict=True) if n is not None)
    rate = float(rates[best])
    return Lane(rule, rate, paths[best], values[best], arrived[best], serving, len(rates))


def _arrived(path: NDArray[np.float64], function: Function) -> int | None:
    """Return the first step from which on a path stays near one minimum."""
    minima = np.asarray(function.minima)
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.linalg.norm(path[:, None] - minima, axis=-1) <= NEAR
    first = [int(np.argmin(own[::-1])) if not own.all() else len(own) for own in near.T]
    stayed = max(first)
    return len(path) - stayed if stayed else None
