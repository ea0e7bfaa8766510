"""The mean of what is trained, carried along from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Numbers = Mapping[str, ArrayLike]


class Averaged(NamedTuple):
    """A mean of weights, and how many were taken into it.

    Attributes:
        taken: how many; while it is 0 the mean is the newest weights themselves.
        params: the mean of the weights.
        state: the mean, with the same shares, of the running averages of normalization.
    """

    taken: Array
    params: Any
    state: Any


def begin(params: Any, state: Any) -> Averaged:
    """Return the mean before the first step: a copy of what training starts from."""
    return Averaged(jnp.asarray(0, jnp.int32), *jax.tree.map(jnp.copy, (params, state)))


def take(
    mean: Averaged,
    params: Any,
    state: Any,
    step: ArrayLike,
    total_steps: ArrayLike,
    numbers: Numbers,
) -> Averaged:
    """Return the mean after a step: m ← m + share · (w − m).

    The n-th weights that are taken have the share 1/n ("stochastic"), or, with a decay d,
    (1 − d)/(1 − dⁿ), which makes m the sum of dⁿ⁻ⁱ wᵢ over the sum of dⁿ⁻ⁱ: no weight from before
    the first one counts, and the limit of d → 1 is the plain mean. The first step that is taken is
    round(start · total_steps), or the last step of the run if that is earlier; then each
    ``every``-th. Before it the mean follows the weights.

    Args:
        mean: before the step.
        params: after it.
        state: the running averages after it.
        step: its number, from 0; may be traced.
        total_steps: of the whole run.
        numbers: "start", "every", and "decay" for the exponential mean; each may be traced.

    Source: Izmailov and others 2018, algorithm 1 (stochastic); Kingma and Ba 2015, §3, for the
    correction of an exponential mean.

    >>> numbers = {"start": 0.5, "every": 1}
    >>> mean = begin(jnp.zeros(1), {})
    >>> for step, weight in enumerate([8.0, 4.0, 2.0, 6.0]):
    ...     mean = take(mean, jnp.full(1, weight), {}, step, 4, numbers)
    >>> mean.params.tolist(), int(mean.taken)
    ([4.0], 2)
    """
    leaves = jax.tree.leaves(params)
    dtype = leaves[0].dtype if leaves else jnp.result_type(float)
    step, total = jnp.asarray(step), jnp.asarray(total_steps)
    first = jnp.round(jnp.asarray(numbers["start"], dtype) * total.astype(dtype))
    after = step - jnp.minimum(first.astype(step.dtype), total.astype(step.dtype) - 1)
    every = jnp.asarray(numbers["every"]).astype(step.dtype)
    due = (after >= 0) & (after % every == 0)
    taken = mean.taken + due
    share = _share(taken, numbers, dtype)
    share = jnp.where(due, share, jnp.where(after < 0, 1, 0).astype(dtype))

    def move(mean: Array, new: Array) -> Array:
        # Where nothing was taken before, the new weights to the bit.
        moved = mean + share.astype(mean.dtype) * (new - mean)
        return jnp.where(share == 1, new, moved)

    params, state = jax.tree.map(move, (mean.params, mean.state), (params, state))
    return Averaged(taken.astype(mean.taken.dtype), params, state)


def _share(taken: Array, numbers: Numbers, dtype: Any) -> Array:
    """Return the share of the newest weights in the mean of so many."""
    count = jnp.maximum(taken, 1).astype(dtype)
    if "decay" not in numbers:
        return 1 / count
    decay = jnp.asarray(numbers["decay"], dtype)
    # 1 − dⁿ without the loss of digits where d is near 1.
    return jnp.where(taken <= 1, 1, (1 - decay) / -jnp.expm1(count * jnp.log(decay)))
