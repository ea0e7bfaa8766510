"""The rows to choose by and the rows to prove on have nothing in common."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import load
from surefoot.errors import DataError
from surefoot.recipe import Data
from surefoot.repair.halves import halves


@pytest.mark.parametrize("source", ["iris", "wine", "diabetes"])
def test_halves_are_apart_equal_in_size_and_alike(source):
    whole = load(Data(source=source))
    choose, prove = halves(whole)
    assert len(choose.y_val) == len(prove.y_val) == len(whole.y_val) // 2
    rows = [{row.tobytes() for row in half.x_val} for half in (choose, prove)]
    assert rows[0] | rows[1] <= {row.tobytes() for row in whole.x_val}
    assert not rows[0] & rows[1]
    if whole.target.kind == "classes":
        counts = [np.bincount(half.y_val, minlength=3) for half in (choose, prove)]
        assert np.abs(counts[0] - counts[1]).max() <= 1
    assert choose.x_train is whole.x_train


def test_targets_stay_with_their_rows():
    whole = load(Data(source="iris"))
    label = {row.tobytes(): y for row, y in zip(whole.x_val, whole.y_val, strict=True)}
    for half in halves(whole):
        assert [label[row.tobytes()] for row in half.x_val] == half.y_val.tolist()


def test_too_few_rows_prove_nothing():
    with pytest.raises(DataError, match=r"needs 10 validation rows or more.*data\.validation"):
        halves(load(Data(source="iris", validation=0.06)))
