"""A point of a run: the weights it kept, its last ones, or those of any step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block
from surefoot.engine.training import train
from surefoot.errors import RunError
from surefoot.job import prepare
from surefoot.run import Run

# Training again must give the losses that the run recorded. On the same machine they are the same
# to the bit; on another one rounding differs, which the first steps do not enlarge.
_COMPARED = 16
_CLOSE = 1e-3


@dataclass(frozen=True)
class Place:
    """The weights of a run at one point.

    Attributes:
        which: "best" and "last" of the run, or "step".
        step: how many updates had been made.
        cohort: the run's recipe and data.
        params: the weights.
        state: the running averages that go with them.
    """

    which: str
    step: int
    cohort: Cohort
    params: Any
    state: Any


@dataclass(frozen=True)
class Spot:
    """Where a point of a run is, before its weights are there.

    Attributes:
        which: "best" and "last" of the run, or "step".
        step: how many updates had been made.
        kept: the step whose weights the run's folder holds.
        cohort: the run's recipe and data.
    """

    which: str
    step: int
    kept: int
    cohort: Cohort


def locate(run: Run, at: str | int = "last") -> Spot:
    """Return where a point of a run is; arguments and errors are those of `find`."""
    steps, diverged = _whole(run, "steps"), run.summary.get("diverged_at")
    step = _step(run, at, steps)
    if diverged is not None and step >= int(diverged):
        raise RunError(
            f"{run.path}: diverged at step {diverged}, and there is no surface to measure from "
            f"there on; give --at a step below {diverged}"
        )
    if run.recipe.data.source is None:
        raise RunError(
            f"{run.path}: was trained on arrays from Python, which a run does not keep; train on "
            "a file, such as an .npz with x and y, to measure its error surface"
        )
    cohort = prepare(run.recipe, facts=False).cohort
    best = run.recipe.train.early_stopping is not None
    kept = _whole(run, "best_epoch") * cohort.steps_per_epoch if best else steps
    which = at if isinstance(at, str) and at in ("best", "last") else "step"
    if at == "best":
        which, step = ("best" if best else "last"), kept
    return Spot(which, step, kept, cohort)


def find(run: Run, at: str | int = "last") -> Place:
    """Return a point of a run.

    A run's folder keeps one set of weights: the best where early stopping watched, else the last.
    For any others the recipe is trained again from its start up to that step, which on the same
    machine gives the same bits.

    Args:
        run: a finished run.
        at: "best", "last", or how many updates had been made.

    Raises:
        RunError: there is no such point, or it cannot be had again.
        DataError: the run's data are not there any more.
    """
    spot = locate(run, at)
    which, step, cohort = spot.which, spot.step, spot.cohort
    if step == spot.kept:
        params, state = run.model.params, run.model.state
        _check_fit(run, cohort, params)
        return Place(which, step, cohort, params, state)
    first = FirstLosses()
    (result,) = train(cohort, first, until=step)
    check_same(run, first.losses)
    return Place(which, step, cohort, result.last.params, result.last.state)


def _step(run: Run, at: str | int, steps: int) -> int:
    """Return which step is asked for; that of "best" does not matter yet."""
    if at in ("best", "last"):
        return steps
    try:
        step = int(at)
    except ValueError:
        raise RunError(f"at = {at!r}: must be best, last, or a step of the run") from None
    if not 0 <= step <= steps:
        raise RunError(f"at = {step}: {run.path} has steps 0 to {steps}")
    return step


def _whole(run: Run, name: str) -> int:
    value = run.summary.get(name)
    if not isinstance(value, int) or value < 0:
        raise RunError(f"{run.path / 'summary.json'}: {name} is {value!r}, not a count")
    return value


class FirstLosses:
    """Listens to the first losses of a training.

    Attributes:
        losses: what was heard, in the order of the steps.
    """

    def __init__(self) -> None:
        self.losses: list[float] = []

    def block(self, block: Block) -> None:
        """Take note of the first ones."""
        if len(self.losses) < _COMPARED:
            self.losses.extend(block.loss[:, 0].tolist())

    def stop(self) -> bool:
        """Never."""
        return False


def check_same(run: Run, losses: list[float]) -> None:
    """Refuse a training that does not begin with the losses that the run recorded."""
    recorded = np.asarray(run.history["loss"])[:_COMPARED]
    for step, (old, new) in enumerate(zip(recorded, losses, strict=False)):
        if not np.isclose(new, old, rtol=_CLOSE, atol=1e-12):
            raise RunError(
                f"{run.path}: trained again from its recipe, the loss at step {step} is {new:.6g} "
                f"and was {old:.6g}: the data have changed since; train anew"
            )


def _check_fit(run: Run, cohort: Cohort, params: Any) -> None:
    """Refuse weights that are not of the net which the recipe and the data make today."""
    network = cohort.blueprint.network
    model = run.model.recipe.net, run.model.feature_shape
    if model != (cohort.recipes[0].net, network.input_shape) or not jax.tree.leaves(params):
        raise RunError(
            f"{run.path}: model.json and recipe.toml, or the data that it names, do not fit each "
            "other any more; train anew"
        )
