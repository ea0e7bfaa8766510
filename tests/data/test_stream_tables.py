"""Tables that are read in a stream."""

from __future__ import annotations

import os
import subprocess
import sys

import duckdb
import numpy as np
import pytest

from surefoot.data import gather, load
from surefoot.data import stream_limits as limits
from surefoot.data.facts import look
from surefoot.errors import DataError
from surefoot.recipe import Data

ROWS = 600
QUERY = (
    "SELECT i AS id, CASE WHEN i % 7 = 3 THEN NULL ELSE sin(i) * 50 END AS age, "
    "['north', 'south', 'east'][1 + i % 3] AS town, 'o''label ' || (i % 30) AS shop, "
    "i % 5 = 0 AS member, DATE '2020-01-01' + (i % 400)::INTEGER AS since, "
    "['no', 'yes', 'perhaps'][1 + (i * 7) % 3] AS bought, 1 + i % 4 AS weight, i / 10 AS amount "
    "FROM range({rows}) t(i)"
)


@pytest.fixture(autouse=True)
def small(cache, monkeypatch):
    """Blocks of 50 rows, windows of 200, a cache of our own."""
    monkeypatch.setattr(limits, "BLOCK_ROWS", 50)
    monkeypatch.setattr(limits, "WINDOW_ROWS", 200)
    return cache.parent / "tables"


def write(path, rows=ROWS, query=QUERY, options=""):
    kinds = {"csv": "FORMAT csv", "gz": "FORMAT csv, COMPRESSION gzip", "jsonl": "FORMAT json"}
    options = options or kinds.get(str(path).rpartition(".")[2], "FORMAT parquet")
    duckdb.execute(f"COPY ({query.format(rows=rows)}) TO '{path}' ({options})")
    return str(path)


@pytest.fixture
def parquet(tmp_path):
    return write(tmp_path / "t.parquet", options="FORMAT parquet, ROW_GROUP_SIZE 2048")


def section(path, **keys):
    return Data(**{"source": path, "target": "bought", "stream": True, **keys})


def resident(dataset, data):
    """Read the same rows into memory, encoded by the stream's encoding."""
    raw = gather(data.model_copy(update={"stream": False}))
    x = dataset.encoding.apply(raw.x)
    return x, dataset.target.encode(raw.x["bought"].plain())


def whole_epoch(dataset, batch=7, **where):
    parts = [c.part for c in dataset.stream.chunks(0, batch, 3, **where)]
    counts = [c.steps * batch for c in dataset.stream.chunks(0, batch, 3, **where)]
    x = np.concatenate([p.x[:n] for p, n in zip(parts, counts, strict=True)])
    y = np.concatenate([p.y[:n] for p, n in zip(parts, counts, strict=True)])
    return x, y


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "jsonl"])
def test_rows_are_those_of_the_file_encoded_alike(tmp_path, kind):
    path = write(tmp_path / f"t.{kind}")
    data = section(path)
    dataset = load(data)
    assert dataset.rows == 480
    assert len(dataset.x_train) == 480
    assert len(dataset.x_val) == 120
    x, y = resident(dataset, data)
    batches = dataset.stream.batches(0, 1, 7).ravel()
    assert len(set(batches.tolist())) == 480
    streamed = whole_epoch(dataset)
    assert np.array_equal(streamed[0], x[batches])
    assert np.array_equal(streamed[1], y[batches])


def test_the_encoding_is_what_the_training_rows_alone_make(parquet):
    data = section(parquet)
    dataset = load(data)
    raw = gather(data.model_copy(update={"stream": False}))
    rows = np.sort(np.unique(dataset.stream.batches(0, 1, 1)))
    ages = raw.x["age"].take(rows)
    age = dataset.encoding.features["age"]
    assert age.fill == np.median(ages.values[~ages.missing])
    expected = np.where(ages.missing, age.fill, ages.values)
    assert age.mean == pytest.approx(expected.mean())
    assert age.scale == pytest.approx(expected.std())


