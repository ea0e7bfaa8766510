"""What the list says of a run: its state, verdict and figures, from small files alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from surefoot.control import CHANGES, CONTROL, RUNNING, is_alive
from surefoot.errors import SurefootError
from surefoot.files import finite
from surefoot.live.places import complaint, is_within, read_inside
from surefoot.vitals.table import read_files

# What may change while a run trains; a change of any is a change of the run.
_WATCHED = (
    "summary.json",
    "findings.json",
    CHANGES,
    CONTROL,
    RUNNING,
    "recipe.toml",
    "metrics",
    "metrics.parquet",
    "vitals",
    "vitals.parquet",
)
_ENDED = {"finished": "finished", "early": "finished", "diverged": "diverged"}
_SAID = {
    "early": "stopped early: validation did not improve any more",
    "interrupted": "was interrupted; the weights reached so far are kept",
}
_DIED = "its process ended without a result: killed, out of memory, or the machine went down"

Signature = tuple[tuple[int, int] | None, ...]


def signature(folder: Path) -> Signature:
    """Return what tells whether anything of a run has changed: times and sizes of its files."""
    found: list[tuple[int, int] | None] = []
    for name in _WATCHED:
        try:
            status = os.stat(folder / name, follow_symlinks=False)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)


def row_of(root: Path, folder: Path) -> dict[str, Any]:
    """Return what is known about a run without its tables.

    Args:
        root: the folder that runs are looked for in.
        folder: the run's.

    Returns:
        ``state`` is "running", "finished", "diverged", "interrupted" or "died"; ``note`` says
        more of it. ``metrics``, ``verdict`` and ``root_cause`` are there when they are known.
    """
    summary = read_inside(root, folder / "summary.json")
    told = read_inside(root, folder / RUNNING)
    findings = read_inside(root, folder / "findings.json")
    row: dict[str, Any] = {"state": "died", "note": _DIED, "since": _since(folder)}
    if isinstance(findings, dict):
        row |= {key: findings.get(key) for key in ("verdict", "root_cause")}
        listed = findings.get("findings")
        row["findings"] = len(listed) if isinstance(listed, list) else 0
    if isinstance(told, dict) and is_alive(folder, told):
        now = {"state": "running", "note": "", "total_steps": told.get("steps")}
        return finite(row | now | _newest(root, folder))
    if isinstance(summary, dict):
        row |= _ended(summary)
    elif why := complaint(root, folder / "summary.json"):
        row["note"] = f"its result cannot be read: {why}"
    elif isinstance(told, dict):
        row |= {"total_steps": told.get("steps"), **_newest(root, folder)}
    return finite(row)


def _newest(root: Path, folder: Path) -> dict[str, Any]:
    """Return how far a run has come that is not over, from the last part of its metrics."""
    parts = folder / "metrics"
    if not is_within(root, parts):
        return {}
    names = sorted(path for path in parts.glob("part-*.parquet") if not path.is_symlink())
    if not names:
        return {}
    try:
        rows = read_files(names[-1:], ("step", "loss"))
        return {"step": int(rows["step"][-1]) + 1, "loss": float(rows["loss"][-1])}
    except (SurefootError, OSError, KeyError, IndexError, ValueError):
        return {}


def _ended(summary: dict[str, Any]) -> dict[str, Any]:
    ended = str(summary.get("ended"))
    note = _SAID.get(ended, "")
    if ended == "diverged":
        note = f"diverged at step {summary.get('diverged_at')}"
    changed = summary.get("changes")
    if isinstance(changed, list) and any(isinstance(c, dict) and c.get("by") for c in changed):
        note = "; ".join([*([note] if note else []), "changed by hand while it trained"])
    metrics = summary.get("metrics")
    return {
        "state": _ENDED.get(ended, "interrupted"),
        "note": note,
        "metrics": metrics if isinstance(metrics, dict) else {},
        **{key: summary.get(key) for key in ("steps", "epochs", "seconds")},
    }


def _since(folder: Path) -> float:
    """Return when a run was begun, in seconds since the epoch."""
    try:
        return os.stat(folder / "recipe.toml", follow_symlinks=False).st_mtime
    except OSError:
        return 0.0
