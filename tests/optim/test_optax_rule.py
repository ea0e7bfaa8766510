"""Optimizers of Optax by name."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from surefoot.errors import RecipeError
from surefoot.optim import from_optax

PARAMS = {"kernel": jnp.asarray([[1.0, -2.0]]), "bias": jnp.asarray([0.5, 0.25])}


@pytest.mark.parametrize(
    ("name", "options"),
    [("lion", {"b1": 0.5}), ("nadam", {}), ("sgd", {"momentum": 0.5, "nesterov": True})],
)
def test_is_optaxs_own(name, options):
    rates = jnp.asarray([0.1, 0.2])

    def lane(rate):
        rule = from_optax(f"optax.{name}", options, rate)
        return rule.update(PARAMS, rule.init(PARAMS), PARAMS)[0]

    lanes = jax.jit(jax.vmap(lane))(rates)
    for i, rate in enumerate((0.1, 0.2)):
        rule = getattr(optax, name)(rate, **options)
        expected, _ = rule.update(PARAMS, rule.init(PARAMS), PARAMS)
        for key in PARAMS:
            np.testing.assert_allclose(lanes[key][i], expected[key], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("optax.lino", {}, r"no optimizer 'lino'; did you mean 'lion'\?"),
        ("optax.scale_by_adam", {}, "no optimizer 'scale_by_adam'"),
        ("optax.chex", {}, "no optimizer 'chex'"),
        ("optax._src", {}, "no optimizer '_src'"),
        ("optax.adam", {"bb1": 0.9}, r"takes no argument 'bb1'; did you mean 'b1'\?"),
        ("optax.adam", {"learning_rate": 0.9}, "takes no argument 'learning_rate'"),
        ("optax.adam", {"b1": "high"}, "optax.adam with options .* cannot be used"),
        ("optax.lbfgs", {}, "missing 3 required keyword-only arguments"),
        ("optax.noisy_sgd", {}, "key"),
    ],
)
def test_refused_in_one_line(name, options, message):
    with pytest.raises(RecipeError, match=message) as caught:
        from_optax(name, options)
    assert "\n" not in str(caught.value)
