"""A process that trains a run, or goes on with one: made to be killed."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

from surefoot import saving
from surefoot.engine import training
from surefoot.job import prepare
from surefoot.resumer import resume
from surefoot.trainer import execute

RECIPE: dict[str, Any] = {
    "data": {"source": "iris"},
    "net": {
        "layers": [
            {"dense": 16},
            {"batch_norm": {}},
            {"activation": "relu"},
            {"dropout": 0.1},
            {"dense": "classes"},
            {"activation": "softmax"},
        ]
    },
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "schedule": {"name": "plateau", "patience": 2},
    "train": {"epochs": 40, "batch_size": 8, "early_stopping": {"patience": 100}},
    "checkpoints": {"every_seconds": 0.02},
}
# So that there are many boundaries, and many checkpoints under way, in a run of seconds.
_DISPATCH_SECONDS, _FLUSH_SECONDS, _PAUSE = 0.002, 0.05, 0.002


class Slow:
    """Waits a little after each dispatch: a run of many boundaries that lasts long enough."""

    def __call__(self, _: Any) -> None:
        time.sleep(_PAUSE)


def work(path: str, errors: str, full_after: float | None = None, room: int = 0) -> None:
    """Train a run in a folder, or go on with the one that is there.

    Args:
        path: the run's folder.
        errors: where the one line goes that says why it ended.
        full_after: seconds after which the disk is full: no file can grow beyond `room` then.
        room: bytes.
    """
    from surefoot.errors import SurefootError

    # What JAX or DuckDB say as they die is no matter of ours.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    saving._MOST_SHARE = 1e9
    training._DISPATCH_SECONDS, training._FIRST_STEPS = _DISPATCH_SECONDS, 4
    if full_after is not None:
        threading.Timer(full_after, _fill, [room]).start()
    folder = Path(path)
    try:
        if (folder / "recipe.toml").exists():
            run = resume(folder, progress=lambda job: Slow())
        else:
            folder.mkdir(parents=True, exist_ok=True)
            run = execute(prepare(RECIPE), folder, Slow())
    except SurefootError as error:
        _unfill()
        Path(errors).write_text(str(error))
        sys.exit(error.exit_code)
    signal = run.summary["interrupted_by"]
    sys.exit({"SIGTERM": 143, "SIGINT": 130}.get(signal, 0))


def _fill(room: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


def _unfill() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
