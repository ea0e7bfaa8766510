"""The sides of `benchmarks.study_speed`: a study, PyTorch's loop, and Optuna driving that loop.

Run as a program it is one of Optuna's processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_HIDDEN, _CLASSES, _BATCH = 64, 10, 32
LOWEST, HIGHEST = 1e-4, 1.0
# The whole from before the import; then the same study in another folder, which compiles nothing.
_STUDY = """
import json, os, sys, tempfile, time
started = time.perf_counter()
import surefoot as sf
runs, epochs, again = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "again"
recipe = {
    "data": {"source": "digits"},
    "net": {"layers": [
        {"dense": 64}, {"activation": "relu"}, {"dense": 64}, {"activation": "relu"},
        {"dense": "classes"}, {"activation": "softmax"},
    ]},
    "train": {"batch_size": 32, "epochs": epochs},
}
rates = sf.logspace(-4, 0, runs)
seconds = []
with tempfile.TemporaryDirectory() as folder:
    for turn in range(1 + again):
        study = sf.study(
            recipe, vary={"learning_rate": rates}, seeds=1, validated=False, out=f"{folder}/{turn}"
        )
        now = time.perf_counter()
        seconds.append(now - started)
        started = now
    best = float(study.table()["mean"].max())
from benchmarks.memory import peak_bytes
peak = peak_bytes() / 2**30
print(json.dumps({"seconds": seconds, "peak": peak, "best": best}))
"""


def study(runs: int, epochs: int, again: bool = True) -> dict[str, Any]:
    """Train a study in a fresh process without compiled programs on disk.

    Returns:
        `seconds`, of the whole from before the import on and, with `again`, of the same study once
        more; `peak`, memory in GB; `best`, the best validation accuracy.
    """
    kept = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
    done = subprocess.run(
        [sys.executable, "-c", _STUDY, str(runs), str(epochs), "again" if again else "once"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name not in kept},
    )
    return json.loads(done.stdout.splitlines()[-1])


class Torch:
    """PyTorch's eager loop on digits: data resident, a permutation an epoch, plain Adam."""

    def __init__(self, epochs: int, adam: Mapping[str, bool], threads: int) -> None:
        import torch
        from sklearn.datasets import load_digits

        self._epochs, self._adam, self._threads = epochs, adam, threads
        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(x))
        x, y = x[order].astype(np.float32), y[order]
        rows = len(x) * 4 // 5
        x = (x - x[:rows].mean(axis=0)) / (x[:rows].std(axis=0) + 1e-8)
        inputs, targets = torch.from_numpy(x), torch.from_numpy(y).long()
        self._train = inputs[:rows], targets[:rows]
        self._validation = inputs[rows:], targets[rows:]

    def run(self, rate: float) -> float:
        """Train one run; return its accuracy on the validation rows, measured once, at the end."""
        import torch
        from torch import nn

        torch.set_num_threads(self._threads)
        torch.manual_seed(0)
        x, y = self._train
        net = nn.Sequential(
            nn.Linear(x.shape[1], _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _CLASSES),
        )
        adam = torch.optim.Adam(net.parameters(), lr=rate, **self._adam)
        for _ in range(self._epochs):
            order = torch.randperm(len(x))
            for first in range(0, len(x), _BATCH):
                index = order[first : first + _BATCH]
                adam.zero_grad(set_to_none=True)
                loss = nn.functional.cross_entropy(net(x[index]), y[index])
                loss.backward()
                adam.step()
        with torch.no_grad():
            x, y = self._validation
            return float((net(x).argmax(dim=1) == y).float().mean())

    def seconds(self, rates: np.ndarray) -> float:
        """Return the seconds of a run, one after another."""
        started = time.perf_counter()
        for rate in rates:
            self.run(float(rate))
        return (time.perf_counter() - started) / len(rates)


def fastest_torch(epochs: int, adam: Mapping[str, bool]) -> tuple[Torch, int]:
    """Return PyTorch with one thread or with all, whichever is faster, and how many those are."""
    forms = {n: Torch(epochs, adam, n) for n in sorted({1, os.cpu_count() or 1})}
    short = {n: Torch(1, adam, n) for n in forms}
    for form in short.values():
        form.run(1e-3)
    times = {n: min(form.seconds(np.array([1e-3])) for _ in range(3)) for n, form in short.items()}
    best = min(times, key=lambda n: times[n])
    return forms[best], best


class Optuna:
    """Processes that share an Optuna study, each with one thread of PyTorch, kept between turns."""

    def __init__(self, epochs: int, processes: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        journal = str(Path(self._folder.name) / "journal.log")
        command = [sys.executable, "-m", "benchmarks.study_sides", journal, str(epochs)]
        self._workers: list[subprocess.Popen[str]] = []
        for _ in range(processes):  # one after the other, the first makes the study
            worker = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._workers.append(worker)
            self._answer(worker)

    def seconds(self, trials: int) -> float:
        """Return the seconds of a trial while every process tries so many."""
        started = time.perf_counter()
        for worker in self._workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{trials}\n")
            worker.stdin.flush()
        for worker in self._workers:
            self._answer(worker)
        return (time.perf_counter() - started) / (trials * len(self._workers))

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait()
        self._folder.cleanup()

    @staticmethod
    def _answer(worker: subprocess.Popen[str]) -> None:
        assert worker.stdout is not None
        if not worker.stdout.readline():
            raise RuntimeError("a process of Optuna ended before it was done")


def _worker(journal: str, epochs: int) -> None:
    """Try as many trials as each line of standard input says; answer with a line."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    side = Torch(epochs, {}, threads=1)
    shared = optuna.create_study(
        study_name="rates",
        storage=JournalStorage(JournalFileBackend(journal)),
        direction="maximize",
        load_if_exists=True,
    )
    Torch(1, {}, threads=1).run(1e-3)
    print("ready", flush=True)

    def objective(trial: optuna.Trial) -> float:
        return side.run(trial.suggest_float("learning_rate", LOWEST, HIGHEST, log=True))

    for line in sys.stdin:
        shared.optimize(objective, n_trials=int(line))
        print("done", flush=True)


if __name__ == "__main__":
    _worker(sys.argv[1], int(sys.argv[2]))
