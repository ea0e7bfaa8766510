"""The algorithms of evolution on any function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray
from pydantic import ValidationError

from surefoot.errors import InputError
from surefoot.evolve.algorithm import Start, comparable
from surefoot.evolve.registry import algorithm_for
from surefoot.recipe.evolution import Evolution
from surefoot.recipe.messages import one_line
from surefoot.recipe.section import is_real, is_whole, numbers

METHODS = ("genetic", "evolution_strategy")


@dataclass(frozen=True)
class Minimum:
    """What `minimize` found.

    Attributes:
        x: the best solution that was evaluated, [weights].
        value: the function there.
        history: the best value within each generation, [generations].
        evaluations: how often the function was evaluated.
    """

    x: NDArray[Any]
    value: float
    history: NDArray[Any]
    evaluations: int


def minimize(
    function: Callable[[Array], Array],
    start: Any,
    *,
    method: str = "evolution_strategy",
    generations: int = 100,
    spread: float = 1.0,
    seed: int = 0,
    **keys: Any,
) -> Minimum:
    """Minimize a function without its gradient, all individuals and generations in one program.

    Args:
        function: from one solution, [weights], to its value, a number; JAX can trace it.
        start: the first solution, [weights].
        method: "genetic" or "evolution_strategy".
        generations: how many.
        spread: standard deviation of a genetic algorithm's first population around ``start``.
        seed: of all randomness.
        **keys: those of `[evolution]` in a recipe, such as ``population=512``, ``sigma=0.5``.

    Returns:
        The best solution of all that were evaluated.

    Raises:
        InputError: an argument is out of bounds.
        RecipeError: a key of `[evolution]` is unknown or out of bounds.

    >>> found = minimize(lambda x: jnp.sum((x - 3) ** 2), [0.0, 0.0], generations=60, sigma=1.0)
    >>> found.x.round(3).tolist(), found.evaluations
    ([3.0, 3.0], 15360)
    """
    _check(method, generations, spread, seed)
    try:
        section = Evolution(**keys)
    except ValidationError as error:
        raise one_line(error, "evolution") from None
    genome = jnp.asarray(start, jnp.result_type(float))
    if genome.ndim != 1 or genome.size == 0:
        raise InputError(f"start: must be a vector of numbers, and has shape {genome.shape}")
    search = partial(_search, function, method, section, generations)
    best, value, history = jax.jit(search)(
        genome, jnp.asarray(spread, genome.dtype), jax.random.key(seed), numbers(section)
    )
    return Minimum(
        np.asarray(best), float(value), np.asarray(history), generations * section.population
    )


def _check(method: str, generations: int, spread: float, seed: int) -> None:
    if method not in METHODS:
        raise InputError(f"method = {method!r}: must be one of {', '.join(METHODS)}")
    if not (is_whole(generations) and generations >= 1):
        raise InputError(f"generations = {generations!r}: must be a whole number of at least 1")
    if not (is_real(spread) and 0 <= spread < float("inf")):
        raise InputError(f"spread = {spread!r}: must be a finite number of at least 0")
    if not (is_whole(seed) and 0 <= seed < 2**32):
        raise InputError(f"seed = {seed!r}: must be a whole number from 0 to 2³² − 1")


def _search(
    function: Callable[[Array], Array],
    method: str,
    section: Evolution,
    generations: int,
    genome: Array,
    spread: Array,
    key: Array,
    own: Any,
) -> tuple[Array, Array, Array]:
    """Return the best solution, its value, and the best value of each generation."""
    algorithm = algorithm_for(method, section)
    first, rest = jax.random.split(key)
    begin = Start(genome, genome, jnp.broadcast_to(spread, genome.shape))

    def generation(carry: Any, index: Array) -> Any:
        state, best, value = carry
        ask, tell = jax.random.split(jax.random.fold_in(rest, index))
        population = algorithm.ask(state, ask, own)
        losses = comparable(jax.vmap(function)(population))
        least = jnp.argmin(losses)
        better = losses[least] < value
        best = jnp.where(better, population[least], best)
        value = jnp.minimum(value, losses[least])
        state = algorithm.tell(state, population, losses, tell, own)
        return (state, best, value), losses[least]

    worst = jnp.asarray(jnp.inf, genome.dtype)
    carry = (algorithm.start(begin, first, own), genome, worst)
    (_, best, value), history = lax.scan(generation, carry, jnp.arange(generations))
    return best, value, history
