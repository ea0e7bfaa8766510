"""Every update rule against PyTorch and against itself over lanes."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax.flatten_util import ravel_pytree

from surefoot.errors import RecipeError
from surefoot.optim import RULES, build

ADAM = {"beta1": 0.8, "beta2": 0.97, "epsilon": 1e-3}
NUMBERS = {
    "sgd": {},
    "momentum": {"momentum": 0.8},
    "nesterov": {"momentum": 0.8},
    "adagrad": {"initial_accumulator": 0.2, "epsilon": 1e-2},
    "rmsprop": {"decay": 0.95, "epsilon": 1e-2, "momentum": 0.6},
    "adam": ADAM,
    "adamw": ADAM,
    # PyTorch adds ε before the correction of the bias, Optax after it: no difference if small.
    "radam": {**ADAM, "epsilon": 1e-14},
    "quickprop": {"growth": 1.75},
}
BETAS = (ADAM["beta1"], ADAM["beta2"])
TORCH = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.8),
    "nesterov": partial(torch.optim.SGD, momentum=0.8, nesterov=True),
    "adagrad": partial(torch.optim.Adagrad, initial_accumulator_value=0.2, eps=1e-2),
    "rmsprop": partial(torch.optim.RMSprop, alpha=0.95, eps=1e-2, momentum=0.6),
    "adam": partial(torch.optim.Adam, betas=BETAS, eps=1e-3),
    "adamw": partial(torch.optim.AdamW, betas=BETAS, eps=1e-3),
    "radam": partial(torch.optim.RAdam, betas=BETAS, eps=1e-14),
}
RATE, STEPS = 0.02, 100

_random = np.random.default_rng(0)
X, Y = _random.normal(size=(20, 3)), _random.normal(size=(20, 2))
START = {"bias": _random.normal(size=2), "kernel": _random.normal(size=(3, 2))}


def loss(params, x, y):
    return jnp.mean((jnp.tanh(x @ params["kernel"] + params["bias"]) - y) ** 2)


def descend(name, numbers, rate, *, steps=STEPS, **switches):
    """Train the small net; the weights after every step are what is compared."""
    x, y, params = jax.tree.map(jnp.asarray, (X, Y, START))

    def step(carry, _):
        params, memory = carry
        rule = build(name, numbers, rate, **switches)
        updates, memory = rule.update(jax.grad(loss)(params, x, y), memory, params)
        params = jax.tree.map(jnp.add, params, updates)
        return (params, memory), params

    memory = build(name, numbers, rate, **switches).init(params)
    return jax.lax.scan(step, (params, memory), length=steps)[1]


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("name", TORCH)
def test_as_pytorch(name, weight_decay, x64):
    numbers = {**NUMBERS[name], "weight_decay": weight_decay}
    path = jax.jit(partial(descend, name))(jax.tree.map(jnp.asarray, numbers), RATE)

    tensors = {key: torch.tensor(START[key], requires_grad=True) for key in path}
    kernel, bias = tensors["kernel"], tensors["bias"]
    groups = [{"params": [kernel]}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = TORCH[name](groups, lr=RATE, weight_decay=weight_decay)
    x, y = torch.tensor(X), torch.tensor(Y)
    expected = {key: [] for key in path}
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((torch.tanh(x @ kernel + bias) - y) ** 2).mean().backward()
        optimizer.step()
        for key, tensor in tensors.items():
            expected[key].append(tensor.detach().numpy().copy())
    for key, found in path.items():
        np.testing.assert_allclose(found, expected[key], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", RULES)
def test_lanes_differ_in_numbers_alone(name, x64):
    numbers = {**NUMBERS[name], "weight_decay": 0.1}
    lanes = {key: jnp.asarray([value, 0.9 * value, 0.5 * value]) for key, value in numbers.items()}
    rates = jnp.asarray([0.01, 0.02, 0.03])
    together = jax.jit(jax.vmap(partial(descend, name)))(lanes, rates)

    traces = 0

    def counted(numbers, rate):
        nonlocal traces
        traces += 1
        return descend(name, numbers, rate)

    alone = jax.jit(counted)
    for lane in range(3):
        one = alone({key: value[lane] for key, value in lanes.items()}, rates[lane])
        for key in START:
            np.testing.assert_allclose(together[key][lane], one[key], rtol=1e-7, atol=1e-9)
    assert traces == 1
    assert not np.allclose(together["kernel"][0], together["kernel"][1])


@pytest.mark.parametrize("name", RULES)
def test_no_gradient_no_step(name):
    rule = build(name, NUMBERS[name], 0.1)
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    memory = rule.init(params)
    for _ in range(3):
        updates, memory = rule.update(jax.tree.map(jnp.zeros_like, params), memory, params)
        assert all(not np.any(leaf) for leaf in jax.tree.leaves(updates))
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(updates))


def updates_of(name, numbers, gradients, **switches):
    rule = build(name, numbers, 1.0, **switches)
    memory = rule.init(jnp.zeros(()))
    found = []
    for gradient in gradients:
        update, memory = rule.update(jnp.asarray(gradient), memory, jnp.zeros(()))
        found.append(float(update))
    return found


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        # v = 1, then 0.5 · 1 + 2, then 0.5 · 2.5 + 0
        ({}, [1, 2.5, 1.25]),
        # half of that, as 1 − β = 0.5
        ({"average": True}, [0.5, 1.25, 0.625]),
        # over 1 − 0.5, 1 − 0.25, 1 − 0.125
        ({"average": True, "bias_correction": True}, [1, 5 / 3, 5 / 7]),
        ({"bias_correction": True}, [2, 10 / 3, 10 / 7]),
    ],
)
def test_forms_of_momentum_by_hand(switches, expected):
    found = updates_of("momentum", {"momentum": 0.5}, [1.0, 2.0, 0.0], **switches)
    np.testing.assert_allclose(found, np.negative(expected), rtol=1e-6)


def test_nesterov_by_hand():
    # g + 0.5 v with v = 1, 2.5, 1.25
    found = updates_of("nesterov", {"momentum": 0.5}, [1.0, 2.0, 0.0])
    np.testing.assert_allclose(found, [-1.5, -3.25, -0.625], rtol=1e-6)


def test_quickprop_by_hand():
    # η = 1, μ = 1.75
    slopes, steps = [0.4, 0.1, 0.09, -0.03, -0.03, -0.06, 0.0, 0.0, 0.2], []
    steps.append(-0.4)  # the gradient term alone
    steps.append(steps[-1] / 3 - 0.1)  # a = 0.1/(0.4 − 0.1)
    steps.append(steps[-1] * 1.75 - 0.09)  # a = 9: limited
    steps.append(steps[-1] * -0.25)  # a = −0.03/(0.09 + 0.03), no gradient term
    steps.append(steps[-1] * 1.75 + 0.03)  # equal slopes: a is infinite
    steps.append(steps[-1] * 1.75 + 0.06)  # a grown slope: the parabola opens downward
    steps += [0.0, 0.0]  # at the minimum, then 0/0
    steps.append(-0.2)  # it starts again
    found = updates_of("quickprop", {"growth": 1.75}, slopes)
    np.testing.assert_allclose(found, steps, rtol=1e-5, atol=1e-7)


def test_quickprop_limits_a_jump_back_too():
    # a = −0.9/(0.1 + 0.9) without the limit
    found = updates_of("quickprop", {"growth": 0.5}, [0.1, -0.9])
    np.testing.assert_allclose(found, [-0.1, 0.05], rtol=1e-6)


def test_quickprop_solves_a_ravine():
    steepness = jnp.asarray([1.0, 10.0, 100.0])
    rule = build("quickprop", {"growth": 1.75}, 0.005)
    w = jnp.ones(3)
    memory = rule.init(w)
    for _ in range(40):
        update, memory = rule.update(steepness * w, memory, w)
        w = w + update
    # Gradient descent at this rate is left with 0.995⁴⁰ = 0.82 of the first.
    assert float(jnp.max(jnp.abs(w))) < 1e-4


def test_small_number_is_outside_of_the_root():
    numbers = {"initial_accumulator": 0.0, "epsilon": 1.0}
    np.testing.assert_allclose(updates_of("adagrad", numbers, [3.0]), [-3 / 4], rtol=1e-6)
    numbers = {"decay": 0.75, "epsilon": 0.5, "momentum": 0.0}
    # s = 0.25 · 9
    np.testing.assert_allclose(updates_of("rmsprop", numbers, [3.0]), [-3 / 2], rtol=1e-6)


def test_decay_spares_all_but_weights():
    params = {
        "1": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)},
        "2": {"branch": [{"scale": jnp.ones(2)}], "projection": jnp.ones((2, 2))},
    }
    rule = build("sgd", {"weight_decay": 0.5}, 0.1)
    updates, _ = rule.update(jax.tree.map(jnp.zeros_like, params), rule.init(params), params)
    found = {
        jax.tree_util.keystr(p): float(u.mean()) for p, u in jax.tree.leaves_with_path(updates)
    }
    assert found == {
        "['1']['bias']": 0.0,
        "['1']['kernel']": pytest.approx(-0.05),
        "['2']['branch'][0]['scale']": 0.0,
        "['2']['projection']": pytest.approx(-0.05),
    }


@pytest.mark.parametrize("name", RULES)
def test_one_vector_and_many_arrays_are_one_rule(name):
    """A small net's parameters pass as one vector, with marks where weight decay acts."""
    tree = {"bias": jnp.asarray(START["bias"]), "kernel": jnp.asarray(START["kernel"])}
    marks = {"bias": jnp.zeros_like(tree["bias"]), "kernel": jnp.ones_like(tree["kernel"])}
    vector, unravel = ravel_pytree(tree)
    numbers = {**NUMBERS[name], "weight_decay": 0.1}
    arrays = build(name, numbers, 0.1)
    one = build(name, numbers, 0.1, decayed=ravel_pytree(marks)[0])
    memories = [arrays.init(tree), one.init(vector)]
    for scale in (1.0, -0.5, 0.3):
        grads = jax.tree.map(lambda p: scale * p, tree)  # noqa: B023
        expected, memories[0] = arrays.update(grads, memories[0], tree)
        got, memories[1] = one.update(scale * vector, memories[1], vector)
        for key, value in unravel(got).items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-7)


def test_a_net_without_parameters_has_nothing_to_learn():
    rule = build("adam", NUMBERS["adam"], 0.1)
    assert rule.update({}, rule.init({}), {})[0] == {}


def test_unknown_rule():
    with pytest.raises(RecipeError, match=r"unknown update rule 'adma'; did you mean 'adam'\?"):
        build("adma", {}, 0.1)


def test_switch_of_another_rule():
    with pytest.raises(RecipeError, match="'adam' has no average"):
        build("adam", ADAM, 0.1, average=True)
