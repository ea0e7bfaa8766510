"""The pages: made from their texts and figures, whole, and with commands that there are."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

import surefoot as sf
from handbook.render import (
    PACKAGED,
    PICTURES,
    ROOT,
    SITE,
    TEXTS,
    for_site,
    for_terminal,
    names,
    numbers_of,
    page_of,
)
from handbook.study import all_studies
from surefoot.handbook.pages import page, topics
from surefoot.job import prepare
from surefoot.recipe.overrides import parse_assignments
from surefoot.study.ready.registry import QUESTIONS

PAGES = names()
# A page of a site is no place for a large picture.
MOST_BYTES = 60_000
SECTIONS = ["The idea", "The formula", "Try it", "The picture", "What was measured"]
_BLOCK = re.compile(r"^```(sh|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _commands():
    """Return every command of every page, with the page."""
    for name in PAGES:
        for kind, block in _BLOCK.findall((TEXTS / f"{name}.md").read_text(encoding="utf-8")):
            for line in block.splitlines() if kind != "python" else ():
                yield name, line.removeprefix("$ ")


def test_every_page_has_a_study_and_a_place_in_the_site():
    assert list(all_studies()) == PAGES
    assert list(topics()) == PAGES
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    placed = set(re.findall(r"handbook/([\w-]+)\.md", site))
    assert placed == {*PAGES, "index"}
    index = (SITE / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(([\w-]+)\.md\)", index)) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_its_text_with_the_figures_of_its_study(name):
    made = page_of(name, numbers_of(name))
    again = "run `python -m handbook --texts`"
    assert (SITE / f"{name}.md").read_text(encoding="utf-8") == for_site(name, made), again
    assert (PACKAGED / f"{name}.md").read_text(encoding="utf-8") == for_terminal(made), again
    assert page(name) == for_terminal(made)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(name):
    text = (TEXTS / f"{name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    measured = text.partition("## What was measured")[2]
    claims = re.findall(r"\*\*(?:[^*]|\*(?!\*))+\*\*", measured)
    assert claims
    # A claim without a figure from the study is an opinion.
    assert all("{{" in claim or "{%" in claim for claim in claims), claims


@pytest.mark.parametrize("name", PAGES)
def test_its_pictures_are_there_and_small_and_its_links_lead_somewhere(name):
    text = (SITE / f"{name}.md").read_text(encoding="utf-8")
    pictures = re.findall(rf"\]\(({PICTURES}/[^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (SITE / picture).stat().st_size < MOST_BYTES
    for target in re.findall(r"\]\(([^)#]+)", _BLOCK.sub("", text)):
        assert target.startswith("https://") or (SITE / target).exists(), target


def test_no_picture_is_left_over():
    shown = {
        target
        for name in PAGES
        for target in re.findall(
            rf"{PICTURES}/([\w-]+\.svg)", (TEXTS / f"{name}.md").read_text(encoding="utf-8")
        )
    }
    assert shown == {path.name for path in (SITE / PICTURES).iterdir()}


def test_the_site_loads_nothing_from_elsewhere():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & set(settings)


@pytest.mark.parametrize(("name", "line"), list(_commands()))
def test_every_command_is_one_that_there_is(name, line, understood):
    words = shlex.split(line, comments=True)
    assert words[0] == "surefoot"
    given = understood(words[1:])
    match words[1]:
        case "train" if given["source"] in [entry["name"] for entry in sf.datasets()]:
            keys = dict(parse_assignments(given["assign"] or []))
            named = {"net": given["net"], "optimizer": given["optimizer"], "keys": keys}
            prepare(given["source"], **named, facts=False)
        case "study" if given["what"]:
            assert given["what"] in (*QUESTIONS, "rate")
        case "explain":
            assert given["topic"] in (*topics(), *_findings())


def _findings():
    from surefoot.doctor.finding import IDS

    return IDS


@pytest.mark.parametrize("name", PAGES)
def test_its_python_runs(name, capsys):
    text = (TEXTS / f"{name}.md").read_text(encoding="utf-8")
    for kind, block in _BLOCK.findall(text):
        if kind == "python":
            exec(compile(block, name, "exec"), {})
            assert capsys.readouterr().out
