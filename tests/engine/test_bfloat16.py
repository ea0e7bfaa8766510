"""Products in bfloat16: learns as float32 does, and keeps everything else in float32."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Silent
from surefoot.engine.training import train
from surefoot.job import prepare
from surefoot.nn.precision import in_bfloat16


def test_products_and_their_gradients_are_pytorchs():
    generator = np.random.default_rng(0)
    x, w = (generator.normal(size=shape).astype(np.float32) for shape in ((16, 64), (64, 8)))
    signal = generator.normal(size=(16, 8)).astype(np.float32)
    y, backward = jax.vjp(lambda x, w: in_bfloat16(jnp.dot, x, w), x, w)
    leaves = [torch.from_numpy(array).requires_grad_() for array in (x, w)]
    expected = (leaves[0].bfloat16() @ leaves[1].bfloat16()).float()
    expected.backward(torch.from_numpy(signal))
    # One rounding to 8 bits, of sums that are added in another order.
    for ours, theirs in [
        (y, expected.detach()),
        *zip(backward(signal), (leaf.grad for leaf in leaves), strict=True),
    ]:
        assert ours.dtype == jnp.float32
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=2**-7, atol=2**-6)
    assert float(jnp.max(jnp.abs(y - x @ w))) > 1e-3  # it is not float32


class _Vitals(Silent):
    def __init__(self) -> None:
        self.blocks = []

    def block(self, block):
        self.blocks.append(block)


NET = [
    {"conv": 4, "size": 3, "stride": 2},
    {"batch_norm": {}},
    {"activation": "relu"},
    {"flatten": {}},
    {"dense": 10},
    {"activation": "softmax"},
]


def test_digits_are_learned_as_well():
    keys = {"epochs": 8, "learning_rate": 0.01, "seed": 1}
    found = {}
    for precision in ("float32", "bfloat16"):
        job = prepare("digits", net=NET, keys={**keys, "precision": precision}, facts=False)
        blocks = _Vitals()
        (result,) = train(job.cohort, blocks)
        assert {leaf.dtype for leaf in jax.tree.leaves(result.params)} == {np.dtype("float32")}
        vitals = np.concatenate([block.vitals for block in blocks.blocks])
        assert (vitals[..., -1] == 0).all()  # nothing that is not finite
        found[precision] = result
    plain, low = found["float32"], found["bfloat16"]
    assert plain.validation[1] > 0.9
    assert low.validation[1] == pytest.approx(plain.validation[1], abs=0.02)
    assert low.train[0] == pytest.approx(plain.train[0], rel=0.05)
    assert low.train[0] != plain.train[0]


def test_programs_of_two_precisions_are_two(make_recipe, dataset):
    plain, low = (make_recipe(train={"precision": name}) for name in ("float32", "bfloat16"))
    assert Cohort([plain], dataset).blueprint.key != Cohort([low], dataset).blueprint.key
