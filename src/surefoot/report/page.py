"""From what a page says to one HTML file that needs nothing else, and can reach nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from surefoot.files import finite

# What could end the element that holds the data, or a line of a script.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
# In the order in which they build on each other.
SCRIPTS = ("echarts.min.js", "chart-options.js", "charts.js", "page.js")


def render(page: Mapping[str, Any]) -> str:
    """Return a page as HTML.

    Its scripts are known by their checksum, and a policy in its head forbids all others, and any
    connection: a text of the data that looked like a script would not run.

    Args:
        page: from `run_page`, `repair_page` or `study_page`: `kind` names the template, `charts`
            the charts of each section.
    """
    charts = [chart for own in page["charts"].values() for chart in own]
    names = {part: [chart["name"] for chart in own] for part, own in page["charts"].items()}
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = (
        "default-src 'none'",
        f"script-src 'sha256-{digest}'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    given = {
        **page,
        "charts": names,
        "data": Markup(encode({"charts": charts})),
        "script": Markup(script),
        "style": Markup(asset("report.css")),
        "policy": "; ".join(rules),
    }
    return _environment().get_template(f"{page['kind']}.html").render(given)


def encode(value: Any) -> str:
    """Return JSON that may stand in a page: nothing in it can end its element.

    >>> encode({"class": "</script>"})
    '{"class":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(finite(value), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_UNSAFE)


@cache
def asset(name: str) -> str:
    """Return the text of a file that pages carry."""
    return files("surefoot.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    return "\n".join(asset(name) for name in SCRIPTS)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("surefoot.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
