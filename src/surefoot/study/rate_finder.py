"""Which learning rates train a recipe: lanes of constant rates, several seeds, and a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.events import Block, Silent
from surefoot.errors import RecipeError
from surefoot.job import Job, prepare
from surefoot.recipe import Recipe
from surefoot.recipe.schedule import Constant
from surefoot.recipe.section import is_whole
from surefoot.study.plan import make_plan
from surefoot.study.running import train_part
from surefoot.study.space import Setting
from surefoot.vitals.table import Table

Array = NDArray[np.float64]

# Four rates a factor of ten, over all that is ever used.
RATES = tuple(float(f"{rate:.2g}") for rate in np.logspace(-5, 1, 25))
# A rate serves that brings the loss down by this share of what the best brings it down by.
_SHARE = 0.8
# A loss that no rate brings down by more than this share is not moved by any.
_LEAST_FALL = 0.02
_MOST_STEPS = 100_000


@dataclass(frozen=True)
class FoundRate:
    """Which learning rates train a recipe.

    Attributes:
        rate: the one that brought the loss down most.
        low: the lowest around it that serves.
        high: the highest around it that serves.
        clear: whether any rate brought the loss down at all, and the best is not the first or the
            last that was tried.
        reason: what was seen, in plain words.
        table: a row for each rate: `learning_rate`; `loss`, the mean over seeds at the end;
            `fall`, of the loss since the start, as a share; `diverged`, how many seeds did;
            `serves`, whether it lies in the interval.
    """

    rate: float
    low: float
    high: float
    clear: bool
    reason: str
    table: Table

    def to_dict(self) -> dict[str, Any]:
        """Return what `surefoot find-rate --json` prints."""
        told = {name: getattr(self, name) for name in ("rate", "low", "high", "clear", "reason")}
        return {**told, "rates": {name: column.tolist() for name, column in self.table.items()}}


class _First(Silent):
    """Remembers the loss of each lane's first batch, before any update."""

    looks_at_validation = False

    def __init__(self) -> None:
        self.loss: Array | None = None

    def block(self, block: Block) -> None:
        """Take note of the first step."""
        if self.loss is None:
            self.loss = np.asarray(block.loss[0], np.float64)


def find_rate(
    recipe: Job | Recipe | Mapping[str, Any] | str | Path,
    *,
    seeds: int = 3,
    steps: int = 300,
    tell: Callable[[str], None] = lambda line: None,
) -> FoundRate:
    """Try constant learning rates from 0.00001 to 10, and say which of them train the recipe.

    Each of 25 rates is trained from the start with each seed, all of them lanes of one program,
    with the recipe's update rule and without its schedule. The training loss at the end decides,
    over all training rows: a rate serves where it falls by at least 80 % of what it falls by with
    the best rate, and no seed diverges. A sweep of one growing rate (Smith 2017), the usual way,
    sees a single run that carries the harm of each rate on to the next one.

    Nothing is written, and nothing that was given is changed.

    Args:
        recipe: what to train: a recipe, its tables, a file, a source of data, or a job.
        seeds: how many, from the recipe's own on.
        steps: updates of each run.
        tell: called with a line before training.

    Raises:
        RecipeError: the recipe cannot be read, or has no learning rate.
        DataError: the data cannot be used.

    >>> layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    >>> tables = {"data": {"source": "iris"}, "net": {"layers": layers}}
    >>> found = find_rate({**tables, "train": {"from_logits": True}}, seeds=2, steps=60)
    >>> 1e-3 < found.low <= found.rate <= found.high < 10
    True
    """
    for name, value, most in (("seeds", seeds, 100), ("steps", steps, _MOST_STEPS)):
        if not (is_whole(value) and 1 <= value <= most):
            raise RecipeError(f"{name} = {value!r}: must be a whole number from 1 to {most:,}")
    job = recipe if isinstance(recipe, Job) else prepare(recipe, facts=False)
    base = job.recipe
    if not hasattr(base.optimizer, "learning_rate"):
        raise RecipeError(f"optimizer.name = {base.optimizer.name!r}: has no learning rate to find")
    if base.train.method != "gradient":
        raise RecipeError(
            f"train.method = {base.train.method!r}: has no rate of a gradient's step to find; vary "
            "evolution.mutation_scale, evolution.sigma or evolution.learning_rate in a study"
        )
    settings = [Setting({"learning_rate": rate}, _constant(job, rate, steps)) for rate in RATES]
    plan = make_plan(settings, range(base.seed, base.seed + seeds), lambda recipe: job.dataset)
    tell(plan.text)
    start, end = (np.full((len(RATES), seeds), np.nan) for _ in range(2))
    diverged = np.zeros((len(RATES), seeds), bool)
    for group in plan.groups:
        for part in group.parts:
            first = _First()
            results, _ = train_part(group, part, first, until=steps)
            for i, (lane, result) in enumerate(zip(part, results, strict=True)):
                place = lane.setting, lane.seed - base.seed
                start[place] = np.nan if first.loss is None else first.loss[i]
                end[place] = result.train[0]
                diverged[place] = result.diverged is not None
    return judge(np.array(RATES), start, end, diverged)


