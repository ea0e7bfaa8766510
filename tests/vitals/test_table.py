"""Tables on disk: whole parts or none, readable while they grow."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from surefoot.errors import RunError
from surefoot.vitals.table import TableWriter, read, write


def rows(first, count):
    return {
        "run": np.full(count, "r", object),
        "step": np.arange(first, first + count),
        "loss": np.linspace(1, 0, count, dtype=np.float32),
    }


def test_parts_become_one_file(tmp_path):
    writer = TableWriter(tmp_path, "metrics")
    for first in (0, 3, 6):
        writer.append(rows(first, 3))
        writer.flush()
    assert read(tmp_path, "metrics")["step"].tolist() == list(range(9))
    writer.append(rows(9, 1))
    writer.close()
    assert not (tmp_path / "metrics").exists()
    table = read(tmp_path, "metrics")
    assert table["step"].tolist() == list(range(10))
    assert table["loss"].dtype == np.float32
    assert table["run"].tolist() == ["r"] * 10
    counted = duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/metrics.parquet'").fetchall()
    assert counted == [(10,)]


def test_a_part_in_the_making_is_not_seen(tmp_path):
    writer = TableWriter(tmp_path, "metrics")
    writer.append(rows(0, 4))
    writer.flush()
    (tmp_path / "metrics" / "part-000001.tmp").write_bytes(b"PAR1 half")
    assert read(tmp_path, "metrics").rows == 4


def test_nan_stays_nan(tmp_path):
    writer = TableWriter(tmp_path, "metrics")
    columns = rows(0, 3)
    columns["loss"][1] = np.nan
    writer.append(columns)
    writer.close()
    assert np.isnan(read(tmp_path, "metrics")["loss"]).tolist() == [False, True, False]


def test_odd_paths(tmp_path):
    folder = tmp_path / "a [1]*? 'x'"
    folder.mkdir()
    writer = TableWriter(folder, "metrics")
    writer.append(rows(0, 2))
    writer.flush()
    assert read(folder, "metrics").rows == 2
    writer.close()
    assert read(folder, "metrics").rows == 2


def test_a_broken_table_is_one_line(tmp_path):
    (tmp_path / "metrics.parquet").write_bytes(b"not a table")
    with pytest.raises(RunError) as caught:
        read(tmp_path, "metrics")
    assert "metrics.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="no such table"):
        read(tmp_path, "vitals")


def test_a_whole_table_is_written_anew_or_not_at_all(tmp_path):
    write(tmp_path, "metrics", rows(0, 3))
    write(tmp_path, "metrics", rows(0, 2))
    assert read(tmp_path, "metrics").rows == 2
    with pytest.raises(RunError, match=r"metrics\.parquet: cannot be written"):
        write(tmp_path / "none", "metrics", rows(0, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.parquet"]


def test_a_whole_number_that_is_missing_is_read_as_nan(tmp_path):
    import duckdb

    path = tmp_path / "metrics.parquet"
    duckdb.sql("SELECT 1::BIGINT AS step, 'a' AS run UNION ALL SELECT NULL, NULL").write_parquet(
        str(path)
    )
    table = read(tmp_path, "metrics")
    np.testing.assert_array_equal(np.sort(table["step"]), [1, np.nan])
    assert [name for name in table["run"] if name == name] == ["a"]
