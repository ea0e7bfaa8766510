"""Every example of the documentation runs, page by page, in the order of reading."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import surefoot as sf
from surefoot.cli.app import main

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/recipes.md",
    "docs/runs.md",
    "docs/estimators.md",
    "docs/data.md",
    "docs/landscape.md",
    "docs/gradients.md",
    "docs/pretraining.md",
    "docs/deep.md",
    "docs/studies.md",
    "docs/ensembles.md",
    "docs/repair.md",
    "docs/doctor.md",
    "docs/live.md",
    "docs/report.md",
    "docs/export.md",
]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_example_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _write_customers(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    names: dict[str, object] = {}
    kinds = set()
    for kind, block in _BLOCK.findall(text):
        kinds.add(kind)
        if kind == "python":
            exec(compile(block, page, "exec"), names)
        elif kind == "toml":
            name = "study.toml" if "[vary]" in block else "page.toml"
            (tmp_path / name).write_text(block, encoding="utf-8")
            assert name == "study.toml" or sf.load_recipe(name).net.layers
        elif kind == "sh":
            for line in block.splitlines():
                # The live page serves until it is interrupted; tests/live runs it.
                if line.startswith("surefoot ") and not line.startswith("surefoot serve"):
                    _run(line)
        elif kind == "text":
            _compare(block, capsys)
    assert "python" in kinds


def _write_customers(folder):
    """Write the files that the pages' examples have."""
    for name, count in (("customers.csv", 200), ("new-customers.csv", 5)):
        lines = ["id,age,plan,joined,churned"]
        for i in range(count):
            age = "" if i % 17 == 0 else str(20 + i * 7 % 50)
            plan = ("basic", "plus", "team")[i % 3]
            churned = "yes" if (i * 7 % 50 > 25) != (i % 3 == 2) else "no"
            lines.append(f"{1000 + i},{age},{plan},2024-{i % 12 + 1:02}-{i % 28 + 1:02},{churned}")
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _run(line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line, comments=True)[1:])
    assert not ended.value.code, line


def _compare(block: str, capsys) -> None:
    """Run a transcript, and compare what it shows."""
    command, _, shown = block.partition("\n")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(shlex.split(command)[2:])
    assert capsys.readouterr().err == shown


def test_what_the_readme_lists_by_name_is_what_there_is():
    from surefoot.nn.activations import ACTIVATIONS
    from surefoot.nn.losses import LOSSES
    from surefoot.nn.nets import READY
    from surefoot.recipe import LAYER_KINDS, RULES, SCHEDULES
    from surefoot.recipe.initializers import INITIALIZER_NUMBERS

    listed = {
        row[0].strip(): set(re.findall(r"`([\w-]+)", row[1]))
        for row in re.findall(r"^\| ([a-z ]+) \| (`.*) \|$", (ROOT / "README.md").read_text(), re.M)
    }
    assert listed["layers"] == set(LAYER_KINDS)
    assert listed["activations"] == {*ACTIVATIONS, "softmax"}
    assert listed["initializers"] == set(INITIALIZER_NUMBERS)
    assert listed["losses"] == set(LOSSES)
    assert listed["update rules"] == {*RULES, "optax"}
    assert listed["schedules"] == set(SCHEDULES)
    assert listed["ready nets"] == set(READY)


def test_the_columns_that_are_explained_are_those_of_the_tables():
    from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
    from surefoot.vitals.landscape import LANDSCAPE_COLUMNS
    from surefoot.vitals.surface import SURFACE_COLUMNS, SURFACE_COUNTS, SURFACE_TEXTS

    text = (ROOT / "docs" / "runs.md").read_text(encoding="utf-8")
    for name in (*METRIC_COLUMNS, *VITAL_COLUMNS):
        assert f"`{name}`" in text, name
    text = (ROOT / "docs" / "landscape.md").read_text(encoding="utf-8")
    for name in (*LANDSCAPE_COLUMNS, *SURFACE_TEXTS, *SURFACE_COUNTS, *SURFACE_COLUMNS):
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "CHANGELOG.md", "docs/recipe.md", *PAGES])
def test_links_between_pages_lead_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target
