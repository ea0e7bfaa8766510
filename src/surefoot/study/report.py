"""A study's conclusions as tables, numbers and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from surefoot.study.conclusions import Conclusions
from surefoot.study.running import Columns, values_of
from surefoot.study.space import Setting
from surefoot.vitals.table import Table

# More settings are told in numbers alone.
_MOST_NAMED = 5


class Scale(NamedTuple):
    """What settings are compared by: a column of the runs' table, and whether more is better."""

    column: str
    higher: bool

    def shown(self, value: float) -> str:
        """Return a value as people read it.

        >>> Scale("validation_accuracy", True).shown(0.9512)
        '95.1 %'
        """
        if not np.isfinite(value):
            return "not finite"
        return f"{100 * value:.1f} %" if self.column.endswith("accuracy") else f"{value:.4g}"

    def difference(self, value: float) -> str:
        """Return a difference as people read it.

        >>> Scale("validation_accuracy", True).difference(-0.021)
        '-2.1 points'
        """
        if self.column.endswith("accuracy"):
            return f"{100 * value:+.1f} points"
        return f"{value:+.4g}"

    @property
    def name(self) -> str:
        """What it is called: "validation accuracy"."""
        return self.column.replace("_", " ")


class Fresh(NamedTuple):
    """The best setting and another, with fresh seeds.

    Attributes:
        beside: the number of the other setting.
        seeds: the fresh ones.
        held: whether rows were held back to measure on.
        compared: the best, 0, against the other, 1.
    """

    beside: int
    seeds: list[int]
    held: bool
    compared: Conclusions


def setting_rows(
    settings: Sequence[Setting], runs: Table, found: Conclusions, seeds: int
) -> Columns:
    """Return the table of settings.

    Its columns: `setting`; a column for each varied key; `seeds`; `diverged`, how many runs did;
    `mean`, `low` and `high` of what settings are compared by; `difference`, `difference_low` and
    `difference_high`, paired by seed, from the best or the baseline; `p`, corrected; `verdict`;
    and the mean of each loss and measure over seeds.
    """
    numbers = list(range(len(settings)))
    measured = [name for name in runs if name.startswith(("train_", "validation_"))]
    return {
        "setting": np.array(numbers),
        **values_of(settings, numbers),
        "seeds": np.full(len(settings), seeds),
        "diverged": (runs["diverged"].reshape(len(settings), -1) >= 0).sum(axis=1),
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "difference": found.difference,
        "difference_low": found.difference_low,
        "difference_high": found.difference_high,
        "p": found.p,
        "verdict": np.array(found.verdict, object),
        **{name: runs[name].reshape(len(settings), -1).mean(axis=1) for name in measured},
    }


def best_numbers(
    settings: Sequence[Setting], found: Conclusions, fresh: Fresh | None, scale: Scale
) -> dict[str, Any]:
    """Return what is known about the best setting, as `surefoot.study.results.Best` tells it."""
    told: dict[str, Any] = {
        "setting": found.best,
        "keys": dict(settings[found.best].values),
        "measure": scale.column,
        "chosen": _figures(found, found.best),
        "validated": None,
        "against": None,
        "verdict": None,
    }
    if fresh is not None:
        told["validated"] = {
            **_figures(fresh.compared, 0),
            "seeds": fresh.seeds,
            "held_back_rows": fresh.held,
        }
        told["against"] = {
            "setting": fresh.beside,
            "keys": dict(settings[fresh.beside].values),
            **_figures(fresh.compared, 1),
        }
        told["verdict"] = fresh.compared.verdict[0]
    return told


def _figures(found: Conclusions, place: int) -> dict[str, float]:
    values = {"mean": found.mean, "low": found.low, "high": found.high}
    return {name: float(column[place]) for name, column in values.items()}


def sentences(
    settings: Sequence[Setting],
    runs: Table,
    found: Conclusions,
    fresh: Fresh | None,
    scale: Scale,
) -> list[str]:
    """Return what may be concluded, in plain sentences."""
    seeds = runs.rows // len(settings)
    best = settings[found.best].label
    across = f"over {seeds} seeds" if seeds > 1 else "with one seed"
    reached = f"{scale.name} {_range(found, found.best, scale)} {across}"
    told = [f"Best of {len(settings)}: {best}: {reached}."]
    if len(settings) > 1:
        told += _against(settings, found, scale, seeds)
    dropped = found.verdict.count("dropped")
    if dropped:
        after = sorted(set(runs["dropped"][runs["dropped"] >= 0].tolist()))
        told.append(
            f"{dropped} of {len(settings)} settings were dropped on the way, after "
            f"{' or '.join(map(str, after))} epochs: the others did better by then, and nothing "
            "else is concluded about them."
        )
    diverged = int((runs["diverged"] >= 0).sum())
    if diverged:
        told.append(
            f"{diverged} of {runs.rows} runs diverged; they are measured by their last weights "
            "before it, and a setting of which a run diverged is best only where all are so."
        )
    if fresh is not None:
        told.append(_again(settings, fresh, scale))
    return told


def _range(found: Conclusions, place: int, scale: Scale) -> str:
    text = scale.shown(found.mean[place])
    if np.isfinite(found.low[place]):
        text += f" ({scale.shown(found.low[place])} to {scale.shown(found.high[place])})"
    return text


def _against(
    settings: Sequence[Setting], found: Conclusions, scale: Scale, seeds: int
) -> list[str]:
    """Return how the others compare with the reference."""
    if seeds < 2:
        return ["One seed shows no difference between settings; give 3 or more, 5 or better."]
    name = f"the best ({settings[found.reference].label})"
    if found.reference != found.best:
        name = f"the baseline ({settings[found.reference].label})"
    counts = Counter(verdict for verdict in found.verdict if verdict)
    told = []
    for verdict, words in (
        ("better", f"better than {name}"),
        ("no difference shown", f"no difference shown from {name}"),
        ("worse", f"worse than {name}"),
        ("no result", "nothing finite came out"),
    ):
        places = [i for i, own in enumerate(found.verdict) if own == verdict]
        if 0 < counts[verdict] <= _MOST_NAMED:
            told += [_sentence(settings, found, i, words, scale) for i in places]
        elif places:
            told.append(f"{counts[verdict]} of {len(settings)} settings: {words}.")
    return told


def _sentence(
    settings: Sequence[Setting], found: Conclusions, place: int, words: str, scale: Scale
) -> str:
    if found.verdict[place] == "no result":
        return f"{settings[place].label}: {words}."
    p = found.p[place]
    sure = f"p = {p:.2g} after correction" if np.isfinite(p) else "not to be tested"
    by = scale.difference(found.difference[place])
    if found.verdict[place] == "no difference shown":
        return f"{settings[place].label}: {words} ({by}, {sure})."
    return f"{settings[place].label}: {words}, by {by.lstrip('+-')} ({sure})."


def _again(settings: Sequence[Setting], fresh: Fresh, scale: Scale) -> str:
    """Return what the best reached when it was tried again."""
    compared = fresh.compared
    rows = "rows that were not used to choose it" if fresh.held else "the same rows"
    line = (
        f"Tried again with {len(fresh.seeds)} fresh seeds on {rows}: {_range(compared, 0, scale)}"
    )
    other = f"{settings[fresh.beside].label} {_range(compared, 1, scale)}"
    verdict = compared.verdict[0]
    ending = f"the best is {verdict}" if verdict in ("better", "worse") else verdict
    return f"{line}; beside it {other}: {ending}."
