"""Altered folders: resumed, reported, diagnosed, served, studied: as good as before, or said.

What `files.py` does for single files that are read, for all that goes on with a folder or shows
it: runs that were killed and interrupted, pre-trained ones, studies, repairs and ensembles. What
shows a folder may also answer

- named: another page, with a line that names the file, on the page and on standard error.
"""

from __future__ import annotations

import asyncio
import html
import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import jax
import numpy as np

import surefoot as sf
from benchmarks.soak.files import Named, Previous, Subject, answer, command
from benchmarks.soak.same import differences
from surefoot import job, saving
from surefoot.checksums import seal
from surefoot.engine import training
from surefoot.engine.cohort import Cohort
from surefoot.job import prepare
from surefoot.live.app import Live
from surefoot.pretrain.start import first_weights
from surefoot.repairer import SEALED
from surefoot.trainer import execute

_LAYERS: list[Any] = [{"dense": 4}, {"activation": "relu"}, {"dense": "classes"}]
_RECIPE: dict[str, Any] = {
    "data": {"source": "iris"},
    "net": {"layers": [*_LAYERS, {"activation": "softmax"}]},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 4},
    "checkpoints": {"every_seconds": 0.001},
}
_VARY = {"learning_rate": [0.01, 0.1], "optimizer": ["adam", "sgd"]}
_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
_TOKEN, _PORT = "t" * 43, 8421
# Runs are stopped after so many dispatches of a few steps each.
_DISPATCHES, _STEPS = 3, 2


class _Killed(BaseException):
    """What no part of Surefoot is ready for."""


@contextmanager
def _quick() -> Iterator[None]:
    """Let checkpoints and parts of tables be many in a run of few steps, and facts be few."""
    with (
        mock.patch.object(job, "reference", return_value=None),
        mock.patch.object(saving, "_MOST_SHARE", 1e9),
        mock.patch.object(training, "_DISPATCH_SECONDS", 1e-6),
        mock.patch.object(training, "_FIRST_STEPS", _STEPS),
    ):
        yield


def make(folder: Path) -> None:
    """Make the folders: runs, a study and what was begun of it, a repair, an ensemble."""
    keys = {"epochs": 2, "pretrain": {"method": "autoencoder", "epochs": 2}}
    sf.train("iris", net="mlp:4", out=folder / "run", **keys)
    with _quick():
        # All of one name, which the tables hold.
        _run(folder / "whole" / "run", None)
        _run(folder / "killed" / "run", _kill)
        _run(folder / "stopped" / "run", lambda: signal.raise_signal(signal.SIGTERM))
    _study(folder / "study")
    with suppress(_Killed):
        _study(folder / "begun", _kill)
    _repair(folder / "repair", folder / "run")
    sf.ensemble("iris", members=2, net="mlp:4", epochs=2, out=folder / "ensemble")


def _kill() -> None:
    raise _Killed


def _run(path: Path, stop: Callable[[], None] | None) -> None:
    """Train a run, and stop it on the way."""
    path.mkdir(parents=True)
    seen = []

    def progress(block: Any) -> None:
        seen.append(block)
        if stop is not None and len(seen) == _DISPATCHES:
            stop()

    with suppress(_Killed):
        execute(prepare(_RECIPE), path, progress)


def _study(path: Path, stop: Callable[[], None] | None = None) -> sf.Study | None:
    """Do a study, or go on with it; stop when the first of its parts is kept."""

    def tell(line: str) -> None:
        if stop is not None and " runs after " in line:
            stop()

    recipe = {**_RECIPE, "train": {"epochs": 2}}
    return sf.study(recipe, vary=_VARY, seeds=2, validated=False, out=path, tell=tell)


def _repair(path: Path, run: Path) -> None:
    """Write a repair by hand: its search takes longer than all the rest here."""
    path.mkdir()
    shutil.copytree(run, path / "run")
    shutil.copy(run / "recipe.toml", path / "recipe.toml")
    (path / "changes.diff").write_text("--- before\n+++ after\n@@ -1 +1 @@\n-a = 1\n+a = 2\n")
    lane = {"change": "", "scores": [0.5, 0.7], "mean": 0.6, "diverged": 0, "steps": 9}
    done = {
        "format": 1,
        "repaired": True,
        "sentence": "repaired: accuracy 0.600 instead of 0.300",
        "before": {"accuracy": 0.3},
        "after": {"accuracy": 0.6},
        "changes": ["a shorter step"],
        "proof": {"lanes": [{"lane": "repaired", **lane}], "measure": "accuracy", "rows": 9},
    }
    (path / "proof.json").write_text(json.dumps(done, indent=1))
    seal(path, SEALED)


