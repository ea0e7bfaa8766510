"""A ready study's tables and summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.study.conclusions import means
from surefoot.study.ready.found import Compared, Found
from surefoot.study.running import Columns, values_of

_FIGURES = ("mean", "low", "high", "difference", "difference_low", "difference_high", "p")


def arm_rows(found: Found) -> Columns:
    """Return the table of arms, a row for each at its own best rate.

    Its columns: `setting`; those of the arm; `learning_rate`; `rates_that_train`, how many, with
    `rate_low` and `rate_high`; `seeds`; `diverged`, how many runs did; `mean`, `low`, `high`,
    `against`, `difference`, `difference_low`, `difference_high`, `p` and `verdict` of the first
    outcome, and the same of the others behind their names; the study's own; and the mean of each
    loss and measure over seeds.
    """
    count = len(found.arms)
    rates = np.array(found.rates)
    serves = found.trains
    chosen = [i * len(rates) + rate for i, rate in enumerate(found.chosen)]
    columns: dict[str, NDArray[Any]] = {
        "setting": np.arange(count),
        **values_of(found.settings, chosen),
        "rates_that_train": serves.sum(axis=1),
        "rate_low": np.array([rates[own].min() if own.any() else np.nan for own in serves]),
        "rate_high": np.array([rates[own].max() if own.any() else np.nan for own in serves]),
        "seeds": np.full(count, found.runs.diverged.shape[1]),
        "diverged": found.runs.diverged.sum(axis=1),
    }
    for place, each in enumerate(found.compared):
        prefix = f"{each.outcome.name}_" if place else ""
        columns |= {prefix + name: column for name, column in _figures(found, each).items()}
    measured = {
        name: means(column)
        for name, column in found.runs.columns.items()
        if name.startswith(("train_", "validation_"))
    }
    return {**columns, **found.columns, **measured}


def _figures(found: Found, each: Compared) -> dict[str, NDArray[Any]]:
    names = [found.arms[i].name if i >= 0 else "" for i in each.against]
    return {
        **{name: getattr(each, name) for name in _FIGURES},
        "against": np.array(names, object),
        "verdict": np.array(each.verdict, object),
    }


def rate_rows(found: Found) -> Columns:
    """Return the table of rates: a row for each arm and rate, as rates were chosen.

    Its columns: `setting`, the arm's; those of the arm; `learning_rate`; `seeds`; `diverged`, how
    many runs did; `trains`, whether with every seed; `chosen`; and the mean of each loss and
    measure over seeds.
    """
    count, rates = len(found.settings), len(found.rates)
    chosen = np.zeros((len(found.arms), rates), bool)
    chosen[np.arange(len(found.arms)), found.chosen] = True
    measured = {
        name: means(column)
        for name, column in found.search.columns.items()
        if name.startswith(("train_", "validation_"))
    }
    return {
        "setting": np.repeat(np.arange(len(found.arms)), rates),
        **values_of(found.settings, list(range(count))),
        "seeds": np.full(count, found.search.diverged.shape[1]),
        "diverged": found.search.diverged.sum(axis=1),
        "trains": found.trains.ravel(),
        "chosen": chosen.ravel(),
        **measured,
    }


def best_numbers(found: Found, seeds: list[int]) -> Mapping[str, Any]:
    """Return what is known about the best arm, as `surefoot.study.results.Best` tells it."""
    best = found.best
    each = next(each for each in found.compared if not each.outcome.over_rates)
    setting = found.settings[best * len(found.rates) + found.chosen[best]]
    score = each.outcome.of(found.search, found.search)
    chosen = score[best * len(found.rates) + found.chosen[best]]
    return {
        "setting": best,
        "keys": dict(setting.values),
        "measure": each.outcome.name,
        "chosen": {"mean": float(np.mean(chosen)), "seeds": len(chosen)},
        "validated": {
            **{name: float(getattr(each, name)[best]) for name in _FIGURES[:3]},
            "seeds": seeds,
            "held_back_rows": found.held_back > 0,
        },
        "against": None,
        "verdict": None,
    }
