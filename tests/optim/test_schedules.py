"""Schedules at their corners, and against Optax's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from surefoot.errors import RecipeError
from surefoot.optim import SCHEDULES, learning_rate

NUMBERS = {
    "constant": {},
    "step": {"factor": 0.1, "every": 1 / 3},
    "exponential": {"factor": 0.01},
    "inverse_time": {"decay": 10.0},
    "cosine": {"final": 0.1},
    "cyclic_cosine": {"cycles": 3, "final": 0.1},
    "transformer": {},
    "plateau": {"factor": 0.5, "minimum_change": 1e-4},
}


def rates(name, steps, total, warmup, base=1.0):
    numbers = {**NUMBERS[name], "warmup": warmup}
    return [float(learning_rate(name, step, total, base, numbers)) for step in steps]


# The steps are: the first, the last of the warm-up, the first after it, the middle of the rest,
# the last, one past the last. Base rate 1.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", [0.1, 1, 1, 1, 1, 1]),
        ("plateau", [0.1, 1, 1, 1, 1, 1]),
        ("step", [0.1, 1, 1, 0.1, 0.01, 1e-3]),
        ("exponential", [0.1, 1, 1, 0.1, 0.01 ** (89 / 90), 0.01]),
        ("inverse_time", [0.1, 1, 1, 1 / 6, 1 / (1 + 10 * 89 / 90), 1 / 11]),
        ("cosine", [0.1, 1, 1, 0.55, 0.1 + 0.45 * (1 + np.cos(np.pi * 89 / 90)), 0.1]),
        ("cyclic_cosine", [0.1, 1, 1, 0.55, 0.1 + 0.45 * (1 + np.cos(np.pi * 29 / 30)), 0.1]),
        ("transformer", [0.1, 1, (10 / 11) ** 0.5, (10 / 56) ** 0.5, 0.1**0.5, (10 / 101) ** 0.5]),
    ],
)
def test_corners(name, expected):
    found = rates(name, [0, 9, 10, 55, 99, 100], 100, 0.1)
    np.testing.assert_allclose(found, expected, rtol=2e-6)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
def test_a_single_step_has_the_base_rate(name, warmup):
    assert rates(name, [0], 1, warmup, base=0.25) == [0.25]


@pytest.mark.parametrize("name", sorted({*SCHEDULES} - {"transformer"}))
def test_nothing_but_warm_up(name):
    np.testing.assert_allclose(rates(name, range(4), 4, 1.0), [0.25, 0.5, 0.75, 1], rtol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_warm_up_starts_at_the_base(name):
    assert rates(name, [0], 10, 0.0, base=3.0) == [3.0]


@pytest.mark.parametrize("drops", [6, 14])
def test_step_drops_after_each_share(drops):
    """In float32 both (5/6)/(1/6) and (7/14)/(1/14) can come out a little below 5 and 7."""
    numbers = {"factor": 0.5, "every": 1 / drops}
    found = [float(learning_rate("step", s, drops, 1.0, numbers)) for s in range(drops)]
    np.testing.assert_allclose(found, 0.5 ** np.arange(drops), rtol=1e-6)


@pytest.mark.parametrize("cycles", [1, 3, 7, 14])
def test_a_cyclic_rate_starts_again_after_each_cycle(cycles):
    """As torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, also where shares round down."""
    torch = pytest.importorskip("torch")
    each, base = 6, 0.3
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, each, eta_min=0.03)
    expected = []
    for _ in range(each * cycles):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    numbers, total = {"cycles": cycles, "final": 0.1}, each * cycles
    found = [
        float(learning_rate("cyclic_cosine", step, total, base, numbers)) for step in range(total)
    ]
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_as_optax():
    steps, base = np.arange(50), 0.3
    cosine = optax.cosine_decay_schedule(base, 50, alpha=0.1)
    exponential = optax.exponential_decay(base, 50, 0.01)
    for name, schedule in (("cosine", cosine), ("exponential", exponential)):
        found = rates(name, steps, 50, 0.0, base)
        np.testing.assert_allclose(found, [schedule(s) for s in steps], rtol=2e-5)
    warm = optax.warmup_cosine_decay_schedule(0.0, base, 10, 50, end_value=0.1 * base)
    found = rates("cosine", range(10, 50), 50, 0.2, base)
    np.testing.assert_allclose(found, [warm(s) for s in range(10, 50)], rtol=2e-5)


def test_transformer_is_the_papers():
    d_model, warmup, total = 512, 4000, 40_000
    base = (d_model * warmup) ** -0.5
    for step in (1, 10, 3999, 4000, 4001, 40_000):
        expected = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
        found = learning_rate("transformer", step - 1, total, base, {"warmup": 0.1})
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_finite_and_within_bounds_everywhere_in_one_program(name):
    traces = 0

    def one(step, total, warmup, base):
        nonlocal traces
        traces += 1
        numbers = {k: jnp.asarray(v) for k, v in NUMBERS[name].items()} | {"warmup": warmup}
        return learning_rate(name, step, total, base, numbers)

    total, share = np.meshgrid([0, 1, 2, 3, 7, 100, 2**31 - 1], [0, 1e-9, 0.1, 0.5, 0.99, 1.0])
    total, share = total.ravel().astype(np.int32), share.ravel().astype(np.float32)
    rate = jax.jit(jax.vmap(one, (0, 0, 0, None)))
    for step in (0 * total, total // 2, np.maximum(total - 2, 0), np.maximum(total - 1, 0)):
        found = rate(step, total, share, 0.5)
        assert found.dtype == jnp.float32
        assert np.all(np.isfinite(found))
        assert np.all((found > 0) & (found <= 0.5))
    assert traces == 1


def test_follows_the_base_rates_type(x64):
    rate = learning_rate("cosine", 3, 10, jnp.float64(0.1), {"final": 0.0, "warmup": 0.0})
    np.testing.assert_allclose(rate, 0.05 * (1 + np.cos(0.3 * np.pi)), rtol=1e-12)


def test_unknown_schedule():
    with pytest.raises(RecipeError, match=r"unknown schedule 'cosin'; did you mean 'cosine'\?"):
        learning_rate("cosin", 0, 1, 0.1, {})
