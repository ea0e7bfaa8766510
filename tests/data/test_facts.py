"""What is said about data before anything is learned."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surefoot.cli.app import main
from surefoot.data import gather
from surefoot.data.facts import look
from surefoot.recipe.data import Data

TABLE = """id,size,twin,colour,same,price
1,1.0,1.0,red,x,10
2,2.0,2.0,blue,x,20
3,,,red,x,10
4,2.0,2.0,blue,x,20
5,2.001,2.001,blue,x,21
"""


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(TABLE)
    return str(path)


def test_a_table(csv):
    data = Data(source=csv, target="colour")
    facts = look(gather(data), data)
    columns = {column["name"]: column for column in facts["columns"]}
    assert facts["form"] == "table"
    assert facts["rows"] == 5
    assert columns["size"]["missing"] == 1
    assert columns["price"]["distinct"] == 3
    assert columns["price"]["mean"] == pytest.approx(16.2)
    assert facts["constant_columns"] == ["same"]
    assert facts["duplicate_columns"] == [["size", "twin"]]
    assert facts["target"]["classes"] == {"blue": 3, "red": 2}
    assert facts["target"]["balance"] == pytest.approx(2 / 3)
    assert facts["missing"] == 2


def test_rows_that_repeat():
    x = np.random.default_rng(0).normal(size=(50, 4))
    x[10] = x[3]
    x[20] = x[5] + 1e-9
    raw = gather(Data(), (x, np.arange(50) % 2))
    facts = look(raw, Data())
    assert facts["identical_rows"] == 1
    assert facts["near_identical_rows"] == 1


def test_arrays_and_what_is_missing_in_them():
    x = np.random.default_rng(0).normal(size=(30, 3))
    x[:, 1] = 7.0
    x[4, 0] = np.nan
    facts = look(gather(Data(), (x, np.arange(30.0))), Data())
    assert facts["form"] == "arrays"
    assert facts["constant_columns"] == [1]
    assert facts["missing"] == 1
    assert facts["target"]["kind"] == "numbers"
    assert facts["target"]["maximum"] == 29


def test_the_command(csv, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["data", csv, "--target", "colour", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 5
    with pytest.raises(SystemExit):
        main(["data", csv, "--target", "colour"])
    shown = capsys.readouterr().out
    assert "columns 'size' and 'twin' hold the same values" in shown
    assert "2 classes: blue 3, red 2" in shown
    with pytest.raises(SystemExit) as ended:
        main(["data", csv, "--target", "color"])
    assert ended.value.code == 2
    assert "did you mean 'colour'" in capsys.readouterr().err


def test_pictures_as_bytes_in_an_array():
    pictures = np.zeros((6, 2, 2, 1), np.uint8)
    pictures[:, 0, 0, 0] = np.arange(6)
    facts = look(gather(Data(), (pictures, np.arange(6) % 2)), Data())
    assert facts["constant_columns"] == [1, 2, 3]
    assert facts["inputs"]["maximum"] == 5


def test_the_range_is_that_of_what_is_finite_in_many_blocks():
    x = np.random.default_rng(0).normal(3, 2, (50_000, 5)).astype(np.float32)
    x[7, 2], x[9, 1] = np.nan, np.inf
    facts = look(gather(Data(), (x, np.arange(len(x)) % 2)), Data())
    finite = x[np.isfinite(x)].astype(np.float64)
    about = facts["inputs"]
    assert facts["missing"] == 2
    assert (about["minimum"], about["maximum"]) == (finite.min(), finite.max())
    np.testing.assert_allclose((about["mean"], about["std"]), (finite.mean(), finite.std()), 1e-12)
    nothing = np.full((5, 2), np.nan)
    assert look(gather(Data(), (nothing, np.arange(5) % 2)), Data())["inputs"] is None
