"""The algorithms: one generation worked by hand, and what holds of all generations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.evolve.algorithm import Start
from surefoot.evolve.genetic import Genetic
from surefoot.evolve.openai_es import OpenAiEs
from surefoot.evolve.snes import Normal, Snes
from surefoot.recipe.evolution import Evolution
from surefoot.recipe.section import numbers

KEY = jax.random.key(0)
NUMBERS = numbers(Evolution())


def _start(size):
    return Start(jnp.ones(size), jnp.zeros(size), jnp.ones(size))


def _rugged(x):
    return jnp.sum(x**2) + 3 * jnp.sum(jnp.cos(7 * x))


@pytest.mark.parametrize("selection", ["tournament", "truncation", "roulette"])
@pytest.mark.parametrize("crossover", ["uniform", "one_point", "blend", "none"])
def test_the_elite_never_loses_the_best(selection, crossover):
    genetic = Genetic(12, 1, selection, 2, crossover)

    @jax.jit
    def generation(state, key):
        losses = jax.vmap(_rugged)(state.genomes)
        return genetic.tell(state, state.genomes, losses, key, NUMBERS), jnp.min(losses)

    state, bests = genetic.start(_start(3), KEY, NUMBERS), []
    for key in jax.random.split(KEY, 40):
        state, best = generation(state, key)
        bests.append(float(best))
        assert float(_rugged(genetic.best(state))) == pytest.approx(float(best), abs=1e-5)
    assert (np.diff(bests) <= 1e-5).all()
    assert bests[-1] < bests[0]


def test_without_variation_all_descend_from_the_best():
    genetic = Genetic(4, 0, "truncation", crossover="one_point")
    still = {**NUMBERS, "parents": 0.25, "mutation_scale": 0.0}
    state = genetic.start(_start(2), KEY, still)
    assert state.genomes[0].tolist() == [1, 1]
    new = genetic.tell(state, state.genomes, jnp.array([3.0, 2.0, jnp.nan, 4.0]), KEY, still)
    assert (np.asarray(new.genomes) == np.asarray(state.genomes[1])).all()


def test_the_scale_of_mutation_decays():
    genetic = Genetic(4, 1)
    state = genetic.start(_start(2), KEY, NUMBERS)
    new = genetic.tell(state, state.genomes, jnp.arange(4.0), KEY, NUMBERS)
    assert float(new.scale) == pytest.approx(0.3 * 0.995)


def test_snes_by_hand():
    # u = (½, −½) for two; Σus = 1; Σu(s² − 1) is 0 where both lie one σ away.
    state = Normal(jnp.array([2.0]), jnp.array([0.5]))
    new = Snes(2).tell(state, jnp.array([[2.5], [1.5]]), jnp.array([0.0, 1.0]), KEY, {})
    assert (new.mean.tolist(), new.sigma.tolist()) == ([2.5], [0.5])
    # Of s = 2 and 0 the farther is better: Σu(s² − 1) = ½·3 + ½·1 = 2, η_σ = 3/5 for one weight.
    new = Snes(2).tell(state, jnp.array([[3.0], [2.0]]), jnp.array([0.0, 1.0]), KEY, {})
    assert new.sigma.tolist() == pytest.approx([0.5 * np.exp(0.6)])


def test_the_estimated_gradient_by_hand():
    # g = −(½·1 + ½·1) / (2·½) = −1, and Adam's first step is the learning rate against it.
    given = {"sigma": 0.5, "learning_rate": 0.125}
    strategy = OpenAiEs(2)
    state = strategy.start(Start(jnp.zeros(1), jnp.zeros(1), jnp.zeros(1)), KEY, given)
    population, losses = jnp.array([[0.5], [-0.5]]), jnp.array([1.0, 2.0])
    new = strategy.tell(state, population, losses, KEY, given)
    assert new.memory[0].mu.tolist() == pytest.approx([-0.1])
    assert strategy.best(new).tolist() == pytest.approx([0.125], rel=1e-4)


@pytest.mark.parametrize("strategy", [Snes(5), OpenAiEs(5)])
def test_noise_is_mirrored(strategy):
    state = strategy.start(_start(3), KEY, NUMBERS)
    drawn = np.asarray(strategy.ask(state, KEY, NUMBERS)) - 1
    assert drawn.shape == (5, 3)
    assert drawn[3:] == pytest.approx(-drawn[:2], abs=1e-6)
