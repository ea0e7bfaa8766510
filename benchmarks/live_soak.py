"""Does the live page hold many open pages for an hour's worth of events without growing?

    python -m benchmarks.live_soak [--pages 50] [--events 3600]

A server with 20 runs in a process of its own, and so many pages over real connections; every tenth
of them never reads. Events come as fast as they are taken. What is told: the server's memory after
a tenth of the events, and at the end; and that nothing is left when all pages are closed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import shutil
import tempfile
import time
from pathlib import Path

import psutil
import uvicorn

from surefoot.live.address import listen
from surefoot.live.app import Live
from surefoot.live.server import Server

TOKEN = "t" * 43
RUNS = 20


def make_runs(root: Path) -> None:
    """Write folders that are listed as runs."""
    for number in range(RUNS):
        folder = root / f"run-{number}"
        (folder / "metrics").mkdir(parents=True)
        (folder / "recipe.toml").write_text("")


async def page(port: int, told: list[int], reads: bool) -> None:
    """Open a page, and count what it is told; one that does not read keeps its connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
    writer.write(f"GET /{TOKEN}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    try:
        while not reads:
            await asyncio.sleep(60)
        while True:
            line = await reader.readline()
            if not line:
                return
            told[0] += line.startswith(b"data: ")
    finally:
        writer.close()


async def soak(pages: int, events: int) -> dict[str, float]:
    """Run server and pages in one loop; return what was measured."""
    with tempfile.TemporaryDirectory() as folder, listen(0, None) as own:
        root = Path(folder)
        make_runs(root)
        live, port = Live(root), own.getsockname()[1]
        ready = asyncio.Event()
        config = uvicorn.Config(
            live.guarded(TOKEN, port), log_config=None, access_log=False, lifespan="off"
        )
        server = Server(config, live, ready.set)
        serving = asyncio.create_task(server._serve([own]))
        await ready.wait()
        told = [[0] for _ in range(pages)]
        opened = [
            asyncio.create_task(page(port, count, place % 10 != 9))
            for place, count in enumerate(told)
        ]
        while len(live.hub.pages) < pages:
            await asyncio.sleep(0.05)
        process, early, started = psutil.Process(), 0, time.perf_counter()
        for number in range(events):
            name = f"run-{number % RUNS}"
            live.hub.number += 1
            row = {**live.hub.rows()[name], "step": number, "number": live.hub.number}
            live.hub.tell({name: row})
            await asyncio.sleep(0.002)
            if number == events // 10:
                gc.collect()
                early = process.memory_info().rss
        seconds = time.perf_counter() - started
        gc.collect()
        late = process.memory_info().rss
        for task in opened:
            task.cancel()
        await asyncio.gather(*opened, return_exceptions=True)
        for _ in range(200):
            if not live.hub.pages:
                break
            await asyncio.sleep(0.05)
        left = len(live.hub.pages)
        server.stop()
        await serving
        await asyncio.sleep(1.5)  # the watcher sleeps for a second before it sees that all is over
        shutil.rmtree(root / "run-0")
    mine = asyncio.current_task()
    return {
        "pages": pages,
        "events": events,
        "seconds": round(seconds, 1),
        "told_in_all": sum(count[0] for count in told),
        "megabytes_early": round(early / 1e6, 1),
        "megabytes_late": round(late / 1e6, 1),
        "pages_left": left,
        "tasks_left": len([task for task in asyncio.all_tasks() if task is not mine]),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--events", type=int, default=3600)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(soak(given.pages, given.events)), indent=1))
