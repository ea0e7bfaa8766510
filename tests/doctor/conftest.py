"""Evidence made by hand: a healthy run, and what a test changes about it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from surefoot.doctor.diagnosis import suspect
from surefoot.doctor.evidence import Evidence
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.vitals.columns import METRIC_COLUMNS
from surefoot.vitals.table import Table

STEPS, EPOCH_STEPS = 640, 32
NET = (
    {"dense": 32},
    {"activation": "relu"},
    {"dense": 32},
    {"activation": "relu"},
    {"dense": "classes"},
    {"activation": "softmax"},
)
HEALTHY_FACTS = {
    "prepared": {
        "rows": 1024,
        "validation_rows": 256,
        "shape": [8],
        "inputs": {
            "mean": 0.0,
            "std": 1.0,
            "rms": 1.0,
            "largest": 4.0,
            "largest_offset": 0.01,
            "smallest_scale": 1.0,
            "largest_scale": 1.0,
            "middle": 3.3,
            "varying": 1.0,
        },
        "targets": {
            "kind": "classes",
            "size": 3,
            "counts": [342, 341, 341],
            "validation_counts": [86, 85, 85],
        },
    },
    "reference": {
        "measure": "accuracy",
        "best": 0.95,
        "chance": 0.334,
        "held_out_train": 0.94,
        "held_out_chance": 0.334,
    },
}
NUMBERS = {
    "prepared": {
        "targets": {
            "kind": "numbers",
            "size": 1,
            "mean": 0.0,
            "std": 1.0,
            "spread": 1.0,
            "counts": None,
            "validation_counts": None,
        }
    },
    "reference": {"measure": "rmse", "best": 0.3, "chance": 1.0, "held_out_train": 0.31},
}
# Of a layer with weights, and of the others.
HEALTHY_VITALS = {
    "activation_mean": (0.0, 0.4),
    "activation_std": (1.0, 0.6),
    "zero_share": (0.0, 0.5),
    "inactive_share": (0.0, 0.05),
    "saturated_share": (0.0, 0.02),
    "activation_max": (4.0, 4.0),
    "signal_rms": (0.1, 0.1),
    "signal_max": (0.5, 0.5),
    "gradient_rms": (0.01, np.nan),
    "gradient_max": (0.1, np.nan),
    "weight_rms": (0.2, np.nan),
    "update_rms": (4e-4, np.nan),
    "update_ratio": (2e-3, np.nan),
    "unit_spread": (0.96, np.nan),
    "nonfinite": (0.0, 0.0),
}


def healthy_metrics(steps: int = STEPS) -> dict[str, np.ndarray]:
    """A loss that falls from ln 3 to 0.1 and lies still in the end."""
    step = np.arange(steps)
    epoch = step // EPOCH_STEPS + 1
    left = np.exp(-step / max(steps / 12, 1))
    table = {name: np.full(steps, np.nan) for name in METRIC_COLUMNS}
    table |= {"step": step, "epoch": epoch}
    table["loss"] = 0.1 + (np.log(3) - 0.1) * left
    table["accuracy"] = 0.97 - 0.63 * left
    table["learning_rate"] = np.full(steps, 1e-3)
    table["gradient_norm"] = table["clipped_gradient_norm"] = 0.5 * np.sqrt(0.01 + left)
    ends = np.append(np.diff(epoch) > 0, True) if steps else np.zeros(0, bool)
    table["validation_loss"] = np.where(ends, table["loss"] + 0.02, np.nan)
    table["validation_accuracy"] = np.where(ends, table["accuracy"] - 0.01, np.nan)
    return table


def recorded_steps(steps: int = STEPS) -> np.ndarray:
    """The first 16, then every 16th."""
    return np.asarray([s for s in range(steps) if s < 16 or s % 16 == 0], np.int64)


def healthy_vitals(kinds: tuple[str, ...], steps: int = STEPS) -> dict[str, np.ndarray]:
    """Each vital sign as [records, layers]."""
    records = len(recorded_steps(steps))
    weighted = np.asarray([kind in ("dense", "conv") for kind in kinds])
    return {
        name: np.tile(np.where(weighted, of_weighted, of_others), (records, 1))
        for name, (of_weighted, of_others) in HEALTHY_VITALS.items()
    }


def merged(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Facts with some of them changed."""
    result = copy.deepcopy(dict(facts))
    for key, value in changes.items():
        inner = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if inner else value
    return result


