"""What a net does on rows that it has not seen, against scikit-learn; and how it is kept."""

from __future__ import annotations

import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix, r2_score

import surefoot as sf
from surefoot.job import dataset_of
from surefoot.report.evaluation import NAME, _histogram, evaluate
from surefoot.report.write import write_report


@pytest.fixture(scope="module")
def found(digits):
    run = sf.Run(digits)
    facts = json.loads((digits / "data.json").read_text())
    return evaluate(run.model, dataset_of(run.recipe), facts)


def test_confusions_are_those_of_scikit_learn(digits, found):
    run = sf.Run(digits)
    rows = dataset_of(run.recipe).validation_rows
    x, y = load_digits(return_X_y=True)
    said = run.predict(x[rows])
    np.testing.assert_array_equal(found["confusion"], confusion_matrix(y[rows], said))
    assert found["accuracy"] == pytest.approx(run.metrics["validation"]["accuracy"], abs=1e-6)
    assert found["rows"] == len(rows)


def test_the_worst_examples_are_wrong_and_shown_as_the_pictures_that_they_are(digits, found):
    x, y = load_digits(return_X_y=True)
    chances = [own["chance"] - own["chance_of_true"] for own in found["worst"]]
    assert chances == sorted(chances, reverse=True)
    for own in found["worst"]:
        assert own["true"] != own["predicted"]
        assert str(y[own["row"]]) == own["true"]
        picture = Image.open(io.BytesIO(base64.b64decode(own["picture"].split(",")[1])))
        shown = np.asarray(picture, float) / 255
        expected = x[own["row"]].reshape(8, 8) / x[own["row"]].max()
        np.testing.assert_allclose(shown, expected, atol=0.02)


def test_a_regression_has_points_and_residuals(numbers):
    run = sf.Run(numbers)
    dataset = dataset_of(run.recipe)
    found = evaluate(run.model, dataset)
    true, said = found["points"]["true"], found["points"]["said"]
    assert found["r2"] == pytest.approx(r2_score(true, said), rel=1e-4)
    assert found["rmse"] == pytest.approx(run.metrics["validation"]["rmse"], rel=1e-4)
    assert sum(found["residuals"]["counts"]) == found["rows"]
    np.testing.assert_allclose(np.ravel(dataset.y_val), true)


def test_rows_of_a_table_are_shown_as_they_stand_in_it(table):
    run = sf.Run(table)
    found = evaluate(run.model, dataset_of(run.recipe))
    lines = (table.parent / "table.csv").read_text().splitlines()
    for own in found["worst"]:
        width, height, day, kind = lines[1 + own["row"]].split(",")
        assert own["true"] == kind
        shown = dict(own["values"])
        assert float(shown["<b>width</b>"]) == pytest.approx(float(width))
        assert shown["day"] == day
        assert float(shown["height"]) == pytest.approx(float(height))


def test_labels_are_counted_each(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 3))
    y = (x[:, :2] > 0).astype(int)
    run = sf.train(x, y, net="mlp:4", epochs=2, out=tmp_path / "run")
    found = evaluate(run.model, run.dataset)
    true = run.dataset.y_val > 0.5
    said = run.model.forward(run.dataset.x_val) > 0.5
    for i, own in enumerate(found["labels"]):
        assert own["true"] == true[:, i].sum()
        assert own["both"] == (true & said)[:, i].sum()
    assert "validation rows" in run.report().read_text(encoding="utf-8")


def test_what_was_measured_is_kept_for_when_the_data_are_gone(tmp_path, table):
    folder = tmp_path / "run"
    shutil.copytree(table, folder)
    (folder / NAME).unlink(missing_ok=True)
    write_report(folder)
    kept = json.loads((folder / NAME).read_text())
    assert kept["rows"] == 24
    recipe = (folder / "recipe.toml").read_text()
    for name in ("recipe.toml", "checksums.json"):
        (folder / name).unlink(missing_ok=True)
    gone = recipe.replace(str(table.parent / "table.csv"), str(tmp_path / "gone.csv"))
    (folder / "recipe.toml").write_text(gone)
    assert 'id="predictions"' in write_report(folder).read_text(encoding="utf-8")
    (folder / NAME).unlink()
    page = write_report(folder).read_text(encoding="utf-8")
    assert "Predictions are not shown" in page
    assert "gone.csv" in page


def test_arrays_from_python_are_evaluated_while_they_are_at_hand(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 3))
    run = sf.train(x, (x[:, 0] > 0).astype(int), net="mlp:4", epochs=1, out=tmp_path / "run")
    opened = sf.Run(run.path)
    assert "given from Python" in opened.report().read_text(encoding="utf-8")
    assert "On 24 validation rows" in run.report().read_text(encoding="utf-8")
    assert "On 24 validation rows" in opened.report().read_text(encoding="utf-8")


def test_rows_of_an_array_show_the_same_features(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(5, 3, size=(300, 30))
    run = sf.train(x, random.integers(0, 2, 300), net="mlp:4", epochs=1, out=tmp_path / "run")
    found = evaluate(run.model, run.dataset)
    assert len(found["worst"]) > 2
    assert len({tuple(name for name, _ in own["values"]) for own in found["worst"]}) == 1
    for own in found["worst"]:
        for name, value in own["values"]:
            assert float(value) == pytest.approx(x[own["row"], int(name[1:])], rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 1e-300, 3.0, 1e30, 3e38])
def test_residuals_that_cannot_be_told_apart_are_one_bin(value):
    values = np.full(20, value)
    values[0] = np.nextafter(value, np.inf)
    counts, edges = _histogram(values)
    assert counts.sum() == 20
    assert len(edges) == len(counts) + 1
    assert np.isfinite(edges).all()
