"""`surefoot.backprop`: one example's way through a net and back, every number of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.errors import InputError
from surefoot.gradients.point import Point, place_of
from surefoot.gradients.products import Products, count_products
from surefoot.gradients.tape import Entry, flat, gathered, go_back, record
from surefoot.nn.activation import ActivationLayer
from surefoot.nn.dense import Dense
from surefoot.nn.dropout import Dropout
from surefoot.nn.flatten import Flatten

Values = NDArray[Any]
# Float64 leaves 1e-15 or so of two ways to one product.
_CLOSE = 1e-10
_MOST_VALUES = 10_000
# What a net may hold whose paths can be counted by its widths.
_CHAIN = (Dense, ActivationLayer, Dropout, Flatten)
# Layers whose output an activation may follow.
_BEFORE = ("dense", "conv", "batch_norm")


@dataclass(frozen=True)
class LayerStep:
    """One layer, forward and back.

    Attributes:
        layer: its number.
        kind: such as "dense" or "relu".
        x: its input.
        y: its output: z of a layer with weights, a of an activation.
        signal: ∂L/∂y.
        input_signal: ∂L/∂x, the signal of the layer below.
        weights: by name.
        gradients: ∂L/∂W of each, by name.
        checks: of a dense layer how far xᵀg is from its ∂W, gWᵀ from its ∂x and g from its ∂b,
            as shares of the largest entry.
    """

    layer: str
    kind: str
    x: Values
    y: Values
    signal: Values
    input_signal: Values
    weights: dict[str, Values]
    gradients: dict[str, Values]
    checks: dict[str, float]

    @property
    def output_name(self) -> str:
        """What the field calls the output: "z" in front of an activation, else "a"."""
        return "z" if self.kind in _BEFORE else "a"

    def arrays(self) -> dict[str, Values]:
        """Return what is shown of it, by name."""
        shown = {self.output_name: self.y, f"∂L/∂{self.output_name}": self.signal}
        return shown | {f"∂L/∂{name}": own for name, own in self.gradients.items()}


@dataclass(frozen=True)
class Backprop:
    """One example's way through a net and back.

    Attributes:
        example: its row among the training rows, from 0.
        target: what it should give, as the net learns it.
        prediction: what the net gives: chances of classes, or numbers in the target's units.
        loss: of the example.
        input: as the first layer takes it.
        layers: from the input to the output.
        largest_error: how far the gradients of all layers are from those of reverse mode on the
            whole net, as a share of the largest.
        products: what storing saved.
        notes: what to know.
    """

    example: int
    target: Any
    prediction: Values
    loss: float
    input: Values
    layers: tuple[LayerStep, ...]
    largest_error: float
    products: Products
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; arrays of many numbers in short."""
        steps = []
        for step in self.layers:
            arrays = {"x": step.x, "output": step.y, "signal": step.signal}
            arrays["input_signal"] = step.input_signal
            steps.append(
                {
                    "layer": step.layer,
                    "kind": step.kind,
                    "output_is": step.output_name,
                    **{name: summary(own) for name, own in arrays.items()},
                    "weights": {name: summary(own) for name, own in step.weights.items()},
                    "gradients": {name: summary(own) for name, own in step.gradients.items()},
                    "checks": step.checks,
                }
            )
        return {
            "example": self.example,
            "target": self.target,
            "prediction": self.prediction.tolist(),
            "loss": self.loss,
            "agrees": self.agrees,
            "largest_error": self.largest_error,
            "input": summary(self.input),
            "layers": steps,
            "products": {
                **asdict(self.products),
                "saved": self.products.saved,
                "sentence": self.products.sentence,
            },
            "notes": list(self.notes),
        }

    @property
    def agrees(self) -> bool:
        """Whether every product is what it should be."""
        errors = [error for step in self.layers for error in step.checks.values()]
        return max([self.largest_error, *errors]) <= _CLOSE


def summary(array: Values) -> dict[str, Any]:
    """Return an array's shape, what its numbers are like, and up to 10,000 of them exactly.

    >>> summary(np.array([3.0, -4.0]))["rms"], summary(np.zeros((200, 200)))["values"]
    (3.5355339059327378, None)
    """
    size = np.abs(array)
    return {
        "shape": list(array.shape),
        "mean": float(array.mean()),
        "rms": float(np.sqrt(np.mean(np.square(array)))),
        "largest": float(size.max()),
        "zeros": float(np.mean(size == 0)),
        "values": array.tolist() if array.size <= _MOST_VALUES else None,
    }