def make(
    *,
    layers: tuple[dict[str, Any], ...] = NET,
    recipe: Mapping[str, Any] | None = None,
    steps: int = STEPS,
    total_steps: int | None = None,
    metrics: Mapping[str, Any] | None = None,
    vitals: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
    curvature: Mapping[str, float] | None = None,
) -> Evidence:
    """Return a healthy run's evidence with changes.

    Args:
        layers: the net, one table a layer.
        recipe: keys as `surefoot train --set` takes them.
        steps: how many were taken.
        total_steps: how many there were to be.
        metrics: columns, a number or [steps].
        vitals: columns, whatever broadcasts to [records, layers].
        facts: what is changed of `HEALTHY_FACTS`.
        without: columns to leave out.
        curvature: a row of the landscape table.
    """
    tables: dict[str, Any] = {"net": {"layers": [dict(layer) for layer in layers]}}
    for key, value in (recipe or {}).items():
        set_key(tables, key, value)
    kinds = tuple(
        str(layer["activation"]) if "activation" in layer else next(iter(layer)) for layer in layers
    )
    rows = healthy_metrics(steps)
    for name, value in (metrics or {}).items():
        rows[name] = np.broadcast_to(np.asarray(value, np.float64), steps).copy()
    signs = healthy_vitals(kinds, steps)
    at = recorded_steps(steps)
    for name, value in (vitals or {}).items():
        signs[name] = np.broadcast_to(np.asarray(value, np.float64), (len(at), len(kinds)))
    depth = np.arange(len(kinds))
    columns: dict[str, np.ndarray] = {
        "step": np.repeat(at, len(kinds)),
        "layer": np.tile([str(i + 1) for i in depth], len(at)),
        "kind": np.tile(np.asarray(kinds), len(at)),
        "depth": np.tile(depth, len(at)),
        **{name: value.reshape(-1).copy() for name, value in signs.items()},
    }
    row = {name: np.asarray([value]) for name, value in (curvature or {}).items()}
    return Evidence(
        Recipe.parse(tables),
        Table({name: column for name, column in rows.items() if name not in without}),
        Table({name: column for name, column in columns.items() if name not in without}),
        merged(HEALTHY_FACTS, facts or {}),
        total_steps,
        Table(row) if curvature is not None else None,
    )


@pytest.fixture
def evidence():
    """`make`: evidence of a healthy run, changed as a test wishes."""
    return make


@pytest.fixture
def numbers():
    """Facts of a target that is one number, in units of its spread."""
    return NUMBERS


@pytest.fixture
def found():
    """Look with one detector; return its suspicion, with what holds for each checked."""
    return _look


def _look(detector, given):
    heard, _ = suspect(given, [detector])
    if not heard:
        return None
    (suspicion,) = heard
    assert 0 <= suspicion.strength <= 1
    assert 3 <= sentences(suspicion.explanation) <= 6, suspicion.explanation
    assert any(character.isdigit() for character in suspicion.explanation)
    assert "  " not in suspicion.explanation
    for remedy in suspicion.remedies:
        edited = remedy.apply(given.recipe)
        if remedy.edits:
            assert edited != given.recipe, remedy.text
            _pasted(remedy, given.recipe, edited)
    return suspicion


def _pasted(remedy, recipe, edited):
    """The lines that can be pasted say the same as the edit does."""
    import tomllib

    pasted = tomllib.loads(remedy.toml)
    tables = recipe.to_dict()
    for section, keys in pasted.items():
        if isinstance(keys, dict):
            if section in ("optimizer", "schedule") and "name" in keys:
                set_key(tables, section, keys["name"])
            for key, value in keys.items():
                set_key(tables, f"{section}.{key}", value)
        else:
            set_key(tables, section, keys)
    for key, value in remedy.edits.items():
        if value is None:
            assert f"# take out {key}" in remedy.toml
            set_key(tables, key, None)
    assert Recipe.parse(tables) == edited


def sentences(text: str) -> int:
    """Count sentences: ends of them, not of numbers."""
    import re

    return len(re.findall(r"[.?!](?=\s+[A-Z]|$)", text))
