"""The routes of the live page."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from surefoot.control import ask
from surefoot.errors import SurefootError
from surefoot.files import finite
from surefoot.live.following import Follower
from surefoot.live.guard import App, Guard
from surefoot.live.hub import MOST_PAGES, Hub
from surefoot.live.views import about, charts, compared

# What the page is made of, by the name that it asks for: nothing else is ever sent from disk.
_ASSETS = {
    "echarts.min.js": ("surefoot.report", "text/javascript"),
    "chart-options.js": ("surefoot.report", "text/javascript"),
    "charts.js": ("surefoot.report", "text/javascript"),
    "report.css": ("surefoot.report", "text/css"),
    "live.js": ("surefoot.live", "text/javascript"),
    "parts.js": ("surefoot.live", "text/javascript"),
    "list.js": ("surefoot.live", "text/javascript"),
    "run.js": ("surefoot.live", "text/javascript"),
    "live.css": ("surefoot.live", "text/css"),
    "live.html": ("surefoot.live", "text/html"),
}
# A page is told that it is still heard, which also shows when it has gone.
_BEAT_SECONDS = 15.0
_MOST_FOLLOWED = 16
_MOST_COMPARED = 12
_MOST_BODY = 10_000


@dataclass
class _Shelf:
    """What is kept of a run that is looked at: its tables, and the answer that was made last."""

    follower: Follower
    number: int = 0
    text: bytes = b""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Live:
    """The live page of a folder.

    Args:
        root: the folder that runs are looked for in.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hub = Hub(root)
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def guarded(self, token: str, port: int | None) -> App:
        """Return the application behind its guard.

        Args:
            token: that the address has.
            port: that the server listens on.
        """
        app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/assets/{name}", self._asset),
                Route("/runs", self._runs),
                Route("/events", self._events),
                Route("/run", self._run),
                Route("/compare", self._compare),
                Route("/control", self._control, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _say, SurefootError: _say},
        )
        return Guard(app, token, port)

    async def _page(self, request: Request) -> Response:
        return _file("live.html")

    async def _asset(self, request: Request) -> Response:
        return _file(request.path_params["name"])

    async def _runs(self, request: Request) -> Response:
        """Return the list, without waiting for events."""
        await self.hub.look()
        return _json(list(self.hub.rows().values()))

    async def _events(self, request: Request) -> Response:
        """Stream what changes: rows of the list, at first all of them."""
        if len(self.hub.pages) >= MOST_PAGES:
            raise HTTPException(503, f"more than {MOST_PAGES} pages are open; close some")
        era, _, number = request.headers.get("last-event-id", "").partition("-")
        known = int(number) if era == self.hub.era and number.isdecimal() else 0
        return StreamingResponse(self.stream(known), media_type="text/event-stream")

    async def stream(self, known: int) -> AsyncIterator[bytes]:
        """Yield what an open page is told, as server-sent events, until the server goes down.

        Args:
            known: the number of the last event that the page has seen; 0 for a page that is new.
        """
        hub = self.hub
        yield b"retry: 1000\n\n"
        await hub.look()
        async with hub.page() as page:
            rows, whole = hub.rows(known), known == 0
            while not hub.closed:
                if rows or whole:
                    told = {"whole": whole, "root": self.root.name, "rows": rows}
                    text = json.dumps(told, allow_nan=False)
                    yield f"id: {hub.era}-{hub.number}\ndata: {text}\n\n".encode()
                    whole = False
                else:
                    yield b": still here\n\n"
                rows = await page.take(_BEAT_SECONDS)

    async def _run(self, request: Request) -> Response:
        """Return all that the page shows of one run."""
        name = request.query_params.get("name", "")
        path, row = await self._known(name)
        mark = f'"{self.hub.era}-{row["number"]}"'
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers={"etag": mark})

        return Response(
            await asyncio.to_thread(self._told, name, path, row),
            media_type="application/json",
            headers={"etag": mark, "cache-control": "no-cache"},
        )

    def _told(self, name: str, path: Path, row: dict[str, Any]) -> bytes:
        """Return all of one run as JSON, made once for all pages that ask for it."""
        shelf = self._shelf(name, path)
        with shelf.lock:
            if shelf.number != row["number"]:
                follower = shelf.follower
                told = about(self.root, path, row)
                drawn = charts(follower.evidence(), told["findings"], told["changes"])
                problems = {**told["problems"], **follower.problems}
                shelf.text = _encoded({**told, "charts": drawn, "problems": problems})
                shelf.number = row["number"]
            return shelf.text

    async def _compare(self, request: Request) -> Response:
        """Return charts that have a curve of each run that is named."""
        names = request.query_params.getlist("name")[:_MOST_COMPARED]
        if not names:
            raise HTTPException(400, "name at least one run")
        paths = [(name, (await self._known(name))[0]) for name in names]

        def read() -> bytes:
            followers = [(name, self._shelf(name, path).follower) for name, path in paths]
            charts_ = compared([(name, follower.evidence()) for name, follower in followers])
            lost = [f"{name}: {why}" for name, own in followers for why in own.problems.values()]
            return _encoded({"charts": charts_, "problems": lost})

        return Response(await asyncio.to_thread(read), media_type="application/json")

    async def _control(self, request: Request) -> Response:
        """Ask a run to end, or to change its learning rate."""
        wish = await _body(request)
        path, row = await self._known(str(wish.get("name", "")))
        if row["state"] != "running":
            raise HTTPException(409, "this run is not being trained any more")
        stop, factor = wish.get("stop") is True, wish.get("rate_factor")
        if not stop and (isinstance(factor, bool) or not isinstance(factor, int | float)):
            raise HTTPException(400, 'say {"stop": true} or {"rate_factor": a number}')
        await asyncio.to_thread(
            ask, path, "the live page", stop=stop, rate_factor=None if stop else float(factor)
        )
        return _json({"asked": True})

    async def _known(self, name: str) -> tuple[Path, dict[str, Any]]:
        """Return a run's folder and row; only what was found under the folder can be named."""
        if self.hub.find(name) is None or not self.hub.pages:
            await self.hub.look()
        path, row = self.hub.find(name), self.hub.rows().get(name)
        if path is None or row is None:
            raise HTTPException(404, "there is no such run in this folder")
        return path, row

    def _shelf(self, name: str, path: Path) -> _Shelf:
        """Return what is kept of a run; of runs that nobody looked at for long nothing is."""
        with self._lock:
            shelf = self._shelves.pop(name, None)
            if shelf is None or not shelf.follower.is_of(path):
                shelf = _Shelf(Follower(self.root, path))
            self._shelves[name] = shelf
            while len(self._shelves) > _MOST_FOLLOWED:
                self._shelves.popitem(last=False)
        return shelf


def _file(name: str) -> Response:
    if name not in _ASSETS:
        raise HTTPException(404, "there is no such file")
    package, kind = _ASSETS[name]
    text = (files(package) / "assets" / name).read_bytes()
    return Response(text, media_type=kind, headers={"cache-control": "no-cache"})


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent; anything else is refused."""
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > _MOST_BODY:
            raise HTTPException(413, "this is too much; send a small JSON object")
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        wish = None
    if not isinstance(wish, dict):
        raise HTTPException(400, "send a JSON object")
    return wish


async def _say(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    text = error.detail if isinstance(error, HTTPException) else str(error)
    return _json({"error": text}, status)


def _encoded(value: Any) -> bytes:
    return json.dumps(finite(value), allow_nan=False, separators=(",", ":")).encode()


def _json(value: Any, status: int = 200) -> Response:
    return JSONResponse(finite(value), status_code=status)
