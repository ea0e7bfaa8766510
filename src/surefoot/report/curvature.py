"""The error surface where it was measured: its spectrum's ends and shares, and the ways out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from surefoot.doctor.plateau import judge
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.words import figure
from surefoot.vitals.table import Table

_WAYS = {
    "baseline_loss": "a constant prediction",
    "loss": "where it stands",
    "step_loss": "after a step of the run's rate",
    "newton_loss": "after a Newton step",
    "descent_loss": "after plain descent",
    "escape_loss": "along negative curvature",
    "escape_descent_loss": "there, and descent",
    "perturbed_loss": "from random steps",
}


def points(table: Table | None) -> list[dict[str, Any]]:
    """Return what the page says of each measured point: a title, the verdict, numbers, charts."""
    if table is None:
        return []
    told = []
    for row in range(table.rows):
        point = {name: column[row] for name, column in table.items()}
        numbers = {k: float(v) for k, v in point.items() if k not in ("run", "which")}
        verdict = judge(numbers)
        drawn = [_ways(numbers, row), _spectrum(numbers, row)]
        told.append(
            {
                "title": f"{point.get('which', 'step')} weights, step {figure(numbers['step'])}",
                "verdict": verdict.kind.replace("-", " "),
                "sentence": verdict.sentence,
                "numbers": _shown(numbers),
                "charts": [chart for chart in drawn if chart is not None],
            }
        )
    return told


def _shown(numbers: Mapping[str, float]) -> list[tuple[str, str]]:
    names = {
        "largest_eigenvalue": "largest eigenvalue",
        "smallest_eigenvalue": "smallest eigenvalue",
        "negative_share": "share of negative eigenvalues",
        "flat_share": "share of flat ones",
        "gradient_norm": "gradient norm",
        "gradient_noise": "of which noise of the sample",
        "curvature_to_limit": "curvature × rate, of the limit 2",
        "rows": "rows measured on",
    }
    return [
        (label, figure(numbers[name]))
        for name, label in names.items()
        if math.isfinite(numbers.get(name, math.nan))
    ]


def _ways(numbers: Mapping[str, float], row: int) -> Chart | None:
    """Draw the loss at the point, and where each way from it ends."""
    there = {
        label: numbers[name]
        for name, label in _WAYS.items()
        if math.isfinite(numbers.get(name, math.nan))
    }
    if len(there) < 2:
        return None
    return plot(
        f"ways-{row}",
        "Where ways from here lead",
        axis("", "category", categories=list(there)),
        axis("loss", toggle=True),
        [series("loss", list(range(len(there))), list(there.values()), mark="points", role=0)],
        levels=[{"y": numbers["loss"], "label": "here"}],
    )


def _spectrum(numbers: Mapping[str, float], row: int) -> Chart | None:
    """Draw the shares of negative, flat and positive eigenvalues, and the ends."""
    negative, flat = (numbers.get(name, math.nan) for name in ("negative_share", "flat_share"))
    if not (math.isfinite(negative) and math.isfinite(flat)):
        return None
    ends = [figure(numbers.get(f"{end}_eigenvalue")) for end in ("smallest", "largest")]
    return plot(
        f"spectrum-{row}",
        "Curvatures",
        axis("", "category", categories=["negative", "flat", "positive"]),
        axis("share of directions", low=0, high=1),
        [
            series(
                "share",
                [0, 1, 2],
                [negative, flat, max(1 - negative - flat, 0.0)],
                mark="bars",
                role=1,
            )
        ],
        about=f"The Hessian's eigenvalues lie between {ends[0]} and {ends[1]}; flat are those "
        "within a thousandth of the largest absolute one.",
    )
