"""What the arms of a ready study are compared by: a number for each run, and how it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Of the way from guessing to the best result of any run, on training rows.
_SHARE_OF_THE_WAY = 0.8
# Of the way from the first loss to the lowest: what is left at the end of a ravine.
_LEFT = 1e-4


class Stage(NamedTuple):
    """Runs that were trained for one purpose.

    Attributes:
        columns: of the table of runs, [settings, seeds].
        curves: the mean training loss of each epoch, [settings, seeds, epochs]; NaN after the last.
        epoch_steps: updates of an epoch, [settings].
        guess: what guessing reaches on the training rows, in accuracy or rmse.
        rates: how many settings each arm has, one after the other.
    """

    columns: Mapping[str, Array]
    curves: Array
    epoch_steps: Array
    guess: float
    rates: int

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Whether each run diverged."""
        return self.columns["diverged"] >= 0


@dataclass(frozen=True)
class Outcome:
    """A number for each run, by which arms are compared.

    Attributes:
        name: of its columns.
        title: in sentences.
        higher: whether more is better.
        of: from the runs that are compared, and those that rates were chosen by, to the number of
            each run; of an outcome of all rates together, [arms, seeds].
        unit: how numbers are shown.
        words: for better and worse.
        over_rates: whether it is one of all rates together, so that no rate is chosen by it.
        factors: whether logarithms are compared: means are then geometric, differences factors.
        held_out: whether it is measured on validation rows.
    """

    name: str
    title: str
    higher: bool
    of: Callable[[Stage, Stage], Array]
    unit: Literal["share", "number", "count"] = "number"
    words: tuple[str, str] = ("better", "worse")
    over_rates: bool = False
    factors: bool = False
    held_out: bool = False

    def shown(self, value: float) -> str:
        """Return a value as people read it.

        >>> validation("accuracy").shown(0.951), steps_to_reach().shown(38.4)
        ('95.1 %', '38')
        """
        if not np.isfinite(value):
            return "not finite"
        if self.unit == "share":
            return f"{100 * value:.1f} %"
        return f"{value:.0f}" if self.unit == "count" else f"{value:.3g}"

    def distance(self, value: float) -> str:
        """Return the size of a difference as people read it.

        >>> validation("accuracy").distance(-0.012)
        '1.2 points'
        """
        if self.factors:
            return f"a factor of {max(value, 1 / value):.3g}" if value > 0 else "not finite"
        size = abs(value)
        return f"{100 * size:.1f} points" if self.unit == "share" else self.shown(size)


def _unit(measure: str) -> Literal["share", "number"]:
    return "share" if measure == "accuracy" else "number"


def validation(measure: str) -> Outcome:
    """Return accuracy, or rmse, over rows that were held back."""
    name = f"validation_{measure}"
    return Outcome(
        name,
        f"validation {measure}",
        measure == "accuracy",
        lambda runs, search: _known(runs, name, f"train_{measure}"),
        _unit(measure),
        held_out=True,
    )


def training(measure: str) -> Outcome:
    """Return accuracy, or rmse, over the training rows."""
    return Outcome(
        f"train_{measure}",
        f"training {measure}",
        measure == "accuracy",
        lambda runs, search: runs.columns[f"train_{measure}"],
        _unit(measure),
    )


def training_loss() -> Outcome:
    """Return the loss over the training rows."""
    return Outcome(
        "train_loss", "training loss", False, lambda runs, search: runs.columns["train_loss"]
    )


def gap(measure: str) -> Outcome:
    """Return how much better training rows come out than validation rows."""
    sign = 1 if measure == "accuracy" else -1
    return Outcome(
        "gap",
        f"gap between training and validation {measure}",
        False,
        lambda runs, search: (
            sign * (runs.columns[f"train_{measure}"] - runs.columns[f"validation_{measure}"])
        ),
        _unit(measure),
        ("a smaller gap", "a larger gap"),
        held_out=True,
    )


def steps_to_reach() -> Outcome:
    """Return the updates until the training loss has a ten-thousandth of its way left.

    The way is from the mean loss of the first epoch to the lowest of any run while rates were
    chosen. A run that does not get there counts as if it did with its last update.
    """
    return Outcome(
        "steps",
        "updates until the training loss has a ten-thousandth of its way left",
        False,
        lambda runs, search: steps_until(runs, reached(search)),
        "count",
        ("fewer", "more"),
        factors=True,
    )


def reached(search: Stage) -> float:
    """Return the loss with a ten-thousandth of the way left from the first to the lowest."""
    first = search.curves[..., 0]
    first = first[np.isfinite(first) & ~search.diverged]
    lowest = search.curves[np.isfinite(search.curves)]
    if not (len(first) and len(lowest)):
        return -np.inf
    return float(lowest.min() + _LEFT * (first.mean() - lowest.min()))


def steps_until(runs: Stage, loss: float) -> Array:
    """Return the updates of each run before the first epoch whose mean loss is so low.

    >>> curves = np.array([[[2.0, 1.0, 0.5]], [[2.0, 1.9, 1.8]]])
    >>> runs = Stage({}, curves, np.array([10.0, 10.0]), 0.1, 1)
    >>> steps_until(runs, 1.0).tolist()
    [[10.0], [30.0]]
    """
    low = runs.curves <= loss
    last = np.isfinite(runs.curves).sum(axis=2) if low.size else np.zeros(low.shape[:2])
    # One that diverged before never gets there, however early it ended.
    last = np.where(low.any(axis=2), np.argmax(low, axis=2), np.maximum(last, last.max()))
    return last * runs.epoch_steps[:, None]


def trains(search: Stage, measure: str) -> NDArray[np.bool_]:
    """Return whether each run goes four fifths of the way from guessing to the best of any run.

    By accuracy, or rmse, over training rows; a run that diverged does not train.
    """
    reached = np.where(search.diverged, np.nan, search.columns[f"train_{measure}"])
    known = reached[np.isfinite(reached)]
    if not len(known):
        return np.zeros(reached.shape, bool)
    sign = 1 if measure == "accuracy" else -1
    way = (sign * (known - search.guess)).max()
    gone = sign * (reached - search.guess)
    return np.nan_to_num(gone, nan=-np.inf) >= _SHARE_OF_THE_WAY * way if way > 0 else gone > 0


def rates_that_train(measure: str) -> Outcome:
    """Return how many of the rates train a net, of each arm and seed."""

    def count(runs: Stage, search: Stage) -> Array:
        serves = trains(search, measure)
        return serves.reshape(-1, search.rates, serves.shape[1]).sum(axis=1).astype(np.float64)

    return Outcome(
        "rates_that_train",
        "number of rates that train",
        True,
        count,
        "number",
        ("more", "fewer"),
        over_rates=True,
    )


def _known(runs: Stage, name: str, otherwise: str) -> Array:
    """Return a column, or another where no run has a number in it: there are no such rows."""
    values = runs.columns[name]
    return values if np.isfinite(values).any() else runs.columns[otherwise]
