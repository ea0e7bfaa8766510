"""`surefoot.gradcheck`: is the gradient right, and which mode is cheaper here?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from surefoot.errors import InputError
from surefoot.gradients.compare import (
    DIFFERENCES_TOLERANCE,
    MODES_TOLERANCE,
    Checked,
    compare,
)
from surefoot.gradients.cost import Cost, measure_cost
from surefoot.gradients.point import Point, choose_rows, labels, place_of

# Layers of which something must be known to read the result.
_NOTES = {
    "step": "{0} (step): its derivative is 0 wherever it has one, so no gradient reaches the "
    "layers below",
    "batch_norm": "{0} (batch_norm): with the statistics of these rows, through which the gradient "
    "passes too",
    "dropout": "{0} (dropout): with the mask of the first step, the same in all evaluations",
    "rrelu": "{0} (rrelu): with the slopes of the first step, the same in all evaluations",
    "embedding": "{0} (embedding): rows of its table that no example asks for have gradient 0",
    "repeat": "{0} (repeat): entries are sampled over all repetitions together",
}


@dataclass(frozen=True)
class GradientCheck:
    """What a check of the gradient found.

    Attributes:
        rows: how many training rows the loss is a mean of.
        loss: there.
        weights: a `Checked` for each array of weights.
        cost: of each mode.
        notes: what to know about some layers.
    """

    rows: int
    loss: float
    weights: tuple[Checked, ...]
    cost: Cost
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether all arrays agree."""
        return all(own.agrees for own in self.weights)

    @property
    def sentence(self) -> str:
        """Say whether the three agree."""
        sampled = sum(own.sampled for own in self.weights)
        kinks = sum(own.kinks for own in self.weights)
        wrong = [f"{own.weight.layer} {own.weight.name}" for own in self.weights if not own.agrees]
        left = f"; {kinks:,} at kinks, where there is no derivative, are left out" if kinks else ""
        if not wrong:
            return (
                f"the gradient is right: {sampled:,} sampled entries of {len(self.weights)} arrays "
                f"agree{left}"
            )
        return (
            f"the gradient is wrong in {', '.join(wrong)}: relative errors are above "
            f"{DIFFERENCES_TOLERANCE:g} of finite differences or {MODES_TOLERANCE:g} of forward "
            f"mode{left}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        modes = [{**asdict(mode), "total_seconds": mode.total_seconds} for mode in self.cost.modes]
        return {
            "agrees": self.agrees,
            "sentence": self.sentence,
            "rows": self.rows,
            "loss": self.loss,
            "weights": [{**asdict(own.weight), **_plain(own)} for own in self.weights],
            "cost": {
                "inputs": self.cost.inputs,
                "loss_operations": self.cost.loss_operations,
                "loss_seconds": self.cost.loss_seconds,
                "modes": modes,
                "cheapest": self.cost.cheapest.name,
                "sentence": self.cost.sentence,
            },
            "notes": list(self.notes),
        }


def gradcheck(
    source: Any,
    *,
    net: Any = None,
    keys: Mapping[str, Any] | None = None,
    rows: int = 16,
    entries: int = 10,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of the training loss by three modes, layer by layer, in float64.

    At the first weights of a recipe, or at a run's. Dropout has one mask, batch normalization the
    statistics of the rows that were chosen.

    Args:
        source: what `surefoot.train` takes, or a run or its folder.
        net: layers in place of the recipe's.
        keys: of the recipe, to be set.
        rows: how many training rows the loss is a mean of, at most.
        entries: how many of each array's weights to look at, at most; reverse mode has them all.
        seed: of the choice of rows and entries.

    Raises:
        InputError: an argument is not what it can be.

    >>> check = gradcheck("iris", net="mlp:4", entries=3)
    >>> check.agrees, [own.weight.name for own in check.weights], check.cost.cheapest.name
    (True, ['bias', 'kernel', 'bias', 'kernel'], 'reverse')
    """
    if entries < 1:
        raise InputError(f"entries = {entries}: must be at least 1")
    place = place_of(source, net=net, keys=keys)
    with jax.enable_x64(True):
        point = Point.of(place, choose_rows(place.cohort, rows, seed), train=True)
        named = jax.tree.leaves(labels(point.blueprint.network.body.layers, point.params))
        if not named:
            raise InputError("the net has no weights, and so no gradient to check")
        found = compare(point.loss, point.params, named, entries=entries, seed=seed)
        theta, unravel = ravel_pytree(point.params)
        cost = measure_cost(lambda theta: point.loss(unravel(theta)), theta)
        loss = float(point.loss(jax.tree.map(jnp.asarray, point.params)))
    return GradientCheck(len(point.weights), loss, found, cost, _notes(point))


def _notes(point: Point) -> tuple[str, ...]:
    seen: dict[str, list[str]] = {}
    stack = list(point.blueprint.network.body.layers)
    while stack:
        layer = stack.pop(0)
        inner = getattr(layer, "block", None) or getattr(layer, "branch", None)
        stack[:0] = inner.layers if inner is not None else ()
        for name in {layer.label, layer.kind}:
            if name in _NOTES:
                seen.setdefault(name, []).append(layer.number)
    return tuple(_NOTES[name].format("layer " + ", ".join(own)) for name, own in seen.items())


def _plain(own: Checked) -> dict[str, Any]:
    names = ("shape", "sampled", "compared", "kinks", "small", "zero", "agrees", "entries")
    told = {name: getattr(own, name) for name in names}
    errors = {"forward_error": own.forward_error, "difference_error": own.difference_error}
    return {**told, "shape": list(own.shape), **errors}
