"""What every algorithm of evolution has: ask for a population, tell its losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Numbers = Mapping[str, ArrayLike]


class Start(NamedTuple):
    """Where evolution begins.

    Attributes:
        genome: a first solution, [weights].
        mean: around which a population is drawn, [weights].
        spread: the standard deviation of each weight in it, [weights].
    """

    genome: Array
    mean: Array
    spread: Array


class Algorithm(Protocol):
    """Pure functions from state to state; a state is a tree of arrays.

    Numbers are traced values, so that they may differ between the lanes of one program. The size
    of a population and the names of its operators are structure.
    """

    def start(self, start: Start, key: Array, numbers: Numbers) -> Any:
        """Return the first state."""

    def ask(self, state: Any, key: Array, numbers: Numbers) -> Array:
        """Return the population whose losses are wanted, [individuals, weights]."""

    def tell(
        self, state: Any, population: Array, losses: Array, key: Array, numbers: Numbers
    ) -> Any:
        """Return the state after these losses, [individuals]: finite ones, or ∞."""

    def best(self, state: Any) -> Array:
        """Return the solution that the state stands for, [weights]."""


def comparable(losses: Array) -> Array:
    """Return the losses with ∞ for what is no number: nothing is worse.

    >>> comparable(jnp.array([1.0, jnp.nan, -jnp.inf])).tolist()
    [1.0, inf, inf]
    """
    return jnp.where(jnp.isfinite(losses), losses, jnp.inf)
