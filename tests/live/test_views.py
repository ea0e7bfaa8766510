"""What is told of runs: states, figures, curves that keep their extremes, and what is broken."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import psutil

from surefoot.checksums import seal
from surefoot.control import RUNNING
from surefoot.live.following import Follower
from surefoot.live.places import find_runs
from surefoot.live.thinning import thin_records, thin_rows
from surefoot.run import SEALED
from surefoot.vitals.table import TableWriter

from .conftest import TOKEN, make_run, metrics, vitals


def _rows(client):
    return {row["name"]: row for row in client.get(f"/{TOKEN}/runs").json()}


def _running(folder, **more):
    me = psutil.Process()
    told = {"pid": me.pid, "since": me.create_time(), "boot": psutil.boot_time(), "steps": 800}
    (folder / RUNNING).write_text(json.dumps({**told, **more}))


def test_each_state_is_told_with_verdict_and_figures(client, root):
    make_run(root / "now", None)
    _running(root / "now")
    make_run(root / "reused", None)
    _running(root / "reused", since=1.0)  # its number is another process's by now
    rows = _rows(client)
    assert {name: row["state"] for name, row in rows.items()} == {
        "a": "finished",
        "deep/b": "diverged",
        "c": "interrupted",
        "dead <script>": "died",
        "now": "running",
        "reused": "died",
    }
    assert rows["a"]["verdict"] == "unhealthy"
    assert rows["a"]["root_cause"] == "dead-units"
    assert rows["a"]["metrics"]["validation"] == {"loss": 1.0, "accuracy": 0.9}
    assert rows["now"]["total_steps"] == 800
    assert "killed" in rows["dead <script>"]["note"]
    assert "step 79" in rows["deep/b"]["note"]


def test_a_process_that_ends_is_seen_without_any_file_that_changes(client, root):
    child = psutil.Popen(["sleep", "60"])
    try:
        make_run(root / "now", None)
        _running(root / "now", pid=child.pid, since=child.create_time())
        assert _rows(client)["now"]["state"] == "running"
    finally:
        child.kill()
        child.wait()
    import time

    time.sleep(0.6)  # a look is good for half a second
    assert _rows(client)["now"]["state"] == "died"


def test_one_run_comes_with_its_charts_findings_and_recipe(client):
    answer = client.get(f"/{TOKEN}/run", params={"name": "deep/b"})
    told = answer.json()
    charts = {chart["name"]: chart for chart in told["charts"]}
    assert {"loss", "accuracy", "rate", "norms", "layers"} <= set(charts)
    batches = charts["loss"]["series"][0]
    assert batches["y"][batches["x"].index(40)] == 9.0
    assert len(charts["layers"]["choices"]) > 5
    assert charts["loss"]["marks"][0]["x"] == 40
    assert told["findings"][0]["id"] == "dead-units"
    assert "iris" in told["recipe"]
    same = client.get(
        f"/{TOKEN}/run",
        params={"name": "deep/b"},
        headers={"if-none-match": answer.headers["etag"]},
    )
    assert same.status_code == 304


def test_several_runs_are_compared_in_one_chart(client):
    names = ["a", "deep/b", "c"]
    charts = client.get(f"/{TOKEN}/compare", params={"name": names}).json()["charts"]
    loss = next(chart for chart in charts if chart["name"] == "loss")
    assert [line["name"] for line in loss["series"]] == names


def test_what_is_broken_is_said_and_the_rest_is_shown(client, root):
    (root / "a" / "vitals.parquet").write_bytes(b"no table")
    (root / "a" / "findings.json").write_text("{")
    (root / "a" / "recipe.toml").write_text("= 1")
    told = client.get(f"/{TOKEN}/run", params={"name": "a"}).json()
    assert "vitals" in told["problems"]
    assert told["findings"] == []
    assert "loss" in {chart["name"] for chart in told["charts"]}


def test_what_was_altered_is_named(client, root):
    seal(root / "a", SEALED)
    for name in ("metrics.parquet", "summary.json", "recipe.toml", "findings.json"):
        data = bytearray((root / "a" / name).read_bytes())
        data[len(data) // 2] ^= 1
        (root / "a" / name).write_bytes(data)
    told = client.get(f"/{TOKEN}/run", params={"name": "a"}).json()
    assert set(told["problems"]) == {"metrics", "summary.json", "recipe", "findings.json"}
    assert "was altered" in told["row"]["note"]
    assert told["findings"] == []
    assert "loss" not in {chart["name"] for chart in told["charts"]}
    compared = client.get(f"/{TOKEN}/compare", params={"name": "a"}).json()
    assert any("metrics.parquet" in line for line in compared["problems"])


def test_a_run_without_any_step_has_a_page(client, root):
    (root / "new" / "metrics").mkdir(parents=True)
    (root / "new" / "recipe.toml").write_text("")
    told = client.get(f"/{TOKEN}/run", params={"name": "new"}).json()
    assert told["row"]["state"] == "died"
    assert told["charts"] == []


def test_a_run_is_followed_part_by_part_and_over_its_end(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text("")
    writers = [TableWriter(run, name) for name in ("metrics", "vitals")]
    follower = Follower(tmp_path, run)
    for part in range(3):
        writers[0].append(metrics(80, 80 * part))
        writers[1].append(vitals(10, 80 * part))
        for writer in writers:
            writer.flush()
        evidence = follower.evidence()
        assert evidence.steps == 80 * (part + 1)
        assert len(evidence.recorded) == 10 * (part + 1)
    for writer in writers:
        writer.close()
    after = follower.evidence()
    np.testing.assert_array_equal(after.metric("step"), np.arange(240))
    assert after.vital("weight_rms").shape == (30, 2)
    assert Follower(tmp_path, run).evidence().steps == 240


def test_a_run_that_went_back_and_took_steps_again_is_read_again(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text("")
    writer = TableWriter(run, "metrics")
    follower = Follower(tmp_path, run)
    for part in range(3):
        writer.append(metrics(80, 80 * part))
        writer.flush()
    assert follower.evidence().steps == 240
    for part in sorted((run / "metrics").iterdir())[1:]:
        part.unlink()
    assert follower.evidence().steps == 80
    writer.append({**metrics(80, 80), "loss": np.full(80, 7, np.float32)})
    writer.flush()
    after = follower.evidence()
    np.testing.assert_array_equal(after.metric("step"), np.arange(160))
    assert after.metric("loss")[80:].tolist() == [7.0] * 80


def test_thinned_again_and_again_no_peak_is_lost_and_the_beginning_stays_as_fine():
    kept = {"step": np.zeros(0, np.int64), "loss": np.zeros(0)}
    random = np.random.default_rng(0)
    peaks = {}
    for first in range(0, 50_000, 500):
        steps = first + np.arange(500)
        loss = random.uniform(1, 2, 500)
        peak = int(random.integers(500))
        loss[peak] = 5 + random.uniform()
        peaks[first + peak] = loss[peak]
        rows = {"step": steps, "loss": loss}
        kept = thin_rows({k: np.concatenate([kept[k], rows[k]]) for k in kept}, most=1000)
        assert len(kept["step"]) <= 1000
    assert kept["loss"].max() == max(peaks.values())
    halves = np.histogram(kept["step"], bins=2)[0]
    assert halves.min() > 0.8 * halves.max()


def test_records_are_joined_by_what_is_farthest_from_the_rest():
    values = np.ones((64, 2, 1))
    values[13, 1, 0] = 7.0
    values[20, 0, 0] = np.nan
    steps, kept = thin_records(np.arange(64) * 16, values, most=10)
    assert len(steps) <= 10
    assert kept[:, 1, 0].max() == 7.0
    assert np.isfinite(kept).all()


def test_links_hidden_folders_and_what_is_within_a_run_are_passed_over(root):
    make_run(root / ".hidden" / "x")
    make_run(root / "a" / "within")
    shutil.copytree(root / "a", root.parent / "elsewhere")
    os.symlink(root.parent / "elsewhere", root / "linked")
    os.symlink(root, root / "deep" / "loop")
    assert sorted(find_runs(root)) == ["a", "c", "dead <script>", "deep/b"]
