"""`surefoot report`, and the page at the end of `train` and `repair`."""

from __future__ import annotations

import json
import shutil

import pytest

import surefoot as sf


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run."""
    return sf.train("iris", net="mlp:4", epochs=2, out=tmp_path_factory.mktemp("cli") / "run")


def test_training_ends_by_naming_the_page(surefoot, folder):
    ended = surefoot("train", "iris", "--net", "mlp:4", "--epochs", "2", "--out", "run")
    assert ended.code == 0
    assert ended.err.splitlines()[-1] == "report: run/report.html"
    assert "<h1>" in (folder / "run" / "report.html").read_text(encoding="utf-8")


def test_a_page_is_written_where_it_is_asked_for(surefoot, folder, run):
    ended = surefoot("report", run.path, "--out", "page.html")
    assert (ended.code, ended.out, ended.err) == (0, "", "report: page.html\n")
    assert (folder / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json_names_the_page(surefoot, run):
    ended = surefoot("report", run.path, "--json")
    told = json.loads(ended.out)
    path = run.path / "report.html"
    assert told == {"report": str(path), "bytes": path.stat().st_size}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such folder"),
        (["."], "neither a run's folder, nor a repair's, nor a study's"),
        ([], "Missing argument"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(surefoot, folder, words, said):
    ended = surefoot("report", *words)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_a_page_that_fails_does_not_fail_the_training(surefoot, folder, monkeypatch):
    def fail(*given, **named):
        raise ValueError("a fault\nof ours")

    monkeypatch.setattr("surefoot.report.write.render", fail)
    ended = surefoot("train", "iris", "--net", "mlp:4", "--epochs", "1", "--out", "run")
    assert ended.code == 0
    assert ended.err.splitlines()[-1] == "no report was written: a fault"
    assert not (folder / "run" / "report.html").exists()


@pytest.mark.parametrize(
    "name", ["metrics.parquet", "vitals.parquet", "environment.json", "model.json", "data.json"]
)
def test_a_file_that_was_altered_is_named_on_the_page_and_on_standard_error(
    surefoot, folder, run, name
):
    shutil.copytree(run.path, "run")
    data = bytearray((folder / "run" / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "run" / name).write_bytes(data)
    ended = surefoot("report", "run", "--json")
    assert (ended.code, list(json.loads(ended.out))) == (0, ["report", "bytes"])
    (line,) = ended.err.splitlines()
    assert line.startswith(f"not readable: run/{name}: ")
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    top = page[page.index("<h1>") : page.index("<main")]
    assert f"Not readable: run/{name}: " in top


def test_what_was_measured_is_measured_again_where_its_file_was_altered(surefoot, folder, run):
    shutil.copytree(run.path, "run")
    surefoot("report", "run", "--out", "before.html")
    path = folder / "run" / "evaluation.json"
    kept = path.read_text()
    path.write_text(kept.replace('"rows": 30', '"rows": 31'))
    assert path.read_text() != kept
    assert surefoot("report", "run", "--out", "after.html").code == 0
    assert path.read_text() == kept
    assert (folder / "after.html").read_bytes() == (folder / "before.html").read_bytes()


def test_python_writes_the_same_page(run, tmp_path):
    assert run.report() == run.path / "report.html"
    other = run.report(tmp_path / "other.html")
    assert other.read_bytes() == (run.path / "report.html").read_bytes()
