"""What the page shows of a run, as plain data: charts, findings, recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.control import CHANGES
from surefoot.doctor.evidence import Evidence
from surefoot.live.places import complaint, is_within, read_inside
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.curves import MOST, curves
from surefoot.report.layers import heat_map
from surefoot.report.thinning import Array, extremes, smooth
from surefoot.report.words import words

_MOST_TEXT = 200_000
# What is named where it cannot be read; tables and recipe are watched by who follows them.
_SHOWN = ("summary.json", "findings.json", "data.json", CHANGES)
_COMPARED = ("validation_loss", "loss", "validation_{}", "{}")


def about(root: Path, folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a run beside its tables: what the doctor said, and the recipe."""
    told = read_inside(root, folder / "findings.json")
    told = told if isinstance(told, dict) else {}
    chain = told.get("chain")
    return {
        "row": row,
        "findings": _dictionaries(told.get("findings")),
        "chain": [str(name) for name in chain] if isinstance(chain, list) else [],
        "changes": _dictionaries(read_inside(root, folder / CHANGES)),
        "recipe": _text(root, folder / "recipe.toml"),
        "problems": {name: why for name in _SHOWN if (why := complaint(root, folder / name))},
    }


def charts(
    evidence: Evidence, findings: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]]
) -> list[Chart]:
    """Return a run's charts, as its report has them; what was changed by hand is marked too."""
    drawn = curves(evidence, findings)
    for chart in drawn:
        chart["marks"] = [*chart.get("marks", ()), *_marks(changes)]
    signs = heat_map(evidence)
    return [*drawn, signs] if signs is not None else drawn


def compared(runs: Sequence[tuple[str, Evidence]]) -> list[Chart]:
    """Return charts with a curve of each run: loss and measure, of validation and of training."""
    measures = sorted({evidence.measure for _, evidence in runs})
    names = [pattern.format(measure) for measure in measures for pattern in _COMPARED]
    drawn = []
    for name in dict.fromkeys(names):
        lines = []
        for place, (run, evidence) in enumerate(runs):
            steps, values = _curve(evidence, name)
            if len(steps):
                lines.append(series(run, steps, values, role=place))
        if lines:
            y = axis(words(name), toggle=not name.endswith("accuracy"))
            title = words(name).capitalize()
            drawn.append(
                plot(name, title, axis("step", low=0), y, lines, group="steps", named=True)
            )
    return drawn


def _curve(evidence: Evidence, name: str) -> tuple[Array, Array]:
    """Return steps and values of one curve: what single batches had is smoothed."""
    values, steps = evidence.metric(name), evidence.metric("step")
    there = np.isfinite(values)
    if len(steps) != len(values) or not there.any():
        return np.zeros(0), np.zeros(0)
    steps, values = steps[there].astype(np.int64), values[there]
    if not name.startswith("validation_"):
        values = smooth(values, max(len(values) // 60, 2))
    kept = extremes(values, MOST)
    return steps[kept], values[kept]


def _marks(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    marks = []
    for change in changes:
        if isinstance(change.get("step"), int):
            to = change.get("to")
            label = f"rate ×{to:g}" if isinstance(to, int | float) else "stopped"
            marks.append({"x": change["step"], "label": label, "severity": "note"})
    return marks


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(root: Path, path: Path) -> str:
    if not is_within(root, path):
        return ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_TEXT)
    except OSError:
        return ""
