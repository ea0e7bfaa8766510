"""Which charts show what a finding rests on: a table from finding to what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from surefoot.doctor.evidence import Evidence
from surefoot.doctor.signals import update_ratio
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.curves import MOST, learning, marks_of, norms, rate, step_axis
from surefoot.report.signs import BY_NAME
from surefoot.report.thinning import extremes
from surefoot.report.words import sentence_case, words

Finding = Mapping[str, Any]
Draw = Callable[[Evidence, Finding], Chart | None]
# More layers than these are not told apart.
_MOST_LAYERS = 6


def _loss(evidence: Evidence, finding: Finding) -> Chart | None:
    return learning(evidence, "loss", _marks(finding))


def _measure(evidence: Evidence, finding: Finding) -> Chart | None:
    return learning(evidence, evidence.measure, _marks(finding))


def _norms(evidence: Evidence, finding: Finding) -> Chart | None:
    return norms(evidence, _marks(finding))


def _rate(evidence: Evidence, finding: Finding) -> Chart | None:
    return rate(evidence, _marks(finding))


def _marks(finding: Finding) -> list[dict[str, Any]]:
    return [{**mark, "label": "since"} for mark in marks_of([finding])]


def _updates(evidence: Evidence, finding: Finding) -> Chart | None:
    """Draw how far a step moves the weights, the median over layers."""
    if len(evidence.recorded) == 0:
        return None
    with np.errstate(all="ignore"):
        values = update_ratio(evidence)
    kept = extremes(values, MOST)
    return _over_steps(
        evidence,
        finding,
        "update_ratio",
        [series("median over layers", evidence.recorded[kept], values[kept], role="train")],
    )


def _layers(name: str) -> Draw:
    """Draw a vital sign of the layers that a finding names, over the steps."""

    def draw(evidence: Evidence, finding: Finding) -> Chart | None:
        values = BY_NAME[name].values(evidence)
        named = set(finding.get("layers") or ())
        there = [layer for layer in evidence.layers if np.isfinite(values[:, layer.index]).any()]
        chosen = [layer for layer in there if layer.name in named] or there
        places = np.linspace(0, len(chosen) - 1, min(len(chosen), _MOST_LAYERS)).astype(int)
        lines = []
        for number, place in enumerate(np.unique(places).tolist()):
            layer = chosen[place]
            own = values[:, layer.index]
            kept = extremes(own, 400)
            label = f"{layer.name} {layer.kind}"
            lines.append(series(label, evidence.recorded[kept], own[kept], role=number))
        return _over_steps(evidence, finding, name, lines) if lines else None

    return draw


def _over_steps(
    evidence: Evidence, finding: Finding, name: str, lines: Sequence[Mapping[str, Any]]
) -> Chart:
    sign = BY_NAME[name]
    ends = dict(zip(("low", "high"), sign.ends or (), strict=False))
    linear = sign.scale == "linear"
    return plot(
        name,
        sentence_case(sign.label),
        step_axis(evidence),
        axis(sign.label, sign.scale, toggle=not linear) | (ends if linear else {}),
        lines,
        group="steps",
        marks=_marks(finding),
        bands=_bands(name),
        about=_healthy(name),
        named=True,
    )


def _profile(name: str) -> Draw:
    """Draw a vital sign from the first layer to the last, at the first and the last record."""

    def draw(evidence: Evidence, finding: Finding) -> Chart | None:
        sign = BY_NAME[name]
        values = sign.values(evidence)
        there = [layer for layer in evidence.layers if np.isfinite(values[:, layer.index]).any()]
        if not there:
            return None
        columns = [layer.index for layer in there]
        places = list(range(len(there)))
        lines = [series("first record", places, values[0, columns], role="train")]
        if len(values) > 1:
            lines.append(series("last record", places, values[-1, columns], role="validation"))
        names = [f"{layer.name} {layer.kind}" for layer in there]
        return plot(
            f"{name}-by-layer",
            f"{sentence_case(sign.label)}, layer by layer",
            axis("layer, from the input to the output", "category", categories=names),
            axis(sign.label, sign.scale, toggle=sign.scale == "log"),
            lines,
            bands=_bands(name),
            about=_healthy(name),
        )

    return draw


def _bands(name: str) -> list[dict[str, Any]]:
    band = BY_NAME[name].band
    return [] if band is None else [{"low": band[0], "high": band[1]}]


def _healthy(name: str) -> str:
    sign = BY_NAME[name]
    return sign.about + (" The shaded range is healthy." if sign.band is not None else "")


def _facts(title: str, *path: str, names: Sequence[str]) -> Draw:
    """Draw numbers out of the data's facts as bars."""

    def draw(evidence: Evidence, finding: Finding) -> Chart | None:
        values = [abs(evidence.number(*path, name)) for name in names]
        if not np.isfinite(values).any():
            return None
        labels = [words(name) for name in names]
        return plot(
            "-".join(path),
            title,
            axis("", "category", categories=labels),
            axis("absolute value", "log", toggle=True),
            [series("absolute value", list(range(len(names))), values, mark="bars", role=0)],
            levels=[{"y": 1, "label": "1"}],
            about="Near 1 is what initial weights and usual learning rates are made for.",
        )

    return draw


