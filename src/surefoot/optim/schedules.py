"""Schedules of the learning rate by name, with traced numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax.numpy as jnp
import optax
from jax import Array
from jax.typing import ArrayLike

from surefoot.errors import RecipeError, nearest

Numbers = Mapping[str, ArrayLike]


def _one(progress: Array, numbers: Numbers) -> Array:
    return jnp.ones_like(progress)


def _step(progress: Array, numbers: Numbers) -> Array:
    # A quotient that is a whole number but for its last bits counts as that number.
    drops = progress / numbers["every"] * (1 + 4 * jnp.finfo(progress.dtype).eps)
    return numbers["factor"] ** jnp.floor(drops)


def _exponential(progress: Array, numbers: Numbers) -> Array:
    return numbers["factor"] ** progress


def _inverse_time(progress: Array, numbers: Numbers) -> Array:
    return 1 / (1 + numbers["decay"] * progress)


def _cosine(progress: Array, numbers: Numbers) -> Array:
    return optax.cosine_decay_schedule(1.0, decay_steps=1, alpha=numbers["final"])(progress)


def _cyclic_cosine(progress: Array, numbers: Numbers) -> Array:
    # As above: a cycle that is over but for its last bits has ended, and the next one begins.
    cycles = progress * jnp.asarray(numbers["cycles"], progress.dtype)
    begun = jnp.floor(cycles * (1 + 4 * jnp.finfo(progress.dtype).eps))
    done = jnp.where(progress < 1, jnp.clip(cycles - begun, 0, 1), 1)
    return _cosine(done, numbers)


Decay = Callable[[Array, Numbers], Array]

# Of Optax's decays only the cosine takes a traced length or rate.
_DECAYS: Mapping[str, Decay] = MappingProxyType(
    {
        "constant": _one,
        "step": _step,
        "exponential": _exponential,
        "inverse_time": _inverse_time,
        "cosine": _cosine,
        "cyclic_cosine": _cyclic_cosine,
        "plateau": _one,  # what it multiplies the rate by is decided between epochs
    }
)

SCHEDULES: tuple[str, ...] = (*_DECAYS, "transformer")


def learning_rate(
    name: str, step: ArrayLike, total_steps: ArrayLike, base: ArrayLike, numbers: Numbers
) -> Array:
    """Return η at a step.

    Warm-up takes the first w = round(warmup · total_steps) steps; in it the rate grows linearly,
    η = base · (step + 1)/w, so that it starts at base/w and the w-th step has the base rate.
    Then η = base · decay(p), with p = (step − w)/(total_steps − w) from 0 at the first step after
    the warm-up to 1 one past the last step (and after it). So the last step is one that still
    moves, and "step" makes no drop for the last step alone:

    | schedule | decay(p) |
    | --- | --- |
    | constant, plateau | 1 |
    | step | factor^⌊p/every⌋ |
    | exponential | factorᵖ |
    | inverse_time | 1/(1 + decay · p) |
    | cosine | final + (1 − final)(1 + cos πp)/2 |
    | cyclic_cosine | the same of p · cycles − ⌊p · cycles⌋ in place of p (and of 1 at p = 1) |

    The Transformer's (Vaswani and others 2017, §5.3) is base · min(t/w, √(w/t)) with t = step + 1
    and at least one step of warm-up. It is their d^−0.5 · min(t^−0.5, t · w^−1.5), times a number
    that makes its peak the base rate: both are equal at base = 1/√(d · w).

    Args:
        name: one of `SCHEDULES`.
        step: from 0; may be traced.
        total_steps: of the whole run; may be traced.
        base: the full rate; may be traced.
        numbers: "warmup", a share of all steps (0 if absent), and those of the schedule; each may
            be traced.

    Returns:
        A scalar of the base rate's type, finite for every step and any number of steps.

    Raises:
        RecipeError: there is no such schedule.

    >>> cosine = {"warmup": 0.2, "final": 0.0}
    >>> [round(float(learning_rate("cosine", s, 10, 1.0, cosine)), 3) for s in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if name not in SCHEDULES:
        raise RecipeError(
            f"schedule.name: unknown schedule {name!r}{nearest(name, SCHEDULES)} "
            f"(allowed: {', '.join(SCHEDULES)})"
        )
    base = jnp.asarray(base, jnp.result_type(base, float))
    step, total = jnp.asarray(step), jnp.asarray(total_steps)
    warmup = jnp.round(jnp.asarray(numbers.get("warmup", 0.0), base.dtype) * total)
    warmup = jnp.minimum(warmup.astype(total.dtype), total)
    growth_steps = jnp.maximum(warmup, 1).astype(base.dtype)
    done = (step + 1).astype(base.dtype) / growth_steps
    if name == "transformer":
        return base * jnp.minimum(done, 1 / jnp.sqrt(done))
    after = (step - warmup).astype(base.dtype)
    progress = jnp.clip(after / jnp.maximum(total - warmup, 1).astype(base.dtype), 0, 1)
    decay = _DECAYS[name](progress, numbers)
    return (base * jnp.minimum(done, 1) * decay).astype(base.dtype)
