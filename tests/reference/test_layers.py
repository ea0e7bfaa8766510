"""Each layer's output, state and gradients against PyTorch in float64."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from surefoot.nn.activations import ACTIVATIONS
from surefoot.recipe import LAYER_KINDS

pytestmark = pytest.mark.usefixtures("x64")

ROW, PICTURE = (5,), (6, 5, 3)
FLAT = {"flatten": {}}


def conv(**options):
    return [{"conv": 4, **options}, FLAT]


CASES = {
    "dense": ([{"dense": 4}], ROW),
    "dense, no bias": ([{"dense": 4, "bias": False}], ROW),
    "dense, size of the target": ([{"dense": "classes"}], ROW),
    "conv": (conv(), PICTURE),
    "conv, 1": (conv(size=1), PICTURE),
    "conv, 3, valid": (conv(padding="valid", bias=False), PICTURE),
    "conv, 5, stride 2": (conv(size=5, stride=2), PICTURE),
    "conv, 2 by 3": (conv(size=[2, 3]), PICTURE),
    "conv, 2, stride 3": (conv(size=2, stride=3, padding="valid"), PICTURE),
    "conv, stride 1 by 2": (conv(stride=[1, 2]), PICTURE),
    "conv, wide": ([{"conv": 16}, FLAT], (4, 5, 16)),
    "max_pool": ([{"max_pool": 2}, FLAT], PICTURE),
    "max_pool, same": ([{"max_pool": 2, "padding": "same"}, FLAT], PICTURE),
    "max_pool, 3, stride 2": ([{"max_pool": 3, "stride": 2}, FLAT], PICTURE),
    "average_pool": ([{"average_pool": 2}, FLAT], PICTURE),
    "average_pool, 3, stride 2, same": (
        [{"average_pool": 3, "stride": 2, "padding": "same"}, FLAT],
        PICTURE,
    ),
    "global_average_pool": ([{"global_average_pool": {}}], PICTURE),
    "flatten": ([FLAT], PICTURE),
    "flatten a row": ([FLAT], ROW),
    "embedding": ([{"embedding": 2, "columns": [[3, 2], [0, 3]]}], ROW),
    "batch_norm": ([{"batch_norm": {}}], ROW),
    "batch_norm, pictures": ([{"batch_norm": {"momentum": 0.7, "epsilon": 0.01}}, FLAT], PICTURE),
    "residual": ([{"residual": [{"dense": 5}, {"activation": "tanh"}]}], ROW),
    "residual, projection": ([{"residual": [{"dense": 4}]}], ROW),
    "residual, pictures": ([{"residual": [{"conv": 3}]}, FLAT], PICTURE),
    "residual, pictures, projection": ([{"residual": [{"conv": 4, "stride": 2}]}, FLAT], PICTURE),
    "residual in residual": ([{"residual": [{"residual": [{"dense": 5}]}, {"dense": 5}]}], ROW),
    "repeat": ([{"repeat": 3, "layers": [{"dense": 5}, {"activation": "tanh"}]}], ROW),
    "repeat, batch_norm": ([{"repeat": 2, "layers": [{"batch_norm": {}}, {"dense": 5}]}], ROW),
    "repeat in repeat": (
        [{"repeat": 2, "layers": [{"dense": 5}, {"repeat": 2, "layers": [{"dense": 5}]}]}],
        ROW,
    ),
    "repeat residual": ([{"repeat": 2, "layers": [{"residual": [{"dense": 5}]}]}], ROW),
    **{
        # A last identity keeps softmax and sigmoid from becoming the loss's.
        f"activation {name}": ([{"activation": name}, {"activation": "identity"}], ROW)
        for name in ACTIVATIONS
        if name != "rrelu"
    },
    "leaky_relu, slope": ([{"activation": "leaky_relu", "slope": 0.3}], ROW),
    "elu, alpha": ([{"activation": "elu", "alpha": 0.4}], ROW),
}
EVALUATION = {
    "batch_norm": CASES["batch_norm"],
    "batch_norm, pictures": CASES["batch_norm, pictures"],
    "repeat, batch_norm": CASES["repeat, batch_norm"],
    "dropout": ([{"dropout": 0.7}], ROW),
    "rrelu": ([{"activation": "rrelu", "low": 0.1, "high": 0.5}], ROW),
}


def kinds_in(layers):
    for spec in layers:
        yield from (kind for kind in LAYER_KINDS if kind in spec)
        yield from kinds_in(spec.get("residual", spec.get("layers", ())))


def test_every_kind_and_activation_is_compared():
    every = [layers for layers, _ in (*CASES.values(), *EVALUATION.values())]
    assert {kind for layers in every for kind in kinds_in(layers)} == set(LAYER_KINDS)
    assert {spec["activation"] for layers in every for spec in layers if "activation" in spec} == (
        set(ACTIVATIONS)
    )


def compare(case, same, layers, shape, train):
    """Compare output, new state, and the gradients that an arriving signal leaves behind."""
    rng = np.random.default_rng(0)
    net = case(layers, shape)
    x = rng.normal(size=(4, *shape))
    y, state, leaves = net.theirs(x, train)
    signal = rng.normal(size=tuple(y.shape))
    y.backward(torch.tensor(signal))

    @jax.jit
    def both(params, x):
        y, pull, state = jax.vjp(lambda *args: net.ours(*args, train), params, x, has_aux=True)
        return y, state, pull(jnp.asarray(signal))

    ours, our_state, grads = both(net.params, x)
    same(ours, y)
    same(our_state, state)
    same(grads, jax.tree.map(lambda leaf: leaf.grad, leaves))


@pytest.mark.parametrize("name", CASES)
def test_training_agrees_with_pytorch(name, case, same):
    compare(case, same, *CASES[name], train=True)


@pytest.mark.parametrize("name", EVALUATION)
def test_evaluation_agrees_with_pytorch(name, case, same):
    compare(case, same, *EVALUATION[name], train=False)


def test_running_averages_follow_pytorchs_over_several_batches(case, same):
    net = case([{"batch_norm": {}}], ROW)
    norm = torch.nn.BatchNorm1d(5, momentum=0.1, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor(net.params[0]["scale"]))
        norm.bias.copy_(torch.tensor(net.params[0]["bias"]))
    net.state = [{"mean": np.zeros(5), "variance": np.ones(5)}]
    for seed in range(5):
        x = np.random.default_rng(seed).normal(seed, 3, (7, 5))
        y, net.state = net.ours(net.params, x, train=True)
        same(y, norm(torch.tensor(x)))
    same(net.state, [{"mean": norm.running_mean, "variance": norm.running_var}])
    norm.eval()
    same(net.ours(net.params, x, train=False)[0], norm(torch.tensor(x)))
