"""Does deeper help: degradation, residual connections, and starts for very deep nets."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import surefoot as sf
from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.nn.initializers import initialize
from surefoot.nn.lowering import conv2d
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "degradation": lambda n: n["deep_plain_loss"] > 2 * n["shallow_plain_loss"],
    "cure": lambda n: n["deep_residual_loss"] < n["deep_plain_loss"] / 2,
    "delta": lambda n: abs(n["delta_last"] - 1) < 1e-3 and not 0.5 < n["he_last"] < 2,
    "fixup": lambda n: n["fixup_growth"] < 5 < n["he_growth"],
}
_WIDTH = 32


def _net(depth: int, kind: str) -> list[dict[str, Any]]:
    dense, bend = {"dense": _WIDTH}, {"activation": "relu"}
    output = [{"dense": "classes"}, {"activation": "softmax"}]
    if kind == "plain":
        return [dense, bend, {"repeat": depth, "layers": [dense, bend]}, *output]
    # The last layer of a branch starts at zero, so that each block starts as the identity.
    branch = [dense, bend, {**dense, "initializer": "zeros"}]
    block = [{"residual": branch}, bend]
    return [dense, bend, {"repeat": depth // 2, "layers": block}, *output]


def _training(full: bool) -> tuple[dict[str, Any], Any]:
    depths = (4, 16, 48) if full else (4, 48)
    rates = sf.logspace(-3.5, -0.5, 7) if full else [0.01]
    kinds = ("plain", "residual")
    names = [(kind, depth) for kind in kinds for depth in depths]
    if not full:
        names.remove(("residual", 4))
    trained = train_lanes(
        "digits",
        {
            f"{kind} {depth} {rate:.2g}": {
                "net.layers": _net(depth, kind),
                "learning_rate": float(f"{rate:.2g}"),
            }
            for kind, depth in names
            for rate in rates
        },
        net=_net(4, "plain"),
        seeds=8 if full else 1,
        keys={"optimizer": "momentum", "epochs": 20 if full else 5},
    )
    losses = np.array([own.of("train", measure=False).mean() for own in trained.values()])
    losses = np.where(np.isfinite(losses), losses, np.inf).reshape(len(names), -1).min(axis=1)
    found = dict(zip(names, losses, strict=True))
    numbers = {
        "shallow": depths[0],
        "deep": depths[-1],
        "shallow_plain_loss": found["plain", depths[0]],
        "deep_plain_loss": found["plain", depths[-1]],
        "deep_residual_loss": found["residual", depths[-1]],
    }
    lines = []
    for role, kind in enumerate(kinds):
        own = [depth for depth in depths if (kind, depth) in found]
        lines.append(series(kind, own, [found[kind, depth] for depth in own], role=role))
    title = "Training loss by depth, each at its best rate"
    across = axis("layers", "log", low=depths[0], high=depths[-1])
    return numbers, plot("depth", title, across, axis("training loss", "log"), lines)


def _filters(name: str, layers: int) -> list[float]:
    """Return the size of a signal through linear convolutions, over that of the input."""
    generator = np.random.default_rng(0)
    z = jnp.asarray(generator.standard_normal((8, 8, 8, 16)), jnp.float32)
    first = float(jnp.sqrt((z**2).mean()))
    sizes = [1.0]
    gain = {"gain": 0.5**0.5} if name == "he_normal" else {}  # without ReLU half is enough
    for _ in range(layers):
        kernel = initialize(name, generator, (3, 3, 16, 16), gain)
        z = conv2d(z, jnp.asarray(kernel), (1, 1), "same")
        sizes.append(float(jnp.sqrt((z**2).mean())) / first)
    return sizes


def _growth(fixup: bool, blocks: int = 100, width: int = 64) -> float:
    """Return how much larger a signal is after residual blocks of two layers, at the start."""
    generator = np.random.default_rng(0)
    z = generator.standard_normal((64, width))
    first = np.sqrt((z**2).mean())
    for _ in range(blocks):
        inner, last = (
            initialize("he_normal", generator, (width, width), {}, np.float64) for _ in range(2)
        )
        branch = np.maximum(z @ inner, 0) @ (0 * last if fixup else last)
        z = np.maximum(z + branch, 0)
    return float(np.sqrt((z**2).mean()) / first)


def measure(full: bool) -> Found:
    """Train plain and residual nets of several depths, and pass signals through very deep ones."""
    numbers, chart = _training(full)
    layers = 200 if full else 50
    sizes = {name: _filters(name, layers) for name in ("delta_orthogonal", "he_normal")}
    told = {"delta_orthogonal": "delta-orthogonal", "he_normal": "Gaussian, Var = 1/n_in"}
    lines = [
        series(told[name], range(layers + 1), own, role=role)
        for role, (name, own) in enumerate(sizes.items())
    ]
    title = "Size of the signal through linear convolutions"
    signal = plot("signal", title, axis("layer"), axis("root mean square", "log"), lines)
    numbers |= {
        "layers": layers,
        "delta_last": sizes["delta_orthogonal"][-1],
        "he_last": sizes["he_normal"][-1],
        "blocks": 100,
        "fixup_growth": _growth(fixup=True),
        "he_growth": _growth(fixup=False),
    }
    return Found(numbers, {"": chart, "signal": signal})
