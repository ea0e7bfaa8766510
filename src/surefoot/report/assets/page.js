// Draws the page's charts, one after the other so that the first are there at once, and makes its
// buttons work.
(() => {
  "use strict";
  const charts = new Map(JSON.parse(document.getElementById("data").textContent).charts.map((chart) => [chart.name, chart]));
  const figures = [...document.querySelectorAll("figure[data-chart]")];

  function next() {
    const began = performance.now();
    while (figures.length && performance.now() - began < 30) {
      const figure = figures.shift();
      SurefootCharts.draw(figure, charts.get(figure.dataset.chart));
    }
    if (figures.length) setTimeout(next);
    else document.documentElement.dataset.drawn = String(Math.round(performance.now()));
  }
  next();

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const done = await copy(document.getElementById(button.dataset.copy).textContent);
      button.textContent = done ? "copied" : "press Ctrl+C";
      button.focus();
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
})();
