"""`surefoot explain`."""

from __future__ import annotations

import json

from surefoot.doctor.finding import IDS
from surefoot.doctor.story import story, summaries


def test_a_story_is_told(surefoot):
    ended = surefoot("explain", "dead-units")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == story("dead-units")


def test_json_holds_the_same(surefoot):
    ended = surefoot("explain", "ravine", "--json")
    assert json.loads(ended.out) == {"id": "ravine", "text": story("ravine")}


def test_without_an_id_all_are_listed(surefoot):
    ended = surefoot("explain")
    assert [line.split()[0] for line in ended.out.splitlines()] == list(IDS)
    listed = json.loads(surefoot("explain", "--json").out)["findings"]
    assert {entry["id"]: entry["text"] for entry in listed} == summaries()


def test_an_unknown_id_is_one_line(surefoot):
    ended = surefoot("explain", "dead-unit")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: there is no finding 'dead-unit'; did you mean")
    assert ended.err.count("\n") == 1


def test_a_terminal_gets_it_laid_out(surefoot, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended = surefoot("explain", "dead-units")
    assert "**" not in ended.out
    assert "How it shows." in ended.out
