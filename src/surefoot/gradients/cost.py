"""What a gradient costs by each mode."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from surefoot.gradients.operations import count_operations

# Each is timed for so long, and at least so often; the quickest counts.
_SECONDS, _TIMES = 0.15, 3


@dataclass(frozen=True)
class Mode:
    """What one mode needs for the whole gradient.

    Attributes:
        name: "reverse", "forward" or "differences".
        passes: how often the function is gone through.
        operations: of all passes.
        seconds: of one pass, measured.
    """

    name: str
    passes: int
    operations: int
    seconds: float

    @property
    def total_seconds(self) -> float:
        """Return the time of all passes, one after another."""
        return self.passes * self.seconds


@dataclass(frozen=True)
class Cost:
    """What a gradient costs by each mode.

    Attributes:
        inputs: n, how many weights the function has.
        loss_operations: of the function alone.
        loss_seconds: its time, measured.
        modes: reverse, forward where it is defined, differences.
    """

    inputs: int
    loss_operations: int
    loss_seconds: float
    modes: tuple[Mode, ...]

    @property
    def cheapest(self) -> Mode:
        """Return the mode with the fewest operations."""
        return min(self.modes, key=lambda mode: mode.operations)

    @property
    def sentence(self) -> str:
        """Say which mode is cheaper here, and why."""
        named = {mode.name: mode for mode in self.modes}
        reverse, differences = named["reverse"], named["differences"]
        dear, each = f"{self.inputs:,}", reverse.operations / max(self.loss_operations, 1)
        begin = f"The loss is one number of {dear} weight{'' if self.inputs == 1 else 's'}. "
        if self.cheapest is not reverse:
            return (
                f"{begin}{self.cheapest.name.capitalize()} mode is cheaper here: there are so few "
                f"inputs that {self.cheapest.passes} of its passes take fewer operations than the "
                f"one of reverse mode, which is {each:.1f} times the loss alone."
            )
        text = (
            f"{begin}Reverse mode is cheaper here: one pass, {each:.1f} times the operations of "
            f"the loss alone, gives all {dear} derivatives, for it carries one number's gradient "
            "back to every weight. "
        )
        if "forward" in named:
            ratio = named["forward"].operations / max(reverse.operations, 1)
            text += (
                "Forward mode carries one weight's change on to every output, so it needs "
                f"{dear} passes, {ratio:,.0f} times the operations; it would be cheaper for many "
                "outputs of few inputs. "
            )
        else:
            text += "Forward mode is not defined: a gradient is written by hand for reverse mode. "
        return text + f"Finite differences need {differences.passes:,} losses."


def measure_cost(loss: Callable[[Any], Any], theta: Any) -> Cost:
    """Count and time one pass of each mode, and multiply by the passes that each needs.

    | mode | passes for n inputs and one output |
    | --- | --- |
    | reverse | 1: loss and gradient |
    | forward | n: the derivative along one input |
    | differences | 2n losses |

    Operations are counted before compilation (`count_operations`), times measured after it.

    Args:
        loss: from a vector to a number.
        theta: where, [n].

    >>> cost = measure_cost(lambda w: jnp.sum(jnp.sin(w) ** 2), jnp.ones(100))
    >>> [mode.passes for mode in cost.modes], cost.cheapest.name
    ([1, 100, 200], 'reverse')
    """
    size = len(theta)
    direction = jnp.zeros_like(theta).at[0].set(1.0)

    def forward(theta: Any) -> Any:
        return jax.jvp(loss, (theta,), (direction,))[1]

    passes: list[tuple[str, int, Callable[[Any], Any]]] = [
        ("reverse", 1, jax.value_and_grad(loss)),
        ("forward", size, forward),
    ]
    alone, seconds = count_operations(loss, theta), _time(loss, theta)
    modes = []
    for name, count, function in passes:
        try:
            own = Mode(name, count, count * count_operations(function, theta), 0.0)
            modes.append(Mode(name, count, own.operations, _time(function, theta)))
        except TypeError as error:
            if "custom_vjp" not in str(error):
                raise
    modes.append(Mode("differences", 2 * size, 2 * size * alone, seconds))
    return Cost(size, alone, seconds, tuple(modes))


def _time(function: Callable[[Any], Any], theta: Any) -> float:
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(theta))
    began, times = time.perf_counter(), []
    while len(times) < _TIMES or time.perf_counter() - began < _SECONDS:
        start = time.perf_counter()
        jax.block_until_ready(compiled(theta))
        times.append(time.perf_counter() - start)
    return min(times)
