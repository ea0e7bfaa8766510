// Draws charts that Python has described: see surefoot/report/charts.py for what a chart holds.
// SurefootCharts.draw(element, chart) returns {update(chart), zoom(low, high), dispose(), instance}.
// Every text goes into the page as text, never as HTML.
const SurefootCharts = (() => {
  "use strict";
  const groups = new Map(); // of charts that zoom together
  const drawn = new Set();
  const { OPTIONS, css, colour, dot, heatLegend, node, number, plotTip } = ChartOptions;

  // Saving.

  function save(name, url) {
    const link = node("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }

  function picture(handle, type) {
    const { chart, state, instance } = handle;
    const size = { width: instance.getWidth(), height: instance.getHeight() };
    const [host, renderer] = [document.createElement("div"), type === "svg" ? "svg" : "canvas"];
    const copy = echarts.init(host, null, { renderer, ...size, devicePixelRatio: 2 });
    copy.setOption({ ...OPTIONS[chart.kind](chart, state), backgroundColor: css("--surface") });
    const url = copy.getDataURL({ type, pixelRatio: 2 });
    copy.dispose();
    save(`${chart.name}.${type}`, url);
  }

  function table(chart, state) {
    const quote = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replace(/"/g, '""')}"` : String(value));
    let rows = [];
    if (chart.kind === "plot") {
      rows.push(["series", chart.x.label, chart.y.label, "low", "high"]);
      for (const line of chart.series) line.x.forEach((x, i) => rows.push([line.name, x, line.y[i], line.low?.[i], line.high?.[i]]));
    } else if (chart.kind === "heatmap") {
      const choice = chart.choices[state.choice];
      rows.push(["layer", "from step", "before step", choice.name]);
      choice.values.forEach((row, r) => row.forEach((value, c) => rows.push([choice.rows[r], choice.edges[c], choice.edges[c + 1], value])));
    } else if (chart.kind === "matrix") {
      rows.push([`${chart.y.label} \\ ${chart.x.label}`, ...chart.x.categories]);
      chart.cells.forEach((row, r) => rows.push([chart.y.categories[r], ...row]));
    } else rows = [chart.axes.map((axis) => axis.label), ...chart.lines.map((line) => line.values)];
    return rows.map((row) => row.map(quote).join(",")).join("\n");
  }

  // Zoom, for all charts of a group at once.

  function zoom(handle, low, high) {
    const group = handle.chart.group ? groups.get(handle.chart.group) : new Set([handle]);
    for (const other of group) {
      other.state.zoom = low === null ? null : [low, high];
      const { x } = other.chart;
      const whole = low === null ? { start: 0, end: 100 } : { startValue: low, endValue: high };
      if (x && other.chart.kind !== "matrix") other.instance.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, ...whole });
      other.reset.hidden = low === null;
    }
  }

  function extent(handle) {
    const axis = handle.instance.getModel().getComponent("xAxis", 0);
    return axis.axis.scale.getExtent().map((value) => value);
  }

  function enableZoom(handle) {
    const { host, instance } = handle;
    let from = null;
    const box = node("div", { class: "selection", hidden: "" });
    host.append(box);
    const inside = (event) => {
      const at = event.clientX - host.getBoundingClientRect().left;
      return instance.containPixel({ gridIndex: 0 }, [at, host.clientHeight / 2]) ? at : null;
    };
    host.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) from = inside(event);
    });
    host.addEventListener("pointermove", (event) => {
      const at = from === null ? null : inside(event);
      if (at === null) return;
      box.hidden = Math.abs(at - from) < 5;
      box.style.left = `${Math.min(at, from)}px`;
      box.style.width = `${Math.abs(at - from)}px`;
    });
    addEventListener("pointerup", (event) => {
      if (from === null) return;
      const to = event.clientX - host.getBoundingClientRect().left;
      if (Math.abs(to - from) >= 5) {
        const ends = [from, to].map((at) => instance.convertFromPixel({ xAxisIndex: 0 }, at)).sort((a, b) => a - b);
        const [low, high] = extent(handle);
        zoom(handle, Math.max(ends[0], low), Math.min(ends[1], high));
      }
      from = null;
      box.hidden = true;
    }, { signal: handle.ended.signal });
    host.addEventListener("dblclick", () => zoom(handle, null, null));
  }

  // The keyboard: arrows move along the curve, + and − zoom, 0 shows all.

  function enableKeys(handle) {
    let at = -1;
    handle.host.addEventListener("keydown", (event) => {
      const { chart, instance, state } = handle;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const zooms = chart.kind === "heatmap" || (chart.kind === "plot" && chart.x.scale === "linear");
      if (zooms && ["+", "=", "-", "0"].includes(event.key)) {
        if (event.key === "0") zoom(handle, null, null);
        else {
          const [low, high] = state.zoom || extent(handle);
          const middle = (low + high) / 2;
          const half = ((high - low) / 2) * (event.key === "-" ? 2 : 0.5);
          zoom(handle, middle - half, middle + half);
        }
        event.preventDefault();
      }
      if (event.key === "Escape") { instance.dispatchAction({ type: "hideTip" }); handle.spoken.textContent = ""; at = -1; }
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const shown = chart.kind === "plot" ? chart.series.filter((line) => !state.hidden.has(line.name)) : [];
      const longest = shown.filter((line) => line.mark !== "interval").sort((a, b) => b.x.length - a.x.length)[0];
      const option = instance.getOption().series;
      const index = longest ? shown.indexOf(longest) + 1 : 0;
      const count = longest ? longest.x.length : chart.kind === "parallel" ? 1 : option[index].data.length;
      const step = Math.max(1, Math.round(count / 100)) * (event.key === "ArrowLeft" ? -1 : 1);
      at = at < 0 ? (step > 0 ? 0 : count - 1) : Math.min(Math.max(at + step, 0), count - 1);
      instance.dispatchAction({ type: "showTip", seriesIndex: index, dataIndex: at });
      const box = handle.host.querySelector(".tip");
      if (longest && chart.x.scale !== "category") {
        const [title, rows] = plotTip(chart, state, longest.x[at]);
        handle.spoken.textContent = [title, ...rows.map(([, name, value]) => `${name} ${value}`)].join("; ");
      } else if (box) handle.spoken.textContent = box.innerText.replace(/\n/g, "; ");
    });
  }

  // One chart.

  function legend(handle) {
    const { chart, state } = handle;
    if (chart.kind !== "plot" || (chart.series.length < 2 && !chart.named)) return [];
    const names = [...new Map(chart.series.map((line) => [line.name, line])).values()];
    return names.map((line) => {
      const own = node("button", { type: "button", class: "key", "aria-pressed": String(!state.hidden.has(line.name)), title: "show or hide" }, dot(colour(line.role)), line.name);
      if (line.faint) own.classList.add("faint");
      own.addEventListener("click", () => {
        if (!state.hidden.delete(line.name)) state.hidden.add(line.name);
        own.setAttribute("aria-pressed", String(!state.hidden.has(line.name)));
        paint(handle);
      });
      return own;
    });
  }

  function tools(handle) {
    const { chart, state } = handle;
    const made = [];
    if (chart.y?.toggle) {
      const log = node("button", { type: "button", class: "tool", "aria-pressed": String(state.log) }, "log scale");
      log.addEventListener("click", () => {
        state.log = !state.log;
        log.setAttribute("aria-pressed", String(state.log));
        paint(handle);
      });
      made.push(log);
    }
    handle.reset = node("button", { type: "button", class: "tool", hidden: "", onclick: () => zoom(handle, null, null) }, "show all steps");
    made.push(handle.reset);
    const as = (type, label, act) => node("button", { type: "button", class: "tool", "aria-label": `${label} of ${chart.title}`, onclick: act }, type);
    const menu = node("details", { class: "save" },
      node("summary", { "aria-label": `save ${chart.title}` }, "save"),
      node("div", {},
        as("PNG", "a picture", () => picture(handle, "png")),
        as("SVG", "a drawing", () => picture(handle, "svg")),
        as("CSV", "the numbers", () => save(`${chart.name}.csv`, URL.createObjectURL(new Blob([table(handle.chart, state)], { type: "text/csv" }))))));
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
    made.push(menu);
    return made;
  }

  function choose(handle) {
    const { chart, state } = handle;
    if (chart.kind !== "heatmap") return [];
    const select = node("select", { "aria-label": "what to show" }, ...chart.choices.map((choice, i) => node("option", { value: i }, choice.label)));
    select.value = state.choice;
    select.addEventListener("change", () => {
      state.choice = Number(select.value);
      paint(handle);
    });
    return [select];
  }

  function paint(handle) {
    const { chart, state, instance } = handle;
    if (chart.kind === "heatmap") {
      const choice = chart.choices[state.choice];
      handle.host.style.height = `${Math.min(Math.max(choice.rows.length * 22, 60), 560) + 54}px`;
      handle.below.replaceChildren(heatLegend(choice), node("p", { class: "about" }, choice.about || ""));
      instance.resize();
    }
    state.width = instance.getWidth();
    instance.setOption(OPTIONS[chart.kind](chart, state), { notMerge: true });
  }

  function draw(element, chart) {
    const state = { hidden: new Set(), log: Boolean(chart.y?.toggle && chart.y.scale === "log"), zoom: null, choice: chart.choice || 0 };
    const keys = chart.kind === "plot" ? "Arrow keys read values, plus and minus zoom, 0 shows all." : "Arrow keys read values.";
    const host = node("div", { class: `plot ${chart.kind} ${chart.size || ""}`, tabindex: "0", role: "group", "aria-roledescription": "chart", "aria-label": `${chart.title}. ${chart.about || ""} ${keys}` });
    const spoken = node("div", { class: "unseen", "aria-live": "polite" });
    const handle = { chart, state, host, spoken, below: node("div", { class: "below" }), ended: new AbortController() };
    if (chart.y?.toggle) chart.y = { ...chart.y, scale: "linear" };
    const head = node("div", { class: "chart-head" }, node("h3", {}, chart.title), ...choose(handle), node("div", { class: "keys" }, ...legend(handle)), node("div", { class: "tools" }, ...tools(handle)));
    const about = chart.about ? [node("p", { class: "about" }, chart.about)] : [];
    element.replaceChildren(head, host, spoken, handle.below, ...about);
    handle.instance = echarts.init(host, null, { renderer: "canvas" });
    if (chart.group) groups.set(chart.group, (groups.get(chart.group) || new Set()).add(handle));
    paint(handle);
    if (chart.kind === "heatmap" || (chart.kind === "plot" && chart.x.scale !== "category")) enableZoom(handle);
    enableKeys(handle);
    const resized = new ResizeObserver(() => {
      handle.instance.resize();
      if (Math.abs(handle.instance.getWidth() - state.width) > 20) paint(handle);
    });
    resized.observe(host);
    drawn.add(handle);
    handle.zoom = (low, high) => zoom(handle, low, high);
    handle.dispose = () => {
      resized.disconnect();
      handle.ended.abort();
      drawn.delete(handle);
      groups.get(handle.chart.group)?.delete(handle);
      handle.instance.dispose();
    };
    handle.update = (next) => {
      handle.chart = { ...next, y: next.y?.toggle ? { ...next.y, scale: "linear" } : next.y };
      paint(handle);
    };
    return handle;
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(paint));

  return { draw, drawn, number, node };
})();
