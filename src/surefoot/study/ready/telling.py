"""What a ready study found, as plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.study.ready.found import Compared, Found

# Fewer leave the t-test so few degrees of freedom that even large differences are not shown.
_FEW_SEEDS = 5


def sentences(found: Found, remarks: Sequence[str]) -> list[str]:
    """Return what may be concluded: each outcome in turn, remarks, and how it was measured."""
    told: list[str] = []
    for each in found.compared:
        told += _outcome(found, each)
    told += remarks
    told += _rates(found)
    diverged = int(found.runs.diverged.sum())
    if diverged:
        told.append(
            f"{diverged} of {found.runs.diverged.size} runs that were compared diverged; they are "
            "measured by their last weights before it."
        )
    return [*told, _method(found)]


def _outcome(found: Found, each: Compared) -> list[str]:
    """Return the sentences of one outcome, one for each arm that others are compared with."""
    told = []
    outcome = each.outcome
    for reference in dict.fromkeys(each.against):
        if reference < 0:
            continue
        own = [i for i, other in enumerate(each.against) if other == reference]
        name = found.arms[reference].name
        if all(arm.against is None for arm in found.arms):
            name += ", which did best while rates were chosen"
        better, worse = outcome.words
        parts = []
        for verdict, words in (
            ("better", better),
            ("worse", worse),
            ("no difference shown", "no difference shown"),
            ("no result", "nothing finite came out"),
        ):
            places = sorted(
                (i for i in own if each.verdict[i] == verdict),
                key=lambda i: -each.mean[i] if outcome.higher else each.mean[i],
            )
            if places:
                parts.append(f"{words}: {', '.join(_one(found, each, i) for i in places)}")
        told.append(
            f"{_capital(outcome.title)}, beside {name}, at {_range(each, reference)}: "
            f"{'; '.join(parts)}."
        )
    return told


def _one(found: Found, each: Compared, place: int) -> str:
    name = found.arms[place].name
    if each.verdict[place] not in ("better", "worse"):
        return f"{name} at {each.outcome.shown(each.mean[place])}"
    by = each.outcome.distance(each.difference[place])
    p = each.p[place]
    sure = f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"
    return f"{name} at {each.outcome.shown(each.mean[place])} by {by} ({sure})"


def _range(each: Compared, place: int) -> str:
    shown = each.outcome.shown
    text = shown(each.mean[place])
    if np.isfinite(each.low[place]) and each.low[place] < each.high[place]:
        text += f" ({shown(each.low[place])} to {shown(each.high[place])})"
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rates(found: Found) -> list[str]:
    """Return which rate each arm was given, and whose best was the first or last one tried."""
    chosen = [found.rates[i] for i in found.chosen]
    each = ", ".join(f"{arm.name} {rate:g}" for arm, rate in zip(found.arms, chosen, strict=True))
    told = [f"Learning rates, each arm's best of {len(found.rates)}: {each}."]
    last = len(found.rates) - 1
    edge = [
        arm.name
        for arm, i, trains in zip(found.arms, found.chosen, found.trains, strict=True)
        if i in (0, last) and trains.any()
    ]
    if edge:
        told.append(
            f"The best rate of {', '.join(edge)} is the first or the last that was tried; one "
            "beyond it may be better."
        )
    return told


def rates_remark(found: Found) -> list[str]:
    """Return which rates train each arm with every seed."""
    rates = np.array(found.rates)
    told = []
    for arm, serves in zip(found.arms, found.trains, strict=True):
        if serves.any():
            own = rates[serves]
            told.append(f"{arm.name} {own.min():g} to {own.max():g} ({len(own)})")
        else:
            told.append(f"{arm.name} none")
    return [
        f"Of {len(rates)} rates from {rates.min():g} to {rates.max():g} these train, with every "
        f"seed: {'; '.join(told)}. To train is to go four fifths of the way from guessing to the "
        "best of any run, on training rows."
    ]


def _method(found: Found) -> str:
    """Return how it was measured."""
    seeds = found.runs.diverged.shape[1]
    count = sum(other >= 0 for each in found.compared for other in each.against)
    if seeds < 2:
        return "One seed shows no difference; give 3 or more, 8 or better."
    rows = ""
    if any(each.outcome.held_out for each in found.compared):
        rows = f", and validated on {found.held_back:,} rows that chose nothing"
        if not found.held_back:
            rows = "; there are too few validation rows to hold any back from choosing rates"
    few = " So few seeds show large differences alone; 8 show more." if seeds < _FEW_SEEDS else ""
    return (
        f"Each arm was trained with {seeds} fresh seeds at its own best rate{rows}. Differences "
        f"are paired by seed, and their p corrected by Holm for {count} "
        f"comparison{'' if count == 1 else 's'}.{few}"
    )
