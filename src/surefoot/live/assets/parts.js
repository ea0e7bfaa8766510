// Small parts that several views share. Every text goes into the page as text.
const { node, number } = SurefootCharts;
export { node, number };

const STATES = {
  running: "training",
  finished: "finished",
  diverged: "diverged",
  interrupted: "interrupted",
  died: "died",
};

export const badge = (row) =>
  node("span", { class: `pill badge is-${row.state}`, title: row.note || null }, STATES[row.state] || row.state);

export function verdict(row) {
  if (!row.verdict) return node("span", { class: "quiet" }, "–");
  const well = row.verdict === "healthy";
  return node("span", { class: `verdict ${well ? "well" : "ill"}` }, well ? "healthy" : (row.root_cause || row.verdict).replaceAll("-", " "));
}

export const percent = (value) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(2)} %`;

export function figure(row, part, name) {
  const value = row.metrics?.[part]?.[name];
  if (value === undefined || value === null) return "–";
  return name === "accuracy" ? percent(value) : number(value);
}

export const measure = (row) => ("rmse" in (row.metrics?.train || {}) ? "rmse" : "accuracy");

export function steps(row) {
  const done = row.steps ?? row.step ?? null;
  if (row.state !== "running") return done === null ? "–" : done.toLocaleString("en");
  if (!row.total_steps) return "…";
  const share = done === null ? "" : ` (${Math.floor((100 * done) / row.total_steps)} %)`;
  return `${(done ?? 0).toLocaleString("en")} of ${row.total_steps.toLocaleString("en")}${share}`;
}

export const begun = (row) =>
  new Date(1000 * row.since).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

export const address = (name) => `?run=${encodeURIComponent(name)}`;

// Draws charts below each other; those that are there already are brought up to date.
export class Charts {
  constructor(element) {
    this.element = element;
    this.handles = new Map();
  }

  show(charts) {
    for (const chart of charts) {
      const key = `${chart.name}/${(chart.series || []).map((line) => line.name).join("/")}`;
      const known = this.handles.get(chart.name);
      if (known && known.key === key) {
        known.handle.update(chart);
        continue;
      }
      const place = known ? known.place : node("section", { class: "card live-chart" });
      if (!known) this.element.append(place);
      if (known) known.handle.dispose();
      this.handles.set(chart.name, { key, place, handle: SurefootCharts.draw(place, chart) });
    }
  }
}

// Calls what reads from the server, at most once a second, and once more for what came meanwhile.
export function calmly(read) {
  let waiting = false;
  let busy = false;
  return async function call() {
    if (busy) {
      waiting = true;
      return;
    }
    busy = true;
    try {
      await read();
    } catch {
      // The stream tells that the server does not answer, and calls again when it does.
    }
    setTimeout(() => {
      busy = false;
      if (waiting) {
        waiting = false;
        call();
      }
    }, 1000);
  };
}

export async function ask(path) {
  const answer = await fetch(path);
  const told = await answer.json();
  return { ok: answer.ok, told };
}
