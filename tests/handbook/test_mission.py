"""Every row of `docs/mission.md` names a command, a test and a page that there are."""

from __future__ import annotations

import re
import shlex

import pytest

from handbook.render import ROOT

PAGE = ROOT / "docs" / "mission.md"
ROWS = re.findall(
    r"^\| ([^|]+) \| `(surefoot [^|]+)` \| `(tests/[^|]+)` \| \[[^\]]+\]\(([^)]+)\) \|$",
    PAGE.read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_every_row_is_read():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    heads = sum(line.startswith(("| what", "| ---")) for line in rows)
    assert len(ROWS) == len(rows) - heads > 50


@pytest.mark.parametrize(("what", "command", "test", "page"), ROWS)
def test_a_row_names_what_there_is(what, command, test, page, understood):
    understood(shlex.split(command)[1:])
    path, _, name = test.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert not name or f"\ndef {name}(" in source, test
    assert (PAGE.parent / page).is_file(), page
