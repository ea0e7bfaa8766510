"""How to start: what becomes of a signal's size, and of units that start alike."""

from __future__ import annotations

import numpy as np

from handbook.lanes import Trained, train_lanes
from handbook.study import Found, Numbers
from surefoot.nn.initializers import initialize
from surefoot.report.charts import axis, plot, series

# He's rule keeps the size up to chance; Glorot's is half the variance in each layer of ReLU.
CLAIMS = {
    "he-keeps": lambda n: 0.3 < n["he"] < 3,
    "glorot-halves": lambda n: 0.4 < n["glorot"] / n["glorot_expected"] < 2.5,
    "small-vanishes": lambda n: n["small"] < 1e-4,
    "zeros-learn-nothing": lambda n: n["zeros_moved"] == 0 and n["zeros_accuracy"] < 0.6,
    "equal-stay-equal": lambda n: n["equal_kinds"] == 1 and n["random_kinds"] == n["units"],
    "random-learns": lambda n: n["random_accuracy"] > n["equal_accuracy"] + 0.1,
}
_STARTS = {
    "he": ("He: Var = 2/n_in", "he_normal", {}),
    "glorot": ("Glorot: Var = 2/(n_in + n_out)", "glorot_normal", {}),
    "large": ("standard deviation 0.2", "normal", {"stddev": 0.2}),
    "small": ("standard deviation 0.01", "normal", {"stddev": 0.01}),
}
_UNITS = 8
_NET = [{"dense": _UNITS}, {"activation": "tanh"}, {"dense": 1}, {"activation": "sigmoid"}]


def _sizes(start: str, depth: int, width: int) -> list[float]:
    """Return the root mean square of each layer's output over the input's, from the input on."""
    _, name, numbers = _STARTS[start]
    generator = np.random.default_rng(0)
    z = generator.standard_normal((256, width))
    sizes = [1.0]
    for _ in range(depth):
        z = np.maximum(z @ initialize(name, generator, (width, width), numbers, np.float64), 0)
        sizes.append(float(np.sqrt(np.mean(z**2))))
    return sizes


def _kinds(trained: Trained) -> int:
    """Return how many units of the hidden layer differ from all others, of the first run."""
    kernel = np.asarray(trained.results[0].params[0]["kernel"])
    return len(np.unique(kernel.round(6), axis=1).T)


def measure(full: bool) -> Found:
    """Pass noise through deep nets of ReLU, and train a small net from three starts."""
    depth, width = 20, 512 if full else 128
    sizes = {name: _sizes(name, depth, width) for name in _STARTS}
    trained = train_lanes(
        "circles",
        {
            "zeros": {"net.initializer": "zeros"},
            "equal": {"net.initializer": {"name": "constant", "value": 0.5}},
            "random": {"net.initializer": "glorot_normal"},
        },
        net=_NET,
        seeds=5 if full else 1,
        keys={"loss": "binary_cross_entropy", "epochs": 40, "learning_rate": 0.02},
    )
    zeros = np.asarray(trained["zeros"].results[0].params[0]["kernel"])
    numbers: Numbers = {
        "depth": depth,
        "width": width,
        **{name: own[-1] for name, own in sizes.items()},
        # Without what ReLU cuts off, Glorot's variance would keep the size for equal widths.
        "glorot_expected": 0.5 ** (depth / 2),
        "units": _UNITS,
        "zeros_moved": float(np.abs(zeros).max()),
        "equal_kinds": _kinds(trained["equal"]),
        "random_kinds": _kinds(trained["random"]),
        **{f"{name}_accuracy": own.of("validation").mean() for name, own in trained.items()},
    }
    lines = [
        series(told, range(depth + 1), sizes[name], role=role)
        for role, (name, (told, _, _)) in enumerate(_STARTS.items())
    ]
    title = "Size of the signal through layers of ReLU, by first weights"
    across = axis("layer", low=0)
    return Found(
        numbers, {"": plot("sizes", title, across, axis("root mean square", "log"), lines)}
    )
