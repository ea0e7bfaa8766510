"""Runs the live page's server until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from surefoot.live.address import Address, listen, remember, remembered
from surefoot.live.app import Live
from surefoot.live.places import find_runs


class Server(uvicorn.Server):
    """Uvicorn's, whose end also ends the streams of open pages: they would hold it up."""

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live = live
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:
        """Start to listen, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    def stop(self) -> None:
        """Let the server end, from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._live.hub.close)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on Ctrl-C without a word, and at once the second time."""
        if self.should_exit:
            self.force_exit = True
        self.stop()


def serve(
    root: Path,
    *,
    port: int | None = None,
    fresh: bool = False,
    ready: Callable[[Address, int], None] = lambda address, runs: None,
) -> None:
    """Serve the live page of a folder on 127.0.0.1 until Ctrl-C.

    Args:
        root: the folder that runs are looked for in.
        port: to listen on; the same as the last time where nothing is given.
        fresh: whether to have a new token in place of the one from the last time.
        ready: called with the address and the number of runs when the page can be opened.

    Raises:
        RunError: there is no such folder.
        InputError: the port cannot be had.
    """
    root = root.resolve()
    count = len(find_runs(root))
    token, before = remembered(root, fresh=fresh)
    with listen(port, before) as own:
        address = Address(token, own.getsockname()[1])
        remember(root, address)
        live = Live(root)
        config = uvicorn.Config(
            live.guarded(address.token, address.port),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
        server = Server(config, live, lambda: ready(address, count))
        server.run(sockets=[own])
