"""Whole nets with cross-entropy: every gradient against PyTorch, differences and forward mode."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from surefoot.nn.losses import LOSSES, Output
from surefoot.nn.nets import convnet, mlp, resnet

pytestmark = pytest.mark.usefixtures("x64")

NETS = {
    "mlp": (mlp(7, 6, activation="tanh"), (5,)),
    "mlp with batch norm": (mlp(7, 6, batch_norm=True), (5,)),
    "convnet": (convnet(4, 5, dropout=0), (7, 6, 3)),
    "resnet": (resnet(8, 4), (8, 8, 3)),
}
ROWS, CLASSES = 5, 3


@pytest.mark.parametrize("name", NETS)
def test_gradients_agree_three_ways(name, case, same):
    ready, shape = NETS[name]
    net = case(ready.layers("softmax"), shape, outputs=CLASSES)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(ROWS, *shape)), np.arange(ROWS) % CLASSES
    start = (net.params, x)

    def objective(params, x):
        logits, state = net.ours(params, x, train=True)
        loss = LOSSES["cross_entropy"].per_example(
            logits, jnp.asarray(labels), outputs_are=Output.SOFTMAX_LOGITS
        )
        return jnp.mean(loss), (logits, state)

    @jax.jit
    def everything(at, direction):
        values, grads = jax.value_and_grad(objective, (0, 1), has_aux=True)(*at)
        _, forward, _ = jax.jvp(objective, at, direction, has_aux=True)
        return values, grads, forward

    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), start)
    (loss, (logits, state)), grads, forward = everything(start, direction)

    their_logits, their_state, leaves = net.theirs(x, train=True)
    their_loss = F.cross_entropy(their_logits, torch.tensor(labels))
    their_loss.backward()
    same((loss, logits, state), (their_loss, their_logits, their_state))
    same(grads, jax.tree.map(lambda leaf: leaf.grad, leaves))

    # The derivative along one direction through all weights and inputs, in three ways.
    products = jax.tree.map(lambda g, d: np.sum(g * d), grads, direction)
    slope = sum(jax.tree.leaves(products))
    np.testing.assert_allclose(forward, slope, rtol=1e-9)
    step = 1e-6
    up, down = (
        everything(jax.tree.map(lambda a, d, s=s: a + s * d, start, direction), direction)[0][0]
        for s in (step, -step)
    )
    np.testing.assert_allclose((up - down) / (2 * step), slope, rtol=1e-6)
