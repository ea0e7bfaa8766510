"""The heat map of layers × steps: each vital sign, in each layer, all through training.

A choice holds `name`, `label`, `about`; `rows`, the layers' names from input to output; `edges`,
the steps at which columns begin and the end of the last; `values`, a row a layer; `scale`, `low`
and `high` of its colours; and `band`, what is healthy, or None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from surefoot.doctor.evidence import Evidence
from surefoot.report.charts import Chart, plain
from surefoot.report.curves import step_axis
from surefoot.report.signs import SIGNS, Sign
from surefoot.report.thinning import Array, buckets

# Columns of a heat map; fewer where there are many layers, so that a page stays small.
_MOST_COLUMNS, _MOST_CELLS = 200, 8000
# Three digits tell a colour, and are read off.
_DIGITS = 3
# The vital sign that shows a finding.
_SHOWN_BY: Mapping[str, str] = MappingProxyType(
    {
        "vanishing-gradients": "signal_ratio",
        "exploding-gradients": "signal_ratio",
        "depth-degradation": "signal_ratio",
        "initialization-scale": "signal_scale",
        "dead-units": "inactive_share",
        "saturated-units": "saturated_share",
        "symmetric-units": "unit_spread",
    }
)


def heat_map(evidence: Evidence, findings: Sequence[Mapping[str, Any]] = ()) -> Chart | None:
    """Return the heat map of all vital signs that were recorded; None where none was."""
    if len(evidence.recorded) == 0:
        return None
    made = [choice_of(evidence, sign) for sign in SIGNS]
    choices = [choice for choice in made if choice is not None]
    if not choices:
        return None
    widest = max(len(row) for choice in choices for row in choice["rows"])
    return {
        "name": "layers",
        "kind": "heatmap",
        "title": "Layers over time",
        "x": step_axis(evidence),
        "choices": choices,
        "choice": _first(choices, findings),
        "group": "steps",
        "margin": min(30 + 7 * widest, 150),
    }


def _first(choices: Sequence[Mapping[str, Any]], findings: Sequence[Mapping[str, Any]]) -> int:
    """Return which choice is shown at first: what the first finding about layers rests on."""
    names = [choice["name"] for choice in choices]
    for finding in findings:
        wanted = _SHOWN_BY.get(str(finding.get("id")))
        if wanted in names:
            return names.index(wanted)
    return 0


def choice_of(evidence: Evidence, sign: Sign) -> dict[str, Any] | None:
    """Return a vital sign as a heat map shows it; None where it was not recorded."""
    values = sign.values(evidence)
    there = np.isfinite(values).any(axis=0)
    if sign.name == "nonfinite" and not np.nan_to_num(values).any():
        return None
    if not there.any():
        return None
    kept = [layer for layer in evidence.layers if there[layer.index]]
    edges, places = _columns(evidence.recorded, evidence.steps, len(kept))
    columns = buckets(values[:, there], places, sign.scale == "log")
    low, high = _ends(sign, columns)
    return {
        "name": sign.name,
        "label": sign.label,
        "about": sign.about,
        "rows": [f"{layer.name} {layer.kind}" for layer in kept],
        "edges": edges.tolist(),
        "values": [plain(row, _DIGITS) for row in columns.T],
        "scale": sign.scale,
        "low": low,
        "high": high,
        "band": None if sign.band is None else list(sign.band),
    }


def _columns(recorded: Array, steps: int, layers: int) -> tuple[Array, Array]:
    """Return the steps at which columns begin, with the end of the last, and the same as records.

    Columns are equally many steps wide; those without a record join the one before.
    """
    most = min(_MOST_COLUMNS, max(_MOST_CELLS // max(layers, 1), 20))
    bounds = np.linspace(0, max(steps, 1), most + 1)[1:-1]
    places = np.unique(np.concatenate([[0], np.searchsorted(recorded, bounds), [len(recorded)]]))
    starts = recorded[places[:-1]]
    return np.append(starts, max(steps, int(recorded[-1]) + 1)), places


def _ends(sign: Sign, values: Array) -> tuple[float, float]:
    """Return the ends of the colour scale: what nearly all values lie between, and the band."""
    if sign.ends is not None:
        return sign.ends
    finite = np.abs(values[np.isfinite(values)]) if sign.scale == "log" else values
    finite = finite[np.isfinite(finite)]
    if sign.scale == "log":
        finite = finite[finite > 0]
    if not len(finite):
        low, high = (1e-3, 1.0) if sign.scale == "log" else (0.0, 1.0)
    else:
        low, high = (float(end) for end in np.percentile(finite, (1, 99)))
    for end in sign.band or ():
        if end is not None:
            low, high = min(low, end), max(high, end)
    if sign.scale == "log":
        low, high = max(low, 1e-30), max(high, 1e-30)
        if sign.band is not None:
            low, high = low / 3, high * 3
    if low == high:
        low, high = (low / 2, high * 2) if sign.scale == "log" else (low - 0.5, high + 0.5)
    return tuple(float(f"{end:.3g}") for end in (low, high))  # type: ignore[return-value]
