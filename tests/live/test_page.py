"""The live page in a browser, with a real training beside it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import make_run, wait_until

ENDLESS = ("iris", "--net", "mlp:8", "--epochs", "10000000", "--out", "run", "--quiet")
# How many points the curves have by now, and how many pixels of each chart are drawn.
POINTS = "[...SurefootCharts.drawn].flatMap(h => h.chart.series || []).map(s => s.x.length)"
DRAWN = """[...document.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
  return drawn;
})"""
LAST = "[...SurefootCharts.drawn].find(h => h.chart.name === 'loss').chart.x.high"


@pytest.fixture
def page(browser):
    """A page whose console must stay silent."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    opened, said = context.new_page(), []
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    opened.said = said
    yield opened
    context.close()


def test_a_training_is_watched_steered_and_stopped_over_a_restart(page, serve, tmp_path):
    server = serve(tmp_path)
    page.goto(server.url)
    page.get_by_text("There is no run in this folder yet").wait_for()
    # It writes sooner than every two seconds, so that less is waited for.
    code = (
        "from surefoot import keeper; keeper._FLUSH_SECONDS = 0.5; "
        "from surefoot.cli.app import main; main()"
    )
    training = subprocess.Popen(
        [sys.executable, "-c", code, "train", *ENDLESS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page.get_by_role("link", name="run", exact=True).click(timeout=120_000)
        page.get_by_text("training", exact=True).first.wait_for()
        wait_until(lambda: page.evaluate("SurefootCharts.drawn.size") > 3, "charts")
        wait_until(lambda: min(page.evaluate(DRAWN)) > 500, "drawn pixels in every chart")
        wait_until(lambda: max(page.evaluate(POINTS)) > 10, "curves")
        before = page.evaluate(LAST)
        wait_until(lambda: page.evaluate(LAST) > before, "further steps")

        page.get_by_role("spinbutton").fill("0.5")
        page.get_by_role("button", name="change", exact=True).click()
        page.get_by_text("learning rate ×1 → ×0.5, by the live page").wait_for(timeout=60_000)

        assert page.said == []
        server.stop()
        page.get_by_text("the server does not answer").wait_for()
        before = page.evaluate(LAST)
        again = serve(tmp_path, server.port)
        page.get_by_text("live", exact=True).wait_for()
        wait_until(lambda: page.evaluate(LAST) > before, "further steps after the restart")
        assert again.live.hub.pages
        page.said.clear()  # a browser says that it could not reach the server

        page.get_by_role("button", name="stop training").click()
        page.get_by_role("button", name="really stop?").click()
        _, err = training.communicate(timeout=120)
        assert training.returncode == 0, err
        page.get_by_text("interrupted", exact=True).first.wait_for()
        page.get_by_text("stopped, by the live page").wait_for()
        assert page.get_by_role("button", name="stop training").is_hidden()
        assert page.said == []
    finally:
        training.kill()
        training.communicate()


def _problems(page):
    """Return what axe-core finds that keeps people out."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [f"{own['id']}: {own['nodes'][0]['html']}" for own in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_sound_at_both_widths_and_in_both_schemes(browser, serve, root, scheme):
    server = serve(root)
    context = browser.new_context(color_scheme=scheme)
    page, said = context.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    views = {"": "Runs", "?run=deep/b": "deep/b", "?compare=a&compare=c": "2 runs compared"}
    for query, heading in views.items():
        page.set_viewport_size({"width": 380, "height": 800})
        page.goto(server.url + query)
        page.get_by_role("heading", name=heading, level=1).wait_for()
        page.locator("canvas, tbody tr").first.wait_for()
        for width in (380, 1600):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (query, width)
        assert _problems(page) == [], query
    assert said == []
    context.close()


def test_names_are_text_and_a_run_that_is_gone_is_said(page, serve, root):
    make_run(root / "<img src=x onerror=alert(1)>")
    server = serve(root)
    page.goto(server.url)
    link = page.get_by_role("link", name="<img src=x onerror=alert(1)>")
    link.wait_for()
    assert page.locator("main img").count() == 0
    link.click()
    page.get_by_role("heading", name="<img src=x onerror=alert(1)>").wait_for()
    page.get_by_text("dead units").first.wait_for()
    assert page.locator("main b b").count() == 0
    assert "<b>not bold</b>" in page.locator(".told p").first.inner_text()
    page.goto(server.url + "?run=nope")
    page.get_by_text("There is no such run in this folder").wait_for()
    assert page.said == []


def test_the_keyboard_alone_finds_a_run_compares_and_opens_it(page, serve, root):
    page.goto(serve(root).url)
    page.get_by_role("link", name="deep/b").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_label("find").focus()
    page.keyboard.type("deep")
    wait_until(lambda: page.locator("tbody tr:visible").count() == 1, "the filter")
    page.get_by_label("compare deep/b").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="compare 1").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="1 run compared").wait_for()
    page.locator("canvas").first.wait_for()
    assert page.said == []