def test_validation_rows_follow_from_the_split_seed_and_never_train(parquet):
    first, again = load(section(parquet)), load(section(parquet))
    other = load(section(parquet, split_seed=1))
    assert np.array_equal(first.x_val, again.x_val)
    assert not np.array_equal(first.x_val, other.x_val)
    x, _ = resident(first, section(parquet))
    trained = np.unique(first.stream.batches(0, 1, 1))
    held = np.setdiff1d(np.arange(ROWS), trained)
    assert np.array_equal(first.x_val, x[held])


def test_what_stays_in_memory_is_bounded_and_said(parquet, monkeypatch):
    monkeypatch.setattr(limits, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(limits, "VALIDATION_ROWS", 30)
    dataset = load(section(parquet))
    assert (len(dataset.x_train), len(dataset.x_val), dataset.rows) == (100, 30, 570)
    assert "on 100 training rows drawn at random" in "\n".join(dataset.notes)
    assert "30 rows (5.00%) are kept apart" in "\n".join(dataset.notes)
    assert dataset.stream.width == 2, "blocks are an eighth of the one row group: 75 rows"


def test_all_classes_are_known_though_the_sample_lacks_one(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "SAMPLE_ROWS", 20)
    query = QUERY.replace("['no', 'yes', 'perhaps'][1 + (i * 7) % 3]", "CASE i WHEN 77 THEN 'rare' "
                          "WHEN 78 THEN 'odd' ELSE 'common' || i % 2 END")  # fmt: skip
    data = section(write(tmp_path / "t.parquet", query=query), validation=0)
    dataset = load(data)
    assert dataset.target.classes == ("common0", "common1", "odd", "rare")
    facts = look(gather(data), data)
    assert facts["target"]["classes"] == {"common0": 299, "common1": 299, "odd": 1, "rare": 1}


def test_targets_may_be_numbers_counts_and_several(parquet):
    amount = load(section(parquet, target="amount"))
    assert (amount.target.kind, amount.target.size) == ("numbers", 1)
    counted = load(section(parquet, target="id"))
    assert counted.target.kind == "numbers", "600 different whole numbers are amounts"
    assert load(section(parquet, target="weight")).target.classes == (1, 2, 3, 4)
    both = load(section(parquet, target=("amount", "weight")))
    assert both.target.size == 2
    assert next(both.stream.chunks(0, 5, 2)).part.y.shape == (10, 2)
    floats = load(section(parquet, target="weight"), task="classification")
    assert floats.target.kind == "classes"


def test_weights_come_from_their_column(parquet):
    dataset = load(section(parquet, weight="weight"))
    part = next(dataset.stream.chunks(0, 5, 4)).part
    rows = dataset.stream.batches(0, 1, 5)[:4].ravel()
    assert np.array_equal(part.weights, 1 + rows % 4)


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    query = QUERY.replace(
        "1 + i % 4 AS weight", "CASE WHEN i % 6 > 0 THEN (i % 2)::DOUBLE END AS w"
    )
    path = write(tmp_path / "t.parquet", query=query)
    dataset = load(section(path, target="w"))
    assert dataset.rows + len(dataset.x_val) == 500
    assert "100 rows without a target are left out" in dataset.notes
    assert dataset.target.classes == (0, 1), "whole numbers, which missing ones had made floats"


def test_the_facts_are_those_of_all_rows(parquet, monkeypatch):
    data = section(parquet)
    expected = look(gather(data.model_copy(update={"stream": False})), data)
    monkeypatch.setattr(limits, "SAMPLE_ROWS", 150)
    facts = look(gather(data), data)
    assert facts["rows"] == ROWS
    assert facts["missing"] == expected["missing"]
    assert facts["target"] == expected["target"]
    for found, known in zip(facts["columns"], expected["columns"], strict=True):
        for key in ("name", "missing", "minimum", "maximum", "mean", "std"):
            assert found.get(key) == (known.get(key) if key not in ("mean", "std") or key not in
                                      known else pytest.approx(known[key]))  # fmt: skip


def test_columns_of_any_type_are_read_as_in_memory(tmp_path):
    query = (
        "SELECT (i * 1.25)::DECIMAL(12, 2) AS d, i::HUGEINT AS h, TIME '10:00:00' AS t, [i] AS l, "
        "TIMESTAMP '2020-01-01' + to_hours(i::INTEGER) AS since, i % 2 = 0 AS b, {{'a': i}} AS s, "
        "CASE WHEN i % 11 = 0 THEN 'inf'::DOUBLE ELSE i END AS f, "
        "CASE WHEN i % 4 = 0 THEN '' ELSE 'k' || i % 3 END AS blank FROM range({rows}) t(i)"
    )
    path = write(tmp_path / "t.parquet", query=query)
    for target in ("b", "d", "blank"):
        data = section(path, target=target, validation=0)
        held = data.model_copy(update={"stream": False})
        streamed, whole = load(data), load(held)
        assert streamed.target == whole.target
        assert np.array_equal(streamed.x_train, whole.x_train)
        facts, expected = look(gather(data), data), look(gather(held), held)
        for found, known in zip(facts["columns"], expected["columns"], strict=True):
            assert found["missing"] == known["missing"]
            assert found.get("mean") == pytest.approx(known.get("mean"))


def test_a_copy_is_kept_and_made_anew_when_its_file_changes(tmp_path, small):
    path = write(tmp_path / "t.csv")
    load(section(path))
    (copy,) = small.glob("*/rows.parquet")
    made = copy.stat().st_mtime_ns
    load(section(path))
    assert copy.stat().st_mtime_ns == made
    write(tmp_path / "t.csv", rows=300)
    os.utime(path, ns=(1, 1))
    assert load(section(path)).rows == 240
    copy.write_bytes(copy.read_bytes()[:-10])
    assert load(section(path)).rows == 240


def test_words_for_a_missing_value_are_none_in_a_copy_too(tmp_path):
    lines = ["a,b"] + [f"{'NA' if i % 5 == 0 else i / 7},{'xy'[i % 2]}" for i in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    dataset = load(section(str(tmp_path / "t.csv"), target="b"))
    assert dataset.encoding.features["a"].indicator


def test_what_the_first_rows_do_not_show_is_copied_as_it_is_read(tmp_path):
    lines = ["a,b", *(f"{i},{'xy'[i % 2]}" for i in range(30_000)), "1.5,z\xe9"]
    (tmp_path / "t.csv").write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    dataset = load(section(str(tmp_path / "t.csv"), target="b"))
    assert dataset.target.classes == ("x", "y", "z\xe9")
    assert "was read as Latin-1" in "\n".join(dataset.notes)
    assert dataset.stream.blocks.bounds[-1] == 30_001


def test_a_table_streams_by_itself_where_it_takes_half_of_free_memory(parquet, monkeypatch):
    size = ROWS * 9 * 8
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 2 * size)
    assert load(section(parquet, stream=None)).stream is None
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 2 * size - 2)
    dataset = load(section(parquet, stream=None))
    assert dataset.stream is not None
    assert "more than half of the" in dataset.notes[0]
    assert load(section(parquet, stream=False)).stream is None


