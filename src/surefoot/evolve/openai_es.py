"""The evolution strategy that estimates a gradient and gives it to Adam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import optax
from jax import Array

from surefoot.evolve.algorithm import Numbers, Start, comparable
from surefoot.evolve.shaping import centered_ranks
from surefoot.evolve.snes import mirrored

_RATE = 0.02


class Estimate(NamedTuple):
    """The state: where the search is, and Adam's memory.

    Attributes:
        mean: [weights].
        memory: of the update rule.
    """

    mean: Array
    memory: optax.OptState


@dataclass(frozen=True)
class OpenAiEs:
    """The gradient of the expected loss under noise, from finite differences at random, by Adam.

    With z = μ + σε, ε ~ N(0, 1) mirrored, and centered ranks r (½ for the best):

        g = −1/(nσ) Σ rᵢεᵢ          μ ← Adam(μ, g)

    Attributes:
        population: how many individuals are drawn in each generation.

    Source: Salimans, Ho, Chen, Sidor & Sutskever (2017), *Evolution strategies as a scalable
    alternative to reinforcement learning*.
    """

    population: int = 256

    def start(self, start: Start, key: Array, numbers: Numbers) -> Estimate:
        """Begin at the genome."""
        return Estimate(start.genome, _rule(numbers).init(start.genome))

    def ask(self, state: Estimate, key: Array, numbers: Numbers) -> Array:
        """Draw mirrored pairs around the mean."""
        sigma = jnp.asarray(numbers["sigma"], state.mean.dtype)
        return state.mean + sigma * mirrored(key, self.population, state.mean)

    def tell(
        self, state: Estimate, population: Array, losses: Array, key: Array, numbers: Numbers
    ) -> Estimate:
        """Estimate the gradient, and take a step against it."""
        sigma = jnp.asarray(numbers["sigma"], state.mean.dtype)
        noise = (population - state.mean) / sigma
        gradient = -(centered_ranks(comparable(losses)) @ noise) / (losses.shape[0] * sigma)
        updates, memory = _rule(numbers).update(gradient, state.memory, state.mean)
        return Estimate(optax.apply_updates(state.mean, updates), memory)

    def best(self, state: Estimate) -> Array:
        """Return the mean."""
        return state.mean


def _rule(numbers: Numbers) -> optax.GradientTransformation:
    return optax.adam(numbers.get("learning_rate", _RATE))
