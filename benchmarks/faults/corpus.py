"""The corpus on disk: built once, added to when programs change, and read back lazily.

`python -m benchmarks.faults.corpus` builds it. A folder for each distinct recipe holds the recipe,
the tables of one seed, and the outcome over all seeds; a build that was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.faults.datasets import DATASETS, Half
from benchmarks.faults.programs import Program, generate, reference_recipes
from surefoot.recipe import Recipe, structure

if TYPE_CHECKING:
    # Loaded where they are used: the process that hands out the work needs no compiler.
    from benchmarks.faults.outcomes import Judged
    from surefoot.vitals.table import Table

FOLDER = Path("build/faults")
PROCESSES = 2
# Every so many groups a process is replaced: compiled programs are never given back.
_GROUPS_A_PROCESS = 60
_QUICK = 16


class Corpus:
    """The programs and where their outcomes lie.

    Args:
        folder: of the corpus.
        quick: a small part of it, for a test: every so manieth program.
    """

    def __init__(self, folder: Path = FOLDER, quick: bool = False) -> None:
        self.folder = folder
        programs = generate(folder / "data")
        self.programs: tuple[Program, ...] = programs[::_QUICK] if quick else programs
        self._references = reference_recipes(folder / "data")

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """All distinct recipes to be trained: programs, their undoings, the healthy bases."""
        used = sorted({program.dataset for program in self.programs})
        found: dict[Recipe, None] = {}
        for program in self.programs:
            found.setdefault(program.recipe)
            found.update(dict.fromkeys(program.undo.values()))
        for name in used:
            found.update(dict.fromkeys(self._references[name]))
        return tuple(found)

    @cached_property
    def keys(self) -> Mapping[Recipe, str]:
        """The folder's name of each recipe."""
        from benchmarks.faults.outcomes import key_of

        return {recipe: key_of(recipe) for recipe in self.recipes}

    def bases(self, name: str) -> tuple[Recipe, ...]:
        """Return the healthy bases of a data set."""
        return self._references[name]

    def path(self, recipe: Recipe) -> Path:
        """Return the folder of a recipe."""
        return self.folder / "runs" / self.keys[recipe]

    def missing(self) -> list[Recipe]:
        """Return the recipes that are not trained yet."""
        return [r for r in self.recipes if not (self.path(r) / "outcome.json").exists()]

    def build(self, processes: int = PROCESSES) -> None:
        """Train what is missing, in several processes, those of one structure after another."""
        from benchmarks.faults.outcomes import write_data

        for recipe in self.recipes:
            write_data(recipe)
        missing = self.missing()
        print(f"{len(self.programs)} programs, {len(self.recipes)} distinct recipes", end=", ")
        print(f"{len(missing)} to train", flush=True)
        if not missing:
            return
        groups: dict[str, list[tuple[Recipe, Path]]] = defaultdict(list)
        for recipe in missing:
            groups[_group(recipe)].append((recipe, self.path(recipe)))
        # The half that is tuned on first, as that is what is waited for; else in any order, so
        # that a part of the corpus is a fair sample of it.
        ordered = sorted(groups.items())
        random.Random(0).shuffle(ordered)
        ordered.sort(key=lambda group: DATASETS[group[0].split(":")[0]].half != "tune")
        print(f"{len(ordered)} groups of one structure, {processes} processes", flush=True)
        started, done = time.perf_counter(), 0
        context = multiprocessing.get_context("spawn")
        with context.Pool(processes, _begin, (self.folder,), _GROUPS_A_PROCESS) as pool:
            for count in pool.imap_unordered(_train_group, [group for _, group in ordered]):
                before, done = done, done + count
                if done // 50 > before // 50 or done == len(missing):
                    spent = time.perf_counter() - started
                    left = spent / done * (len(missing) - done)
                    print(
                        f"{done}/{len(missing)} after {spent:.0f} s, ~{left:.0f} s left", flush=True
                    )

    @cached_property
    def judged(self) -> tuple[Judged, ...]:
        """Every program with its label and root causes; those not trained yet are left out."""
        from benchmarks.faults.outcomes import Outcome, judge

        missing = set(self.missing())
        outcomes = {
            recipe: Outcome.from_dict(json.loads((self.path(recipe) / "outcome.json").read_text()))
            for recipe in self.recipes
            if recipe not in missing
        }
        best = {
            name: max(outcomes[recipe].score for recipe in bases if recipe in outcomes)
            for name, bases in self._references.items()
            if any(recipe in outcomes for recipe in bases)
        }
        return tuple(
            judge(program, outcomes, best[program.dataset])
            for program in self.programs
            if not missing & {program.recipe, *program.undo.values()} and program.dataset in best
        )

    def examples(self, half: Half) -> Iterator[Example]:
        """Yield the programs of one half with what the doctor reads."""
        for judged in self.judged:
            if judged.program.half == half:
                yield Example(judged, Stored(self.path(judged.program.recipe)))