def test_validation_rows_of_a_file_of_their_own(tmp_path, parquet, monkeypatch):
    monkeypatch.setattr(limits, "VALIDATION_ROWS", 40)
    other = write(tmp_path / "other.csv", rows=90)
    dataset = load(section(parquet, validation=other))
    assert dataset.rows == ROWS
    assert len(dataset.x_val) == 40
    assert "40 of 90 rows" in "\n".join(dataset.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "cannot be read any more"),
        (lambda path: write(path, rows=500), "has changed while training goes on"),
        (lambda path: path.write_bytes(b"PAR1 and no more"), "has changed while training goes on"),
    ],
    ids=["gone", "shorter", "damaged"],
)
def test_a_file_that_changes_is_refused_in_one_line(parquet, tmp_path, change, words):
    dataset = load(section(parquet))
    os.utime(parquet, ns=(1, 1))
    dataset = load(section(parquet))
    chunks = dataset.stream.chunks(0, 5, 1, last=5)
    next(chunks)
    change(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=words) as refused:
        for _ in chunks:
            pass
    assert "\n" not in str(refused.value)


def test_a_value_that_cannot_be_used_is_told_with_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "SAMPLE_ROWS", 40)
    query = "SELECT CASE WHEN i = 300 THEN 'x' ELSE (i * 1.5)::VARCHAR END AS a, i % 2 AS y "
    path = write(tmp_path / "t.parquet", query=query + "FROM range({rows}) t(i)")
    dataset = load(Data(source=path, target="y", stream=True, validation=0, split_seed=2))
    assert dataset.encoding.features.keys() == {"a"}
    with pytest.raises(DataError, match=r"t\.parquet', rows \d+ to \d+: column 'a' holds 'x'"):
        whole_epoch(dataset)


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        ("a,b\n1,2\n3,4,5\n6,7\n", {}, "line 3: 3 fields"),
        ("a,b\n", {}, "no rows"),
        ("", {}, "is empty"),
        ("a,b\n1,\n2,\n", {}, "no row has a value"),
        ("a,b\n1,2\n", {}, "single row cannot be split"),
        ("a,b\n1,2\n3,4\n", {"target": "c"}, "there is no such column"),
        ("a,b\n1,2\n3,4\n", {"target": None}, "which column"),
        ("a,b\n1,2\n3,4\n", {"split": "group", "split_column": "a"}, "drawn at random in a stream"),
        ("a,b\n1,2\n3,4\n", {"rows": 5}, "generated sets"),
    ],
)
def test_bad_input_is_one_line(tmp_path, content, keys, words):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=words) as refused:
        load(section(str(tmp_path / "t.csv"), **{"target": "b", **keys}))
    assert "\n" not in str(refused.value)


