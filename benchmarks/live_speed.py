"""How long the live page takes to list 250 runs of 10,000 steps, and to open one of 20 layers.

    python -m benchmarks.live_speed [--runs 250] [--steps 10000] [--layers 20]

A server that has seen none of them yet, asked over a real connection; opening is the median of
five runs, each opened for the first time. Times include reading the tables from disk.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import uvicorn

from surefoot.live.address import listen
from surefoot.live.app import Live
from surefoot.live.server import Server
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import write

TOKEN = "t" * 43
EVERY = 16


def make_run(folder: Path, steps: int, layers: int) -> None:
    """Write a finished run with noise in its tables, which is the hardest to compress and thin."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    step, recorded = np.arange(steps), np.arange(0, steps, EVERY)
    columns = {name: np.full(steps, np.nan, np.float32) for name in METRIC_COLUMNS}
    for name in ("loss", "accuracy"):
        columns[name] = random.uniform(0, 1, steps).astype(np.float32)
    for name in ("learning_rate", "gradient_norm", "clipped_gradient_norm"):
        columns[name][recorded] = random.uniform(0, 1, len(recorded))
    columns["validation_loss"][99::100] = random.uniform(0, 1, len(step[99::100]))
    epoch = (step // 100 + 1).astype(np.int32)
    run = np.full(steps, "run", object)
    write(folder, "metrics", {"run": run, "step": step, "epoch": epoch, **columns})
    rows = len(recorded) * layers
    kinds = np.array([("dense", "relu")[i % 2] for i in range(layers)], object)
    place = {
        "run": np.full(rows, "run", object),
        "step": np.repeat(recorded, layers),
        "layer": np.tile(np.array([str(i + 1) for i in range(layers)], object), len(recorded)),
        "kind": np.tile(kinds, len(recorded)),
        "depth": np.tile(np.arange(layers, dtype=np.int32), len(recorded)),
    }
    signs = {name: random.lognormal(-2, 1, rows).astype(np.float32) for name in VITAL_COLUMNS}
    write(folder, "vitals", {**place, **signs})
    (folder / "recipe.toml").write_text("")
    figures = {"loss": 0.1, "accuracy": 0.9}
    summary = {"format": 1, "ended": "finished", "steps": steps, "findings": []}
    summary |= {"metrics": {"train": figures, "validation": figures}}
    (folder / "summary.json").write_text(json.dumps(summary))


def measure(runs: int, steps: int, layers: int) -> dict[str, float]:
    """Make the runs, serve them, and ask."""
    with tempfile.TemporaryDirectory() as folder, listen(0, None) as own:
        root = Path(folder).resolve()
        make_run(root / "run-0", steps, layers)
        for number in range(1, runs):
            shutil.copytree(root / "run-0", root / f"run-{number}")
        live, port, ready = Live(root), own.getsockname()[1], threading.Event()
        config = uvicorn.Config(
            live.guarded(TOKEN, port), log_config=None, access_log=False, lifespan="off"
        )
        server = Server(config, live, ready.set)
        thread = threading.Thread(target=server.run, args=([own],))
        thread.start()
        ready.wait()
        base = f"http://127.0.0.1:{port}/{TOKEN}/"
        with httpx.Client(timeout=60) as client:

            def ask(path: str) -> tuple[float, int]:
                started = time.perf_counter()
                answer = client.get(base + path).raise_for_status()
                return time.perf_counter() - started, len(answer.content)

            listing, _ = ask("runs")
            opening = [ask(f"run?name=run-{number}") for number in range(5)]
            again, _ = ask("run?name=run-0")
        server.stop()
        thread.join()
    return {
        "runs": runs,
        "list_seconds": round(listing, 3),
        "open_seconds": round(median(seconds for seconds, _ in opening), 3),
        "open_seconds_first": round(opening[0][0], 3),
        "open_seconds_again": round(again, 3),
        "open_kilobytes": opening[0][1] // 1000,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 250), ("steps", 10_000), ("layers", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    print(json.dumps(measure(given.runs, given.steps, given.layers), indent=1))
