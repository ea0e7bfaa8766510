// The live page: which view is shown, and the stream of what changes. It judges nothing: what it
// says of a run is what the run's folder says.
import { showComparison, showList } from "./list.js";
import { showRun } from "./run.js";

const asked = new URLSearchParams(location.search);
const main = document.getElementById("main");
const link = document.getElementById("link");

const view = asked.has("run")
  ? showRun(main, asked.get("run"))
  : asked.has("compare")
    ? showComparison(main, asked.getAll("compare"))
    : showList(main);

// One stream for each page that is seen: browsers allow six to a server, hidden pages need none.
let stream = null;
let again = null;
const rows = new Map();

function say(text, state) {
  link.textContent = text;
  link.className = state;
}

function connect() {
  clearTimeout(again);
  if (stream || document.hidden) return;
  stream = new EventSource("events");
  stream.onopen = () => say("live", "on");
  stream.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.whole) rows.clear();
    for (const [name, row] of Object.entries(told.rows)) {
      if (row === null) rows.delete(name);
      else rows.set(name, row);
    }
    document.getElementById("root").textContent = told.root;
    say("live", "on");
    view(rows, new Set(Object.keys(told.rows)));
  };
  // The browser tries again by itself, unless the server answered with a refusal.
  stream.onerror = () => {
    say("the server does not answer; trying again…", "off");
    if (stream && stream.readyState === EventSource.CLOSED) {
      disconnect();
      again = setTimeout(connect, 2000);
    }
  };
}

function disconnect() {
  if (stream) stream.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
addEventListener("pagehide", disconnect);
addEventListener("pageshow", connect);
connect();