def class_counts(evidence: Evidence, finding: Finding | None = None) -> Chart | None:
    """Draw how many rows each class has."""
    counts = evidence.fact("target", "classes")
    if not isinstance(counts, Mapping) or not counts:
        return None
    rows = [(str(name), n) for name, n in counts.items() if isinstance(n, int | float)]
    return plot(
        "classes",
        "Rows of each class",
        axis("class", "category", categories=[name for name, _ in rows]),
        axis("rows", low=0),
        [series("rows", list(range(len(rows))), [n for _, n in rows], mark="bars", role=0)],
    )


_INPUTS = _facts(
    "What the first layer is given",
    "prepared",
    "inputs",
    names=("rms", "mean", "largest_offset", "smallest_scale", "largest_scale", "largest"),
)
_TARGETS = _facts("What the loss is given", "prepared", "targets", names=("mean", "std", "largest"))

CHARTS: Mapping[str, tuple[Draw, ...]] = MappingProxyType(
    {
        "diverged": (_loss, _norms),
        "exploding-gradients": (_profile("signal_ratio"), _norms),
        "vanishing-gradients": (_profile("signal_ratio"), _layers("signal_rms")),
        "dead-units": (_layers("inactive_share"),),
        "saturated-units": (_layers("saturated_share"),),
        "symmetric-units": (_layers("unit_spread"),),
        "initialization-scale": (_profile("signal_scale"),),
        "learning-rate-too-high": (_updates, _loss),
        "learning-rate-too-low": (_updates, _loss),
        "unscaled-inputs": (_INPUTS,),
        "unscaled-targets": (_TARGETS, _loss),
        "wrong-output": (_loss, _measure),
        "wrong-loss": (_loss, _measure),
        "saddle-point": (_loss, _norms),
        "local-minimum": (_loss, _norms),
        "flat-region": (_loss, _norms),
        "ravine": (_loss, _norms),
        "batch-too-small": (_loss, _norms),
        "too-few-epochs": (_loss,),
        "overfitting": (_measure, _loss),
        "underfitting": (_measure, _loss),
        "depth-degradation": (_profile("signal_ratio"), _loss),
        "class-imbalance": (class_counts, _measure),
        "data-problem": (_measure, class_counts),
    }
)


def evidence_charts(evidence: Evidence, finding: Finding, number: int) -> list[Chart]:
    """Return the charts that show what a finding rests on.

    Args:
        evidence: what was recorded.
        finding: as `findings.json` holds it.
        number: of the finding on its page, so that names are unique.
    """
    made = [draw(evidence, finding) for draw in CHARTS.get(str(finding["id"]), (_loss,))]
    return [
        {**chart, "name": f"finding-{number}-{chart['name']}", "size": "small"}
        for chart in made
        if chart is not None
    ]