def test_other_sources_are_not_streamed():
    with pytest.raises(DataError, match="'iris' is neither"):
        load(Data(source="iris", stream=True))


def test_a_copy_that_cannot_be_written_is_told(tmp_path, cache):
    cache.parent.mkdir(parents=True)
    (cache.parent / "tables").write_text("a file in the way")
    path = write(tmp_path / "t.csv")
    with pytest.raises(DataError, match="make room, or set XDG_CACHE_HOME"):
        load(section(path))


_READ = """
import resource, sys
from surefoot.data import load
from surefoot.data import stream_limits as limits
from surefoot.recipe import Data
limits.WINDOW_ROWS, limits.SAMPLE_ROWS, limits.VALIDATION_ROWS = 20_000, 5_000, 5_000
limits.BLOCK_ROWS = 5_000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
dataset = load(Data(source=sys.argv[1], target="y", stream=True))
peaks, steps = [], 0
for chunk in dataset.stream.chunks(0, 100, 10):
    steps += chunk.steps
    peaks.append(peak())
print(dataset.rows, steps, peaks[-1] - peaks[len(peaks) // 5])
"""


def test_reading_takes_the_memory_of_windows_and_not_of_the_file(tmp_path):
    columns = ", ".join(f"random() AS n{i}" for i in range(60))
    query = f"SELECT {columns}, i % 2 AS y FROM range({{rows}}) t(i)"
    options = "FORMAT parquet, ROW_GROUP_SIZE 20480"
    path = write(tmp_path / "t.parquet", rows=400_000, query=query, options=options)
    result = subprocess.run(
        [sys.executable, "-c", _READ, path], capture_output=True, text=True, check=True
    )
    rows, steps, grown = map(int, result.stdout.split())
    assert (rows, steps) == (395_000, 3950)
    # The four fifths of the rows that are read between the two looks are 77 MB as they train, and
    # 154 MB as they lie in the file.
    assert grown < 30e6
