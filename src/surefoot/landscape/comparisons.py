"""Two ways to train beside each other: how rough is the error surface that each goes over?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.engine.cohort import Cohort
from surefoot.engine.training import Training
from surefoot.errors import InputError, nearest
from surefoot.job import Job, prepare
from surefoot.landscape.directions import random_directions
from surefoot.landscape.hessian import Surface
from surefoot.landscape.surface import Sampled, grid
from surefoot.landscape.trajectory import snapshot_steps
from surefoot.nn.dense import Dense
from surefoot.recipe import Recipe

KINDS = ("batch_norm", "loss")
# How far along the negative gradient to look, as shares of the weights' length.
REACHES: NDArray[np.float64] = np.array([0.0025, 0.005, 0.01, 0.02])
# The weights of the last layer are multiplied by these, from unsure to sure, all of it wrong.
SURENESS: NDArray[np.float64] = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
_SNAPSHOTS = 8
_PLANE_POINTS = 21
_MOST_SEEDS = 64

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """One of the two.

    Attributes:
        name: such as "with batch normalization".
        steps: at which its surface was measured, [snapshots].
        losses: training loss there, [seeds, snapshots].
        turning: how much the gradient changes within a hundredth of the weights' length along it,
            ‖∇L(θ) − ∇L(θ − d)‖/‖∇L(θ)‖, the largest over the reaches, [seeds, snapshots].
        steepness: the largest change of the loss along it over its length, as a share of the
            loss: how Lipschitz it is, [seeds, snapshots].
        plane: losses on a random filter-normalized plane around the last weights of the first
            seed, [points, points]; not finite where they overflow.
        axis: places along both of its sides, [points].
        far: of a comparison of losses the gradient's norm where the net is surely wrong,
            [seeds, sureness]; otherwise None.
    """

    name: str
    steps: NDArray[np.int64]
    losses: Values
    turning: Values
    steepness: Values
    plane: Values
    axis: Values
    far: Values | None


@dataclass(frozen=True)
class Comparison:
    """Two variants of a recipe, each trained from the same seeds.

    Attributes:
        kind: "batch_norm" or "loss".
        seeds: how many.
        rows: of the sample on which surfaces were measured.
        variants: both.
        sentence: what was found.
    """

    kind: str
    seeds: int
    rows: int
    variants: tuple[Variant, Variant]

    @property
    def turning_ratio(self) -> Values:
        """Return how much less the first one's gradient turns, seed by seed: second over first."""
        one, two = (np.median(own.turning, axis=1) for own in self.variants)
        return two / one

    @property
    def sentence(self) -> str:
        """Say what was found, in numbers."""
        one, two = self.variants
        ratio = self.turning_ratio
        smoother = int((ratio > 1).sum())
        turned = [float(np.median(own.turning)) for own in self.variants]
        text = (
            f"A step of up to {REACHES[-1]:.0%} of the weights' length along the gradient changes "
            f"the gradient by {turned[0]:.2g} of its own length {one.name} and by {turned[1]:.2g} "
            f"{two.name} (medians over training and {self.seeds} seeds): the surface is smoother "
            f"{one.name} for {smoother} of {self.seeds} seeds."
        )
        if one.far is None or two.far is None:
            return text
        last = [float(np.median(own.far[:, -1])) for own in self.variants]
        own = [float(np.median(v.far[:, list(SURENESS).index(1.0)])) for v in self.variants]
        return (
            f"Where the trained net is made to be wrong, its outputs moved by one class, the "
            f"gradient's norm is {own[0]:.3g} {one.name} and {own[1]:.3g} {two.name}; made "
            f"{SURENESS[-1]:g} times as sure of it, {last[0]:.3g} and {last[1]:.3g}: the surer and "
            f"the more wrong, the {'larger' if last[0] > own[0] else 'smaller'} the one and the "
            f"{'larger' if last[1] > own[1] else 'smaller'} the other. " + text
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return {
            "kind": self.kind,
            "seeds": self.seeds,
            "rows": self.rows,
            "sentence": self.sentence,
            "turning_ratio": self.turning_ratio.tolist(),
            "reaches": REACHES.tolist(),
            "sureness": SURENESS.tolist() if self.kind == "loss" else None,
            "variants": [
                {
                    "name": own.name,
                    **{
                        name: None if values is None else values.tolist()
                        for name, values in vars(own).items()
                        if name != "name"
                    },
                }
                for own in self.variants
            ],
        }


def compare_surfaces(
    kind: str,
    source: Any,
    *,
    net: Any = None,
    optimizer: Any = None,
    keys: Mapping[str, Any] | None = None,
    seeds: int = 5,
    rows: int = 512,
) -> Comparison:
    """Train a recipe in two ways from the same seeds, and measure both error surfaces on the way.

    | kind | the one | the other |
    | --- | --- | --- |
    | batch_norm | batch normalization in front of each hidden activation | none |
    | loss | cross-entropy on the softmax | squared error on it |

    Seeds are lanes. At up to 8 points of each training the loss and its gradient are measured
    along the negative gradient, up to 2 % of the weights' length away: how much the gradient turns
    says how far one may trust it (*predictiveness*), the largest change of the loss over its
    length how Lipschitz the loss is.

    Args:
        kind: "batch_norm" or "loss".
        source: what `surefoot.train` takes, but no run.
        net: layers in place of the recipe's.
        optimizer: its update rule.
        keys: of the recipe, to be set.
        seeds: how many, from the recipe's own on.
        rows: training rows to measure on, at most.

    Raises:
        InputError: there is no such comparison, or the recipe cannot be compared so.

    Source: Santurkar and others (2018), *How does batch normalization help optimization?*, section
    3; Glorot and Bengio (2010), section 4.1, for the two losses.
    """
    if kind not in KINDS:
        raise InputError(f"{kind}: must be batch_norm or loss{nearest(kind, KINDS)}")
    if not 1 <= seeds <= _MOST_SEEDS:
        raise InputError(f"seeds = {seeds}: must be from 1 to {_MOST_SEEDS}")
    if rows < 2:
        raise InputError(f"rows = {rows}: must be at least 2")
    job = prepare(source, net=net, optimizer=optimizer, keys=keys, facts=False)
    named = _with_and_without(job.recipe) if kind == "batch_norm" else _two_losses(job)
    trained = [_train(job, name, recipe, seeds, rows) for name, recipe in named]
    fars: list[Any] = [None, None]
    if kind == "loss":
        ends = [end for end, _ in trained]
        fars = [_far(end, ends[0], rows) for end in ends]
    first, second = (_variant(end, far) for (end, _), far in zip(trained, fars, strict=True))
    return Comparison(kind, seeds, trained[0][1], (first, second))


@dataclass(frozen=True)
class _Trained:
    """A variant's cohort with the weights on its way."""

    name: str
    cohort: Cohort
    steps: NDArray[np.int64]
    params: Any
    state: Any
    measured: Values


def _with_and_without(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Return the recipe with normalization in front of each hidden activation, and without."""
    tables = recipe.to_dict()
    bare = _bare(tables["net"]["layers"])
    normed = _normed(bare, last=True)
    if normed == bare:
        raise InputError("net.layers: has no hidden activation to normalize in front of")
    named = (("with batch normalization", normed), ("without", bare))
    return [
        (name, Recipe.parse({**tables, "net": {**tables["net"], "layers": layers}}))
        for name, layers in named
    ]


def _two_losses(job: Job) -> list[tuple[str, Recipe]]:
    """Return the recipe with cross-entropy and with squared error on the same softmax."""
    network, tables = job.cohort.blueprint.network, job.recipe.to_dict()
    last = network.body.layers[-1] if network.body.layers else None
    if network.head is None or network.head.name != "softmax" or not isinstance(last, Dense):
        raise InputError("net.layers: the losses are compared on a dense layer and a softmax")
    named = (("with cross-entropy", "cross_entropy"), ("with squared error", "mean_squared_error"))
    return [
        (name, Recipe.parse({**tables, "train": {**tables["train"], "loss": loss}}))
        for name, loss in named
    ]


def _bare(layers: Sequence[Any]) -> list[Any]:
    kept = [layer for layer in layers if "batch_norm" not in layer]
    return [
        {
            key: _bare(value) if key in ("residual", "layers") else value
            for key, value in own.items()
        }
        for own in kept
    ]


def _normed(layers: Sequence[Any], last: bool = False) -> list[Any]:
    """Return layers with a normalization in front of each activation but the output's."""
    made: list[Any] = []
    for i, layer in enumerate(layers):
        if "activation" in layer and not (last and i == len(layers) - 1):
            made.append({"batch_norm": {}})
        inside = ("residual", "layers")
        made.append({k: _normed(v) if k in inside else v for k, v in layer.items()})
    return made


def _train(job: Job, name: str, recipe: Recipe, seeds: int, rows: int) -> tuple[_Trained, int]:
    """Train a variant's seeds as lanes, and measure its surfaces on the way."""
    recipes = [recipe.model_copy(update={"seed": recipe.seed + i}) for i in range(seeds)]
    cohort = Cohort(recipes, job.dataset)
    steps = snapshot_steps(cohort.total_steps, _SNAPSHOTS)
    measured = np.full((3, seeds, len(steps)), np.nan)
    snapshot, used = None, rows
    for place, step in enumerate(steps.tolist()):
        training = Training(cohort, until=step)
        if snapshot is not None:
            training.restore(snapshot)
        training.advance()
        snapshot = training.snapshot()
        states = snapshot.lanes.states
        for lane in range(seeds):
            own = jax.tree.map(lambda array, n=lane: array[n], (states.params, states.state))
            surface = Surface.of(cohort, *own, lane=lane, rows=rows)
            measured[:, lane, place], used = _along(surface), surface.rows
    return _Trained(name, cohort, steps, states.params, states.state, measured), used


def _along(surface: Surface) -> tuple[float, float, float]:
    """Return the loss, and how much gradient and loss change along the negative gradient."""
    theta = np.asarray(surface.start, np.float64)
    loss, gradient = surface.gradient(theta)
    norm = float(np.linalg.norm(gradient))
    if not norm > 0:
        return loss, np.nan, np.nan
    turned, changed = [], []
    for length in REACHES * np.linalg.norm(theta):
        there, other = surface.gradient(theta - length * gradient / norm)
        turned.append(np.linalg.norm(other - gradient) / norm)
        changed.append(abs(there - loss) / length / loss if loss > 0 else np.nan)
    return loss, float(np.max(turned)), float(np.max(changed))


def _far(own: _Trained, trained: _Trained, rows: int) -> Values:
    """Return the gradient's norm at trained weights whose outputs are moved by one class."""
    found = []
    for lane in range(own.cohort.lanes):
        params, state = jax.tree.map(lambda array, n=lane: array[n], (trained.params, own.state))
        norms = []
        for sureness in SURENESS:
            last = {key: np.roll(sureness * value, 1, axis=-1) for key, value in params[-1].items()}
            moved = [*params[:-1], jax.tree.map(lambda a: a.astype(own.cohort.precision), last)]
            surface = Surface.of(own.cohort, moved, state, lane=lane, rows=rows)
            norms.append(float(np.linalg.norm(surface.gradient(surface.start)[1])))
        found.append(norms)
    return np.array(found)


def _variant(own: _Trained, far: Values | None) -> Variant:
    params, state = jax.tree.map(lambda array: array[0], (own.params, own.state))
    axis = np.linspace(-1, 1, _PLANE_POINTS)
    directions = random_directions(own.cohort.networks[0], params, 2)
    sampled = Sampled(own.cohort, params, state, rows=512)
    losses = sampled.plane(directions, grid([axis, axis])).loss
    plane = losses.reshape(_PLANE_POINTS, _PLANE_POINTS)
    return Variant(own.name, own.steps, *own.measured, plane, axis, far)
