"""Charts of a ready study: what each of its arms reached, and over which rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.words import figure, sentence_case
from surefoot.study.report import Scale
from surefoot.study.results import Study
from surefoot.vitals.table import Table, read

# Curves that can be told apart.
_MOST_CURVES = 8
# Rates that lie this far apart are drawn on a logarithmic axis.
_WIDE = 30.0


def arm_charts(study: Study, table: Table, scale: Scale, lost: list[str]) -> list[Chart]:
    """Return the charts of a ready study.

    Args:
        study: a ready one: its summary names its arms.
        table: of its settings, an arm each.
        scale: of what arms are compared by.
        lost: gets a line where the rates cannot be read.
    """
    arms = [str(name) for name in study.summary["arms"]]
    own = [_reached(table, arms, scale)]
    try:
        check(study.path, "rates.parquet")
        rates = read(study.path, "rates")
    except RunError as error:  # the rest of the page can be shown without it
        lost.append(str(error))
        return own
    return [*own, *_over_rates(rates, table, arms, scale)]


def _reached(table: Table, arms: Sequence[str], scale: Scale) -> Chart:
    places = [int(setting) for setting in table["setting"]]
    mean, low, high = (np.asarray(table[c], np.float64) for c in ("mean", "low", "high"))
    rates = [figure(float(rate)) for rate in table["learning_rate"]]
    notes = [f"learning rate {rate}" for rate in rates]
    names = [arms[place] for place in places]
    across = axis("", "category", categories=names)
    at = list(range(len(names)))
    lines = [series("mean", at, mean, mark="points", role="train", notes=notes)]
    if np.isfinite(low).any():
        interval: dict[str, Any] = {"mark": "interval", "role": "train", "low": low, "high": high}
        lines.insert(0, series("95 % interval", at, mean, **interval))
    return plot(
        "arms",
        sentence_case(scale.name),
        across,
        axis(scale.name) if scale.higher else axis(scale.name, toggle=True),
        lines,
        about="Each at its own best learning rate, over seeds that chose nothing: "
        + "; ".join(f"{name}: {rate}" for name, rate in zip(names, rates, strict=True))
        + ".",
        named=True,
    )


def _over_rates(rates: Table, table: Table, arms: Sequence[str], scale: Scale) -> list[Chart]:
    measures = [m for m in ("validation_accuracy", "validation_rmse") if m in rates]
    if not measures or "learning_rate" not in rates:
        return []
    measure = measures[0]
    mean = np.asarray(table["mean"], np.float64)
    order = np.argsort(np.where(np.isfinite(mean), -mean if scale.higher else mean, np.inf))
    shown = sorted(int(table["setting"][place]) for place in order[:_MOST_CURVES])
    lines: list[Mapping[str, Any]] = []
    for role, arm in enumerate(shown):
        own = np.flatnonzero(rates["setting"] == arm)
        own = own[np.argsort(rates["learning_rate"][own], kind="stable")]
        x = np.asarray(rates["learning_rate"][own], np.float64)
        y = np.asarray(rates[measure][own], np.float64)
        lines.append(series(arms[arm], x, y, role=role))
    tried = np.asarray(rates["learning_rate"], np.float64)
    low, high = float(tried.min()), float(tried.max())
    wide = low > 0 and high / low > _WIDE
    about = "Means over the seeds that chose each arm's rate."
    if len(arms) > len(shown):
        about += f" {len(shown)} of {len(arms)} are drawn, the best."
    name = measure.replace("_", " ").replace("rmse", "RMSE")
    return [
        plot(
            "rates",
            f"{sentence_case(name)} over learning rate",
            axis("learning rate", "log", low=low, high=high) if wide else axis("learning rate"),
            axis(name, toggle=measure.endswith("rmse")),
            lines,
            about=about,
            named=True,
        )
    ]
