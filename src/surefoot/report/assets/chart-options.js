// What each kind of chart looks like: from the description to what Apache ECharts draws.
// Every text goes into the page as text, never as HTML.
const ChartOptions = (() => {
  "use strict";
  const PALETTE = 8;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (role) =>
    typeof role === "number" ? css(`--series-${role % PALETTE}`) : css(`--${role}`) || css("--plain");

  function node(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // A number as people write it: four digits, thousands set apart, powers of ten beyond.
  function number(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
      const [digits, power] = value.toExponential(2).split("e");
      return `${parseFloat(digits)}e${parseInt(power, 10)}`;
    }
    return size >= 1e4 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(4));
  }

  // Axes.

  function axisOption(axis, extra = {}) {
    const ink = css("--ink-soft");
    const named = !extra.title || !extra.title.toLowerCase().startsWith(axis.label.toLowerCase());
    const scale = axis.scale === "log" ? "log" : axis.scale === "category" ? "category" : "value";
    return {
      type: scale,
      name: named ? axis.label : "",
      nameLocation: "middle",
      nameTextStyle: { color: ink, fontSize: 12 },
      min: axis.low ?? undefined,
      max: axis.high ?? undefined,
      data: axis.categories,
      scale: true,
      minInterval: axis.whole ? 1 : undefined,
      axisLine: { show: extra.line ?? true, lineStyle: { color: css("--rule") } },
      axisTick: { show: false },
      axisLabel: {
        color: ink, fontSize: 11, hideOverlap: true,
        formatter: scale === "category" ? undefined : number,
      },
      splitLine: { show: extra.grid ?? false, lineStyle: { color: css("--grid") } },
      ...extra.more,
    };
  }

  // Plots.

  const points = (line, log) =>
    line.x.map((x, i) => [x, line.y[i] === null || (log && line.y[i] <= 0) ? "-" : line.y[i]]);

  function intervalOption(line, base, categorical) {
    const { x, low, high } = line;
    return {
      ...base,
      type: "custom",
      silent: true,
      clip: true,
      encode: { x: 0, y: [1, 2] },
      data: x.map((value, i) => [value, low[i], high[i]]),
      renderItem(params, api) {
        if (categorical) {
          const [a, b] = [api.coord([api.value(0), api.value(1)]), api.coord([api.value(0), api.value(2)])];
          const stroke = { stroke: base.itemStyle.color, lineWidth: 2, fill: null };
          const cap = (at) => ({ type: "line", shape: { x1: at[0] - 4, y1: at[1], x2: at[0] + 4, y2: at[1] }, style: stroke });
          return { type: "group", children: [cap(a), cap(b), { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: stroke }] };
        }
        if (params.dataIndexInside > 0) return undefined;
        const there = x.map((_, i) => i).filter((i) => low[i] !== null && high[i] !== null);
        const up = there.map((i) => api.coord([x[i], high[i]]));
        const down = there.map((i) => api.coord([x[i], low[i]])).reverse();
        return { type: "polygon", shape: { points: [...up, ...down] }, style: { fill: base.itemStyle.color, opacity: 0.16 } };
      },
    };
  }

  function seriesOption(line, chart, state) {
    const tint = colour(line.role);
    const base = { name: line.name, itemStyle: { color: tint }, z: line.faint ? 2 : 3, animation: false };
    const log = state.log || chart.y.scale === "log";
    if (line.mark === "interval") return intervalOption(line, base, chart.x.scale === "category");
    if (line.mark === "bars")
      return { ...base, type: "bar", data: points(line, log), barMaxWidth: 36, barCategoryGap: line.x.length > 12 ? "8%" : "35%" };
    if (line.mark === "points")
      return { ...base, type: "scatter", data: points(line, log), symbolSize: line.x.length > 400 ? 4 : 7, itemStyle: { color: tint, opacity: line.x.length > 400 ? 0.45 : 0.85 } };
    const few = line.x.length <= 40 && line.mark === "line" && !line.faint;
    return {
      ...base,
      type: "line",
      data: points(line, log),
      showSymbol: few,
      symbol: "circle",
      symbolSize: 5,
      lineStyle: { color: tint, width: line.faint ? 1 : 2, opacity: line.faint ? 0.35 : 1, type: line.dashed ? "dashed" : "solid" },
      itemStyle: { color: tint, opacity: line.faint ? 0.35 : 1 },
      emphasis: { disabled: true },
    };
  }

  // What stands behind the curves: where findings began, and ranges that are healthy.
  function backdrop(chart) {
    const lines = (chart.marks || []).map((mark) => ({
      xAxis: mark.x,
      lineStyle: { color: css(`--${mark.severity || "plain"}`), type: [4, 4], width: 1.5 },
      label: {
        formatter: String(mark.label).replace(/[{}]/g, ""), color: css("--surface"), backgroundColor: css(`--${mark.severity || "plain"}`),
        padding: [1, 6], borderRadius: 8, fontSize: 11, lineHeight: 15, fontWeight: 600, distance: 6,
      },
    }));
    const level = (chart.levels || []).map((own) => ({
      yAxis: own.y,
      lineStyle: { color: css("--ink-soft"), type: [2, 4], width: 1 },
      label: { formatter: String(own.label).replace(/[{}]/g, ""), position: "insideEndTop", color: css("--ink-soft"), fontSize: 10 },
    }));
    const areas = (chart.bands || []).map((band) => [
      { yAxis: band.low ?? "min", itemStyle: { color: css("--band") }, label: { show: false } },
      { yAxis: band.high ?? "max" },
    ]);
    return {
      type: "line", name: "", silent: true, animation: false, z: 1, symbol: "none",
      data: (chart.diagonal || []).map((at) => [at, at]),
      lineStyle: { color: css("--ink-soft"), type: [4, 4], width: 1 },
      markLine: { symbol: "none", silent: true, animation: false, data: [...lines, ...level] },
      markArea: { silent: true, animation: false, data: areas },
    };
  }

  function tip(title, rows) {
    const lines = rows.map(([tint, name, value]) =>
      node("div", { class: "tip-row" }, dot(tint), node("span", { class: "tip-name" }, name), node("b", {}, value)));
    return node("div", { class: "tip" }, node("div", { class: "tip-title" }, title), ...lines);
  }

  function dot(tint) {
    const made = node("span", { class: "dot" });
    if (tint) made.style.background = tint;
    return made;
  }

  const tooltip = (more) => ({
    className: "tip-box", confine: true, transitionDuration: 0, padding: 0, borderWidth: 0,
    backgroundColor: "transparent", extraCssText: "box-shadow:none;z-index:5", ...more,
  });

  function nearest(xs, at, log) {
    let best = 0;
    const distance = (x) => Math.abs(log ? Math.log(x) - Math.log(at) : x - at);
    xs.forEach((x, i) => { if (x !== null && distance(x) < distance(xs[best])) best = i; });
    return best;
  }

  function plotTip(chart, state, at) {
    const categorical = chart.x.scale === "category";
    const title = categorical ? chart.x.categories[at] : `${chart.x.label} ${number(at)}`;
    const rows = [];
    for (const line of chart.series) {
      if (state.hidden.has(line.name) || line.mark === "path" || !line.x.length) continue;
      const i = categorical ? line.x.findIndex((x) => x === at || x === title) : nearest(line.x, at, chart.x.scale === "log");
      if (i < 0) continue;
      if (line.mark === "interval") rows.push([colour(line.role), line.name, `${number(line.low[i])} to ${number(line.high[i])}`]);
      else rows.push([colour(line.role), line.notes ? `${line.name}, ${line.notes[i]}` : line.name, number(line.y[i])]);
    }
    return [title, rows];
  }

  // The axis reaches into the healthy range, so that a curve outside is seen to be outside.
  function bandEnds(chart, y) {
    const band = (chart.bands || [])[0];
    if (!band || y.low !== undefined || y.high !== undefined) return {};
    const log = y.scale === "log";
    const up = (v) => (log ? v * 3 : v + Math.abs(v) * 0.2 + 1e-9), down = (v) => (log ? v / 3 : v - Math.abs(v) * 0.2 - 1e-9);
    return {
      min: ({ min }) => (band.high !== null && min > down(band.high) ? down(band.high) : undefined),
      max: ({ max }) => (band.low !== null && max < up(band.low) ? up(band.low) : undefined),
    };
  }

  // Few categories show all of their names, broken into lines; many show some.
  function categoryLabels(chart, width, margins = 74) {
    const count = chart.x.categories?.length ?? 0;
    if (chart.x.scale !== "category" || count > 10 || count * 40 > width) return {};
    return { axisLabel: { color: css("--ink-soft"), fontSize: 11, lineHeight: 13, interval: 0, hideOverlap: false, width: (width - margins) / count - 6, overflow: "break" } };
  }

  function plotOption(chart, state) {
    const y = { ...chart.y, scale: state.log ? "log" : chart.y.scale };
    if (y.scale === "log" && !(y.low > 0)) delete y.low;
    const scatter = chart.series.every((line) => line.mark === "points" || line.mark === "path");
    const shown = chart.series.filter((line) => !state.hidden.has(line.name));
    return {
      animation: false,
      aria: { enabled: false },
      grid: { left: 58, right: 16, top: (chart.marks || []).length ? 30 : 12, bottom: 44, containLabel: false },
      xAxis: axisOption(chart.x, { more: { nameGap: 26, axisLine: { onZero: false, lineStyle: { color: css("--rule") } }, ...categoryLabels(chart, state.width || 600) } }),
      yAxis: axisOption(y, { grid: true, line: false, title: chart.title, more: { nameGap: 44, ...bandEnds(chart, y) } }),
      dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: chart.series.some((line) => line.mark === "interval") ? "none" : "filter", zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, startValue: state.zoom?.[0], endValue: state.zoom?.[1] }],
      tooltip: tooltip({
        trigger: scatter ? "item" : "axis",
        axisPointer: { type: "line", lineStyle: { color: css("--ink-soft"), type: "solid", width: 1 } },
        formatter(about) {
          if (!scatter) return tip(...plotTip(chart, state, about[0].axisValue));
          const own = shown[about.seriesIndex - 1];
          const [x, value] = own.mark === "path" ? about.value : [own.x[about.dataIndex], own.y[about.dataIndex]];
          return tip(own.notes ? own.notes[about.dataIndex] : own.name, [[null, chart.x.label, number(x)], [null, chart.y.label, number(value)]]);
        },
      }),
      series: [backdrop(chart), ...shown.map((line) => seriesOption(line, chart, state))],
    };
  }

  // Heat maps: layers × steps, each cell a rectangle, so that steps may be any distance apart.

  // Where a value lies between the ends of the scale, from 0 to 1; in the healthy band about ½.
  function place(value, choice) {
    const bend = choice.scale === "log" ? (v) => Math.log10(Math.max(v, choice.low)) : (v) => v;
    const [low, high] = [bend(choice.low), bend(choice.high)];
    const at = Math.min(Math.max(bend(value), low), high);
    const share = (v, a, b) => (b > a ? Math.min(Math.max((v - a) / (b - a), 0), 1) : 0.5);
    if (!choice.band) return share(at, low, high);
    const from = choice.band[0] === null ? low : bend(choice.band[0]);
    const to = choice.band[1] === null ? high : bend(choice.band[1]);
    if (at < from) return 0.38 * share(at, low, from);
    if (at > to) return 0.62 + 0.38 * share(at, to, high);
    return 0.5;
  }

  function mix(stops, t) {
    const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
    const i = Math.min(Math.floor(at), stops.length - 2);
    const [a, b] = [stops[i], stops[i + 1]];
    return `rgb(${a.map((own, k) => Math.round(own + (b[k] - own) * (at - i))).join(",")})`;
  }

  const rgb = (name) => css(name).match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16));
  const ramp = (banded) =>
    (banded ? ["--below-far", "--below", "--within", "--above", "--above-far"] : ["--seq-0", "--seq-1", "--seq-2", "--seq-3", "--seq-4"]).map(rgb);

  function heatOption(chart, state) {
    const choice = chart.choices[state.choice];
    const stops = ramp(Boolean(choice.band));
    const cells = [];
    choice.values.forEach((row, r) => row.forEach((value, c) => {
      if (value !== null) cells.push([choice.edges[c], choice.edges[c + 1], r, value, place(value, choice)]);
    }));
    return {
      animation: false,
      grid: { left: chart.margin || 104, right: 16, top: 8, bottom: 44 },
      xAxis: axisOption(chart.x, { more: { nameGap: 26 } }),
      yAxis: { ...axisOption({ label: "", scale: "category", categories: choice.rows }), inverse: true, axisLine: { show: false }, axisLabel: { color: css("--ink-soft"), fontSize: 11, hideOverlap: true, width: (chart.margin || 104) - 12, overflow: "truncate" } },
      dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, startValue: state.zoom?.[0], endValue: state.zoom?.[1] }],
      tooltip: tooltip({
        trigger: "item",
        formatter: (about) => {
          const [from, to, r, value, at] = cells[about.dataIndex];
          const steps = to - from > 1 ? `steps ${number(from)} to ${number(to - 1)}` : `step ${number(from)}`;
          return tip(`${choice.rows[r]}, ${steps}`, [[mix(stops, at), choice.label, number(value)]]);
        },
      }),
      series: [{
        type: "custom", clip: true, animation: false, encode: { x: [0, 1], y: 2 }, data: cells,
        renderItem(params, api) {
          const [from, to] = [api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)])];
          const height = api.size([0, 1])[1];
          const gap = height > 6 ? 1 : 0;
          return {
            type: "rect",
            shape: { x: from[0], y: from[1] - height / 2, width: Math.max(to[0] - from[0], 1) + 0.4, height: Math.max(height - gap, 1) },
            style: { fill: mix(stops, cells[params.dataIndex][4]) },
          };
        },
      }],
    };
  }

  function heatLegend(choice) {
    const stops = ramp(Boolean(choice.band));
    const strip = node("span", { class: "strip", "aria-hidden": "true" });
    const [low, within, high] = [0, 0.38, 0.62];
    const banded = [`${mix(stops, low)} 0%`, `${mix(stops, within - 0.001)} 38%`, `${mix(stops, 0.5)} 38%`, `${mix(stops, 0.5)} 62%`, `${mix(stops, high + 0.001)} 62%`, `${mix(stops, 1)} 100%`];
    const even = stops.map((_, i) => mix(stops, i / (stops.length - 1)));
    strip.style.background = `linear-gradient(to right, ${(choice.band ? banded : even).join(", ")})`;
    const parts = [node("span", {}, number(choice.low)), strip, node("span", {}, number(choice.high))];
    if (choice.band) {
      const [a, b] = choice.band;
      const text = a === null ? `healthy below ${number(b)}` : b === null ? `healthy above ${number(a)}` : `healthy from ${number(a)} to ${number(b)}`;
      parts.push(node("span", { class: "healthy" }, text));
    }
    return node("div", { class: "legend-heat" }, ...parts);
  }

  // Matrices, such as that of confusions.

  function matrixOption(chart, state) {
    const { cells, x, y } = chart;
    const flat = cells.flatMap((row, r) => row.map((value, c) => [c, r, value]));
    const most = Math.max(...flat.map((cell) => cell[2]), 1e-12);
    const roomy = x.categories.length <= 14;
    const wrong = rgb("--above-far"), right = rgb("--good"), ground = rgb("--surface");
    const tint = ([c, r, value]) => (value === 0 ? css("--grid") : mix([ground, c === r ? right : wrong], 0.15 + 0.85 * Math.sqrt(value / most)));
    const light = ([c, r, value]) => 0.15 + 0.85 * Math.sqrt(value / most) > 0.55 && value > 0;
    return {
      animation: false,
      grid: { left: chart.margin || 90, right: 16, top: 8, bottom: 64 },
      xAxis: { ...axisOption(x), nameGap: 44, axisLine: { show: false }, axisLabel: { color: css("--ink-soft"), fontSize: 11, hideOverlap: true, width: 72, overflow: "truncate" }, ...categoryLabels(chart, state.width || 500, (chart.margin || 90) + 16) },
      yAxis: { ...axisOption(y), inverse: true, nameGap: (chart.margin || 90) - 18, axisLine: { show: false }, axisLabel: { color: css("--ink-soft"), fontSize: 11, hideOverlap: true, width: (chart.margin || 90) - 34, overflow: "truncate" } },
      tooltip: tooltip({
        trigger: "item",
        formatter: (about) => {
          const [c, r, value] = flat[about.dataIndex];
          return tip(`${y.label} ${y.categories[r]}`, [[tint(flat[about.dataIndex]), `${x.label} ${x.categories[c]}`, number(value)]]);
        },
      }),
      series: [{
        type: "custom", animation: false, encode: { x: 0, y: 1 }, data: flat,
        renderItem(params, api) {
          const [cx, cy] = api.coord([api.value(0), api.value(1)]);
          const [w, h] = api.size([1, 1]);
          const cell = flat[params.dataIndex];
          const rect = { type: "rect", shape: { x: cx - w / 2, y: cy - h / 2, width: Math.max(w - 1, 1), height: Math.max(h - 1, 1), r: roomy ? 3 : 0 }, style: { fill: tint(cell) } };
          if (!roomy || cell[2] === 0) return rect;
          const text = { type: "text", silent: true, style: { text: number(cell[2]), x: cx, y: cy, align: "center", verticalAlign: "middle", fontSize: 11, fill: light(cell) ? css("--on-strong") : css("--ink") } };
          return { type: "group", children: [rect, text] };
        },
      }],
    };
  }

  // Parallel coordinates: an axis a key, a line a setting; the better, the stronger.

  function parallelOption(chart) {
    const stops = ["--seq-0", "--seq-2", "--seq-4"].map(rgb);
    const order = chart.lines.map((line, i) => ({ line, i })).sort((a, b) => a.line.rank - b.line.rank);
    return {
      animation: false,
      parallel: { left: 64, right: 64, top: 40, bottom: 18 },
      parallelAxis: chart.axes.map((axis, dim) => ({
        dim, type: axis.scale === "log" ? "log" : axis.scale === "category" ? "category" : "value", data: axis.categories, name: axis.label,
        scale: true, min: axis.low, max: axis.high,
        nameTextStyle: { color: css("--ink"), fontSize: 11, width: 120, overflow: "truncate" }, nameGap: 14,
        axisLine: { lineStyle: { color: css("--rule") } }, axisTick: { show: false },
        z: 6,
        axisLabel: { color: css("--ink-soft"), fontSize: 11, textBorderColor: css("--surface"), textBorderWidth: 4, formatter: axis.scale === "category" ? undefined : number },
      })),
      tooltip: tooltip({
        trigger: "item",
        formatter: (about) => tip(chart.lineName || "", chart.axes.map((axis, k) => [null, axis.label, number(order[about.seriesIndex].line.values[k])])),
      }),
      series: order.map(({ line }) => ({
        type: "parallel", data: [line.values], smooth: 0.25, animation: false,
        lineStyle: { color: line.best ? css("--validation") : mix(stops, line.rank), width: line.best ? 3 : 1.5, opacity: line.best ? 1 : 0.3 + 0.5 * line.rank },
        emphasis: { lineStyle: { width: 3, opacity: 1 } }, z: line.best ? 5 : 2,
      })),
    };
  }

  const OPTIONS = { plot: plotOption, heatmap: heatOption, matrix: matrixOption, parallel: parallelOption };

  return { OPTIONS, css, colour, dot, heatLegend, node, number, plotTip };
})();
