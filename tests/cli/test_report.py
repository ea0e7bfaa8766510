"""`surefoot report`, and the page at the end of `train` and `repair`."""

from __future__ import annotations

import json

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


def test_python_writes_the_same_page(run, tmp_path):
    assert run.report() == run.path / "report.html"
    other = run.report(tmp_path / "other.html")
    assert other.read_bytes() == (run.path / "report.html").read_bytes()
