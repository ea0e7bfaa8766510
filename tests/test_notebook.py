"""How runs and findings show themselves in notebooks."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

import surefoot as sf
from surefoot.notebook import Findings, diagnosis_html, run_html

EVIL = "<script>alert(1)</script>"
FINDING = {
    "id": EVIL,
    "severity": "error",
    "since_step": 3,
    "explanation": f"It {EVIL}.",
    "remedies": [{"text": EVIL, "toml": EVIL}],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return sf.train("iris", net="mlp:4", epochs=2, out=tmp_path_factory.mktemp("runs") / "<b>")


def test_a_run_shows_its_verdict_figures_and_curve(run):
    shown = run._repr_html_()
    assert "&lt;b&gt;" in shown
    assert run.summary["verdict"] in shown
    assert f"{100 * run.metrics['validation']['accuracy']:.2f} %" in shown
    svg = shown[shown.index("<svg") : shown.index("</svg>") + 6]
    ElementTree.fromstring(svg)
    assert len(shown) < 50_000


def test_findings_are_a_list_as_before_and_show_themselves(run):
    assert isinstance(run.findings, list)
    assert run.findings == run.summary["findings"]
    assert json.loads(json.dumps(run.findings)) == run.findings
    assert run.findings._repr_html_().startswith("<div")
    diagnosis = sf.diagnose(run.path, trials=False)
    assert diagnosis.verdict in diagnosis._repr_html_()


def test_no_text_becomes_markup():
    told = {"verdict": EVIL, "chain": [EVIL, "b"], "findings": [FINDING]}
    shown = [
        Findings([FINDING])._repr_html_(),
        diagnosis_html(told),
        run_html(EVIL, {"ended": EVIL, "metrics": {EVIL: {EVIL: 1.0}}, **told}, None),
    ]
    for html in shown:
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_a_run_that_diverged_without_a_table_shows_itself():
    summary = {"ended": "diverged", "steps": 2, "metrics": {"train": {"loss": None}}}
    shown = run_html("run", summary, None)
    assert "not finite" in shown
    assert "Nothing was found wrong" in shown
    assert "more" in Findings([FINDING] * 20)._repr_html_()
