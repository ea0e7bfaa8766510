"""A folder of runs, the live page of it, and a browser."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from surefoot.live.app import Live
from surefoot.live.server import Server
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import write

TOKEN = "t" * 43
PORT = 8421
RECIPE = """
[data]
source = "iris"
[net]
layers = [ {dense = 4}, {activation = "relu"}, {dense = "classes"}, {activation = "softmax"} ]
"""
FINDING = {
    "id": "dead-units",
    "severity": "warning",
    "since_step": 40,
    "layers": ["2"],
    "evidence": {"share": 0.9},
    "certainty": "observed",
    "explanation": "Nine of ten units are silent: <b>not bold</b>.",
    "remedies": [{"text": "a lower rate", "edits": {}, "toml": "[optimizer]\nlearning_rate = 0.1"}],
    "caused_by": None,
}


def metrics(steps: int, first: int = 0) -> dict[str, Any]:
    """Rows of the metrics table: a loss that falls, with one peak."""
    columns = {name: np.full(steps, np.nan, np.float32) for name in METRIC_COLUMNS}
    columns["loss"] = np.linspace(2, 1, steps).astype(np.float32)
    columns["loss"][steps // 2] = 9.0
    columns["accuracy"] = np.linspace(0.3, 0.9, steps).astype(np.float32)
    columns["validation_loss"][9::10] = 1.5
    columns["learning_rate"][::8] = 0.1
    columns["gradient_norm"][::8] = 2.0
    columns["clipped_gradient_norm"][::8] = 1.0
    numbers = first + np.arange(steps)
    return {
        "run": np.full(steps, "run", object),
        "step": numbers,
        "epoch": (numbers // 10 + 1).astype(np.int32),
        **columns,
    }


def vitals(records: int, first: int = 0) -> dict[str, Any]:
    """Rows of the vitals table, of two layers."""
    random = np.random.default_rng(0)
    return {
        "run": np.full(2 * records, "run", object),
        "step": np.repeat(first + 8 * np.arange(records), 2),
        "layer": np.tile(np.array(["1", "2"], object), records),
        "kind": np.tile(np.array(["dense", "relu"], object), records),
        "depth": np.tile(np.arange(2, dtype=np.int32), records),
        **{n: random.uniform(0.1, 1, 2 * records).astype(np.float32) for n in VITAL_COLUMNS},
    }


def make_run(folder: Path, ended: str | None = "finished", steps: int = 80) -> Path:
    """Write a run's folder; without an end it is one whose process is gone."""
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(RECIPE)
    told = {"verdict": "unhealthy", "root_cause": "dead-units", "chain": [], "findings": [FINDING]}
    (folder / "findings.json").write_text(json.dumps({"format": 1, **told}))
    write(folder, "metrics", metrics(steps))
    write(folder, "vitals", vitals(steps // 8))
    if ended is not None:
        figures = {"loss": 1.0, "accuracy": 0.9}
        summary = {"metrics": {"train": figures, "validation": figures}, "steps": steps}
        more = {"format": 1, "ended": ended, "diverged_at": 79, "epochs": 8, "seconds": 2.0}
        (folder / "summary.json").write_text(json.dumps({**summary, **more, **told}))
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """Four runs, made once."""
    made = tmp_path_factory.mktemp("made") / "runs"
    for name, ended in (("a", "finished"), ("deep/b", "diverged"), ("c", "interrupted")):
        make_run(made / name, ended)
    make_run(made / "dead <script>", None)
    return made


@pytest.fixture
def root(made, tmp_path) -> Path:
    """A folder with four runs in it."""
    return Path(shutil.copytree(made, tmp_path / "runs")).resolve()


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread of its own: a browser that is open has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Client:
    """Asks the page's application without a network; addresses are below the token."""

    def __init__(self, root: Path) -> None:
        self._app = Live(root).guarded(TOKEN, PORT)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("POST", path, **more)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            base = f"http://127.0.0.1:{PORT}"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, **more)

        return run_async(ask())


@pytest.fixture
def client(root) -> Client:
    """The page of the folder of runs."""
    return Client(root)


class Served:
    """A server in a thread of its own."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self.live = Live(root)
        from surefoot.live.address import listen

        self._socket = listen(port, None)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/{TOKEN}/"
        ready = threading.Event()
        app = self.live.guarded(TOKEN, self.port)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
        self._server = Server(config, self.live, ready.set)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        assert ready.wait(20)

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._server.stop()
        self._thread.join(20)
        self._socket.close()
        assert not self._thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start servers, and stop them when the test is over."""
    started: list[Served] = []

    def start(root: Path, port: int = 0) -> Served:
        started.append(Served(root, port))
        return started[-1]

    yield start
    for server in started:
        if server._thread.is_alive():
            server.stop()


def wait_until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait until something is so; how long that takes is not what is tested."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    return pytest.fail(f"never came: {what}")
