"""Any optimizer of Optax, by its name there."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from surefoot.errors import RecipeError, nearest


def from_optax(
    name: str, options: Mapping[str, Any], learning_rate: ArrayLike = 1e-3
) -> optax.GradientTransformation:
    """Return an optimizer of Optax, after a trial that nothing is computed in.

    Args:
        name: "optax." and the name of a public function of Optax that takes ``learning_rate``
            and returns a transformation.
        options: that function's further arguments. They are part of the program: recipes that
            differ in them do not share one.
        learning_rate: of this step; may be traced.

    Raises:
        RecipeError: there is no such function, it does not take such an argument, or it needs
            more than gradients, parameters and a rate (as ``optax.lbfgs`` does, the loss).

    >>> rule = from_optax("optax.lion", {"b1": 0.5}, 0.1)
    >>> weight = jnp.array([1.0])
    >>> update, _ = rule.update(jnp.array([2.0]), rule.init(weight), weight)
    >>> round(float(update[0]), 3)  # −η times the sign, and a little decay
    -0.1
    """
    short = name.removeprefix("optax.")
    found = _optimizers()
    if short not in found:
        raise RecipeError(
            f"optimizer.name: Optax has no optimizer {short!r}{nearest(short, found)} "
            f"(allowed: {', '.join(found)})"
        )
    function = found[short]
    allowed = [key for key in inspect.signature(function).parameters if key != "learning_rate"]
    for key in options:
        if key not in allowed:
            raise RecipeError(
                f"optimizer.options: {name} takes no argument {key!r}{nearest(key, allowed)} "
                f"(allowed: {', '.join(allowed)})"
            )
    _try(name, function, options)
    return function(learning_rate=learning_rate, **options)


@cache
def _optimizers() -> dict[str, Callable[..., optax.GradientTransformation]]:
    """Return Optax's optimizers by name; parts of them, ``scale_by_…``, are none."""
    found = {}
    for name, value in vars(optax).items():
        if name.startswith(("_", "scale_by_")) or not isinstance(value, FunctionType | partial):
            continue
        signature = inspect.signature(value)
        returns = signature.return_annotation
        if (
            "learning_rate" in signature.parameters
            and isinstance(returns, type)
            and issubclass(returns, optax.GradientTransformation)
        ):
            found[name] = value
    return dict(sorted(found.items()))


def _try(
    name: str, function: Callable[..., optax.GradientTransformation], options: Mapping[str, Any]
) -> None:
    """Trace a step of the optimizer with a traced rate; refuse it in one line if that fails."""

    def step(params: Any, rate: Any) -> Any:
        rule = function(learning_rate=rate, **options)
        return rule.update(params, rule.init(params), params)

    params = {"kernel": jax.ShapeDtypeStruct((2, 2), jnp.float32)}
    try:
        with warnings.catch_warnings():
            # What Optax warns of (a missing key of randomness) would not be right either.
            warnings.simplefilter("error")
            jax.eval_shape(step, params, jax.ShapeDtypeStruct((), jnp.float32))
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RecipeError(
            f"optimizer: {name} with options {dict(options)} cannot be used here: {reason}; "
            "give it other options, or choose another optimizer"
        ) from error
