"""Altered files: one clear line, or the right answer; no traceback, nothing wrong as if right.

Every file of a run, of a run that was killed, and of its checkpoints is damaged, one at a time,
and everything that reads it is asked. What comes back is one of

- refused: one line and exit code 2;
- the same: what an undamaged file gives (the damage changed nothing that counts);
- previous: of checkpoints, the one before, with a line about the damaged one;
- partial: of a diagnosis, a part that is left out and named;
- other: of files without checksums, which may say anything that is valid: another answer.

Anything else is a failure, and is listed.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import surefoot as sf
from benchmarks.soak.damage import cases, damaged
from surefoot.cli.app import main
from surefoot.engine.checkpoint import Checkpoint, Point
from surefoot.engine.checkpoints import Checkpoints
from surefoot.recipe import load
from surefoot.vitals.table import TableWriter, read


class Subject(NamedTuple):
    """A file to damage, and what reads it.

    Attributes:
        file: relative to the folder that all files are in.
        ask: returns an answer that must be the undamaged file's.
        sealed: whether it has a checksum; a hostile file may be without, or have a right one.
    """

    file: str
    ask: Callable[[Path], Any]
    sealed: bool = True


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def command(*arguments: Any) -> Ended:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def make(folder: Path) -> None:
    """Make the files: a run of a table, the parts of one that was killed, two checkpoints."""
    rng = np.random.default_rng(0)
    size, colour = rng.normal(size=60), rng.choice(["red", "blue"], 60)
    label = np.where((size > 0) ^ (colour == "red"), "yes", "no")
    rows = "\n".join(f"{s:.3f},{c},{y}" for s, c, y in zip(size, colour, label, strict=True))
    table = folder / "table.csv"
    table.write_text(f"size,colour,label\n{rows}\n")
    run = sf.train(table, net="mlp:4", epochs=2, out=folder / "run", data__target="label")
    killed = folder / "killed"
    killed.mkdir()
    for name in ("recipe.toml", "data.json"):
        shutil.copy(run.path / name, killed / name)
    for name, rows_ in (("metrics", run.history), ("vitals", run.vitals)):
        writer = TableWriter(killed, name)
        for epoch in np.array_split(np.arange(rows_.rows), 2):
            writer.append({key: column[epoch] for key, column in rows_.items()})
            writer.flush()
    shutil.copytree(run.path, folder / "bare")
    (folder / "bare" / "checksums.json").unlink()
    about = json.loads((folder / "bare" / "model.json").read_text())
    del about["sha256"], about["arrays"]
    (folder / "bare" / "model.json").write_text(json.dumps({**about, "format": 1}, indent=1))
    np.savez(folder / "rows.npz", x=rng.normal(size=(20, 3)), y=np.arange(20) % 2)
    run.history.to_pandas().to_parquet(folder / "rows.parquet")
    kept = Checkpoints(folder / "checkpoints")
    for step in (1, 2):
        kept.save(_point(step), _trees(step))


def _point(step: int) -> Point:
    return Point("0" * 64, step, 1, step, 0.5, {"rows": {"metrics": step}})


def _trees(step: int) -> dict[str, Any]:
    rng = np.random.default_rng(step)
    kernel = rng.normal(size=(8, 4)).astype(np.float32)
    return {"lanes": {"params": [{"kernel": kernel}], "count": np.int32(step)}, "loop": [kernel]}


def _predict(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        return answer(command("predict", folder / name, folder / "table.csv"))

    return ask


def _diagnose(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        return answer(command("diagnose", folder / name, "--no-trials", "--json"))

    return ask


def _data(name: str) -> Callable[[Path], Any]:
    def ask(folder: Path) -> Any:
        options = ["--target", "epoch"] if name.endswith("parquet") else []
        return answer(command("data", folder / name, *options, "--json"))

    return ask


def _load(folder: Path) -> Any:
    return load(folder / "bare" / "recipe.toml")


def _tables(folder: Path) -> Any:
    run = sf.Run(folder / "run")
    return [{k: v.tolist() for k, v in table.items()} for table in (run.history, run.vitals)]


def _parts(folder: Path) -> Any:
    killed = folder / "killed"
    return {k: v.tolist() for n in ("metrics", "vitals") for k, v in read(killed, n).items()}


def _summary(folder: Path) -> Any:
    run = sf.Run(folder / "run")
    return run.metrics, run.findings, run.recipe


def _checkpoint(folder: Path) -> Any:
    def use(found: Checkpoint) -> Any:
        trees = found.restore(_trees(0))
        expected = _trees(found.point.step)
        for have, want in zip(jax.tree.leaves(trees), jax.tree.leaves(expected), strict=True):
            assert np.asarray(have).tobytes() == np.asarray(want).tobytes(), "other arrays"
        assert found.point == _point(found.point.step), "another point"
        return found.point.step

    step, complaints = Checkpoints(folder / "checkpoints").newest(use)
    return Previous(complaints) if step == 1 and complaints else step


class Previous(NamedTuple):
    """An earlier state was used, and that was said."""

    complaints: list[str]


class Named(NamedTuple):
    """Another answer, with lines that say which files cannot be read."""

    lines: list[str]


class _Refused(Exception):
    pass


def answer(ended: Ended) -> Any:
    """Return what a command printed, or raise what it refused with."""
    if ended.code == 2 and not ended.out and ended.err.count("\n") == 1:
        raise _Refused(ended.err)
    assert ended.code == 0, f"exit code {ended.code}: {ended.err}"
    return ended.out


def subjects(folder: Path) -> list[Subject]:
    """Return what is to be damaged."""
    newest = "checkpoints/step-000000000002"
    found = [
        *(Subject(f"run/model.{end}", _predict("run")) for end in ("safetensors", "json")),
        *(Subject(f"run/{name}.parquet", _tables) for name in ("metrics", "vitals")),
        *(Subject(f"run/{name}", _summary) for name in ("summary.json", "recipe.toml")),
        *(
            Subject(f"run/{name}", _diagnose("run"))
            for name in ("metrics.parquet", "recipe.toml", "data.json", "checksums.json")
        ),
        *(Subject(f"{newest}/{name}", _checkpoint) for name in _names(folder / newest)),
    ]
    for name in ("metrics", "vitals"):
        parts = _names(folder / "killed" / name)
        found += [Subject(f"killed/{name}/{part}", _parts) for part in parts]
        found.append(Subject(f"killed/{name}/{parts[0]}", _diagnose("killed")))
    return found + _hostile()


def _hostile() -> list[Subject]:
    """Return files that have no checksum, as somebody who means harm would send them."""
    names = ("metrics.parquet", "vitals.parquet", "recipe.toml", "data.json", "summary.json")
    return [
        *(
            Subject(f"bare/model.{end}", _predict("bare"), sealed=False)
            for end in ("safetensors", "json")
        ),
        *(Subject(f"bare/{name}", _diagnose("bare"), sealed=False) for name in names),
        Subject("bare/recipe.toml", _load, sealed=False),
        *(
            Subject(name, _data(name), sealed=False)
            for name in ("rows.npz", "rows.parquet", "table.csv")
        ),
    ]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Result(NamedTuple):
    """How the cases ended.

    Attributes:
        ended: how many, by how.
        failures: a line for each case that is a failure.
    """

    ended: Counter[str]
    failures: list[str]


def fuzz(
    folder: Path,
    count: int,
    seed: int = 0,
    *,
    make: Callable[[Path], None] = make,
    subjects: Callable[[Path], list[Subject]] = subjects,
) -> Result:
    """Damage files so many times and ask.

    Args:
        folder: where they are made; it is empty.
        count: of cases.
        seed: of the damages.
        make: makes the files.
        subjects: says what is damaged.
    """
    folder.mkdir(exist_ok=True)
    make(folder)
    rng = np.random.default_rng(seed)
    ended: Counter[str] = Counter()
    failures = []
    every = subjects(folder)
    rights: dict[Callable[[Path], Any], Any] = {}
    share = -(-count // len(every))
    for file, ask, sealed in every:
        path = folder / file
        data = path.read_bytes()
        if ask not in rights:
            rights[ask] = ask(folder)
        right = rights[ask]
        for case in cases(len(data), share):
            bad = damaged(data, case, rng)
            path.write_bytes(bad)
            how, why = _try(ask, folder, right, path.name)
            if how == "another" and not sealed:
                how = "other"
            ended[how] += 1
            if how in ("failed", "another"):
                failures.append(f"{file}, {case}: {why}")
        path.write_bytes(data)
    return Result(ended, failures)


def _try(ask: Callable[[Path], Any], folder: Path, right: Any, file: str) -> tuple[str, str]:
    try:
        found = ask(folder)
    except _Refused:
        return "refused", ""
    except sf.SurefootError as error:
        clear = error.exit_code == 2 and "\n" not in str(error)
        return ("refused", "") if clear else ("failed", f"no clear line: {error!r}")
    except Exception:
        return "failed", " | ".join(traceback.format_exc().splitlines()[-7:])
    if isinstance(found, Previous):
        return "previous", ""
    if isinstance(found, Named):
        said = any(file in line for line in found.lines)
        return ("named", "") if said else ("failed", f"{file} is not named: {found.lines}")
    if found == right or repr(found) == repr(right):  # NaN is not equal to itself
        return "the same", ""
    if isinstance(found, str) and found.startswith("{") and json.loads(found).get("lacking"):
        return "partial", ""
    return "another", f"a wrong answer was given: {str(found)[:300]} for {str(right)[:300]}"
