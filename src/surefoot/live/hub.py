"""One watcher for all open pages: looks at the runs once a second, and tells what changed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from surefoot.control import RUNNING
from surefoot.errors import RunError
from surefoot.live.places import find_runs
from surefoot.live.rows import Signature, row_of, signature

Row = dict[str, Any]
# How often runs are looked at while a page is open, and for how long a look is good enough.
_EVERY_SECONDS, _FRESH_SECONDS = 1.0, 0.5
# More open pages than this are refused, so that a page that reconnects in a loop ends somewhere.
MOST_PAGES = 200
# Pages that were away while more runs than this were removed show some until they are opened anew.
_MOST_GONE = 1000


class Page:
    """What one open page has not been told yet: at most one row a run, however slow it reads."""

    def __init__(self) -> None:
        self._waiting: dict[str, Row | None] = {}
        self._ready = asyncio.Event()

    def put(self, rows: dict[str, Row | None]) -> None:
        """Keep the newest row of each run; None for a run that is gone."""
        self._waiting |= rows
        self._ready.set()

    def wake(self) -> None:
        """Let `take` return."""
        self._ready.set()

    async def take(self, seconds: float) -> dict[str, Row | None]:
        """Return what is new; nothing when so many seconds have passed."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            return {}
        self._ready.clear()
        rows, self._waiting = self._waiting, {}
        return rows


class Hub:
    """Knows the runs under a folder.

    Args:
        root: the folder.

    Attributes:
        era: tells this server's life from those before it; numbers of events are within it.
        number: of the last change.
        closed: whether the server is going down.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.era = secrets.token_hex(4)
        self.number = 0
        self.closed = False
        self.pages: set[Page] = set()
        self._known: dict[str, tuple[Path, Signature, Row]] = {}
        self._gone: dict[str, int] = {}
        self._looked = float("-inf")
        self._lock: asyncio.Lock | None = None
        self._watcher: asyncio.Task[None] | None = None

    def rows(self, after: int = 0) -> dict[str, Row | None]:
        """Return the runs that changed after a number; all of them after 0."""
        rows: dict[str, Row | None] = {
            name: row for name, (_, _, row) in self._known.items() if row["number"] > after
        }
        if after:
            rows |= {name: None for name, number in self._gone.items() if number > after}
        return rows

    def find(self, name: str) -> Path | None:
        """Return the folder of a run that was found; None for any other name."""
        known = self._known.get(name)
        return None if known is None else known[0]

    async def look(self) -> None:
        """Look at the runs, unless that was done just now; tell all pages what changed."""
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            if time.monotonic() - self._looked < _FRESH_SECONDS:
                return
            found = await asyncio.to_thread(self._scan)
            self._looked = time.monotonic()
            changed: dict[str, Row | None] = {}
            for name in [name for name in self._known if name not in found]:
                del self._known[name]
                self.number += 1
                self._gone[name] = self.number
                while len(self._gone) > _MOST_GONE:
                    self._gone.pop(next(iter(self._gone)))
                changed[name] = None
            for name, (path, mark, row) in found.items():
                before = self._known.get(name)
                if before is None or _plain(before[2]) != row or before[1] != mark:
                    self.number += 1
                    own = {**row, "name": name, "number": self.number}
                    self._known[name] = path, mark, own
                    self._gone.pop(name, None)
                    changed[name] = own
            self.tell(changed)

    def tell(self, changed: dict[str, Row | None]) -> None:
        """Tell all open pages what changed."""
        if changed:
            for page in list(self.pages):
                page.put(changed)

    def _scan(self) -> dict[str, tuple[Path, Signature, Row]]:
        """Read what has changed, and whether processes still live."""
        found: dict[str, tuple[Path, Signature, Row]] = {}
        try:
            runs = find_runs(self.root)
        except RunError:  # the folder was removed, and all runs with it
            return found
        for name, path in runs.items():
            mark = signature(path)
            before = self._known.get(name)
            same = before is not None and before[1] == mark
            if before is not None and same and not (path / RUNNING).exists():
                row = _plain(before[2])
            else:
                row = row_of(self.root, path)
            found[name] = path, mark, row
        return found

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """Tell a page of every change for as long as it is open."""
        page = Page()
        self.pages.add(page)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield page
        finally:
            self.pages.discard(page)

    async def _watch(self) -> None:
        """Look once a second while any page is open."""
        try:
            while self.pages and not self.closed:
                await self.look()
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            self._watcher = None

    def close(self) -> None:
        """Let every page's stream end."""
        self.closed = True
        for page in list(self.pages):
            page.wake()


def _plain(row: Row) -> Row:
    return {key: value for key, value in row.items() if key not in ("name", "number")}
