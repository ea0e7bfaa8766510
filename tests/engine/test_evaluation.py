"""Loss and measure over all rows do not depend on how many of them are evaluated at once."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import load
from surefoot.engine import evaluation
from surefoot.engine.cohort import Cohort
from surefoot.engine.training import train
from surefoot.recipe import Recipe


@pytest.mark.parametrize(
    ("least", "most", "rows", "chunk"),
    [
        (256, 1024, 60, 150),  # all rows there are
        (16, 32, 60, 30),  # two equal parts of the validation rows
        (64, 64, 60, 64),
        (8, 1024, 60, 60),
        (16, 32, 0, 30),  # nothing to validate on: the training rows
    ],
)
def test_rows_are_measured_in_parts(monkeypatch, least, most, rows, chunk):
    recipe = Recipe.parse(
        {
            "data": {"source": "iris", "validation": rows / 150},
            "net": {"layers": [{"dense": "classes"}, {"activation": "softmax"}]},
            "train": {"epochs": 1},
        }
    )
    dataset = load(recipe.data)
    monkeypatch.setattr(evaluation, "_LEAST_ROWS", least)
    monkeypatch.setattr(evaluation, "_MOST_ROWS", most)
    taken = []
    known = evaluation.Evaluation._chunk
    monkeypatch.setattr(
        evaluation.Evaluation, "_chunk", lambda self: taken.append(known(self)) or taken[-1]
    )
    (result,) = train(Cohort([recipe], dataset))
    assert set(taken) == {chunk}
    kernel, bias = (np.asarray(result.params[0][name]) for name in ("kernel", "bias"))
    parts = [(dataset.x_train, dataset.y_train, result.train)]
    if rows:
        parts.append((dataset.x_val, dataset.y_val, result.validation))
    for x, y, measured in parts:
        z = x @ kernel + bias
        loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), y]
        expected = loss.mean(), (z.argmax(axis=1) == y).mean()
        np.testing.assert_allclose(measured, expected, rtol=1e-5)