def _constant(job: Job, rate: float, steps: int) -> Recipe:
    """Return the recipe with a constant rate, for as many epochs as the steps need."""
    base = job.recipe
    train = {"epochs": ceil(steps / job.cohort.steps_per_epoch), "early_stopping": None}
    return base.model_copy(
        update={
            "optimizer": base.optimizer.model_copy(update={"learning_rate": rate}),
            "schedule": Constant(),
            "train": base.train.model_copy(update=train),
        }
    )


def judge(rates: Array, start: Array, end: Array, diverged: NDArray[np.bool_]) -> FoundRate:
    """Say which rates serve.

    Args:
        rates: rising, [rates].
        start: the loss before the first update, [rates, seeds].
        end: the loss after the last one.
        diverged: whether the run diverged.
    """
    known = start[np.isfinite(start)]
    before = float(known.mean()) if known.size else float("nan")
    sound = ~diverged.any(axis=1) & np.isfinite(end).all(axis=1)
    loss = np.where(sound, np.where(np.isfinite(end), end, 0).mean(axis=1), np.inf)
    fall = np.where(sound, (before - loss) / abs(before) if before else 0.0, -np.inf)
    columns = {
        "learning_rate": rates,
        "loss": np.where(sound, loss, np.nan),
        "fall": np.where(sound, fall, np.nan),
        "diverged": diverged.sum(axis=1),
    }
    seeds = end.shape[1]
    over = f"over {seeds} seed{'' if seeds == 1 else 's'}"
    best = int(np.argmin(loss))
    if not fall[best] > _LEAST_FALL:
        calm = np.flatnonzero(sound) if sound.any() else np.array([0])
        why = (
            "every rate from {:.2g} to {:.2g} diverged or gave a loss that is not finite"
            if not sound.any()
            else "no rate from {:.2g} to {:.2g} brought the loss down by more than 2 %"
        ).format(rates[0], rates[-1])
        reason = f"{why}, {over}: the learning rate is not what is wrong, or not alone."
        places = int(calm[0]), int(calm[0]), int(calm[-1])
        return _found(rates, places, False, reason, columns, serves=False)
    serves = fall >= _SHARE * fall[best]
    low = high = best
    while low > 0 and serves[low - 1]:
        low -= 1
    while high + 1 < len(rates) and serves[high + 1]:
        high += 1
    edge = best in (0, len(rates) - 1)
    reason = (
        f"with {rates[best]:.2g} the training loss fell from {before:.3g} to {loss[best]:.3g}, "
        f"{over}; from {rates[low]:.2g} to {rates[high]:.2g} it falls by at least 80 % of that"
    )
    if high + 1 < len(rates):
        lost = "diverges" if diverged[high + 1].any() else f"ends at {loss[high + 1]:.3g}"
        reason += f", with {rates[high + 1]:.2g} it {lost}"
    if edge:
        reason += "; the best is the last that was tried, and one beyond it may be better"
    return _found(rates, (best, low, high), not edge, f"{reason}.", columns, serves=True)


def _found(
    rates: Array,
    places: tuple[int, int, int],
    clear: bool,
    reason: str,
    columns: Mapping[str, NDArray[Any]],
    *,
    serves: bool,
) -> FoundRate:
    best, low, high = places
    numbers = np.arange(len(rates))
    inside = (numbers >= low) & (numbers <= high) & serves
    table = Table({**columns, "serves": inside})
    return FoundRate(
        float(rates[best]), float(rates[low]), float(rates[high]), clear, reason, table
    )
