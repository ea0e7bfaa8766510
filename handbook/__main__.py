"""Make the handbook: run each page's study in full, and write its figures, numbers and text.

`python -m handbook` for all pages, `python -m handbook momentum …` for some, `--texts` to write
the pages anew from the numbers that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from handbook.render import (
    PACKAGED,
    PICTURES,
    RESULTS,
    SITE,
    for_site,
    for_terminal,
    names,
    numbers_of,
    page_of,
)
from handbook.study import Found, Study, all_studies
from surefoot.figures.draw import draw
from surefoot.figures.svg import to_svg
from surefoot.report.charts import Chart

_WIDTH, _HEIGHT = 760, 380


def main() -> int:
    """Make the pages that are named, or all; return 1 where a claim does not hold."""
    studies = all_studies()
    parser = argparse.ArgumentParser(prog="python -m handbook", description=__doc__)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="which; default: all")
    parser.add_argument("--texts", action="store_true", help="run no study")
    given = parser.parse_args()
    unknown = [name for name in given.pages if name not in studies]
    if unknown:
        parser.error(f"no page is called {unknown[0]!r} (there are: {', '.join(studies)})")
    broken: list[str] = []
    started = time.perf_counter()
    for name in [] if given.texts else given.pages or studies:
        broken += _study(studies[name])
    for name in given.pages or names():
        write_page(name)
    if not given.texts:
        print(f"all in {time.perf_counter() - started:.0f} s")
    for line in broken:
        print(f"does not hold: {line}", file=sys.stderr)
    return 1 if broken else 0


def _study(study: Study) -> list[str]:
    """Run a study in full, and keep what it found; return the claims that it does not bear out."""
    started = time.perf_counter()
    found = study.run(full=True)
    keep(study.name, found)
    print(f"{study.name}: {time.perf_counter() - started:.0f} s", flush=True)
    return [
        f"{study.name}: {name}" for name, holds in study.claims.items() if not holds(found.numbers)
    ]


def keep(name: str, found: Found) -> None:
    """Write a study's numbers and pictures."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(dict(found.numbers), indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for end, chart in found.charts.items():
        path = SITE / PICTURES / (f"{name}-{end}.svg" if end else f"{name}.svg")
        path.parent.mkdir(parents=True, exist_ok=True)
        _draw(chart, path)


def _draw(chart: Chart, path: Path) -> None:
    path.write_text(to_svg(draw(chart, _WIDTH, _HEIGHT)), encoding="utf-8")


def write_page(name: str) -> None:
    """Write a page for the site and for the terminal, from the numbers that were kept."""
    page = page_of(name, numbers_of(name))
    for folder, text in ((SITE, for_site(name, page)), (PACKAGED, for_terminal(page))):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
