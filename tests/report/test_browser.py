"""Pages as people see them: in Chromium, light and dark, narrow and wide, by mouse and keyboard."""

from __future__ import annotations

import pytest

import surefoot as sf
from surefoot.report.write import write_report

# A canvas is blank when all of its pixels are alike.
DRAWN = """() => [...document.querySelectorAll("figure[data-chart]")].map((figure) => {
  const shown = figure.querySelector("canvas");
  if (!shown) return [figure.dataset.chart, 0];
  const copy = document.createElement("canvas");
  Object.assign(copy, { width: shown.width, height: shown.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer);
  return [figure.dataset.chart, new Set(pixels).size];
})"""
LOOKS = [
    ("sick", 380, "light"),
    ("sick", 1600, "dark"),
    ("study", 380, "dark"),
    ("repair", 380, "light"),
    ("repair", 1600, "light"),
    ("table", 380, "light"),
]


class Opened:
    """A page in the browser, with what it complained of."""

    def __init__(self, browser, path, width=1200, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.resolve().as_uri())
        self.page.wait_for_selector("html[data-drawn]", state="attached", timeout=60_000)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()

    def zoom_of(self, chart: str):
        """Return the steps that a chart shows."""
        return self.page.evaluate(
            """(name) => {
              const own = [...SurefootCharts.drawn].find((handle) => handle.chart.name === name);
              return own.instance.getModel().getComponent("xAxis", 0).axis.scale.getExtent();
            }""",
            chart,
        )


@pytest.fixture(scope="session")
def pages(digits, numbers, table, study, repair, made, home):
    """One page of each kind, by its name."""
    sick = made(home / "sick", steps=400, layers=20)
    for kind in ("slice", "surface"):
        sf.measure_surface(numbers, kind=kind, points=7)
    folders = {"healthy": digits, "numbers": numbers, "table": table, "sick": sick}
    folders |= {"study": study, "repair": repair}
    return {name: write_report(path) for name, path in folders.items()}


@pytest.mark.parametrize("name", ["healthy", "numbers", "table", "sick", "study", "repair"])
def test_a_page_draws_every_chart_and_complains_of_nothing(browser, pages, name):
    with Opened(browser, pages[name]) as opened:
        assert opened.said == []
        assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
        drawn = opened.page.evaluate(DRAWN)
        assert len(drawn) >= 3
        assert [chart for chart, colours in drawn if colours < 5] == []


@pytest.mark.parametrize(("name", "width", "scheme"), LOOKS)
def test_nothing_sticks_out_at_any_width(browser, pages, name, width, scheme):
    with Opened(browser, pages[name], width, scheme) as opened:
        wide = opened.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        ground = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(int(part) for part in ground[4:-1].split(",")) > 3 * 128
        assert light == (scheme == "light")


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("sick", "light"), ("sick", "dark"), ("repair", "dark"), ("study", "light")],
)
def test_axe_finds_nothing(browser, pages, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # The page's own policy lets no other script in, so it is put aside for this one.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(pages[name].resolve().as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached", timeout=60_000)
    response = axe.Axe().run(page).response
    assert "color-contrast" in {own["id"] for own in response["passes"]}
    found = response["violations"]
    told = [(own["id"], [node["html"][:160] for node in own["nodes"][:3]]) for own in found]
    context.close()
    assert told == []


def _drag(page, chart, begin, end):
    plot = page.locator(f'figure[data-chart="{chart}"] .plot')
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (begin + end) / 2 * box["width"], y, steps=3)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()


def test_charts_over_steps_zoom_together(browser, pages):
    with Opened(browser, pages["sick"]) as opened:
        page = opened.page
        assert opened.zoom_of("loss") == [0, 400]
        _drag(page, "loss", 0.4, 0.7)
        low, high = opened.zoom_of("loss")
        assert 100 < low < high < 320
        for other in ("accuracy", "norms", "rate", "layers", "finding-1-loss"):
            assert opened.zoom_of(other) == pytest.approx([low, high], abs=1)
        page.locator('figure[data-chart="norms"]').get_by_text("show all steps").click()
        assert opened.zoom_of("layers") == [0, 400]
        assert opened.said == []


