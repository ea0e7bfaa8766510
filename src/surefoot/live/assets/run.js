// One run: its state, what the doctor says, its curves and vital signs; and what may be asked of it.
import { Charts, ask, badge, begun, calmly, figure, measure, node, number, steps, verdict } from "./parts.js";

const token = location.pathname.split("/")[1];

async function control(name, wish, said) {
  said.textContent = "asked…";
  try {
    const answer = await fetch("control", {
      method: "POST",
      headers: { "content-type": "application/json", "x-surefoot-token": token },
      body: JSON.stringify({ name, ...wish }),
    });
    const told = await answer.json();
    said.textContent = answer.ok ? "asked; it is done at the next boundary, within a second or so" : told.error;
  } catch {
    said.textContent = "the server does not answer; training goes on";
  }
}

// Stop, asked twice; and what the recipe's rate is multiplied by.
function controls(name) {
  const said = node("p", { class: "soft", role: "status" });
  const stop = node("button", { type: "button", class: "button danger", id: "stop" }, "stop training");
  let sure = null;
  stop.addEventListener("click", () => {
    if (sure === null) {
      stop.textContent = "really stop?";
      sure = setTimeout(() => { stop.textContent = "stop training"; sure = null; }, 4000);
      return;
    }
    clearTimeout(sure);
    stop.disabled = true;
    stop.textContent = "stopping…";
    control(name, { stop: true }, said);
  });
  const factor = node("input", { type: "number", id: "factor", min: "0.000001", max: "1000000", step: "any", value: "1", required: "" });
  const change = node("form", { class: "line" }, node("label", { for: "factor" }, "learning rate: the recipe’s times"), factor, node("button", { type: "submit", class: "button" }, "change"));
  change.addEventListener("submit", (event) => {
    event.preventDefault();
    if (factor.reportValidity()) control(name, { rate_factor: Number(factor.value) }, said);
  });
  return { element: node("section", { class: "card controls", "aria-label": "control" }, node("div", { class: "line" }, stop, change), said), factor };
}

function finding(told, place, open) {
  const where = told.layers?.length ? ` in layer ${told.layers.slice(0, 6).join(", ")}${told.layers.length > 6 ? "…" : ""}` : "";
  const remedies = (told.remedies || []).map((remedy) => node("li", {}, remedy.text, ...(remedy.toml ? [node("pre", { tabindex: "0" }, remedy.toml.trim())] : [])));
  const evidence = Object.entries(told.evidence || {}).map(([name, value]) => node("tr", {}, node("th", { scope: "row" }, name.replaceAll("_", " ")), node("td", {}, number(value))));
  const made = node(
    "details",
    { class: `card told is-${told.severity}` },
    node("summary", {}, node("b", {}, `${place}. ${told.id.replaceAll("-", " ")}`), node("span", { class: "meta" }, ` ${told.severity}, ${told.certainty}, since step ${number(told.since_step)}${where}`)),
    node("p", {}, told.explanation || ""),
    ...(remedies.length ? [node("h3", {}, "To try"), node("ul", {}, ...remedies)] : []),
    ...(evidence.length ? [node("h3", {}, "Evidence"), node("table", { class: "numbers-of" }, ...evidence)] : []),
  );
  made.open = open;
  return made;
}

function facts(row) {
  const name = measure(row);
  const pairs = [["state", badge(row)], ["doctor", verdict(row)], ["steps", steps(row)], ["begun", begun(row)]];
  if (row.state === "running" && row.loss !== undefined) pairs.push(["loss of the last batch", number(row.loss)]);
  if (row.seconds) pairs.push(["took", `${number(row.seconds)} s`]);
  for (const part of ["train", "validation"]) {
    if (!row.metrics?.[part]) continue;
    pairs.push([`${part} loss`, figure(row, part, "loss")], [`${part} ${name}`, figure(row, part, name)]);
  }
  return pairs.map(([key, value]) => node("div", {}, node("dt", {}, key), node("dd", {}, value)));
}

function change(told) {
  const what = told.what === "rate" ? `learning rate ×${number(told.from)} → ×${number(told.to)}` : "stopped";
  return node("li", {}, `step ${number(told.step)}: ${what}, by ${told.by}, ${new Date(told.at).toLocaleString()}`);
}

export function showRun(main, name) {
  const parts = Object.fromEntries(["note", "facts", "findings", "changes", "charts", "problems", "recipe"].map((key) => [key, node(key === "facts" ? "dl" : "div", { class: key === "facts" ? "figures" : key })]));
  const own = controls(name);
  own.element.hidden = true;
  const heading = node("h1", {}, name);
  main.replaceChildren(heading, parts.note, parts.facts, own.element, parts.findings, parts.changes, parts.problems, node("h2", { class: "unseen" }, "Curves and vital signs"), parts.charts, parts.recipe);
  document.title = `${name} · Surefoot`;
  const drawing = new Charts(parts.charts);
  let shown = "";

  function fill(told) {
    const { row } = told;
    parts.note.replaceChildren(...(row.note ? [node("p", { class: `notice is-${row.state}` }, row.note)] : []));
    parts.facts.replaceChildren(...facts(row));
    own.element.hidden = row.state !== "running";
    const key = JSON.stringify([told.findings, told.chain, row.state]);
    if (key !== shown) {
      shown = key;
      const opened = new Set([...parts.findings.querySelectorAll("details[open]")].map((one) => one.dataset.id));
      const first = !parts.findings.childElementCount;
      const made = told.findings.map((one, i) => {
        const element = finding(one, i + 1, opened.has(one.id) || (first && i === 0 && one.severity !== "note"));
        element.dataset.id = one.id;
        return element;
      });
      const title = node("h2", {}, "Findings");
      const none = row.state === "running" ? "Nothing was found so far." : row.verdict === "healthy" ? "The doctor found nothing wrong." : "The doctor has said nothing of this run.";
      const chain = told.chain.length > 1 ? [node("p", {}, `cause and effect: ${told.chain.map((id) => id.replaceAll("-", " ")).join(" → ")}`)] : [];
      parts.findings.replaceChildren(title, ...chain, ...(made.length ? made : [node("p", { class: "soft" }, none)]));
    }
    parts.changes.replaceChildren(...(told.changes.length ? [node("h2", {}, "Changed by hand"), node("ul", {}, ...told.changes.map(change))] : []));
    const rate = told.changes.findLast((one) => one.what === "rate");
    if (rate && rate.at !== own.known && document.activeElement !== own.factor) {
      own.known = rate.at;
      own.factor.value = rate.to;
    }
    parts.problems.replaceChildren(...Object.values(told.problems).map((text) => node("p", { class: "notice is-died" }, text)));
    drawing.show(told.charts);
    if (!parts.recipe.childElementCount && told.recipe) {
      parts.recipe.replaceChildren(node("details", {}, node("summary", {}, "Recipe"), node("pre", { tabindex: "0" }, told.recipe)));
    }
  }

  const read = calmly(async () => {
    const { ok, told } = await ask(`run?name=${encodeURIComponent(name)}`);
    if (ok) fill(told);
    else parts.note.replaceChildren(node("p", { class: "notice is-died" }, told.error));
  });
  return (rows, changed) => {
    if (changed.has(name)) read();
    else if (!rows.has(name)) parts.note.replaceChildren(node("p", { class: "notice is-died" }, "There is no such run in this folder."));
  };
}
