"""Make `page-*.png`: pages of a healthy run, a sick one, a repair and a study, as they are.

Needs Chromium, and Playwright's Python package, which the tests need too.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import surefoot as sf
from surefoot.report.write import write_report

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1200, 1500
# A page of documentation stays small.
MOST_BYTES = 250_000
LAYERS = [{"dense": 64}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]


def main() -> None:
    """Train, repair and study digits, and take a picture of each page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("pages.py: Chromium is not installed: apt-get install chromium")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.chdir(folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for name, path, scheme in _folders():
                _picture(browser, name, write_report(path), scheme)
        finally:
            browser.close()
            os.chdir(before)


def _folders() -> list[tuple[str, Path, str]]:
    """Return what to show: a name, a folder, and light or dark."""
    healthy = sf.train("digits", out="digits")
    deep = [{"dense": 32}, {"activation": "sigmoid"}]
    deep += [{"repeat": 18, "layers": deep[:]}, *LAYERS[2:]]
    sick = sf.train(
        "digits", net=deep, optimizer="sgd", learning_rate=0.1, epochs=20, out="deep-sigmoid"
    )
    steep = sf.train("digits", optimizer="sgd", learning_rate=100.0, epochs=10, out="rate-100")
    repaired = sf.repair(steep, budget_seconds=40, out="repair")
    if repaired.folder is None:
        sys.exit(f"pages.py: there is no repair to show: {repaired.sentence}")
    recipe = sf.Recipe.parse(
        {
            "data": {"source": "digits"},
            "net": {"layers": LAYERS},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "train": {"epochs": 4},
        }
    )
    vary = {"learning_rate": sf.logspace(-3, 1, 12), "optimizer": ["sgd", "adam"]}
    studied = sf.study(recipe, vary=vary, seeds=5, out="rates")
    return [
        ("healthy", healthy.path, "dark"),
        ("sick", sick.path, "light"),
        ("repair", repaired.folder, "light"),
        ("study", studied.path, "light"),
    ]


def _picture(browser: Browser, name: str, page: Path, scheme: str) -> None:
    """Write the upper part of a page."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    shown = context.new_page()
    shown.goto(page.resolve().as_uri())
    shown.wait_for_selector("html[data-drawn]", state="attached", timeout=60_000)
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    context.close()
    target = HERE / f"page-{name}.png"
    picture.save(target, optimize=True)
    size = target.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"pages.py: {target} has {size:,} bytes, and {MOST_BYTES:,} are the most")
    print(f"wrote {target}: {size:,} bytes")


if __name__ == "__main__":
    main()
