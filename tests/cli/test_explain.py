"""`surefoot explain`."""

from __future__ import annotations

import json

from surefoot.doctor.finding import IDS
from surefoot.doctor.story import story, summaries
from surefoot.handbook.pages import page, topics


def test_a_story_is_told(surefoot):
    ended = surefoot("explain", "dead-units")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == story("dead-units")


def test_json_holds_the_same(surefoot):
    ended = surefoot("explain", "ravine", "--json")
    assert json.loads(ended.out) == {"id": "ravine", "text": story("ravine")}


def test_without_a_topic_all_are_listed(surefoot):
    ended = surefoot("explain")
    assert [line.split()[0] for line in ended.out.splitlines()] == [*IDS, *topics()]
    listed = json.loads(surefoot("explain", "--json").out)
    assert {entry["id"]: entry["text"] for entry in listed["findings"]} == summaries()
    assert {entry["id"]: entry["text"] for entry in listed["pages"]} == topics()


def test_a_page_of_the_handbook_is_opened(surefoot):
    ended = surefoot("explain", "momentum")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == page("momentum")
    assert ended.out.startswith("# Why momentum")
    assert "![" not in ended.out


def test_findings_and_pages_have_different_names():
    assert not set(IDS) & set(topics())


def test_an_unknown_topic_is_one_line_that_lists_them_all(surefoot):
    ended = surefoot("explain", "dead-unit")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: there is no topic 'dead-unit'; did you mean")
    assert ended.err.count("\n") == 1
    assert all(name in ended.err for name in (*IDS, *topics()))


def test_a_terminal_gets_it_laid_out(surefoot, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended = surefoot("explain", "dead-units")
    assert "**" not in ended.out
    assert "How it shows." in ended.out
