"""From a page's text and its study's numbers to the page: for the site, and for the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).parents[1]
TEXTS, RESULTS = ROOT / "handbook" / "pages", ROOT / "handbook" / "results"
SITE = ROOT / "docs" / "handbook"
PACKAGED = ROOT / "src" / "surefoot" / "handbook" / "pages"
PICTURES = "images"
_MADE = "<!-- Made by `make handbook` from handbook/pages/{}.md: change that. -->\n\n"
_PICTURE = re.compile(r"^!\[(.*?)\]\((.*?)\)\n", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)")


def shown(value: Any) -> Any:
    """Return a number as the text has it: three digits.

    >>> [shown(value) for value in (0.00012345, 12.345, 98765.0, 7, "adam")]
    ['0.000123', '12.3', '98,800', 7, 'adam']
    """
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-4 or size >= 1e6:
        digits, power = f"{value:.2e}".split("e")
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{float(digits):g} · 10{raised}".replace("-", "−")
    text = f"{float(f'{value:.3g}'):,.10f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def percent(value: float) -> str:
    """Return a share as the text has it.

    >>> percent(0.9312), percent(1.0)
    ('93.1 %', '100 %')
    """
    return f"{100 * value:.1f}".removesuffix(".0") + " %"


_TEXTS = Environment(
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=shown,
    autoescape=False,
)
_TEXTS.filters["percent"] = percent


def numbers_of(name: str) -> Mapping[str, Any]:
    """Return what a page's study found when it was last run in full."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def page_of(name: str, numbers: Mapping[str, Any]) -> str:
    """Return a page: its text, with its study's numbers where it has places for them."""
    text = (TEXTS / f"{name}.md").read_text(encoding="utf-8")
    return _TEXTS.from_string(text).render(numbers)


def for_site(name: str, page: str) -> str:
    """Return a page as the site has it."""
    return _MADE.format(name) + page


def for_terminal(page: str) -> str:
    """Return a page as a terminal can show it: pictures are named, links are their text.

    >>> for_terminal("![Paths](images/a.svg)\\n\\nSee [rules](update-rules.md).\\n")
    '*Picture: Paths (docs/handbook/images/a.svg)*\\n\\nSee rules.\\n'
    """
    named = _PICTURE.sub(r"*Picture: \1 (docs/handbook/\2)*\n", page)
    return _LINK.sub(r"\1", named)


def names() -> list[str]:
    """Return the names of all pages, as their texts are called."""
    return sorted(path.stem for path in TEXTS.glob("*.md"))