def backprop(
    source: Any, example: int = 0, *, net: Any = None, keys: Mapping[str, Any] | None = None
) -> Backprop:
    """Show what backpropagation computes for one example, layer by layer, in float64.

    The signal at the output is ∂L/∂z; each layer passes it on, ∂L/∂x = gWᵀ for a dense one,
    g f′(z) for an activation, and has its weights' gradient from it, ∂L/∂W = xᵀg. Both products
    are checked, and all gradients against reverse mode on the whole net.

    One example has no batch: batch normalization uses its running averages and dropout drops
    nothing.

    Args:
        source: what `surefoot.train` takes, or a run or its folder.
        example: which of the training rows, from 0.
        net: layers in place of the recipe's.
        keys: of the recipe, to be set.

    Raises:
        InputError: there is no such example.

    Source: Rumelhart, Hinton and Williams (1986), *Learning representations by back-propagating
    errors*.

    >>> shown = backprop("iris", 3, net="mlp:4")
    >>> [step.kind for step in shown.layers], shown.layers[0].gradients["kernel"].shape
    (['dense', 'relu', 'dense'], (4, 4))
    >>> shown.agrees
    True
    """
    place = place_of(source, net=net, keys=keys)
    count = len(place.cohort.dataset.x_train)
    if not 0 <= example < count:
        raise InputError(f"example = {example}: there are training rows 0 to {count - 1}")
    with jax.enable_x64(True):
        return _shown(Point.of(place, np.array([example]), train=False), example)


def _shown(point: Point, example: int) -> Backprop:
    network, objective = point.blueprint.network, point.blueprint.objective
    outputs, tape = record(
        network.body.layers, point.params, point.state, point.inputs, point.context
    )
    loss, signal = jax.value_and_grad(point.loss_of)(outputs)
    go_back(tape, signal)
    entries = flat(tape)
    whole = jax.grad(point.loss)(jax.tree.map(jnp.asarray, point.params))
    own = gathered(network.body.layers, iter(entries))
    error = _apart(*([np.asarray(leaf) for leaf in jax.tree.leaves(t)] for t in (own, whole)))
    counted = [entry for entry in entries if entry.multiplications]
    chain = all(isinstance(layer, _CHAIN) for layer in network.body.layers)
    shapes = [tuple(entry.weights["kernel"].shape) for entry in counted] if chain else None
    head = None if network.head is None else f"layer {network.head.number}"
    notes = [_HEAD.format(head, network.head.name)] if network.head is not None else []
    kinds = {entry.kind for entry in entries}
    notes += [text for kind, text in _NOTES.items() if kind in kinds]
    return Backprop(
        example,
        np.asarray(point.y[0]).tolist(),
        np.asarray(objective.predict(outputs, point.given.scaling))[0],
        float(loss),
        np.asarray(point.inputs)[0],
        tuple(_step(entry) for entry in entries),
        error,
        count_products([entry.multiplications for entry in counted], shapes),
        tuple(notes),
    )


_HEAD = "{0} ({1}) is part of the loss: the last signal is taken in front of it"
_NOTES = {
    "batch_norm": "batch normalization uses its running averages: one example has no batch",
    "dropout": "dropout drops nothing, as in evaluation",
    "step": "step's derivative is 0: no signal passes it",
}


def _step(entry: Entry) -> LayerStep:
    x, y, signal, below = (
        np.asarray(own)[0] for own in (entry.x, entry.y, entry.signal, entry.input_signal)
    )
    weights = {name: np.asarray(own) for name, own in entry.weights.items()}
    gradients = {name: np.asarray(own) for name, own in entry.gradients.items()}
    checks = {}
    if entry.kind == "dense":
        checks["kernel"] = _apart([np.outer(x, signal)], [gradients["kernel"]])
        checks["input"] = _apart([signal @ weights["kernel"].T], [below])
        if "bias" in gradients:
            checks["bias"] = _apart([signal], [gradients["bias"]])
    return LayerStep(entry.layer, entry.kind, x, y, signal, below, weights, gradients, checks)


def _apart(ones: list[Values], others: list[Values]) -> float:
    """Return the largest difference of two lists of arrays, as a share of the largest number."""
    differences = [np.abs(a - b).max(initial=0.0) for a, b in zip(ones, others, strict=True)]
    largest = max([np.abs(b).max(initial=0.0) for b in others], default=0.0)
    return float(max(differences, default=0.0) / max(largest, np.finfo(np.float64).tiny))
