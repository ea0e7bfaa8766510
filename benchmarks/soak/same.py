"""Whether two runs left the same behind, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import surefoot as sf

_FILES = ("model.safetensors", "model.json", "recipe.toml", "findings.json")
_SUMMARY = ("metrics", "epochs", "steps", "ended", "diverged_at", "best_epoch", "findings")


def differences(run: sf.Run, whole: sf.Run) -> list[str]:
    """Return what differs: weights, tables, findings, or which files there are."""
    found = [name for name in _FILES if _bytes(run, name) != _bytes(whole, name)]
    for name in ("history", "vitals"):
        own, expected = getattr(run, name), getattr(whole, name)
        if list(own) != list(expected):
            found.append(f"{name}: columns {list(own)}")
            continue
        found += [f"{name}: {c}" for c in own if not _equal(own[c], expected[c])]
    found += [f"summary: {n}" for n in _SUMMARY if run.summary[n] != whole.summary[n]]
    names = [{path.name for path in Path(one.path).iterdir()} for one in (run, whole)]
    return found + [f"file {name}" for name in names[0] ^ names[1]]


def _bytes(run: sf.Run, name: str) -> bytes:
    return (run.path / name).read_bytes()


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return list(a) == list(b) if a.dtype == object else a.tobytes() == b.tobytes()
