"""How long a repair takes beside one training of the same program in PyTorch, in turns.

A program of the corpus trains for about a second in PyTorch. So each is also made long: with as
many epochs as PyTorch takes 15 seconds for.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.corpus import Corpus, Stored
from benchmarks.faults.mended import BUDGET, forget
from benchmarks.faults.outcomes import Judged
from surefoot.errors import SurefootError
from surefoot.recipe import Recipe

LONG = 10.0
"""Seconds in PyTorch from which on a program is long."""
MOST, RATIO = 15.0, 1.0
"""Seconds that a short one may take, and how many times PyTorch's time a long one."""
_MADE_LONG = 15.0
_PROBED = 200


@dataclass(frozen=True)
class Timing:
    """A program with its times.

    Attributes:
        name: of the program.
        torch: seconds of one training in PyTorch.
        repair: seconds of `surefoot.repair`, the repaired recipe's training included.
        repaired: whether it was repaired.
    """

    name: str
    torch: float
    repair: float
    repaired: bool


def time_one(name: str, recipe: Recipe) -> list[Timing]:
    """Time a program as it is, and made long; PyTorch and the repair take turns."""
    from benchmarks.faults.torch_programs import TorchProgram

    program = TorchProgram(recipe)
    step = program.train(_PROBED) / _PROBED
    factor = max(1, round(_MADE_LONG / (step * program.steps)))
    timings = []
    for times in sorted({1, factor}):
        train = recipe.train.model_copy(update={"epochs": recipe.train.epochs * times})
        longer = recipe.model_copy(update={"train": train})
        torch_seconds = TorchProgram(longer).train()
        text = name if times == 1 else f"{name}, {times} times the epochs"
        timings.append(Timing(text, torch_seconds, *_repair(longer)))
    return timings


def _repair(recipe: Recipe) -> tuple[float, bool]:
    """Return how long a repair takes that begins with nothing compiled, and whether it is one."""
    from surefoot.repairer import repair

    forget()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = repair(recipe, out=Path(folder) / "repair", budget_seconds=BUDGET)
        return time.perf_counter() - started, done.repaired


def report(corpus: Corpus, judged: Sequence[Judged]) -> None:
    """Time the programs, and print a line for each and the medians."""
    from benchmarks.faults.torch_programs import Inexpressible

    timings: list[Timing] = []
    skipped = 0
    for one in judged:
        recipe = Stored(corpus.path(one.program.recipe)).recipe
        try:
            timings += time_one(one.program.name, recipe)
        except (Inexpressible, SurefootError) as error:
            skipped += 1
            print(f"{one.program.name}: left out, {error}", file=sys.stderr, flush=True)
            continue
        print("\n".join(map(_line, timings[-2:])), file=sys.stderr, flush=True)
    short = [timing for timing in timings if timing.torch < LONG]
    long = [timing for timing in timings if timing.torch >= LONG]
    print(f"{len(timings)} timings, {skipped} programs left out that PyTorch cannot express")
    if short:
        asked = statistics.median(timing.repair for timing in short)
        print(f"under {LONG:g} s in PyTorch ({len(short)}): median {asked:.1f} s, ≤ {MOST:g} s")
    if long:
        ratios = sorted(timing.repair / timing.torch for timing in long)
        print(
            f"longer ({len(long)}): median {statistics.median(ratios):.2f}× of one training, "
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}, ≤ {RATIO:g}×"
        )


def _line(timing: Timing) -> str:
    said = "repaired" if timing.repaired else "not repaired"
    return f"{timing.name}: PyTorch {timing.torch:.1f} s, repair {timing.repair:.1f} s, {said}"
