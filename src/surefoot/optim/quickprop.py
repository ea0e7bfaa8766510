"""Quickprop: a jump to the minimum of the parabola through the last two slopes."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.typing import ArrayLike


class QuickpropState(NamedTuple):
    """What Quickprop remembers of the step before, both of the parameters' shapes.

    Attributes:
        slope: S(t−1).
        step: Δw(t−1).
    """

    slope: Any
    step: Any


def quickprop(learning_rate: ArrayLike, growth: ArrayLike = 1.75) -> optax.GradientTransformation:
    """Return Fahlman's rule, for each weight by itself, with the slope S = ∂E/∂w.

    The last two slopes are taken for points of a parabola's derivative. Its zero lies at
    Δw(t) = a·Δw(t−1) with a = S(t)/(S(t−1) − S(t)). Three cases:

    - the slope changed its sign: the minimum lies between the last two points, −1 < a < 0, and
      the jump goes back to it;
    - the slope fell to less than μ/(1 + μ) of the last one: 0 < a < μ, and the jump goes on;
    - else the parabola has its minimum too far ahead (a ≥ μ), nowhere (equal slopes), or behind
      (the slope grew): a = μ.

    The gradient term −η S(t) is added to the jump unless the slope changed its sign; as slope and
    step are zero before the first step, it is the whole of the first step, and of the step that
    follows a slope of zero. No jump is longer than μ times the last step (the gradient term is
    not counted, as in the author's program). There is no division by zero: a quotient is formed
    only where S(t−1) and S(t) differ.

    The rule was made for whole-batch slopes; the noise of small batches disturbs its parabola.

    Args:
        learning_rate: η; may be traced.
        growth: μ, the author's 1.75; may be traced.

    Source: Fahlman 1988, *An empirical study of learning speed in back-propagation networks*,
    CMU-CS-88-162.

    On E = w² from w = 1 the second jump would land at the minimum, were it not for μ:

    >>> rule = quickprop(0.25)
    >>> step, state = rule.update(jnp.array(2.0), rule.init(jnp.array(1.0)))
    >>> float(step)  # −0.25 · 2, to w = 0.5
    -0.5
    >>> step, state = rule.update(jnp.array(1.0), state)
    >>> float(step)  # a = 1/(2 − 1), and the gradient term −0.25 · 1
    -0.75
    """

    def init(params: Any) -> QuickpropState:
        return QuickpropState(optax.tree.zeros_like(params), optax.tree.zeros_like(params))

    def update(
        updates: Any, state: QuickpropState, params: Any = None
    ) -> tuple[Any, QuickpropState]:
        del params

        def one(slope: Array, last_slope: Array, last_step: Array) -> Array:
            turned = jnp.sign(slope) * jnp.sign(last_slope) < 0
            # a ≥ μ, a < 0 by a grown slope and a = ∞ are one condition on |S|.
            limited = ~turned & ((1 + growth) * jnp.abs(slope) >= growth * jnp.abs(last_slope))
            fall = jnp.where(limited, 1, last_slope - slope)
            factor = jnp.where(limited, growth, jnp.maximum(slope / fall, -growth))
            return factor * last_step - jnp.where(turned, 0, learning_rate * slope)

        steps = jax.tree.map(one, updates, state.slope, state.step)
        return steps, QuickpropState(updates, steps)

    return optax.GradientTransformation(init, update)
