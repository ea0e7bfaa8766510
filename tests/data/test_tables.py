"""Files of tables: what people have, what is broken, and that nothing is lost on the way."""

import csv
import gzip
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.data.frames import is_frame, read_frame
from surefoot.data.tables import read_table
from surefoot.errors import DataError


@pytest.fixture
def write(tmp_path):
    """Write a file; return its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def texts(column):
    return [column.labels[code] if code >= 0 else None for code in column.values.tolist()]


COMMON = 'name,age,member\nAnn,31,yes\n"Bob, Jr.",,no\nCid,2.5,yes\n'


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "plain.csv": COMMON,
        "semicolon.csv": 'name;age;member\nAnn;31;yes\n"Bob, Jr.";;no\nCid;2.5;yes\n',
        "tabs.tsv": "name\tage\tmember\nAnn\t31\tyes\nBob, Jr.\t\tno\nCid\t2.5\tyes\n",
        "packed.csv.gz": gzip.compress(COMMON.encode(), mtime=0),
        "marked.csv": b"\xef\xbb\xbf" + COMMON.encode(),
        "wide.csv": COMMON.encode("utf-16"),
        "windows.csv": COMMON.replace("\n", "\r\n"),
        "words.csv": COMMON.replace(",,", ",NA,"),
        "odd [1]*.csv": COMMON,
        "rows.jsonl": '{"name": "Ann", "age": 31, "member": "yes"}\n'
        '{"name": "Bob, Jr.", "member": "no"}\n{"name": "Cid", "age": 2.5, "member": "yes"}\n',
        "rows.json": '[{"name": "Ann", "age": 31, "member": "yes"}, '
        '{"name": "Bob, Jr.", "age": null, "member": "no"}, '
        '{"name": "Cid", "age": 2.5, "member": "yes"}]',
    }.items(),
)
def test_one_table_in_many_forms(write, name, content):
    table = read_table(write(name, content))
    assert list(table) == ["name", "age", "member"]
    assert texts(table["name"]) == ["Ann", "Bob, Jr.", "Cid"]
    np.testing.assert_array_equal(table["age"].values, [31, math.nan, 2.5])
    assert texts(table["member"]) == ["yes", "no", "yes"]  # words, not truth values
    assert not table.notes


def test_parquet_keeps_types(tmp_path):
    import duckdb

    path = str(tmp_path / "t.parquet")
    duckdb.sql(
        "SELECT * FROM (VALUES (1, true, DATE '2024-02-29', 1.5::DECIMAL(9, 2), [1, 2], 'a'), "
        "(NULL, NULL, NULL, NULL, NULL, NULL)) AS t(i, b, d, m, l, s)"
    ).write_parquet(path)
    table = read_table(path)
    assert table["i"].values.dtype.kind == "i"
    assert table["i"].missing.tolist() == [False, True]
    assert table["b"].values.dtype == bool
    assert table["b"].missing.tolist() == [False, True]
    assert table["d"].values[0] == np.datetime64("2024-02-29")
    np.testing.assert_array_equal(table["m"].values, [1.5, math.nan])
    assert texts(table["l"]) == ["[1, 2]", None]
    assert texts(table["s"]) == ["a", None]


def test_latin_1_is_read_and_said(write):
    table = read_table(write("old.csv", "name,n\nJosé,1\nZoë,2\n".encode("latin-1")))
    assert texts(table["name"]) == ["José", "Zoë"]
    assert "Latin-1" in table.notes[0]


def test_a_file_without_a_header_is_read_and_said(write):
    table = read_table(write("bare.csv", "1,2.5,x\n3,4.5,y\n"))
    assert table.shape == (2, 3)
    assert "no header" in table.notes[0]


def test_a_header_is_known_where_all_is_text(write):
    assert list(read_table(write("t.csv", "colour,size\nred,big\nblue,small\n"))) == [
        "colour",
        "size",
    ]


def test_a_type_that_changes_after_the_first_rows(write):
    table = read_table(write("late.csv", "a,b\n" + "1,2\n" * 30_000 + "1.5,NA\n"))
    assert table["a"].values[-1] == 1.5
    assert table["b"].missing.sum() == 1
    assert table["b"].values.dtype.kind == "i"


def test_labels_that_first_come_late_in_a_large_file(write):
    rows = [f"{i},{'ab'[i % 2]}{'x' * 150}" for i in range(30_000)]
    rows[25_000] = "25000,it's new"
    rows[26_000] = "26000,"
    table = read_table(write("large.csv", "i,s\n" + "\n".join(rows) + "\n"))
    assert texts(table["s"])[24_999:25_002] == ["b" + "x" * 150, "it's new", "b" + "x" * 150]
    assert np.flatnonzero(table["s"].missing).tolist() == [26_000]
    assert len(table["s"].labels) == 3


BAD = {
    "no file": ("none.csv", None, "does not exist"),
    "empty": ("t.csv", "", "is empty"),
    "blank": ("t.csv", "\n \n", "is empty"),
    "header only": ("t.csv", "a,b,c\n", "has a header and no rows"),
    "short line": ("t.csv", "a,b,c\n1,2,3\n4,5\n", "line 3: 2 fields, and the header has 3"),
    "long line": ("t.csv", "a,b\n1,2\n4,5,6\n", "line 3: 3 fields, and the header has 2"),
    "late short line": ("t.csv", "a,b,c\n" + "1,2,3\n" * 30_000 + "4,5\n", "30002"),
    "Parquet as CSV": ("t.csv", b"PAR1....PAR1", "is a Parquet file"),
    "CSV as Parquet": ("t.parquet", "a,b\n1,2\n", "is not a Parquet file"),
    "cut Parquet": ("t.parquet", b"PAR1" + b"\0" * 90, "cannot be read"),
    "Excel": ("t.csv", b"PK\x03\x04" + b"\0" * 90, "Excel"),
    "PNG": ("t.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "a PNG picture"),
    "HTML": ("t.csv", "<!DOCTYPE html><html></html>", "an HTML page"),
    "bytes": ("t.csv", bytes(range(256)) * 9, "not a text file"),
    "JSON as CSV": ("t.csv", '{"a": 1}\n', "JSON"),
    "CSV as JSON": ("t.jsonl", "a,b\n1,2\n", "does not hold JSON"),
    "broken JSON": ("t.jsonl", '{"a": 1}\n{"a": \n', "cannot be read"),
    "not gzip": ("t.csv.gz", "a,b\n1,2\n", "not compressed by gzip"),
    "cut gzip": ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:40], "t.csv.gz"),
    "gzip as CSV": ("t.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "compressed by gzip"),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD)
def test_bad_files_are_one_line(write, tmp_path, name, content, said):
    path = str(tmp_path / name) if content is None else write(name, content)
    with pytest.raises(DataError, match=said) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_a_folder_called_as_a_table(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        read_table(str(tmp_path / "t.csv"))


def test_frames_of_all_libraries():
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    columns = {
        "n": [1.5, None, 3.0],
        "i": [1, 2, 3],
        "s": ["a", None, "b"],
        "S": [True, False, True],
    }
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns), pl.LazyFrame(columns)):
        assert is_frame(frame)
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns)):
        table = read_frame(frame)
        assert list(table) == list(columns)  # "s" and "S" are two names
        np.testing.assert_array_equal(table["n"].values, [1.5, math.nan, 3])
        assert table["i"].values.tolist() == [1, 2, 3]
        assert texts(table["s"]) == ["a", None, "b"]
        assert table["S"].values.tolist() == [True, False, True]


def test_pandas_categories_and_dates():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["u", None, "v"]),
            "d": pd.to_datetime(["2020-01-01", None, "2021-06-01"]),
            7: pd.array([1, None, 3], dtype="Int64"),
        }
    )
    table = read_frame(frame)
    assert list(table) == ["c", "d", "7"]
    assert texts(table["c"]) == ["u", None, "v"]
    assert np.isnat(table["d"].values).tolist() == [False, True, False]
    assert table["7"].missing.tolist() == [False, True, False]


def test_bad_frames():
    pd = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="is empty"):
        read_frame(pd.DataFrame({"a": []}))
    with pytest.raises(DataError, match="two columns called 'a'"):
        read_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


# What a CSV cannot tell from another value is left out: blanks at the ends, control characters,
# and the words for a missing value.
_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf"))
_TEXT = st.text(_LETTERS, min_size=1, max_size=12).map(lambda text: f"t{text}")
_NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(
    -(10**15), 10**15
)
_TABLES = st.integers(1, 12).flatmap(
    lambda rows: st.lists(
        st.lists(st.none() | _TEXT, min_size=rows, max_size=rows)
        | st.lists(st.none() | _NUMBER, min_size=rows, max_size=rows),
        min_size=2,
        max_size=5,
    )
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(columns=_TABLES)
def test_a_round_trip_loses_nothing(tmp_path, columns):
    names = [f"column {i}" for i in range(len(columns))]
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(names)
        for row in zip(*columns, strict=True):
            writer.writerow(
                ["" if v is None else repr(v) if isinstance(v, float) else v for v in row]
            )
    table = read_table(str(path))
    assert list(table) == names
    for name, values in zip(names, columns, strict=True):
        column = table[name]
        assert column.missing.tolist() == [value is None for value in values]
        for row, value in enumerate(values):
            if isinstance(value, str):
                assert texts(column)[row] == value
            elif value is not None:
                assert column.values[row] == value


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=200)
    | st.text("ab1.,;\"'\n\t|{}[]:NA?", max_size=120).map(str.encode)
)
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".csv.gz"])
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path, ending, content):
    path = tmp_path / f"t{ending}"
    path.write_bytes(content)
    try:
        read = read_table(str(path))
    except DataError as error:
        read = error
    assert "\n" not in str(read) if isinstance(read, DataError) else read.rows > 0
