"""`make soak`: what Surefoot promises of durability, each promise with its figure.

python -m benchmarks.soak           minutes: a sample of each test
python -m benchmarks.soak --long    every test as often as it is asked for: an hour or two
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# Before JAX: the processes that are killed take their programs from here.
_CACHE = Path(tempfile.gettempdir()) / f"surefoot-soak-{os.getuid()}"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        test: what was done.
        asked: the figure that is asked for.
        found: the figure.
        failures: a line for each case that did not hold.
    """

    test: str
    asked: str
    found: str
    failures: list[str]


class Sizes(NamedTuple):
    """How often each test is done."""

    kills: int
    terms: int
    files: int
    folders: int
    full: int
    recipes: int


SHORT = Sizes(kills=12, terms=4, files=300, folders=116, full=4, recipes=60)
LONG = Sizes(kills=200, terms=50, files=5000, folders=1500, full=50, recipes=2000)


def _stops(folder: Path, sizes: Sizes) -> Iterator[Row]:
    from benchmarks.soak.kills import Score, Trials

    trials = Trials(folder)

    def row(test: str, score: Score) -> Row:
        found = f"{score.stops} over {score.runs} runs: {len(score.failures)} failed"
        return Row(test, "the same bits, no run lost", found, score.failures)

    yield row("kill -9 at random moments", trials.stopped_by(signal.SIGKILL, sizes.kills))
    yield row("SIGTERM at random moments", trials.stopped_by(signal.SIGTERM, sizes.terms))
    yield row("disk full at random moments", trials.disk_full(sizes.full))
    twice = trials.two_at_once()
    found = "one refused" if not twice.failures else "failed"
    yield Row("two processes on one run", "one refuses, one line", found, twice.failures)


def _files(folder: Path, sizes: Sizes) -> Iterator[Row]:
    from benchmarks.soak import folders
    from benchmarks.soak.files import Result, fuzz

    def row(test: str, result: Result) -> Row:
        ended = ", ".join(f"{count:,} {how}" for how, count in result.ended.most_common())
        return Row(test, "no traceback, nothing wrong", ended, result.failures)

    yield row("damaged files", fuzz(folder / "files", sizes.files))
    made = fuzz(folder / "folders", sizes.folders, make=folders.make, subjects=folders.subjects)
    yield row("damaged folders, resumed, shown, studied", made)


def _cost(folder: Path, sizes: Sizes) -> Iterator[Row]:
    from benchmarks.soak.cost import NETS, measure

    for name in NETS:
        cost = measure(folder, name)
        share = cost.share(10.0)
        found = f"{share:.2%} ({cost.blocked * 1e3:.0f} ms waited, {cost.beside * 1e3:.0f} beside)"
        failures = [] if share <= 0.02 else [f"{name}: {share:.2%}"]
        yield Row(f"a checkpoint in 10 s, {name}", "at most 2 %", found, failures)


def _recipes(folder: Path, sizes: Sizes) -> Iterator[Row]:
    from hypothesis import HealthCheck, given, settings

    from benchmarks.soak import recipes

    ended: dict[str, int] = {"trained": 0, "diverged": 0, "refused": 0}
    failures: list[str] = []

    @settings(
        max_examples=sizes.recipes,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(recipes.tables(structure=True))
    def every(values: dict[str, object]) -> None:
        how = recipes.step(values)
        ended[how if how in ended else "refused"] += 1

    try:
        every()
    except Exception as error:
        failures.append(f"{type(error).__name__}: {error}")
    found = ", ".join(f"{count:,} {how}" for how, count in ended.items())
    yield Row("recipes drawn at random", "trains, or one line; TOML exact", found, failures)


def _processes(folder: Path, sizes: Sizes) -> Iterator[Row]:
    from benchmarks.soak.processes import one_killed, same_as_one

    same = same_as_one(folder)
    found = f"within {same.far:.1e}"
    yield Row("2 and 4 processes, one job", "one's metrics to 1e-5", found, same.failures)
    lost = one_killed(folder)
    found = f"ended after {lost.seconds:.1f} s; resumed by 3 and by 1, within {lost.far:.1e}"
    yield Row("4 processes, one killed", "ends within 30 s, resumes", found, lost.failures)


PARTS: dict[str, Callable[[Path, Sizes], Iterator[Row]]] = {
    "stops": _stops,
    "files": _files,
    "recipes": _recipes,
    "cost": _cost,
    "processes": _processes,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="every test as often as is asked for")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be repeated")
    given = parser.parse_args()
    started, failures = time.monotonic(), []
    print("| test | asked for | found |\n| --- | --- | --- |", flush=True)
    for name, part in PARTS.items():
        if given.only and name not in given.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for row in part(Path(folder), LONG if given.long else SHORT):
                print(f"| {row.test} | {row.asked} | {row.found} |", flush=True)
                failures += row.failures
    print(f"\n{time.monotonic() - started:.0f} s")
    for line in failures:
        print(f"FAILED {line}")
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
