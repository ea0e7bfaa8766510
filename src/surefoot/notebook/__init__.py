"""How runs, findings and diagnoses show themselves in notebooks: compact HTML without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from surefoot.notebook.curves import loss_picture
from surefoot.vitals.table import Table

# More than these are counted; the report has all.
_MOST = 8


class Findings(list[dict[str, Any]]):
    """A list of findings, each a dictionary, that shows itself in a notebook.

    >>> found = Findings([{"id": "<b>", "severity": "error", "explanation": "It diverged."}])
    >>> "&lt;b&gt;" in found._repr_html_(), found == [dict(found[0])]
    (True, True)
    """

    def _repr_html_(self) -> str:
        return _render("findings.html", findings=_shown(self), more=max(len(self) - _MOST, 0))


def run_html(name: str, summary: Mapping[str, Any], history: Table | None) -> str:
    """Return a run as HTML: verdict, figures, loss curve, findings.

    Args:
        name: of the run.
        summary: what `surefoot train --json` prints.
        history: its metrics table; None where it cannot be read.
    """
    found = summary.get("findings") or []
    metrics = summary.get("metrics") or {}
    measures = list(dict.fromkeys(name for own in metrics.values() for name in own))
    return _render(
        "run.html",
        name=name,
        summary=summary,
        metrics=metrics,
        measures=measures,
        picture="" if history is None else loss_picture(history),
        findings=_shown(found),
        more=max(len(found) - _MOST, 0),
    )


def diagnosis_html(told: Mapping[str, Any]) -> str:
    """Return a diagnosis as HTML: verdict, cause and effect, findings.

    Args:
        told: what `surefoot diagnose --json` prints.
    """
    found = told.get("findings") or []
    return _render(
        "diagnosis.html", told=told, findings=_shown(found), more=max(len(found) - _MOST, 0)
    )


def _shown(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    lacking = {"id": "", "severity": "note", "since_step": 0, "explanation": "", "remedies": ()}
    return [{**lacking, **own} for own in list(findings)[:_MOST]]


def _figure(value: Any, name: str = "") -> str:
    """Return a number as people read it.

    >>> _figure(0.97771, "accuracy"), _figure(0.51234), _figure(None)
    ('97.77 %', '0.5123', 'not finite')
    """
    if not isinstance(value, int | float) or value != value:
        return "not finite"
    return f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4g}"


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("surefoot.notebook"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    environment.filters["words"] = lambda text: str(text).replace("-", " ")
    return environment
