"""Folders of runs, trained and made by hand, and a browser to look at their pages with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import surefoot as sf
from surefoot.files import write_json
from surefoot.recipe import dumps
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import write

SCRIPT = "<script>alert(1)<!--"


def _recipe(layers: int) -> sf.Recipe:
    hidden = [{"dense": 8}, {"activation": "relu"}] * (layers // 2 - 1)
    return sf.Recipe.parse(
        {
            "data": {"source": "iris"},
            "net": {"layers": [*hidden, {"dense": "classes"}, {"activation": "softmax"}]},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
        }
    )


def _metrics(steps: int, random: np.random.Generator, **given: Any) -> dict[str, Any]:
    falling = 2 * np.exp(-np.arange(steps) / max(steps / 5, 1)) + 0.1
    columns = {name: np.full(steps, np.nan, np.float32) for name in METRIC_COLUMNS}
    columns["loss"] = (falling * random.lognormal(0, 0.2, steps)).astype(np.float32)
    columns["accuracy"] = np.clip(1 - falling / 3, 0, 1).astype(np.float32)
    columns["learning_rate"][:] = 0.1
    columns["gradient_norm"] = (10 * falling).astype(np.float32)
    columns["clipped_gradient_norm"] = np.minimum(columns["gradient_norm"], 5)
    places = np.arange(9, steps, 10)
    columns["validation_loss"][places] = columns["loss"][places] + 0.1
    columns["validation_accuracy"][places] = columns["accuracy"][places]
    columns |= given
    return {
        "run": np.full(steps, "made", object),
        "step": np.arange(steps),
        "epoch": (np.arange(steps) // 10).astype(np.int32),
        **columns,
    }


def _vitals(records: int, layers: int, random: np.random.Generator) -> dict[str, Any]:
    rows = records * layers
    kinds = [("dense", "relu")[i % 2] for i in range(layers - 1)] + ["softmax"]
    depth = np.tile(np.arange(layers, dtype=np.int32), records)
    values = {name: random.lognormal(-3, 1, rows).astype(np.float32) for name in VITAL_COLUMNS}
    shares = ("zero_share", "inactive_share", "saturated_share")
    values |= {name: random.uniform(0, 1, rows).astype(np.float32) for name in shares}
    values["nonfinite"] = np.zeros(rows, np.float32)
    return {
        "run": np.full(rows, "made", object),
        "step": np.repeat(np.arange(records), layers),
        "layer": np.tile(np.array([str(i + 1) for i in range(layers)], object), records),
        "kind": np.tile(np.array(kinds, object), records),
        "depth": depth,
        **values,
    }


FACTS = {
    "source": "iris",
    "prepared": {
        "rows": 120,
        "shape": [4],
        "inputs": {"rms": 1.0, "mean": 0.0},
        "targets": {"kind": "classes", "size": 3},
    },
    "reference": {"measure": "accuracy", "best": 0.95, "chance": 0.34},
}
FINDING = {
    "id": "learning-rate-too-high",
    "severity": "error",
    "since_step": 2,
    "layers": ["1", "3"],
    "evidence": {"median_update_ratio": 0.5},
    "certainty": "observed",
    "explanation": "Steps are too long.",
    "remedies": [{"text": "a shorter one", "edits": {}, "toml": "learning_rate = 0.01\n"}],
    "caused_by": None,
}


def make(
    path: Path,
    *,
    steps: int = 60,
    layers: int = 6,
    records: int | None = None,
    finished: bool = True,
    findings: list[dict[str, Any]] | None = None,
    **given: Any,
) -> Path:
    """Write a run's folder by hand: no net, and any number of layers and steps."""
    random = np.random.default_rng(0)
    path.mkdir(parents=True)
    (path / "recipe.toml").write_text(dumps(_recipe(layers)), encoding="utf-8")
    write(path, "metrics", _metrics(steps, random, **given))
    if records != 0:
        write(path, "vitals", _vitals(records or steps, layers, random))
    write_json(path / "data.json", FACTS)
    write_json(path / "environment.json", {"surefoot": "0", "device": {"kind": "cpu"}})
    told = [FINDING] if findings is None else findings
    root = told[0]["id"] if told else None
    said = {
        "format": 1,
        "verdict": "unhealthy" if told else "healthy",
        "root_cause": root,
        "chain": [own["id"] for own in told],
        "findings": told,
        "lacking": [],
        "trials": [],
        "checks": [],
    }
    write_json(path / "findings.json", said)
    if finished:
        metrics = {part: {"loss": 0.3, "accuracy": 0.9} for part in ("train", "validation")}
        summary = {"format": 1, "run": "made", "metrics": metrics, "epochs": 6, "steps": steps}
        about = {"seconds": 1.5, "ended": "finished", "diverged_at": None, "best_epoch": None}
        write_json(path / "summary.json", {**summary, **about, **said})
    return path