def _report(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        ended = command("report", folder / name, "--out", folder / "page.html")
        said = [line for line in ended.err.splitlines() if line.startswith("not readable: ")]
        if not said:
            answer(ended)
            return (folder / "page.html").read_text(encoding="utf-8")
        assert ended.code == 0, f"exit code {ended.code}: {ended.err}"
        page = html.unescape((folder / "page.html").read_text(encoding="utf-8"))
        top = page[: page.index("<main")].replace("Not readable", "not readable")
        assert all(line in top for line in said), f"not on the page: {said}"
        return Named(said)

    return ask


def _resume(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        again, said = folder / "again" / "run", []
        shutil.rmtree(again, ignore_errors=True)
        shutil.copytree(folder / name, again)
        with _quick():
            run = sf.resume(again, tell=said.append)
        wrong = differences(run, sf.Run(folder / "whole" / "run"))
        assert not wrong, f"another end: {wrong}"
        return Previous(said) if said else "the same bits"

    return ask


def _serve(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        told = asyncio.run(_asked(folder / name, ("runs", "run?name=.", "compare?name=.")))
        problems = [*told[1]["problems"].values(), *told[2]["problems"]]
        return Named(problems) if problems else told

    return ask


async def _asked(root: Path, paths: Sequence[str]) -> list[Any]:
    """Return what the live page of a folder is told, without a server."""
    transport = httpx.ASGITransport(Live(root).guarded(_TOKEN, _PORT))
    base, told = f"http://127.0.0.1:{_PORT}/{_TOKEN}/", []
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        for path in paths:
            found = await client.get(path)
            assert found.status_code == 200, f"{path}: {found.status_code} {found.text}"
            told.append(_without_times(found.json()))
    return told


def _without_times(value: Any) -> Any:
    """Return what does not depend on when the files were written."""
    if isinstance(value, dict):
        times = ("since", "number", "changed")
        return {key: _without_times(own) for key, own in value.items() if key not in times}
    return [_without_times(own) for own in value] if isinstance(value, list) else value


def _diagnose(folder: Path) -> Any:
    return answer(command("diagnose", folder / "run", "--no-trials", "--json"))


def _continued(folder: Path) -> Any:
    again = folder / "again"
    shutil.rmtree(again, ignore_errors=True)
    shutil.copytree(folder / "begun", again)
    return _told(_study(again))


def _finished(folder: Path) -> Any:
    return _told(_study(folder / "study"))


def _told(study: sf.Study | None) -> Any:
    """Return what a study says, but for how long it took."""
    assert study is not None
    tables = (study.runs, study.table())
    columns = [{k: v.tolist() for k, v in own.items() if k != "seconds"} for own in tables]
    recipe, best = study.best
    return columns, recipe, best, study.conclusions


def _predict(folder: Path) -> Any:
    run = sf.Run(folder / "ensemble")
    return run.predict(_ROWS).tolist(), run.disagreement(_ROWS).std.tobytes(), run.metrics


def _pretraining(folder: Path) -> Any:
    return {key: own.tolist() for key, own in sf.Run(folder / "run").pretraining.items()}


def _transfer(folder: Path) -> Any:
    tables = {**_RECIPE, "transfer": {"from": str(folder / "run")}}
    given = prepare(tables)
    cohort = Cohort([given.recipe], given.dataset)
    return [np.asarray(own).tobytes() for own in jax.tree.leaves(first_weights(cohort, 0).weights)]


_RUN = (
    "summary.json",
    "findings.json",
    "recipe.toml",
    "data.json",
    "environment.json",
    "metrics.parquet",
    "vitals.parquet",
    "model.json",
    "model.safetensors",
    "pretraining.parquet",
    "evaluation.json",
    "checksums.json",
)
_SERVED = _RUN[:4] + _RUN[5:7] + _RUN[-1:]
_STUDY = ("summary.json", "best.toml", "settings.parquet", "checksums.json", "study.toml")


def subjects(folder: Path) -> list[Subject]:
    """Return what is to be damaged, and what is done then."""
    command("report", folder / "run", "--out", folder / "page.html")  # measures what it shows
    parts = [_inside(folder, f"killed/run/{name}")[-1] for name in ("metrics", "vitals")]
    newest = _inside(folder, "killed/run/checkpoints")[-1]
    repair = ("proof.json", "changes.diff", "checksums.json", "run/metrics.parquet")
    stopped = ("summary.json", "checksums.json", "recipe.toml", "metrics.parquet", "model.json")
    killed = _resume("killed/run")
    asked: list[tuple[Callable[[Path], Any], str, tuple[str, ...]]] = [
        (_report("run"), "run", _RUN),
        (_report("study"), "study", _STUDY),
        (_report("repair"), "repair", repair),
        (_diagnose, "run", ("vitals.parquet", "data.json")),
        (_serve("run"), "run", _SERVED),
        (_finished, "study", (*_STUDY, "runs.parquet")),
        (_predict, "ensemble", ("model.json", "model.safetensors", "summary.json")),
        (_pretraining, "run", ("pretraining.parquet",)),
        (_transfer, "run", ("model.json", "model.safetensors")),
        (_resume("stopped/run"), "stopped/run", stopped),
        (killed, "killed/run", ("recipe.toml", "checksums.json", "data.json")),
    ]
    found = [Subject(f"{base}/{name}", ask) for ask, base, names in asked for name in names]
    found += [Subject(file, killed) for file in (*parts, *_inside(folder, newest))]
    found += [Subject(parts[0], _serve("killed/run"))]
    begun = ["begun/study.toml", *_inside(folder, "begun/runs")]
    return found + [Subject(file, _continued) for file in begun]


def _inside(folder: Path, name: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / name).iterdir())
