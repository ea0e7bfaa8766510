"""The net, layer by layer: shapes, parameters, and what was found wrong with each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from surefoot.data.target import Target
from surefoot.engine.blueprint import Blueprint
from surefoot.errors import SurefootError
from surefoot.report.folder import Pages
from surefoot.report.words import title

Health = Literal["good", "note", "warning", "error", "unknown"]
_WORST = ("error", "warning", "note")
# The narrowest bar still shows its colour, in percent of the widest.
_LEAST = 8.0


@dataclass(frozen=True)
class Row:
    """A layer as the page draws it.

    Attributes:
        name: its number; "4.2" lies within layer 4.
        kind: such as "dense".
        shape: of one example's output, as text; empty where not known.
        weights: how many parameters it has; None where not known.
        width: of its bar in percent, by the logarithm of how many outputs it has.
        health: the worst that was found in it.
        findings: what was found in it, in words.
    """

    name: str
    kind: str
    shape: str
    weights: int | None
    width: float
    health: Health
    findings: str


@dataclass(frozen=True)
class Net:
    """The net as the page draws it.

    Attributes:
        rows: the layers, from the input to the output.
        entered: the shape of one input, as text; empty where not known.
        weights: all parameters; None where not known.
    """

    rows: Sequence[Row]
    entered: str
    weights: int | None


def net_of(pages: Pages) -> Net | None:
    """Return the run's net; without a model's file as much of it as the vital signs show."""
    findings = pages.findings
    sites = _sites(pages)
    if sites is not None:
        places, entered = sites
        sizes = [math.prod(shape) for _, _, shape, _ in places]
        most = math.log1p(max([math.prod(entered), *sizes], default=1))
        rows = [
            _row(name, kind, shape, weights, math.log1p(size) / most, findings, pages)
            for (name, kind, shape, weights), size in zip(places, sizes, strict=True)
        ]
        return Net(rows, _shape(entered), sum(weights for *_, weights in places))
    if pages.evidence is None or not pages.evidence.layers:
        return None
    rows = [
        _row(layer.name, layer.kind, None, None, 0.6, findings, pages)
        for layer in pages.evidence.layers
    ]
    return Net(rows, "", None)


def _sites(
    pages: Pages,
) -> tuple[list[tuple[str, str, tuple[int, ...], int]], tuple[int, ...]] | None:
    """Return name, kind, shape and parameters of each layer, and the shape of an input."""
    if pages.recipe is None:
        return None
    try:
        shape, target = _shape_and_target(pages)
        network = Blueprint.of(pages.recipe, shape, target).network
    except (SurefootError, KeyError, TypeError, ValueError):
        return None
    return [(s.name, s.kind, tuple(s.shape), s.weights) for s in network.sites], shape


def _shape_and_target(pages: Pages) -> tuple[tuple[int, ...], Target]:
    """Return what the net was built for: from the model's file, or from the data's facts."""
    about = pages.model
    if about is not None:
        return tuple(int(n) for n in about["feature_shape"]), Target.from_dict(about["target"])
    shape = tuple(int(n) for n in pages.fact("prepared", "shape"))
    kind = str(pages.fact("prepared", "targets", "kind"))
    size = int(pages.fact("prepared", "targets", "size"))
    classes = tuple(range(size)) if kind == "classes" else None
    return shape, Target(kind, size, classes)  # type: ignore[arg-type]


def _row(
    name: str,
    kind: str,
    shape: tuple[int, ...] | None,
    weights: int | None,
    share: float,
    findings: Sequence[Mapping[str, Any]],
    pages: Pages,
) -> Row:
    own = [found for found in findings if name in (found.get("layers") or ())]
    severities = [str(found.get("severity")) for found in own]
    worst = next((level for level in _WORST if level in severities), None)
    judged = pages.diagnosis is not None and pages.evidence is not None and pages.evidence.layers
    health = worst or ("good" if judged else "unknown")
    return Row(
        name,
        kind,
        "" if shape is None else _shape(shape),
        weights,
        round(max(100 * share, _LEAST), 1),
        health,  # type: ignore[arg-type]
        ", ".join(title(found["id"]) for found in own),
    )


def _shape(shape: Sequence[int]) -> str:
    return "×".join(f"{size:,}" for size in shape)
