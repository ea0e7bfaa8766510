"""`minimize` on functions whose minimum is known, beside SciPy's differential evolution."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import differential_evolution, rosen

from surefoot.errors import InputError, RecipeError
from surefoot.evolve import minimize


def _rastrigin(x):
    return 10 * x.size + jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x))


def _rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize(
    "keys",
    [
        {"method": "genetic", "mutation_rate": 0.5, "mutation_decay": 0.97, "generations": 300},
        {"strategy": "snes", "sigma": 0.5, "generations": 80},
        {"strategy": "openai_es", "learning_rate": 0.1, "generations": 200},
    ],
)
def test_the_sphere_has_its_minimum_at_the_centre(keys):
    found = minimize(lambda x: jnp.sum((x - 2) ** 2), np.zeros(6), population=64, **keys)
    assert found.value < 1e-2
    assert found.x == pytest.approx(np.full(6, 2.0), abs=0.1)
    assert found.history.shape == (keys["generations"],)
    assert found.evaluations == 64 * keys["generations"]
    assert found.value == pytest.approx(found.history.min())


def test_the_valley_of_rosenbrock_is_followed_towards_its_end():
    found = minimize(_rosenbrock, [-1.0, 1.5], generations=400, population=64, sigma=0.5)
    # Steps along the axes alone are small where the valley bends: x₂ = x₁² holds long before 1.
    assert found.x[1] == pytest.approx(found.x[0] ** 2, abs=0.02)
    assert 0 <= found.value < 0.05
    assert rosen(found.x.astype(float)) == pytest.approx(found.value, abs=1e-4)


def test_among_many_minima_the_lowest_is_found_as_by_differential_evolution():
    def plain(x):
        return 10 * x.size + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))

    peer = differential_evolution(plain, [(-5.12, 5.12)] * 3, seed=0)
    keys = {"mutation_rate": 0.4, "mutation_scale": 0.5, "mutation_decay": 0.98}
    found = minimize(
        _rastrigin, [3.0, -2.0, 4.0], method="genetic", generations=300, spread=3.0, **keys
    )
    # The next best minimum is at 0.995.
    assert found.value == pytest.approx(peer.fun, abs=0.01)


def test_the_seed_decides():
    def found(seed):
        return minimize(_rastrigin, [3.0, 3.0], generations=3, population=8, seed=seed)

    assert (found(1).history == found(1).history).all()
    assert (found(1).history != found(2).history).any()


def test_what_is_not_finite_is_never_chosen():
    found = minimize(lambda x: jnp.sum(jnp.log(x)), [1.5], generations=30, population=16, sigma=0.5)
    assert np.isfinite(found.value)
    assert found.x[0] > 0


@pytest.mark.parametrize(
    ("keys", "error", "words"),
    [
        ({"method": "gradient"}, InputError, "method = 'gradient'"),
        ({"generations": 0}, InputError, "generations = 0"),
        ({"spread": -1.0}, InputError, "spread = -1.0"),
        ({"seed": -1}, InputError, "seed = -1"),
        ({"start": [[1.0]]}, InputError, "start: must be a vector"),
        ({"population": 1}, RecipeError, "population = 1: must be at least 2"),
        ({"elite": 256}, RecipeError, "elite = 256: must be less than population"),
        ({"mutation_scale": -0.1}, RecipeError, "mutation_scale = -0.1: must be at least 0"),
        ({"sigmma": 1.0}, RecipeError, "did you mean 'sigma'"),
    ],
)
def test_bad_input_is_one_line(keys, error, words):
    start = keys.pop("start", [1.0])
    with pytest.raises(error) as caught:
        minimize(lambda x: jnp.sum(x), start, **keys)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
