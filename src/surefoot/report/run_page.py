"""What the page of a run says, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.recipe import Recipe
from surefoot.report.charts import Chart
from surefoot.report.curvature import points
from surefoot.report.curves import curves
from surefoot.report.evaluation import evaluation_of
from surefoot.report.evidence_charts import class_counts, evidence_charts
from surefoot.report.folder import Pages, open_run
from surefoot.report.layers import heat_map
from surefoot.report.net import Net, net_of
from surefoot.report.predictions import prediction_charts, worst_examples
from surefoot.report.surfaces import sections
from surefoot.report.words import figure, flat, seconds, title, words
from surefoot.vitals.table import read

if TYPE_CHECKING:
    from surefoot.data import Dataset

# Findings beyond are told without charts: a page stays small, and is read.
_MOST_DRAWN = 8
_ENDED = {
    "early": "It stopped early, and the weights of its best epoch are kept.",
    "interrupted": "It was interrupted, and the weights reached by then are kept.",
}


def run_page(path: Path, dataset: Dataset | None = None) -> dict[str, Any]:
    """Return what the page of a run says, and its charts.

    Args:
        path: the run's folder, finished or not.
        dataset: its rows, where they are at hand.
    """
    pages = open_run(path)
    found = _evaluation(pages, dataset)
    net = net_of(pages)
    charts = _charts(pages, found)
    findings = [_finding(own, number, charts) for number, own in enumerate(pages.findings, 1)]
    surface = [] if pages.evidence is None else points(pages.evidence.curvature)
    drawn = sections(pages.surface)
    charts["surface"] = [chart for own in surface for chart in own["charts"]]
    charts["surface"] += [own["chart"] for own in drawn]
    return {
        "kind": "run",
        "name": path.resolve().name,
        "verdict": verdict_of(pages),
        "sentence": sentence_of(pages),
        "figures": figures(pages, net),
        "root": _root(pages),
        "lost": list(pages.lost),
        "notices": notices(pages),
        "findings": findings,
        "net": net,
        "found": {"missing": None, "labels": None, **found},
        "worst": worst_examples(found),
        "surface": surface,
        "sections": drawn,
        "facts": _facts(pages),
        "columns": _columns(pages),
        "recipe": pages.recipe_text,
        "environment": flat(pages.environment),
        "checks": list((pages.diagnosis or {}).get("checks") or ()),
        "trials": list((pages.diagnosis or {}).get("trials") or ()),
        "charts": charts,
    }


def _evaluation(pages: Pages, dataset: Dataset | None) -> dict[str, Any]:
    if pages.summary is None:
        return {"missing": "the run is not finished: its net was not tried on other rows yet"}
    if not isinstance(pages.recipe, Recipe):
        return {"missing": "without a recipe nobody knows where its rows are"}
    facts = None if pages.evidence is None else pages.evidence.facts
    return evaluation_of(pages.path, pages.recipe, dataset, facts)


def _charts(pages: Pages, found: Mapping[str, Any]) -> dict[str, list[Chart]]:
    """Return the charts of each section of the page."""
    charts: dict[str, list[Chart]] = {part: [] for part in ("curves", "steps", "layers", "data")}
    charts["predictions"] = prediction_charts(found)
    evidence = pages.evidence
    if evidence is None:
        return charts
    drawn = curves(evidence, pages.findings)
    charts["curves"] = [chart for chart in drawn if chart["name"] not in ("rate", "norms")]
    charts["steps"] = [chart for chart in drawn if chart["name"] in ("rate", "norms")]
    heat = heat_map(evidence, pages.findings)
    charts["layers"] = [] if heat is None else [heat]
    counts = class_counts(evidence)
    charts["data"] = [] if counts is None else [counts]
    for number, finding in enumerate(pages.findings[:_MOST_DRAWN], 1):
        charts[f"finding-{number}"] = evidence_charts(evidence, finding, number)
    return charts


def verdict_of(pages: Pages) -> str:
    """Return "healthy", "unhealthy", "training" for a run that goes on, or "unknown"."""
    if pages.summary is None and pages.evidence is not None and not _broken_off(pages):
        return "training"
    said = (pages.diagnosis or {}).get("verdict")
    return str(said) if said in ("healthy", "unhealthy") else "unknown"


def _broken_off(pages: Pages) -> bool:
    return pages.evidence is not None and pages.evidence.steps == 0


def sentence_of(pages: Pages) -> str:
    """Return the verdict in one sentence."""
    verdict, root = verdict_of(pages), (pages.diagnosis or {}).get("root_cause")
    result = _result(pages)
    why = title(root) if root else "the result falls short, and no rule says why"
    if verdict == "training":
        evidence = pages.evidence
        assert evidence is not None
        of = f" of {evidence.total_steps:,}" if evidence.total_steps else ""
        doing = f"unhealthy so far, {why}" if root else "nothing wrong so far"
        return f"Not finished: step {evidence.steps:,}{of}, {doing}."
    if verdict == "unknown":
        return "There is too little here to judge this run."
    begin = "Healthy" if verdict == "healthy" else f"Unhealthy: {why}"
    return f"{begin}{'; ' if verdict == 'unhealthy' else ': '}{result}." if result else f"{begin}."


def _result(pages: Pages) -> str:
    metrics = (pages.summary or {}).get("metrics")
    if not isinstance(metrics, Mapping):
        return ""
    part = "validation" if "validation" in metrics else "train"
    own = metrics.get(part)
    measure = _measure(own)
    if measure is None:
        return ""
    text = f"{words(part)}{'ing' if part == 'train' else ''} {words(measure)} "
    text += figure(own[measure], measure)
    best = pages.fact("reference", "best")
    if isinstance(best, int | float) and pages.fact("reference", "measure") == measure:
        text += f", where simple methods reach {figure(best, measure)}"
    return text


def _measure(metrics: Any) -> str | None:
    if not isinstance(metrics, Mapping):
        return None
    return next((name for name in metrics if name != "loss"), None)


def _pretraining(path: Path) -> list[tuple[str, str]]:
    """Return how well each layer gave its inputs back before it was pre-trained, and after."""
    try:
        check(path, "pretraining.parquet")
        table = read(path, "pretraining")
        layers, errors = table["layer"].tolist(), table["reconstruction_error"].tolist()
    except (RunError, KeyError):  # none was kept, or it was altered, as `lost` says
        return []
    each: dict[str, list[float]] = {}
    for layer, error in zip(layers, errors, strict=True):
        each.setdefault(str(layer), []).append(error)
    return [
        (f"reconstruction error, layer {layer}", f"{figure(own[0])} to {figure(own[-1])}")
        for layer, own in each.items()
    ]


def figures(pages: Pages, net: Net | None) -> list[tuple[str, str]]:
    """Return the final figures, a name and a text each."""
    rows = []
    summary = pages.summary or {}
    metrics = summary.get("metrics")
    for part, own in metrics.items() if isinstance(metrics, Mapping) else ():
        measure = _measure(own)
        label = "training" if part == "train" else str(part)
        if measure is not None:
            rows.append((f"{label} {words(measure)}", figure(own[measure], measure)))
            rows.append((f"{label} loss", figure(own.get("loss"))))
    rows.sort(key=lambda row: not row[0].startswith("validation"))
    best, measure = pages.fact("reference", "best"), str(pages.fact("reference", "measure"))
    if isinstance(best, int | float):
        rows.append((f"simple methods, {words(measure)}", figure(best, measure)))
    steps = summary.get("steps", None if pages.evidence is None else pages.evidence.steps)
    if steps is not None:
        rows.append(("steps", figure(steps)))
    if summary:
        rows.append(("epochs", figure(summary.get("epochs"))))
        rows.append(("time", seconds(summary.get("seconds"))))
    if net is not None and net.weights is not None:
        rows.append(("weights", figure(net.weights)))
    rows += _pretraining(pages.path)
    return rows


def _root(pages: Pages) -> dict[str, Any] | None:
    """Return the root cause with the chain of what follows from it."""
    said = pages.diagnosis or {}
    root = said.get("root_cause")
    own = next((f for f in pages.findings if f.get("id") == root), None)
    if root is None or own is None:
        return None
    chain = [title(name) for name in said.get("chain") or (root,)]
    others = [(title(f["id"]), title(f["caused_by"])) for f in pages.findings if f.get("caused_by")]
    return {
        "title": title(root),
        "explanation": str(own.get("explanation", "")),
        "certainty": str(own.get("certainty", "observed")),
        "chain": chain,
        "others": [(name, cause) for name, cause in others if name not in chain],
        "remedy": next((dict(r) for r in own.get("remedies") or ()), None),
    }


def notices(pages: Pages) -> list[str]:
    """Return what is unusual about the run as a whole, and what of it is missing."""
    summary, evidence = pages.summary, pages.evidence
    said = []
    if summary is None:
        said.append(
            "The run has no summary: it still trains, or it was broken off. This page shows what "
            "was recorded so far."
        )
    else:
        ended = summary.get("ended")
        if ended == "diverged":
            at = figure(summary.get("diverged_at"))
            said.append(
                f"Training diverged at step {at}: loss or gradient was not finite. The weights "
                "before that step are kept, and the figures are theirs."
            )
        if ended in _ENDED:
            said.append(_ENDED[str(ended)])
        if "validation" not in (summary.get("metrics") or {}):
            said.append(
                "There were no validation rows: how the net does on rows that it has not seen is "
                "not known."
            )
        said += [f"While it trained: {_change(own)}." for own in summary.get("changes") or ()]
    if evidence is not None:
        if evidence.steps == 1:
            said.append("Only one step was taken: curves are single points.")
        if evidence.steps and not len(evidence.recorded):
            said.append("No vital signs were recorded, so nothing is known of single layers.")
    lacking = (pages.diagnosis or {}).get("lacking") or ()
    if lacking:
        names = ", ".join(words(str(name)) for name in lacking)
        said.append(f"Not looked at, for want of what they read: {names}.")
    return said


def _change(own: Any) -> str:
    if isinstance(own, Mapping):
        return ", ".join(f"{words(str(k))} {figure(v)}" for k, v in own.items())
    return str(own)


def _finding(own: Mapping[str, Any], number: int, charts: Mapping[str, Any]) -> dict[str, Any]:
    layers = [str(name) for name in own.get("layers") or ()]
    shown = ", ".join(layers[:12]) + (f" and {len(layers) - 12} more" if len(layers) > 12 else "")
    cause = own.get("caused_by")
    evidence = own.get("evidence")
    return {
        "number": number,
        "title": title(own["id"]),
        "severity": str(own.get("severity", "note")),
        "since": figure(own.get("since_step", 0)),
        "layers": shown,
        "many": len(layers) > 1,
        "certainty": str(own.get("certainty", "observed")),
        "caused_by": title(cause) if cause else None,
        "explanation": str(own.get("explanation", "")),
        "evidence": [
            (words(str(name)), figure(value))
            for name, value in (evidence.items() if isinstance(evidence, Mapping) else ())
        ],
        "remedies": [
            {"text": str(r.get("text", "")), "toml": str(r.get("toml", ""))}
            for r in own.get("remedies") or ()
            if isinstance(r, Mapping)
        ],
        "charts": [chart["name"] for chart in charts.get(f"finding-{number}", ())],
    }


def _facts(pages: Pages) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the data's facts in groups: a title, and rows of a name and a text."""
    facts = {} if pages.evidence is None else dict(pages.evidence.facts)
    facts.pop("columns", None)
    target = facts.pop("target", None)
    if isinstance(target, Mapping):
        target = {k: v for k, v in target.items() if k != "classes"}
    groups = [
        ("What the net is given", facts.pop("prepared", None)),
        ("What simple methods reach", facts.pop("reference", None)),
        ("The target", target),
    ]
    rows = [("The source", flat(facts)), *((name, flat(own)) for name, own in groups)]
    return [(name, own) for name, own in rows if own]


def _columns(pages: Pages) -> list[dict[str, str]]:
    """Return what is known of a table's columns."""
    given = pages.fact("columns")
    names = ("name", "kind", "missing", "distinct", "minimum", "mean", "maximum")
    rows: Sequence[Any] = given if isinstance(given, list) else ()
    return [
        {name: "" if own.get(name) is None else figure(own[name]) for name in names}
        for own in rows[:200]
        if isinstance(own, Mapping)
    ]
