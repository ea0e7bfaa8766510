"""Auto-encoders against PyTorch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from surefoot.pretrain.autoencoder import AutoEncoder
from surefoot.pretrain.layer import teach
from surefoot.recipe.pretrain import Pretrain


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_loss_and_gradient_are_pytorchs(x64, shares, tied):
    rng = np.random.default_rng(1)
    x = rng.random((6, 5))
    key, numbers = jax.random.key(2), {"corruption": 0.4, "activation": {"slope": 0.2}}
    machine = AutoEncoder("leaky_relu", shares, tied)
    kernel, bias = (jnp.asarray(rng.normal(size=shape)) for shape in ((5, 3), 3))
    params = machine.begin({"kernel": kernel, "bias": bias}, jax.random.key(5))
    params["visible"] = jnp.asarray(rng.normal(size=5))
    loss, gradient = jax.value_and_grad(machine.loss)(params, jnp.asarray(x), key, numbers)

    own = {name: torch.tensor(np.array(a), requires_grad=True) for name, a in params.items()}
    kept = torch.tensor(np.array(jax.random.bernoulli(key, 0.6, x.shape)))
    assert 0 < int(kept.sum()) < kept.numel()
    hidden = torch.nn.functional.leaky_relu(
        (torch.tensor(x) * kept) @ own["kernel"] + own["bias"], 0.2
    )
    z = hidden @ (own["kernel"].T if tied else own["decoder"]) + own["visible"]
    if shares:
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            z, torch.tensor(x), reduction="none"
        )
    else:
        each = (z - torch.tensor(x)) ** 2 / 2
    want = each.sum(dim=1).mean()
    want.backward()
    assert float(loss) == pytest.approx(want.item(), rel=1e-12)
    for name, array in own.items():
        np.testing.assert_allclose(gradient[name], array.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_a_linear_one_finds_the_principal_plane(x64):
    """Baldi and Hornik 1989: no two linear units give more back than the first two components."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(80, 6))
    x -= x.mean(axis=0)
    singular = np.linalg.svd(x, compute_uv=False)
    best = np.sum(singular[2:] ** 2) / x.size
    layer = {"kernel": 0.1 * rng.normal(size=(6, 2)), "bias": np.zeros(2)}
    section = Pretrain(method="autoencoder", epochs=150, batch_size=80, learning_rate=0.03)
    _, errors = teach(AutoEncoder(None, False, True), layer, jnp.asarray(x), section, {}, (0, 0))
    assert best < errors[-1] < 1.02 * best
