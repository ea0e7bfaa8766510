"""Selection: which individuals become parents.

Each function draws ``count`` parents with replacement and returns their places in the population,
``[count]``. Losses are ``[individuals]``, lower is better; ∞ is an individual that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Select = Callable[[Array, Array, int], Array]


def tournament(key: Array, losses: Array, count: int, size: int = 3) -> Array:
    """Draw ``size`` individuals for each place; the best of them is chosen.

    The best of all is chosen with probability 1 − (1 − 1/n)ˢ, whatever the losses' scale. Source:
    Goldberg & Deb (1991), *A comparative analysis of selection schemes*.

    >>> chosen = tournament(jax.random.key(0), jnp.array([3.0, 1.0, 2.0]), 4, size=50)
    >>> chosen.tolist()
    [1, 1, 1, 1]
    """
    # Cheaper than whole numbers at random, and as even: a float32 tells 2²³ apart.
    share = jax.random.uniform(key, (count, size), jnp.float32)
    drawn = jnp.floor(share * losses.shape[0]).astype(jnp.int32)
    winner = jnp.argmin(losses[drawn], axis=1)
    return jnp.take_along_axis(drawn, winner[:, None], axis=1)[:, 0]


def truncation(key: Array, losses: Array, count: int, share: ArrayLike = 0.25) -> Array:
    """Draw evenly among the best ``share`` of the population, of one at least.

    Source: Mühlenbein & Schlierkamp-Voosen (1993), *Predictive models for the breeder genetic
    algorithm*.

    >>> truncation(jax.random.key(0), jnp.array([3.0, 1.0, 2.0]), 3, share=0.1).tolist()
    [1, 1, 1]
    """
    fitting = jnp.maximum(jnp.floor(jnp.asarray(share) * losses.shape[0]), 1)
    place = jnp.floor(jax.random.uniform(key, (count,)) * fitting).astype(jnp.int32)
    return jnp.argsort(losses)[place]


def roulette(key: Array, losses: Array, count: int) -> Array:
    """Draw in proportion to fitness, how much better than the worst one is: max L − Lᵢ.

    All alike have the same chance. Source: Holland (1975), *Adaptation in natural and artificial
    systems*; the window by the worst: Goldberg (1989), *Genetic algorithms*, chapter 4.

    >>> chances(jnp.array([1.0, 3.0, 5.0, 5.0, jnp.inf, 3.0])).tolist()
    [0.5, 0.25, 0.0, 0.0, 0.0, 0.25]
    """
    return jax.random.choice(key, losses.shape[0], (count,), p=chances(losses))


def chances(losses: Array) -> Array:
    """Return each individual's chance in `roulette`, [individuals]; they add up to 1."""
    finite = jnp.isfinite(losses)
    worst = jnp.max(jnp.where(finite, losses, -jnp.inf))
    fitness = jnp.where(finite, worst - losses, 0)
    # Alike, or all but one failed: those that did not fail share the wheel.
    fitness = jnp.where(jnp.sum(fitness) > 0, fitness, finite.astype(losses.dtype))
    fitness = jnp.where(jnp.sum(fitness) > 0, fitness, jnp.ones_like(losses))
    return fitness / jnp.sum(fitness)


def selections(size: int, share: ArrayLike) -> Mapping[str, Select]:
    """Return every selection by its name in a recipe, with its numbers filled in."""
    return {
        "tournament": lambda key, losses, count: tournament(key, losses, count, size),
        "truncation": lambda key, losses, count: truncation(key, losses, count, share),
        "roulette": roulette,
    }