@pytest.fixture(scope="session")
def made() -> Callable[..., Path]:
    """Return what writes a run's folder by hand."""
    return make


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """Where the session's runs are."""
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def digits(home) -> Path:
    """A run that trained, on pictures."""
    keys = {"epochs": 4, "learning_rate": 0.01, "clip_norm": 1.0}
    return sf.train("digits", net="mlp:16", out=home / "digits", **keys).path


@pytest.fixture(scope="session")
def numbers(home) -> Path:
    """A regression."""
    return sf.train("diabetes", net="mlp:4", epochs=3, out=home / "numbers").path


@pytest.fixture(scope="session")
def table(home) -> Path:
    """A run on a table whose columns and classes are named like code."""
    rows = ["<b>width</b>,height,day,kind"]
    random = np.random.default_rng(0)
    for i in range(120):
        kind = (SCRIPT, "plain & simple")[i % 2]
        day = f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}"
        rows.append(f"{random.normal(i % 2):.3f},{random.normal():.3f},{day},{kind}")
    (home / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    source = str(home / "table.csv")
    return sf.train(source, target="kind", net="mlp:4", epochs=2, out=home / "table").path


@pytest.fixture(scope="session")
def study(home) -> Path:
    """A study of two keys."""
    recipe = sf.Recipe.parse(
        {
            "data": {"source": "iris"},
            "net": {"layers": [{"dense": "classes"}, {"activation": "softmax"}]},
            "optimizer": {"name": "momentum", "learning_rate": 0.1},
            "train": {"epochs": 2},
        }
    )
    vary = {"learning_rate": [0.001, 0.01, 0.1, 1.0], "momentum": [0.0, 0.5, 0.9]}
    return sf.study(recipe, vary=vary, seeds=2, out=home / "study").path


@pytest.fixture(scope="session")
def repair(home, digits) -> Path:
    """The folder of a repair, its proof written by hand beside a real run."""
    path = home / "repair"
    path.mkdir()
    shutil.copytree(digits, path / "run")
    lanes = [
        {"lane": name, "change": change, "scores": scores, "mean": sum(scores) / 3}
        | {"diverged": 0, "steps": 9, "loss": 1.0, "accuracy": sum(scores) / 3}
        for name, change, scores in (
            ("original", "", [0.1, 0.12, 0.1]),
            ("no-op", "other seeds", [0.11, 0.1, 0.1]),
            ("random change", "<i>other</i>", [0.2, 0.1, 0.15]),
            ("repaired", "a shorter step", [0.9, 0.92, 0.94]),
        )
    ]
    tried = [
        {"changes": [f"change {i}"], "mean": 0.9 - i / 9, "scores": [0.9 - i / 9], "diverged": 0}
        for i in range(5)
    ]
    done = {
        "format": 1,
        "repaired": True,
        "sentence": "repaired: accuracy 0.920 instead of 0.107",
        "root_cause": "learning-rate-too-high",
        "before": {"loss": None, "accuracy": 0.107},
        "after": {"loss": 0.3, "accuracy": 0.92},
        "changes": ["a shorter step"],
        "trials": 12,
        "seconds": 5.0,
        "proof": {"lanes": lanes, "measure": "accuracy", "rows": 90, "gain": 0.8, "spread": 0.02},
        "diff": "--- before.toml\n+++ after.toml\n@@ -1 +1 @@\n-learning_rate = 9\n+<b>\n",
        "tried": tried,
    }
    (path / "proof.json").write_text(json.dumps(done), encoding="utf-8")
    return path
