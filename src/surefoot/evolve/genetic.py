"""The genetic algorithm over real numbers: selection, crossover, mutation, elitism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from surefoot.evolve.algorithm import Numbers, Start, comparable
from surefoot.evolve.crossover import CROSSOVERS
from surefoot.evolve.mutation import gaussian
from surefoot.evolve.selection import selections


class Population(NamedTuple):
    """The state of a genetic algorithm.

    Attributes:
        genomes: [individuals, weights].
        best: the best of the generation before, [weights].
        scale: what mutation's scale has become.
    """

    genomes: Array
    best: Array
    scale: Array


@dataclass(frozen=True)
class Genetic:
    """Generational, with elites: the best go on as they are, the others are children.

    A child has two parents with chance ``crossover_rate``, else it begins as a copy of one; then
    it is mutated. The mutation's scale is multiplied by ``mutation_decay`` in each generation.

    Attributes:
        population: how many individuals there are.
        elite: how many of the best go on unchanged.
        selection: how parents are drawn: "tournament", "truncation" or "roulette".
        tournament_size: how many compete for each place.
        crossover: "uniform", "one_point", "blend" or "none".

    Source: Holland (1975), *Adaptation in natural and artificial systems*; on the weights of
    networks: Montana & Davis (1989), *Training feedforward neural networks using genetic
    algorithms*; Such et al. (2017), *Deep neuroevolution*.
    """

    population: int = 256
    elite: int = 2
    selection: str = "tournament"
    tournament_size: int = 3
    crossover: str = "uniform"

    def start(self, start: Start, key: Array, numbers: Numbers) -> Population:
        """Draw the first population around the mean; its first individual is the given genome."""
        shape = (self.population, *start.genome.shape)
        drawn = start.mean + start.spread * jax.random.normal(key, shape, start.genome.dtype)
        scale = jnp.asarray(numbers["mutation_scale"], start.genome.dtype)
        return Population(drawn.at[0].set(start.genome), start.genome, scale)

    def ask(self, state: Population, key: Array, numbers: Numbers) -> Array:
        """Return the population as it is."""
        return state.genomes

    def tell(
        self, state: Population, population: Array, losses: Array, key: Array, numbers: Numbers
    ) -> Population:
        """Return the next generation: the elite first, then children.

        >>> genetic = Genetic(population=3, elite=1, crossover="none")
        >>> numbers = {"crossover_rate": 0.0, "mutation_rate": 0.0, "mutation_scale": 1.0}
        >>> numbers |= {"mutation_decay": 1.0, "parents": 0.3}
        >>> old = jnp.array([[1.0], [2.0], [3.0]])
        >>> state = Population(old, old[0], jnp.asarray(1.0))
        >>> new = genetic.tell(state, old, jnp.array([9.0, 4.0, 5.0]), jax.random.key(0), numbers)
        >>> new.genomes[0].tolist(), new.best.tolist()
        ([2.0], [2.0])
        """
        losses = comparable(losses)
        children = self.population - self.elite
        first, second, coin, cross, mutate = jax.random.split(key, 5)
        select = selections(self.tournament_size, numbers["parents"])[self.selection]
        born = population[select(first, losses, children)]
        if self.crossover != "none":
            other = population[select(second, losses, children)]
            crossed = CROSSOVERS[self.crossover](cross, born, other)
            tossed = jax.random.uniform(coin, (children, 1)) < numbers["crossover_rate"]
            born = jnp.where(tossed, crossed, born)
        born = gaussian(mutate, born, numbers["mutation_rate"], state.scale)
        # The few best, without a sort of all.
        elite = population[lax.top_k(-losses, self.elite)[1]]
        decay = jnp.asarray(numbers["mutation_decay"], state.scale.dtype)
        return Population(
            jnp.concatenate([elite, born]),
            population[jnp.argmin(losses)],
            state.scale * decay,
        )

    def best(self, state: Population) -> Array:
        """Return the best individual of the last population that was told."""
        return state.best
