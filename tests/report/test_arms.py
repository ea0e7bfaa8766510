"""The charts of a ready study, from tables written by hand."""

import json

import numpy as np
import pytest

from surefoot.report.arms import arm_charts
from surefoot.study.report import Scale
from surefoot.study.results import Study
from surefoot.vitals.table import read, write

ACCURACY = Scale("validation_accuracy", True)


@pytest.fixture
def study(tmp_path):
    summary = {"study_format": 1, "arms": ["plain", "<b>residual</b>"]}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    settings = {
        "setting": np.array([0, 1]),
        "learning_rate": np.array([0.1, 0.01]),
        "mean": np.array([0.5, 0.9]),
        "low": np.array([0.4, 0.8]),
        "high": np.array([0.6, 0.95]),
    }
    write(tmp_path, "settings", settings)
    rates = {
        "setting": np.array([0, 0, 1, 1]),
        "learning_rate": np.array([0.1, 0.001, 0.001, 0.1]),
        "validation_accuracy": np.array([0.5, 0.2, 0.7, np.nan]),
    }
    write(tmp_path, "rates", rates)
    return Study(tmp_path)


def test_an_arm_has_its_interval_and_its_rate(study):
    reached, _ = arm_charts(study, study.table(), ACCURACY, [])
    assert reached["x"]["categories"] == ["plain", "<b>residual</b>"]
    interval, mean = reached["series"]
    assert (interval["low"], interval["high"]) == ([0.4, 0.8], [0.6, 0.95])
    assert mean["y"] == [0.5, 0.9]
    assert mean["notes"] == ["learning rate 0.1", "learning rate 0.01"]


def test_each_arm_has_a_curve_over_rates_in_their_order(study):
    _, rates = arm_charts(study, study.table(), ACCURACY, [])
    assert rates["x"]["scale"] == "log"
    curves = {line["name"]: (line["x"], line["y"]) for line in rates["series"]}
    assert curves["plain"] == ([0.001, 0.1], [0.2, 0.5])
    assert curves["<b>residual</b>"] == ([0.001, 0.1], [0.7, None])


def test_without_its_rates_the_rest_is_drawn(study):
    (study.path / "rates.parquet").unlink()
    assert [
        chart["name"] for chart in arm_charts(study, read(study.path, "settings"), ACCURACY, [])
    ] == ["arms"]
