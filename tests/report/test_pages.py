"""Pages as text: what they say, what they escape, and that they need nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import surefoot as sf
from surefoot.doctor.finding import IDS
from surefoot.errors import RunError
from surefoot.report.evidence_charts import CHARTS
from surefoot.report.page import asset, encode
from surefoot.report.write import write_report

MOST_BYTES = 2_000_000


class _Page(HTMLParser):
    """The text, the scripts and the addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.scripts, self.addresses, self.ids = "", [], [], []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._inside = tag
        own = dict(attrs)
        self.addresses += [own[name] for name in ("src", "href", "action") if name in own]
        self.ids += [own["id"]] if "id" in own else []
        if tag == "script":
            self.scripts.append([own, ""])
        assert not [name for name in own if name.startswith("on")]

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1][1] += data
        elif self._inside != "style":
            self.text += data

    @property
    def charts(self):
        return {own["name"]: own for own in json.loads(self.scripts[0][1])["charts"]}


def _page(folder) -> _Page:
    return _Page(write_report(folder).read_text(encoding="utf-8"))


@pytest.fixture(params=["digits", "numbers", "table", "study", "repair"])
def any_folder(request):
    return request.getfixturevalue(request.param)


def test_a_page_needs_nothing_else_and_can_reach_nothing_else(any_folder):
    html = write_report(any_folder).read_text(encoding="utf-8")
    page = _Page(html)
    assert all(a.startswith(("#", "data:image/png;base64,")) for a in page.addresses)
    assert "url(" not in re.sub(r"<script>.*</script>", "", html, flags=re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    own = base64.b64encode(hashlib.sha256(page.scripts[1][1].encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{own}'"
    assert len(page.scripts) == 2
    assert len(page.ids) == len(set(page.ids))
    assert len(html) < MOST_BYTES


def test_every_chart_has_a_place_and_every_place_a_chart(any_folder):
    html = write_report(any_folder).read_text(encoding="utf-8")
    placed = re.findall(r'data-chart="([^"]+)"', html)
    assert sorted(placed) == sorted(_Page(html).charts)


def test_a_run_says_what_the_doctor_said(made, tmp_path):
    page = _page(made(tmp_path / "run"))
    assert "Unhealthy: learning rate too high; validation accuracy 90.0\xa0%" in page.text
    assert "where simple methods reach 95.0\xa0%" in page.text
    assert "Steps are too long." in page.text
    assert "learning_rate = 0.01" in page.text
    assert page.charts["loss"]["marks"] == [{"x": 2, "label": "1", "severity": "error"}]
    names = {line["name"] for line in page.charts["loss"]["series"]}
    assert names == {"each batch", "batches, smoothed", "validation"}
    assert "Clipped at" in page.charts["norms"]["about"]
    assert {"layers", "finding-1-update_ratio", "finding-1-loss"} <= set(page.charts)


def test_a_repair_shows_before_and_after_with_the_proof(repair):
    page = _page(repair)
    for text in ("Repaired: accuracy 0.920", "10.7\xa0%", "92.0\xa0%", "random change", "-lear"):
        assert text in page.text
    assert {"proof", "tried", "loss"} <= set(page.charts)


def test_a_study_shows_responses_contours_and_conclusions(study):
    page = _page(study)
    found = sf.Study(study)
    assert found.conclusions[0] in page.text
    response = page.charts["response-learning_rate"]
    assert response["x"]["scale"] == "log"
    assert {line["mark"] for line in response["series"]} == {"interval", "line"}
    table = found.table()
    drawn = [y for line in response["series"] if line["mark"] == "line" for y in line["y"]]
    np.testing.assert_allclose(np.sort(drawn), np.sort(table["mean"]), rtol=1e-4)
    assert len(page.charts["parallel"]["lines"]) == 12
    assert "surface" in page.charts


def test_names_that_look_like_code_are_text(table):
    html = write_report(table).read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "<b>width" not in html
    page = _Page(html)
    assert "<b>width</b>" in page.text
    assert page.charts["confusion"]["x"]["categories"][0] == "<script>alert(1)<!--"
    assert len(page.scripts) == 2


def test_json_cannot_end_its_element():
    text = encode({"a": "</script><!--\u2028&"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_texts_of_a_hostile_folder_are_text(made, tmp_path):
    bad = "</script><script>alert(1)</script>"
    finding = {"id": bad, "severity": bad, "since_step": bad, "explanation": bad}
    finding |= {"evidence": {bad: bad}, "layers": [bad], "remedies": [{"text": bad, "toml": bad}]}
    folder = made(tmp_path / "run", findings=[finding])
    picture = {"picture": 'data:image/png;base64,"onerror=alert(1)', "true": bad, "values": []}
    kept = {"format": 1, "rows": 1, "all_rows": 1, "part": bad, "kind": "classes"}
    kept |= {"worst": [picture], "calibration": None}
    (folder / "evaluation.json").write_text(json.dumps(kept))
    html = write_report(folder).read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "onerror=alert" not in html
    assert len(_Page(html).scripts) == 2


def test_every_finding_has_its_evidence():
    assert set(CHARTS) == set(IDS)


def test_the_largest_page_is_small_enough(made, tmp_path):
    finding = {"severity": "error", "since_step": 0, "layers": [], "explanation": "x"}
    findings = [{"id": name, **finding} for name in IDS[:8]]
    folder = made(tmp_path / "run", steps=10_000, layers=20, findings=findings)
    page = write_report(folder)
    assert page.stat().st_size < MOST_BYTES
    charts = _Page(page.read_text(encoding="utf-8")).charts
    assert len(charts["layers"]["choices"]) >= 15
    assert len(charts["layers"]["choices"][0]["edges"]) > 150


def test_the_page_keeps_a_spike_of_one_step(made, tmp_path):
    loss = np.ones(10_000, np.float32)
    loss[7777] = 123.0
    charts = _page(made(tmp_path / "run", steps=10_000, records=0, loss=loss)).charts
    (line,) = (own for own in charts["loss"]["series"] if own["name"] == "each batch")
    assert line["y"][line["x"].index(7777)] == 123


def test_two_hundred_layers_are_shown(made, tmp_path):
    page = write_report(made(tmp_path / "run", steps=400, layers=200))
    assert page.stat().st_size < MOST_BYTES
    (heat,) = (
        own
        for own in _Page(page.read_text(encoding="utf-8")).charts.values()
        if own["kind"] == "heatmap"
    )
    assert max(len(choice["rows"]) for choice in heat["choices"]) == 200


# What is missing, broken or unusual.


def test_a_run_in_progress_says_so(made, tmp_path):
    page = _page(made(tmp_path / "run", finished=False))
    assert "Not finished: step 60 of" in page.text
    assert "still trains, or it was broken off" in page.text
    assert "loss" in page.charts


def test_a_run_without_validation_says_so(made, tmp_path):
    none = np.full(60, np.nan, np.float32)
    given = {"validation_loss": none, "validation_accuracy": none}
    folder = made(tmp_path / "run", **given)
    summary = json.loads((folder / "summary.json").read_text())
    del summary["metrics"]["validation"]
    (folder / "summary.json").write_text(json.dumps(summary))
    page = _page(folder)
    assert "There were no validation rows" in page.text
    assert "training accuracy 90.0\xa0%" in page.text


def test_one_step_is_a_point(made, tmp_path):
    page = _page(made(tmp_path / "run", steps=1))
    assert "Only one step was taken" in page.text
    assert page.charts["loss"]["series"][0]["x"] == [0]


def test_a_diverged_run_says_when(tmp_path):
    recipe = {"optimizer": "sgd", "learning_rate": 1e4, "clip_norm": None}
    run = sf.train("diabetes", net="mlp:8", epochs=2, out=tmp_path / "run", **recipe)
    assert run.summary["ended"] == "diverged"
    page = _page(run.path)
    assert "Training diverged at step" in page.text
    assert "Root cause" in page.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("metrics.parquet", "metrics"),
        ("vitals.parquet", "vitals"),
        ("data.json", "data.json"),
        ("environment.json", "environment.json"),
        ("findings.json", "judged anew"),
        ("recipe.toml", "recipe.toml"),
    ],
)
@pytest.mark.parametrize("broken", [False, True])
def test_a_page_names_what_is_missing_and_shows_the_rest(made, tmp_path, name, said, broken):
    folder = made(tmp_path / "run")
    (folder / name).unlink()
    if broken:
        (folder / name).write_bytes(b"\x00[not a file")
        said = name
    page = _page(folder)
    assert said in page.text
    assert "90.0\xa0%" in page.text


def test_a_run_that_recorded_nothing_has_a_page(made, tmp_path):
    folder = made(tmp_path / "run", records=0, finished=False)
    for name in ("metrics.parquet", "findings.json", "data.json"):
        (folder / name).unlink()
    assert "too little here to judge" in _page(folder).text


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda path: None, "no such folder"),
        (lambda path: path.mkdir(), "neither a run's folder"),
        (lambda path: path.write_text("x"), "no such folder"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path, prepare, said):
    prepare(tmp_path / "x")
    with pytest.raises(RunError, match=said):
        write_report(tmp_path / "x")


def test_a_study_that_is_not_finished_is_refused(study, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "study.toml").write_text((study / "study.toml").read_text())
    with pytest.raises(RunError, match=r"summary\.json"):
        write_report(tmp_path / "s")


def test_a_place_that_cannot_be_written_is_named(made, tmp_path):
    folder = made(tmp_path / "run")
    with pytest.raises(RunError, match=r"nowhere/x\.html"):
        write_report(folder, tmp_path / "nowhere" / "x.html")


def _run(*words):
    return subprocess.run(
        [sys.executable, "-m", "surefoot.cli.app", *map(str, words)], capture_output=True, text=True
    )


def test_the_library_is_the_one_that_its_readme_describes():
    readme = asset("README.md")
    digest = hashlib.sha256(asset("echarts.min.js").encode()).hexdigest()
    assert digest in readme
    for name in ("Apache License", "BSD 3-Clause", "echarts.min.js is built from"):
        assert name in asset("echarts.LICENSE.txt")
    assert "</script" not in asset("echarts.min.js")
