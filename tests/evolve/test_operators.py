"""Selection, crossover, mutation and shaping against chances and cases worked by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.evolve.algorithm import comparable
from surefoot.evolve.crossover import blend, one_point, uniform
from surefoot.evolve.mutation import gaussian
from surefoot.evolve.selection import roulette, tournament, truncation
from surefoot.evolve.shaping import centered_ranks, utilities

DRAWS = 20_000
# Four standard errors of a share over so many draws, at most.
NEAR = 4 * 0.5 / DRAWS**0.5
KEY = jax.random.key(3)


def _shares(chosen, count):
    return np.bincount(np.asarray(chosen), minlength=count) / len(chosen)


def test_a_tournament_of_two_among_three_is_won_by_rank():
    losses = jnp.array([5.0, -1.0, 0.5])
    # The worst wins alone against itself, 1/9; the best unless it is drawn not at all, 1 − (2/3)².
    want = [1 / 9, 5 / 9, 3 / 9]
    assert _shares(tournament(KEY, losses, DRAWS, size=2), 3) == pytest.approx(want, abs=NEAR)


def test_truncation_draws_evenly_among_the_best_share():
    losses = jnp.array([4.0, 1.0, 3.0, 2.0])
    shares = _shares(truncation(KEY, losses, DRAWS, share=0.5), 4)
    assert shares == pytest.approx([0, 0.5, 0, 0.5], abs=NEAR)


@pytest.mark.parametrize(
    ("losses", "want"),
    [
        ([1.0, 2.0, 5.0], [4 / 7, 3 / 7, 0]),
        ([1.0, np.inf, 3.0], [1, 0, 0]),
        ([2.0, 2.0, np.inf], [0.5, 0.5, 0]),
        ([np.inf, np.inf], [0.5, 0.5]),
    ],
)
def test_a_roulette_wheel_is_shared_by_fitness(losses, want):
    shares = _shares(roulette(KEY, jnp.array(losses), DRAWS), len(losses))
    assert shares == pytest.approx(want, abs=NEAR)


def test_a_uniform_child_has_each_weight_of_either_parent():
    first, second = jnp.zeros(DRAWS), jnp.ones(DRAWS)
    child = np.asarray(uniform(KEY, first, second))
    assert set(child.tolist()) == {0.0, 1.0}
    assert child.mean() == pytest.approx(0.5, abs=NEAR)


def test_a_cut_gives_each_child_a_beginning_and_an_end():
    children = np.asarray(one_point(KEY, jnp.zeros((DRAWS, 4)), jnp.ones((DRAWS, 4))))
    assert (np.diff(children, axis=1) >= 0).all()
    cuts = 4 - children.sum(axis=1).astype(int)
    assert _shares(cuts - 1, 3) == pytest.approx([1 / 3] * 3, abs=NEAR)


def test_blending_widens_the_interval_and_the_variance_as_it_should():
    first, second = jax.random.normal(KEY, (2, DRAWS))
    child = np.asarray(blend(jax.random.key(9), first, second))
    low, high = np.minimum(first, second), np.maximum(first, second)
    wide = 0.5 * (high - low)
    assert ((child >= low - wide - 1e-5) & (child <= high + wide + 1e-5)).all()
    assert child.var() == pytest.approx(7 / 6, rel=0.04)


def test_mutation_hits_a_share_with_a_normal_change():
    changed = np.asarray(gaussian(KEY, jnp.zeros(DRAWS), rate=0.25, scale=0.2))
    hit = changed != 0
    assert hit.mean() == pytest.approx(0.25, abs=NEAR)
    assert changed[hit].std() == pytest.approx(0.2, rel=0.05)
    assert gaussian(KEY, jnp.ones(3), rate=1.0, scale=0.0).tolist() == [1, 1, 1]


def test_ranks_become_weights_by_hand():
    losses = jnp.array([7.0, 1.0, jnp.inf, 3.0])
    assert centered_ranks(losses).tolist() == pytest.approx([-1 / 6, 0.5, -0.5, 1 / 6])
    # ln 3 − ln k is 1.0986, 0.4055, 0 and less: shares 0.7304 and 0.2696, less a quarter each.
    assert utilities(losses).tolist() == pytest.approx([-0.25, 0.4804, -0.25, 0.0196], abs=1e-4)


def test_what_is_no_number_is_worst():
    assert comparable(jnp.array([jnp.nan, 0.0, jnp.inf])).tolist() == [np.inf, 0.0, np.inf]
