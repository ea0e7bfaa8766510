"""What earlier versions wrote still opens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import surefoot as sf

KEPT = sorted(path for path in Path(__file__).parent.iterdir() if path.name.isdigit())


def test_there_is_one_at_least():
    assert KEPT


@pytest.fixture(params=KEPT, ids=lambda path: f"format {path.name}")
def kept(request, tmp_path, monkeypatch):
    """Stand in a copy of what a version wrote."""
    shutil.copytree(request.param, tmp_path / "kept")
    monkeypatch.chdir(tmp_path / "kept")
    return tmp_path / "kept"


def test_a_run(kept):
    expected = json.loads((kept / "expected.json").read_text())
    run = sf.Run("run")
    assert run.metrics == expected["metrics"]
    assert run.history.rows == expected["steps"]
    assert set(run.vitals["layer"]) >= {"1", "2"}
    found = run.predict_proba(pd.DataFrame(expected["rows"]))
    np.testing.assert_allclose(found, expected["probabilities"], atol=1e-5)
    assert sf.diagnose(run, trials=False).verdict == run.summary["verdict"]


def test_a_run_that_was_stopped_goes_on(kept):
    before = sf.Run("stopped")
    assert before.summary["ended"] == "interrupted"
    losses = before.history["loss"]
    said: list[str] = []
    run = sf.resume("stopped", tell=said.append)
    assert said == []
    assert run.summary["ended"] == "finished"
    assert run.history.rows == json.loads((kept / "expected.json").read_text())["steps"]
    np.testing.assert_array_equal(run.history["loss"][: len(losses)], losses)


def test_a_study(kept):
    study = sf.Study("study")
    assert study.runs.rows == 4
    assert study.best.recipe.data.source == "rows.csv"
    assert study.conclusions
