"""The oracle: any recipe's layers in PyTorch, one functional call a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from surefoot.nn.layer import Context
from surefoot.nn.network import Network, build
from surefoot.recipe import Net, kind_of, numbers

ACTIVATIONS = {
    "step": lambda x, spec: torch.heaviside(x.detach(), torch.ones_like(x)) + 0 * x,
    "identity": lambda x, spec: x,
    "sigmoid": lambda x, spec: torch.sigmoid(x),
    "tanh": lambda x, spec: torch.tanh(x),
    "relu": lambda x, spec: F.relu(x),
    "softplus": lambda x, spec: F.softplus(x, threshold=50),
    "leaky_relu": lambda x, spec: F.leaky_relu(x, spec.slope),
    "rrelu": lambda x, spec: F.rrelu(x, spec.low, spec.high, training=False),
    "elu": lambda x, spec: F.elu(x, spec.alpha),
    "selu": lambda x, spec: F.selu(x),
    "gelu": lambda x, spec: F.gelu(x),
    "silu": lambda x, spec: F.silu(x),
    "exponential": lambda x, spec: torch.exp(x),
    "softmax": lambda x, spec: torch.softmax(x, dim=-1),
}


def as_torch(tree: Any, grad: bool = False) -> Any:
    """Return a tree of arrays as tensors of float64."""
    return jax.tree.map(
        lambda leaf: torch.tensor(np.asarray(leaf), dtype=torch.float64, requires_grad=grad), tree
    )


def grads_of(tree: Any) -> Any:
    """Return what PyTorch left as the gradient of each tensor of a tree."""
    return jax.tree.map(lambda leaf: leaf.grad.numpy(), tree)


def run(specs: Sequence[Any], params: Any, state: Any, x: torch.Tensor, train: bool) -> Any:
    """Return the output and the list of new states."""
    states = []
    for spec, own, running in zip(specs, params, state, strict=True):
        x, running = layer(spec, own, running, x, train)
        states.append(running)
    return x, states


def layer(spec: Any, params: Any, state: Any, x: torch.Tensor, train: bool) -> Any:
    """Return one layer's output and its new state."""
    match kind_of(spec):
        case "dense":
            return F.linear(x, params["kernel"].T, params.get("bias")), state
        case "conv":
            x = padded(x, spec.size, spec.stride, spec.padding, 0.0)
            kernel = params["kernel"].permute(3, 2, 0, 1)
            return last(F.conv2d(x, kernel, params.get("bias"), spec.stride)), state
        case "max_pool":
            stride = spec.stride or spec.max_pool
            x = padded(x, spec.max_pool, stride, spec.padding, -torch.inf)
            return last(F.max_pool2d(x, spec.max_pool, stride)), state
        case "average_pool":
            size, stride = spec.average_pool, spec.stride or spec.average_pool
            total, inside = (
                F.avg_pool2d(padded(a, size, stride, spec.padding, 0.0), size, stride)
                for a in (x, torch.ones_like(x))
            )
            return last(total / inside), state
        case "global_average_pool":
            return F.adaptive_avg_pool2d(first(x), 1).flatten(1), state
        case "flatten":
            return torch.flatten(x, 1), state
        case "embedding":
            embedded = [column for column, _ in spec.columns]
            parts = [x[:, [c for c in range(x.shape[1]) if c not in embedded]]]
            tables = params["kernel"].split([categories for _, categories in spec.columns])
            for column, table in zip(embedded, tables, strict=True):
                codes = x[:, column].detach().clamp(0, len(table) - 1).long()
                parts.append(F.embedding(codes, table))
            return torch.cat(parts, 1), state
        case "batch_norm":
            mean, variance = state["mean"].clone(), state["variance"].clone()
            options = spec.batch_norm
            y = F.batch_norm(
                first(x),
                mean,
                variance,
                params["scale"],
                params["bias"],
                train,
                1 - options.momentum,
                options.epsilon,
            )
            return last(y), {"mean": mean, "variance": variance}
        case "dropout":
            return F.dropout(x, spec.dropout, training=False), state
        case "activation" if spec.activation == "prelu":
            return F.prelu(x, params["slope"].reshape(1)), state
        case "activation":
            return ACTIVATIONS[spec.activation](x, spec), state
        case "residual":
            y, inner = run(spec.residual, params["branch"], state["branch"], x, train)
            if "projection" in params:
                x = projected(x, params["projection"], y.shape)
            return x + y, {"branch": inner}
        case "repeat":
            found = []
            for i in range(spec.repeat):
                own, running = jax.tree.map(lambda leaf, i=i: leaf[i], (params, state))
                x, running = run(spec.layers, own, running, x, train)
                found.append(running)
            return x, jax.tree.map(lambda *each: torch.stack(each), *found)
    raise AssertionError(f"the oracle lacks {spec!r}")