@dataclass(frozen=True)
class Stored:
    """What the doctor reads of a program, read from its folder when it is asked for."""

    path: Path

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with the seed whose tables these are."""
        from surefoot.recipe.toml import read_table

        return Recipe.parse(read_table(self.path / "recipe.toml"))

    @property
    def metrics(self) -> Table:
        """The metrics table."""
        from surefoot.vitals.table import read

        return read(self.path, "metrics")

    @property
    def vitals(self) -> Table:
        """The vitals table."""
        from surefoot.vitals.table import read

        return read(self.path, "vitals")

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What is known about the data before training."""
        return facts_of(self.recipe, self.path.parents[1] / "facts")


@dataclass(frozen=True)
class Example:
    """A judged program, and what is stored of it."""

    judged: Judged
    stored: Stored


def facts_of(recipe: Recipe, kept: Path | None = None) -> dict[str, Any]:
    """Return what is known about a recipe's data before training, as a run's folder holds it.

    Args:
        recipe: whose data are looked at.
        kept: a folder where facts are kept for recipes that read their data alike; they are
            gathered anew when the code that gathers them changes.
    """
    from surefoot.files import finite, read_json, write_json
    from surefoot.job import prepare

    if kept is None:
        return finite(prepare(recipe).facts)
    pictures = any("conv" in layer.model_fields_set for layer in recipe.net.layers)
    read = [recipe.data.model_dump_json(), recipe.train.loss, str(pictures), _facts_code()]
    path = kept / f"{hashlib.sha256(' '.join(read).encode()).hexdigest()[:20]}.json"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        write_json(path, prepare(recipe).facts)
    return read_json(path)


@cache
def _facts_code() -> str:
    """Return a digest of all modules that read data."""
    import surefoot.data

    files = sorted(Path(surefoot.data.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _group(recipe: Recipe) -> str:
    """Return a text that is the same for recipes that can share compiled programs."""
    parts = [structure(getattr(recipe, name)) for name in ("net", "optimizer", "schedule", "train")]
    text = re.sub(r"\('(bias_)?initializer', (None|\(.*?\)\))\)", "", repr(parts))
    text = re.sub(r"\('(epochs|early_stopping|class_weight)', .*?\)", "", text)
    source = Path(str(recipe.data.source)).stem.split("--")[0]
    return f"{source}:{text}"


def _begin(folder: Path) -> None:
    """Set a process up: compiled programs are kept on disk for the next build."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str((folder / "compiled").resolve()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def _train_group(group: Sequence[tuple[Recipe, Path]]) -> int:
    from benchmarks.faults.outcomes import measure

    for recipe, folder in group:
        measure(recipe, folder)
    return len(group)


def summary(judged: Iterable[Judged], faults: bool = True) -> str:
    """Return counts of labels: by half and number of faults, and by each fault alone."""
    by_half: dict[str, Counter[str]] = defaultdict(Counter)
    by_fault: dict[str, Counter[str]] = defaultdict(Counter)
    rootless: Counter[str] = Counter()
    for entry in judged:
        program = entry.program
        by_half[f"{program.half}, {len(program.faults)} faults"][entry.label] += 1
        if entry.label == "fails" and program.faults and not entry.causes:
            rootless[program.half] += 1
        if faults and len(program.faults) == 1:
            by_fault[str(program.faults[0])][entry.label] += 1
    lines = [f"{'':36}{'fails':>8}{'between':>9}{'trains':>8}"]
    for name, counts in [*by_half.items(), *sorted(by_fault.items())]:
        lines.append(f"{name:36}{counts['fails']:8}{counts['between']:9}{counts['trains']:8}")
    lines.append(f"failing without a single root cause: {dict(rootless)}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Build the corpus, and print the counts of its labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--quick", action="store_true", help="a small part")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    chosen = parser.parse_args(arguments)
    corpus = Corpus(chosen.folder, chosen.quick)
    started = time.perf_counter()
    corpus.build(chosen.processes)
    print(f"built in {time.perf_counter() - started:.0f} s")
    print(summary(corpus.judged))


if __name__ == "__main__":
    main(sys.argv[1:])
