"""Embedding against PyTorch, and as the dense layer over one-hot columns that it is."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from surefoot.errors import RecipeError
from surefoot.nn.layer import Context
from surefoot.nn.network import build
from surefoot.recipe import Net, numbers

NET = Net.model_validate({"layers": [{"embedding": 3, "columns": [[1, 4], [2, 5]]}, {"dense": 2}]})
CONTEXT = Context(True, None, numbers(NET))


@pytest.fixture
def x():
    generator = np.random.default_rng(0)
    codes = np.stack([generator.integers(0, 4, 6), generator.integers(0, 5, 6)], axis=1)
    return np.concatenate([generator.normal(size=(6, 1)), codes, generator.normal(size=(6, 1))], 1)


def test_equals_pytorch(x, x64):
    network = build(NET, (4,), 2)
    params, state = network.init(0, numbers(NET), np.float64)
    table, dense = params[0]["kernel"], params[1]

    def loss(params):
        return jnp.sum(network.apply(params, state, jnp.asarray(x), CONTEXT)[0] ** 2)

    gradient = jax.grad(loss)(params)
    weight = torch.tensor(table, requires_grad=True)
    codes = torch.tensor(x[:, 1:3]).long()
    vectors = [weight[codes[:, 0]], weight[4 + codes[:, 1]]]
    row = torch.cat([torch.tensor(x[:, [0, 3]]), *vectors], dim=1)
    (row @ torch.tensor(dense["kernel"]) + torch.tensor(dense["bias"])).pow(2).sum().backward()
    np.testing.assert_allclose(gradient[0]["kernel"], weight.grad, rtol=1e-9, atol=1e-12)


def test_is_a_dense_layer_over_one_hot_columns(x, x64):
    network = build(NET, (4,), 2)
    params, state = network.init(0, numbers(NET), np.float64)
    one_hot = np.concatenate([np.eye(4)[x[:, 1].astype(int)], np.eye(5)[x[:, 2].astype(int)]], 1)
    blocks = np.zeros((9, 6))
    blocks[:4, :3], blocks[4:, 3:] = params[0]["kernel"][:4], params[0]["kernel"][4:]
    row = np.concatenate([x[:, [0, 3]], one_hot @ blocks], axis=1)
    expected = row @ params[1]["kernel"] + params[1]["bias"]
    got, _, _ = network.apply(params, state, jnp.asarray(x), CONTEXT)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(RecipeError, match=r"layer 1 \(embedding\): column 2 is not there"):
        build(NET, (2,), 2)
