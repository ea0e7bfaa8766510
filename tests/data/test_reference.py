"""The yardstick: what simple methods reach, also where rows and classes are few."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot import job
from surefoot.data import load
from surefoot.data import reference as module
from surefoot.data.reference import reference, reference_parts
from surefoot.recipe import Data


def test_what_is_easy_is_reached_and_what_is_noise_is_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    easy = reference(load(Data(), arrays=(x, (x[:, 0] > 0).astype(int))))
    noise = reference(load(Data(), arrays=(x, rng.integers(0, 2, 200))))
    assert easy["best"] > 0.9
    assert noise["best"] < 0.75
    line = reference(load(Data(), arrays=(x, x @ [1.0, 2.0, 3.0])))
    assert line["methods"]["linear"] == pytest.approx(0, abs=0.1)
    assert line["chance"] == pytest.approx(np.sqrt(14), rel=0.3)


@pytest.mark.parametrize("last", [1, 2])
def test_a_class_with_hardly_any_rows_is_no_obstacle(last):
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = np.repeat([0, 1], [40 - last, last])
    about = reference(load(Data(validation=0.0), arrays=(x, y)))
    assert 0 <= about["held_out_train"] <= 1


def test_a_handful_of_rows_says_nothing():
    assert reference(load(Data(), arrays=(np.eye(8), np.arange(8) % 2))) is None


def test_the_same_rows_are_measured_once_and_others_again(monkeypatch):
    monkeypatch.setattr(module, "_kept", {})
    monkeypatch.setattr(module, "_MOST_KEPT", 2)
    measured, real = [], module._compared
    monkeypatch.setattr(module, "_compared", lambda *a: measured.append(a) or real(*a))
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 2
    first = reference(load(Data(), arrays=(x, y)))
    again = reference(load(Data(), arrays=(x.copy(), y)))
    assert again == first
    assert len(measured) == 1
    again["methods"].clear()  # who changes what was told changes nobody else's
    assert reference(load(Data(), arrays=(x, y))) == first
    assert reference(load(Data(), arrays=(x + np.eye(40, 2), y))) != first
    assert reference(load(Data(), arrays=(x, 1 - y)))["methods"]
    assert len(measured) == 3
    reference(load(Data(), arrays=(x, y)))  # no longer kept
    assert len(measured) == 4


def test_nothing_is_fitted_before_somebody_asks(monkeypatch):
    recipe = {"data": {"source": "iris"}, "net": {"layers": [{"dense": "classes"}]}}
    recipe["train"] = {"from_logits": True}
    fitted = []
    monkeypatch.setattr(job, "reference", lambda dataset: fitted.append(dataset.rows) or {})
    ready = job.prepare(recipe, facts=False)
    assert not fitted
    assert ready.look["rows"] == 150
    assert ready.facts["reference"] == {}
    assert fitted == [ready.dataset.rows]


def test_parts_of_the_validation_rows_make_up_what_all_reach():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    for y in ((x[:, 0] + rng.normal(size=200) > 0).astype(int), x[:, 0] + rng.normal(size=200)):
        rows = load(Data(), arrays=(x, y))
        order = rng.permutation(len(rows.y_val))
        first, second = reference_parts(rows, np.split(order, 2))
        best = reference(rows)["best"]
        if rows.target.kind == "numbers":
            first, second, best = first**2, second**2, best**2
        assert (first + second) / 2 == pytest.approx(best)
        assert first != second


def test_where_a_sample_is_measured_parts_are_not_told_apart(monkeypatch):
    rows = load(Data(source="iris"))
    monkeypatch.setattr(module, "_MOST_MEASURED", 20)
    assert reference_parts(rows, [np.arange(10)]) is None
