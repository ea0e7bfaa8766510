"""What the page of a repair says, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.files import read_json
from surefoot.report.charts import Chart, axis, plot, series
from surefoot.report.run_page import run_page
from surefoot.report.words import figure, seconds, title, words

if TYPE_CHECKING:
    from surefoot.data import Dataset

# What was tried beyond these is in proof.json.
_MOST_TRIED = 40


def repair_page(path: Path, dataset: Dataset | None = None) -> dict[str, Any]:
    """Return what the page of a repair says: what was changed, the proof, and the new run.

    Raises:
        RunError: `proof.json` cannot be read, or was altered.
    """
    check(path, "proof.json")
    done = read_json(path / "proof.json")
    if not isinstance(done, Mapping):
        raise RunError(f"{path / 'proof.json'}: does not hold a repair")
    within = path / "run"
    page = run_page(within if within.is_dir() else path, dataset)
    proof = done.get("proof") if isinstance(done.get("proof"), Mapping) else {}
    assert isinstance(proof, Mapping)
    tried = [row for row in done.get("tried") or () if isinstance(row, Mapping)]
    page["charts"]["proof"] = _proof_chart(proof)
    page["charts"]["tried"] = _tried_chart(tried, proof)
    root = done.get("root_cause")
    sentence = str(done.get("sentence") or "This repair says nothing of itself.")
    return {
        **page,
        "kind": "repair",
        "name": path.resolve().name,
        "run_verdict": page["verdict"],
        "run_sentence": page["sentence"],
        "verdict": "repaired" if done.get("repaired") else "unknown",
        "sentence": sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith(".") else "."),
        "figures": [
            *([("root cause", title(root))] if root else []),
            ("trainings", figure(done.get("trials", 0))),
            ("time", seconds(done.get("seconds"))),
        ],
        "changes": [str(change) for change in done.get("changes") or ()],
        "before_after": _before_after(done),
        "diff": _diff(done, path, page["lost"]),
        "proof": _proof_rows(proof),
        "gain": figure(proof.get("gain")),
        "spread": figure(proof.get("spread")),
        "measure": str(proof.get("measure", "")),
        "proof_rows": figure(proof.get("rows", 0)),
        "tried": [_tried_row(row, str(proof.get("measure", ""))) for row in tried[:_MOST_TRIED]],
        "more": max(len(tried) - _MOST_TRIED, 0),
    }


def _before_after(done: Mapping[str, Any]) -> list[dict[str, str]]:
    before, after = (
        own if isinstance(own := done.get(name), Mapping) else {} for name in ("before", "after")
    )
    names = [name for name in before if name in after]
    return [
        {
            "name": words(str(name)),
            "before": figure(before[name], str(name)),
            "after": figure(after[name], str(name)),
        }
        for name in sorted(names, key=lambda name: name == "loss")
    ]


def _diff(done: Mapping[str, Any], path: Path, lost: list[str]) -> list[tuple[str, str]]:
    """Return the change of the recipe, a kind and a text a line; tell what cannot be read."""
    text = done.get("diff")
    if not isinstance(text, str):
        text = ""
        try:
            check(path, "changes.diff")
            text = (path / "changes.diff").read_text(encoding="utf-8", errors="replace")
        except (RunError, OSError) as error:
            lost.append(str(error))
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return [
        (
            "file" if line.startswith(("+++", "---")) else kinds.get(line[:1], "same"),
            line,
        )
        for line in text.splitlines()
    ]


def _proof_rows(proof: Mapping[str, Any]) -> list[dict[str, Any]]:
    measure = str(proof.get("measure", ""))
    return [
        {
            "lane": str(row.get("lane", "")),
            "change": str(row.get("change") or ""),
            "mean": figure(row.get("mean"), measure),
            "scores": ", ".join(figure(score, measure) for score in row.get("scores") or ()),
            "diverged": figure(row.get("diverged", 0)),
            "steps": figure(row.get("steps", 0)),
            "repaired": row.get("lane") == "repaired",
        }
        for row in proof.get("lanes") or ()
        if isinstance(row, Mapping)
    ]


def _tried_row(row: Mapping[str, Any], measure: str) -> dict[str, str]:
    return {
        "changes": "; ".join(str(c) for c in row.get("changes") or ()) or "as it is",
        "mean": figure(row.get("mean"), measure),
        "scores": ", ".join(figure(score, measure) for score in row.get("scores") or ()),
        "diverged": figure(row.get("diverged", 0)),
    }


def _proof_chart(proof: Mapping[str, Any]) -> list[Chart]:
    """Draw each seed's score of each of the four: a repair stands apart by more than seeds do."""
    rows = [row for row in proof.get("lanes") or () if isinstance(row, Mapping)]
    if not rows:
        return []
    measure = str(proof.get("measure", "score"))
    x = [i for i, row in enumerate(rows) for _ in row.get("scores") or ()]
    y = [score for row in rows for score in row.get("scores") or ()]
    means = [row.get("mean") for row in rows]
    return [
        plot(
            "proof",
            "The proof, on fresh seeds and rows",
            axis("", "category", categories=[str(row.get("lane")) for row in rows]),
            axis(measure, **({"low": 0, "high": 1} if measure == "accuracy" else {})),
            [
                series("mean", list(range(len(rows))), means, mark="bars", role=0),
                series("each seed", x, y, mark="points", role="validation"),
            ],
            named=True,
        )
    ]


def _tried_chart(tried: list[Mapping[str, Any]], proof: Mapping[str, Any]) -> list[Chart]:
    """Draw what each recipe that was tried reached, the best first."""
    rows = [row for row in tried if isinstance(row.get("mean"), int | float)]
    if len(rows) < 3:
        return []
    names = ["; ".join(str(c) for c in row.get("changes") or ()) or "as it is" for row in rows]
    x = [i for i, row in enumerate(rows) for _ in row.get("scores") or ()]
    y = [score for row in rows for score in row.get("scores") or ()]
    notes = [names[i] for i in x]
    return [
        plot(
            "tried",
            "What was tried",
            axis("recipes, the best first", low=0, high=len(rows) - 1),
            axis(str(proof.get("measure") or "score")),
            [
                series("each seed", x, y, mark="points", role="validation", notes=notes),
                series(
                    "mean",
                    list(range(len(rows))),
                    [row["mean"] for row in rows],
                    role="train",
                    notes=names,
                ),
            ],
            named=True,
        )
    ]
