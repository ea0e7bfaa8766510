"""Curves over the steps of a run: loss, measure, learning rate, gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.doctor.evidence import Evidence
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.thinning import Array, extremes, smooth
from surefoot.report.words import sentence_case, words

# A screen is this many points wide.
MOST = 1000
# A loss that spans more than this is drawn on a logarithmic axis at first.
_WIDE = 1e3

Marks = Sequence[Mapping[str, Any]]


def step_axis(evidence: Evidence) -> dict[str, Any]:
    """Return the axis that all charts over steps share."""
    return axis("step", low=0, high=max(evidence.steps, 1)) | {"whole": True}


def marks_of(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a mark at each step at which findings began: their numbers on the page.

    >>> marks_of([{"since_step": 4, "severity": "error"}, {"since_step": 4, "severity": "note"}])
    [{'x': 4, 'label': '1, 2', 'severity': 'error'}]
    """
    rank = ("error", "warning", "note")
    places: dict[int, list[tuple[int, str]]] = {}
    for number, finding in enumerate(findings, 1):
        step, severity = finding.get("since_step"), str(finding.get("severity"))
        if isinstance(step, int) and severity in rank:
            places.setdefault(step, []).append((number, severity))
    return [
        {
            "x": step,
            "label": ", ".join(str(number) for number, _ in own),
            "severity": min((severity for _, severity in own), key=rank.index),
        }
        for step, own in sorted(places.items())
    ]


def curves(evidence: Evidence, findings: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Return the charts of loss, measure, learning rate and gradient norm, of what was recorded."""
    marks = marks_of(findings)
    measure = evidence.measure
    made = [
        learning(evidence, "loss", marks),
        learning(evidence, measure, marks),
        rate(evidence, marks),
        norms(evidence, marks),
    ]
    return [chart for chart in made if chart is not None]


def learning(
    evidence: Evidence, name: str, marks: Marks = (), chart_name: str = ""
) -> Chart | None:
    """Return the curve of a loss or measure: each batch, smoothed, and validation."""
    values = evidence.metric(name)
    steps = evidence.metric("step")
    held_steps, held = _there(evidence, f"validation_{name}")
    lines = []
    if np.isfinite(values).any():
        span = max(len(values) // 60, 2)
        if len(values) >= 20:
            lines.append(_line("each batch", steps, values, role="train", faint=True))
            softened = smooth(values, span)
            lines.append(_line("batches, smoothed", steps, softened, 500, role="train"))
        else:
            lines.append(_line("each batch", steps, values, role="train"))
    if len(held):
        lines.append(_line("validation", held_steps, held, role="validation"))
    if not lines:
        return None
    share = name.endswith("accuracy")
    finite = np.concatenate([values, held])
    finite = finite[np.isfinite(finite) & (finite > 0)]
    wide = len(finite) > 0 and finite.max() / finite.min() > _WIDE
    return plot(
        chart_name or name,
        sentence_case(words(name)),
        step_axis(evidence),
        axis(words(name), "log" if wide and not share else "linear", toggle=not share)
        | ({"low": 0, "high": 1} if share else {}),
        lines,
        group="steps",
        marks=list(marks),
    )


def rate(evidence: Evidence, marks: Marks = (), chart_name: str = "rate") -> Chart | None:
    """Return the learning rate over steps."""
    steps, values = _there(evidence, "learning_rate")
    if not len(values):
        return None
    return plot(
        chart_name,
        "Learning rate",
        step_axis(evidence),
        axis("learning rate", toggle=True),
        [_line("learning rate", steps, values, role=0)],
        group="steps",
        marks=list(marks),
    )


def norms(evidence: Evidence, marks: Marks = (), chart_name: str = "norms") -> Chart | None:
    """Return the gradient's norm over steps, before and after clipping."""
    steps, whole = _there(evidence, "gradient_norm")
    clipped_steps, clipped = _there(evidence, "clipped_gradient_norm")
    if not len(whole):
        return None
    lines = [_line("before clipping", steps, whole, role="train")]
    about = "Nothing was clipped."
    if len(clipped) == len(whole) and not np.allclose(clipped, whole, rtol=1e-3, equal_nan=True):
        lines.append(_line("after clipping", clipped_steps, clipped, role="validation"))
        cut = np.mean(clipped < 0.999 * whole)
        about = f"Clipped at {cut:.0%} of the recorded steps."
    return plot(
        chart_name,
        "Gradient norm",
        step_axis(evidence),
        axis("gradient norm", "log", toggle=True),
        lines,
        group="steps",
        marks=list(marks),
        about=about,
        named=True,
    )


def _there(evidence: Evidence, name: str) -> tuple[Array, Array]:
    """Return the steps at which a column has a value, and the values; infinite ones are values."""
    values = evidence.metric(name)
    kept = ~np.isnan(values)
    steps = evidence.metric("step")
    return (steps[kept], values[kept]) if len(steps) == len(values) else (kept[:0], values[:0])


def _line(name: str, steps: Array, values: Array, most: int = MOST, **more: Any) -> dict[str, Any]:
    kept = extremes(values, most)
    return series(name, steps[kept].astype(np.int64), values[kept], **more)