def first(x: torch.Tensor) -> torch.Tensor:
    """Put the channels where PyTorch has them."""
    return x.movedim(-1, 1)


def last(x: torch.Tensor) -> torch.Tensor:
    """Put the channels last."""
    return x.movedim(1, -1)


def padded(x: torch.Tensor, size: Any, stride: Any, padding: str, value: float) -> torch.Tensor:
    """Return [N, C, H, W], padded for ⌈n/s⌉ windows with the odd one below and to the right."""
    x = first(x)
    if padding == "valid":
        return x
    totals = [max(k - (n % s or s), 0) for n, k, s in zip(x.shape[2:], size, stride, strict=True)]
    (up, down), (left, right) = ((total // 2, total - total // 2) for total in totals)
    return F.pad(x, (left, right, up, down), value=value)


def projected(x: torch.Tensor, kernel: torch.Tensor, shape: Any) -> torch.Tensor:
    """Bring a residual block's input to its branch's shape."""
    if x.ndim == 2:
        return x @ kernel
    stride = [-(-n // m) for n, m in zip(x.shape[1:3], shape[1:3], strict=True)]
    return last(F.conv2d(first(x), kernel.permute(3, 2, 0, 1), stride=stride))


@dataclass
class Case:
    """One net in both libraries, with the same weights in float64."""

    net: Net
    network: Network
    numbers: Any
    params: Any
    state: Any

    def ours(self, params: Any, x: Any, train: bool) -> Any:
        """Return our output, in front of a head, and the new state."""
        context = Context(train, None, self.numbers)
        y, state, _ = self.network.apply(params, self.state, x, context)
        return y, state

    def theirs(self, x: np.ndarray, train: bool) -> Any:
        """Return PyTorch's output and new state, and the leaves that will hold gradients."""
        params, x = as_torch((self.params, x), grad=True)
        specs = self.net.layers[: len(self.network.body.layers)]
        y, state = run(specs, params, as_torch(self.state), x, train)
        return y, state, (params, x)


@pytest.fixture(scope="session")
def case() -> Callable[..., Case]:
    """Return a function from a recipe's layers and an input shape to a `Case`.

    All parameters and running averages are moved away from their starts by chance, so that no
    zero or one of a bias or a scale hides an error.
    """

    def case(layers: Any, shape: tuple[int, ...], outputs: int = 3, **net: Any) -> Case:
        parsed = Net.model_validate({"layers": layers, **net})
        network = build(parsed, shape, outputs)
        lane = numbers(parsed)
        params, state = network.init(0, lane, np.float64)
        rng = np.random.default_rng(1)
        params, state = jax.tree.map(
            lambda leaf: leaf + rng.uniform(0.05, 0.2, leaf.shape), (params, state)
        )
        return Case(parsed, network, lane, params, state)

    return case


@pytest.fixture(scope="session")
def same() -> Callable[..., None]:
    """Return the comparison: two trees agree to 1e-9 relative to each leaf's largest number."""

    def same(ours: Any, theirs: Any) -> None:
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
            a, b = (x.detach().numpy() if torch.is_tensor(x) else np.asarray(x) for x in (a, b))
            assert a.shape == b.shape
            assert a.dtype == np.float64
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max(initial=1e-6))

    return same
