// All runs of the folder, and the curves of several in one chart.
import { Charts, address, ask, badge, begun, calmly, figure, measure, node, steps, verdict } from "./parts.js";

const COLUMNS = ["", "run", "state", "doctor", "validation loss", "validation", "steps", "begun"];
const MOST = 12;

function cells(row) {
  const name = measure(row);
  return [
    ["state", badge(row)],
    ["doctor", verdict(row)],
    ["loss", figure(row, "validation", "loss")],
    ["measure", `${figure(row, "validation", name)}${name === "rmse" && row.metrics?.validation ? " rmse" : ""}`],
    ["steps", steps(row)],
    ["begun", begun(row)],
  ];
}

export function showList(main) {
  const chosen = new Set();
  const made = new Map();
  const search = node("input", { type: "search", id: "search", placeholder: "part of a name, a state, a finding", oninput: () => filter() });
  const count = node("span", { class: "soft", role: "status" });
  const compare = node("button", { type: "button", class: "button", disabled: "" }, "compare");
  compare.addEventListener("click", () => {
    location.search = [...chosen].map((name) => `compare=${encodeURIComponent(name)}`).join("&");
  });
  const body = node("tbody");
  const table = node("table", { class: "runs" }, node("thead", {}, node("tr", {}, ...COLUMNS.map((name) => node("th", { scope: "col", class: name.replace(" ", "-") || "pick" }, name || node("span", { class: "unseen" }, "compare"))))), body);
  const empty = node("p", { class: "soft", hidden: "" }, "There is no run in this folder yet. Train one with “surefoot train”; it will show here by itself.");
  main.replaceChildren(
    node("h1", {}, "Runs"),
    node("div", { class: "line" }, node("label", { for: "search" }, "find"), search, compare, count),
    node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "runs" }, table),
    empty,
  );

  function pick(name, box) {
    if (box.checked) chosen.add(name);
    else chosen.delete(name);
    compare.disabled = chosen.size < 1 || chosen.size > MOST;
    compare.textContent = chosen.size > MOST ? `compare at most ${MOST}` : chosen.size ? `compare ${chosen.size}` : "compare";
  }

  function line(name, row) {
    const box = node("input", { type: "checkbox", "aria-label": `compare ${name}` });
    box.checked = chosen.has(name);
    box.addEventListener("change", () => pick(name, box));
    const made = node("tr", {}, node("td", { class: "pick" }, box), node("th", { scope: "row", class: "run" }, node("a", { href: address(name) }, name)));
    for (const [kind, content] of cells(row)) made.append(node("td", { class: kind }, content));
    return made;
  }

  function filter() {
    const wanted = search.value.toLowerCase();
    let shown = 0;
    for (const { element, text } of made.values()) {
      element.hidden = !text.includes(wanted);
      shown += element.hidden ? 0 : 1;
    }
    count.textContent = shown === made.size ? `${shown} runs` : `${shown} of ${made.size} runs`;
  }

  return (rows) => {
    for (const name of [...made.keys()].filter((name) => !rows.has(name))) {
      made.get(name).element.remove();
      made.delete(name);
      chosen.delete(name);
    }
    let before = null;
    const order = [...rows.values()].sort((a, b) => b.since - a.since || a.name.localeCompare(b.name, undefined, { numeric: true }));
    for (const row of order) {
      let known = made.get(row.name);
      if (!known || known.number !== row.number) {
        const focused = known && known.element.contains(document.activeElement);
        const element = line(row.name, row);
        if (known) known.element.replaceWith(element);
        if (focused) element.querySelector("a").focus();
        known = { element, number: row.number, text: `${row.name} ${row.state} ${row.verdict || ""} ${row.root_cause || ""}`.toLowerCase() };
        made.set(row.name, known);
      }
      const next = before ? before.nextSibling : body.firstChild;
      if (next !== known.element) body.insertBefore(known.element, next);
      before = known.element;
    }
    empty.hidden = rows.size > 0;
    filter();
  };
}

export function showComparison(main, names) {
  const charts = node("div", { class: "charts" });
  const list = node("ul", { class: "compared" });
  const none = node("p", { class: "soft", hidden: "" });
  main.replaceChildren(node("h1", {}, `${names.length} run${names.length === 1 ? "" : "s"} compared`), list, none, node("h2", { class: "unseen" }, "Curves"), charts);
  const drawing = new Charts(charts);
  const query = names.map((name) => `name=${encodeURIComponent(name)}`).join("&");
  const read = calmly(async () => {
    const { ok, told } = await ask(`compare?${query}`);
    const lost = ok ? told.problems : [];
    none.hidden = ok && told.charts.length > 0 && !lost.length;
    none.textContent = ok ? lost.join("; ") || "No curve is recorded yet." : told.error;
    if (ok) drawing.show(told.charts);
  });
  return (rows, changed) => {
    list.replaceChildren(...names.filter((name) => rows.has(name)).map((name) => {
      const row = rows.get(name);
      return node("li", {}, node("a", { href: address(name) }, name), " ", badge(row), " ", verdict(row));
    }));
    if (names.some((name) => changed.has(name))) read();
  };
}