def test_a_tooltip_tells_the_values_and_escapes_them(browser, pages):
    with Opened(browser, pages["table"]) as opened:
        page = opened.page
        plot = page.locator('figure[data-chart="confusion"] .plot')
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.25 * box["height"])
        tip = plot.locator(".tip")
        tip.wait_for()
        assert "<script>alert(1)<!--" in tip.inner_text()
        plot = page.locator('figure[data-chart="loss"] .plot')
        plot.scroll_into_view_if_needed()
        plot.hover()
        plot.locator(".tip").wait_for()
        assert "validation" in plot.locator(".tip").inner_text()
        assert opened.said == []


def test_the_keyboard_reaches_everything(browser, pages):
    with Opened(browser, pages["sick"]) as opened:
        page = opened.page
        wanted = page.evaluate(
            """() => [...document.querySelectorAll("button, select, a, summary, [tabindex='0']")]
              .filter((own) => own.checkVisibility()).length"""
        )
        seen = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            seen.add(
                page.evaluate(
                    """() => {
                      window.order ??= new Map();
                      const own = document.activeElement;
                      if (!order.has(own)) order.set(own, order.size);
                      return order.get(own);
                    }"""
                )
            )
        assert len(seen) >= wanted
        plot = page.locator('figure[data-chart="loss"] .plot')
        plot.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        spoken = page.locator('figure[data-chart="loss"] [aria-live]').inner_text()
        assert spoken.startswith("step 4; each batch")
        page.keyboard.press("+")
        assert opened.zoom_of("norms") == pytest.approx([100, 300])
        page.keyboard.press("0")
        assert opened.zoom_of("norms") == [0, 400]


def test_buttons_do_what_they_say(browser, pages):
    with Opened(browser, pages["sick"]) as opened:
        page = opened.page
        figure = page.locator('figure[data-chart="loss"]')
        before = page.evaluate(DRAWN)[0][1]
        key = figure.get_by_role("button", name="each batch")
        key.click()
        assert key.get_attribute("aria-pressed") == "false"
        assert page.evaluate(DRAWN)[0][1] != before
        log = figure.get_by_role("button", name="log scale")
        log.click()
        assert log.get_attribute("aria-pressed") == "true"
        select = page.get_by_label("what to show")
        about = page.locator('figure[data-chart="layers"] .about').inner_text()
        select.select_option(label="size of weights")
        assert page.locator('figure[data-chart="layers"] .about').inner_text() != about
        for kind, begin in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"series,step")):
            figure.locator("summary").click()
            with page.expect_download() as download:
                figure.get_by_text(kind).click()
            figure.locator("summary").click()
            assert download.value.path().read_bytes().startswith(begin)
        page.get_by_role("button", name="copy").first.click()
        page.get_by_text("copied").wait_for()
        assert opened.said == []


def test_a_class_named_like_a_script_is_shown_as_its_name(browser, pages):
    with Opened(browser, pages["table"]) as opened:
        assert "<script>alert(1)<!--" in opened.page.locator("#predictions").inner_text()
        assert "<b>width</b>" in opened.page.locator("#data-facts").inner_text()
        assert opened.page.evaluate("document.scripts.length") == 2
        assert opened.page.evaluate("document.querySelectorAll('#data-facts td b').length") == 0


def test_the_largest_run_is_drawn(browser, made, tmp_path, record_property):
    path = write_report(made(tmp_path / "run", steps=10_000, layers=20))
    with Opened(browser, path) as opened:
        took = int(opened.page.evaluate("document.documentElement.dataset.drawn"))
        record_property("milliseconds until all is drawn", took)
        assert opened.said == []
        assert all(colours >= 5 for _, colours in opened.page.evaluate(DRAWN))


def test_a_chart_can_be_drawn_anew_and_taken_away(browser, pages):
    with Opened(browser, pages["sick"]) as opened:
        left = opened.page.evaluate(
            """() => {
              const named = (name) =>
                [...SurefootCharts.drawn].find((own) => own.chart.name === name);
              const [loss, norms] = [named("loss"), named("norms")];
              loss.zoom(10, 20);
              loss.update({ ...loss.chart, x: { ...loss.chart.x, high: 900 } });
              norms.dispose();
              loss.zoom(30, 50);
              return [named("norms") === undefined, loss.host.querySelectorAll("canvas").length];
            }"""
        )
        assert left == [True, 1]
        assert opened.zoom_of("loss") == [30, 50]
        assert opened.zoom_of("layers") == [30, 50]
        assert opened.said == []
