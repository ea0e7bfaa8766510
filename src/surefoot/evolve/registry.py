"""From a recipe's words to the algorithm that they name."""

from __future__ import annotations

from surefoot.evolve.algorithm import Algorithm
from surefoot.evolve.genetic import Genetic
from surefoot.evolve.openai_es import OpenAiEs
from surefoot.evolve.snes import Snes
from surefoot.recipe.evolution import Evolution

STRATEGIES = {"snes": Snes, "openai_es": OpenAiEs}
"""Every evolution strategy by its name in a recipe."""


def algorithm_for(method: str, section: Evolution) -> Algorithm:
    """Return the algorithm of a method, with the structure that the section says.

    >>> algorithm_for("evolution_strategy", Evolution(population=64))
    Snes(population=64)
    """
    if method == "genetic":
        return Genetic(
            section.population,
            section.elite,
            section.selection,
            section.tournament_size,
            section.crossover,
        )
    return STRATEGIES[section.strategy](section.population)
