"""How many arithmetic operations a function takes, counted before the compiler changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import jax

# What only moves numbers, or says of what they are.
_FREE = frozenset(
    {
        *("reshape", "squeeze", "expand_dims", "broadcast_in_dim", "transpose", "slice", "rev"),
        *("dynamic_slice", "dynamic_update_slice", "concatenate", "split", "pad", "gather"),
        *("iota", "copy", "stop_gradient", "device_put", "convert_element_type", "select_n"),
        *("random_wrap", "random_unwrap", "random_seed", "random_fold_in", "random_bits"),
    }
)


def count_operations(function: Callable[..., Any], *arguments: Any) -> int:
    """Return how many additions, multiplications and other operations on numbers a call takes.

    A matrix product of [m, k] and [k, n] counts 2mkn, an operation on each number of an array its
    size, a sum the numbers that go in; moving numbers is free. A loop's body counts as often as
    it is run, which a compiler's own count leaves out; of branches the dearest counts, and of a
    `while` one turn.

    >>> import numpy as np
    >>> count_operations(lambda a, b: a @ b + 1, np.ones((2, 3)), np.ones((3, 4)))
    56
    """
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr: Any) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> int:
    name, params = equation.primitive.name, equation.params
    out = sum(prod(var.aval.shape) for var in equation.outvars if hasattr(var.aval, "shape"))
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        shape = equation.invars[0].aval.shape
        return 2 * out * prod(shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        layout = params["dimension_numbers"].rhs_spec
        return 2 * out * prod(kernel[axis] for axis in layout[1:])
    inner = [_count(own) for own in _inner(params)]
    if inner:
        return max(inner) if name == "cond" else sum(inner) * params.get("length", 1)
    if name in _FREE:
        return 0
    if name.startswith(("reduce", "arg", "scatter")):
        return sum(prod(var.aval.shape) for var in equation.invars[-1:]) or out
    return out


def _inner(params: Any) -> Iterator[Any]:
    """Yield the programs within an operation: a loop's body, branches, a called function."""
    for name, value in params.items():
        if name in ("fwd_jaxpr_thunk", "jvp_jaxpr_fun", "jvp_jaxpr_thunk", "bwd", "cond_jaxpr"):
            continue
        for own in value if isinstance(value, tuple | list) else (value,):
            jaxpr = getattr(own, "jaxpr", own)
            if hasattr(jaxpr, "eqns"):
                yield jaxpr
