"""The separable natural evolution strategy."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from surefoot.evolve.algorithm import Numbers, Start, comparable
from surefoot.evolve.shaping import utilities


class Normal(NamedTuple):
    """A normal distribution with a variance of each weight.

    Attributes:
        mean: [weights].
        sigma: standard deviations, [weights].
    """

    mean: Array
    sigma: Array


@dataclass(frozen=True)
class Snes:
    """Follows the natural gradient of the expected fitness in mean and standard deviations.

    With s ~ N(0, 1) for each weight, mirrored, z = μ + σs, and the utilities u of the ranks:

        μ ← μ + η σ Σ uᵢsᵢ          σ ← σ exp(η_σ/2 Σ uᵢ(sᵢ² − 1)),   η_σ = (3 + ln d)/(5√d)

    d is the number of weights. η = 1 is the natural choice.

    Attributes:
        population: how many individuals are drawn in each generation.

    Source: Schaul, Glasmachers & Schmidhuber (2011), *High dimensions and heavy tails for natural
    evolution strategies*; Wierstra et al. (2014), *Natural evolution strategies*.
    """

    population: int = 256

    def start(self, start: Start, key: Array, numbers: Numbers) -> Normal:
        """Begin at the genome, all standard deviations alike."""
        sigma = jnp.asarray(numbers["sigma"], start.genome.dtype)
        return Normal(start.genome, jnp.full_like(start.genome, sigma))

    def ask(self, state: Normal, key: Array, numbers: Numbers) -> Array:
        """Draw mirrored pairs around the mean."""
        return state.mean + state.sigma * mirrored(key, self.population, state.mean)

    def tell(
        self, state: Normal, population: Array, losses: Array, key: Array, numbers: Numbers
    ) -> Normal:
        """Move the distribution towards the better ones."""
        weights = utilities(comparable(losses))
        s = (population - state.mean) / state.sigma
        size = state.mean.shape[0]
        rate = (3 + log(size)) / (5 * sqrt(size))
        step = jnp.asarray(numbers.get("learning_rate", 1.0), state.mean.dtype)
        return Normal(
            state.mean + step * state.sigma * (weights @ s),
            state.sigma * jnp.exp(rate / 2 * (weights @ jnp.square(s) - jnp.sum(weights))),
        )

    def best(self, state: Normal) -> Array:
        """Return the mean."""
        return state.mean


def mirrored(key: Array, count: int, like: Array) -> Array:
    """Draw standard normal numbers in pairs of opposite sign: [count, weights].

    What is even in the noise cancels in differences of pairs. Source: Brockhoff et al. (2010),
    *Mirrored sampling and sequential selection for evolution strategies*.

    >>> drawn = mirrored(jax.random.key(0), 4, jnp.zeros(3))
    >>> bool((drawn[:2] == -drawn[2:]).all())
    True
    """
    half = jax.random.normal(key, (-(-count // 2), *like.shape), like.dtype)
    return jnp.concatenate([half, -half])[:count]
