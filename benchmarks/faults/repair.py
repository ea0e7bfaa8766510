"""How well failing programs are repaired: `make bench-repair`.

Every failing program of one half of the corpus is repaired as `surefoot repair` repairs a recipe,
and what is delivered is trained over the corpus's seeds and compared with the healthy reference of
its data set. Healthy programs are given to it, too: none of them may become worse.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults import corpus as corpora
from benchmarks.faults.corpus import Corpus
from benchmarks.faults.datasets import DATASETS
from benchmarks.faults.mended import BUDGET, FOLDER, Mended, Scores, kept, mend_one, reference
from benchmarks.faults.outcomes import TRAINS, Judged
from surefoot.recipe import Recipe

_HAIR = 1e-9


@dataclass(frozen=True)
class Work:
    """A program that is to be repaired, small enough to hand to a process."""

    name: str
    key: str
    recipe: Recipe
    folder: Path
    random: bool
    budget: float


@dataclass(frozen=True)
class Entry:
    """A judged program, the healthy reference, and what a repair made of it.

    Attributes:
        judged: the program.
        reference: what the best healthy base of its data set reaches.
        mended: what was made of it.
        ceiling: what its own rows are known to allow; looked for only where it fell short.
    """

    judged: Judged
    reference: Scores
    mended: Mended
    ceiling: float = math.inf

    @property
    def missing(self) -> float:
        """How far below the reference it is, on all validation rows."""
        return self.reference.whole - self.mended.after.whole

    @property
    def close(self) -> bool:
        """Whether it comes within 3 points of the reference on all validation rows."""
        return self.missing <= TRAINS + _HAIR

    @property
    def lost(self) -> bool:
        """Whether its rows are known to allow no more than that it falls short."""
        return self.reference.whole - self.ceiling > TRAINS + _HAIR

    @property
    def close_unseen(self) -> bool:
        """The same on the rows that nothing was chosen by."""
        return self.reference.proving - self.mended.after.proving <= TRAINS + _HAIR

    @property
    def gain(self) -> float:
        """What the repair gained on all validation rows."""
        return self.mended.after.whole - self.judged.outcome.score

    @property
    def classes(self) -> bool:
        """Whether labels are learned."""
        return DATASETS[self.judged.program.dataset].task == "classification"


def _mend(work: Work) -> tuple[str, Mended]:
    return work.name, mend_one(
        work.name, work.key, work.recipe, work.folder, work.random, work.budget
    )


def repair_all(
    corpus: Corpus,
    judged: Sequence[Judged],
    folder: Path,
    *,
    processes: int = 1,
    stale: bool = False,
    random: bool = False,
    budget: float = BUDGET,
    most: float = math.inf,
) -> list[Entry]:
    """Repair programs that are not repaired yet, and return all that are.

    Args:
        corpus: where their recipes lie.
        judged: the programs.
        folder: where repairs are kept.
        processes: how many work at once.
        stale: whether repairs by other code will do.
        random: whether as much is spent on changes at random, too.
        budget: seconds that each may take.
        most: seconds after which no further program is begun.
    """
    done: dict[str, Mended] = {}
    todo: list[Work] = []
    for one in judged:
        name, key = one.program.name, corpus.keys[one.program.recipe]
        found = kept(name, key, folder, stale, random)
        if found is not None:
            done[name] = found
        else:
            recipe = corpora.Stored(corpus.path(one.program.recipe)).recipe
            todo.append(Work(name, key, recipe, folder, random, budget))
    started = time.perf_counter()

    def told(name: str, found: Mended) -> None:
        done[name] = found
        print(
            f"{len(done)}/{len(judged)} {found.seconds:5.1f} s  {found.after.whole:.3f}  {name}: "
            f"{'; '.join(found.changes) or found.sentence}",
            file=sys.stderr,
            flush=True,
        )

    if processes == 1:
        for work in todo:
            if time.perf_counter() - started > most:
                break
            told(*_mend(work))
    elif todo:
        with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=20) as pool:
            for name, found in pool.imap_unordered(_mend, todo):
                told(name, found)
                if time.perf_counter() - started > most:
                    pool.terminate()
                    break
    references = {
        name: reference(name, corpus.bases(name), folder)
        for name in sorted({one.program.dataset for one in judged})
    }
    return [
        Entry(one, references[one.program.dataset], done[one.program.name])
        for one in judged
        if one.program.name in done
    ]


def with_ceilings(corpus: Corpus, entries: Sequence[Entry], folder: Path) -> list[Entry]:
    """Look up what the rows allow of those programs that fell short."""
    from benchmarks.faults.ceiling import ceiling

    def looked(entry: Entry) -> Entry:
        program = entry.judged.program
        return replace(
            entry, ceiling=ceiling(program.recipe, corpus.bases(program.dataset), folder)
        )

    return [entry if entry.close else looked(entry) for entry in entries]


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%} ({count}/{of})" if of else "none"


def table(failing: Sequence[Entry], healthy: Sequence[Entry]) -> str:
    """Return the figures of the repairs beside what they have to be."""
    rows = []
    if failing:
        classes = [entry for entry in failing if entry.classes]
        changes = [len(entry.mended.changes) for entry in failing if entry.mended.changes]
        rows += [
            (
                "failing programs within 3 points of the healthy reference, all validation rows",
                _share(sum(entry.close for entry in failing), len(failing)),
                "≥ 99%",
            ),
            (
                "… of those whose rows allow it",
                _share(sum(entry.close for entry in failing), sum(not e.lost for e in failing)),
                "",
            ),
            (
                "… on the rows that nothing was chosen by",
                _share(sum(entry.close_unseen for entry in failing), len(failing)),
                "",
            ),
            (
                "mean gain in accuracy, failing classification programs",
                f"{100 * statistics.fmean(e.gain for e in classes):.1f} points"
                if classes
                else "none",
                "≥ 36 points",
            ),
            (
                "changes in the final recipe, median (mean)",
                f"{statistics.median(changes):g} ({statistics.fmean(changes):.2f})"
                if changes
                else "none",
                "≤ 2",
            ),
            (
                "seconds of diagnosis, search and proof, median (mean)",
                f"{statistics.median(e.mended.seconds for e in failing):.1f} "
                f"({statistics.fmean(e.mended.seconds for e in failing):.1f})",
                "",
            ),
            (
                "… of the processor, all cores together, median (mean)",
                f"{statistics.median(e.mended.processor for e in failing):.1f} "
                f"({statistics.fmean(e.mended.processor for e in failing):.1f})",
                "",
            ),
        ]
        tried = [entry for entry in failing if entry.mended.random is not None]
        if tried:
            close = sum(
                entry.reference.whole - entry.mended.random.whole <= TRAINS + _HAIR
                for entry in tried
                if entry.mended.random is not None
            )
            rows += [
                (
                    "as many trainings of random changes: within 3 points",
                    _share(close, len(tried)),
                    "clearly behind",
                ),
                (
                    "… and the repairs of the same programs",
                    _share(sum(entry.close for entry in tried), len(tried)),
                    "",
                ),
            ]
    if healthy:
        worse = sum(entry.gain < -TRAINS - _HAIR for entry in healthy)
        changed = sum(entry.mended.repaired for entry in healthy)
        rows += [
            ("healthy programs changed for the worse", _share(worse, len(healthy)), "0"),
            ("… changed at all", _share(changed, len(healthy)), ""),
        ]
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{what:{width}}  {value:>18}  {wanted}" for what, value, wanted in rows)


def print_misses(failing: Sequence[Entry], healthy: Sequence[Entry]) -> None:
    """Print what fell short, by name, with its numbers."""
    missed = [entry for entry in failing if not entry.close]
    print(f"\nfell short: {len(missed)}, of which the rows allow no more: ", end="")
    print(sum(entry.lost for entry in missed))
    for entry in sorted(missed, key=lambda entry: entry.judged.program.name):
        print(_line(entry))
    changed = [entry for entry in healthy if entry.mended.repaired]
    print(f"\nhealthy, and changed: {len(changed)}")
    for entry in changed:
        print(_line(entry))
    by_family: dict[str, list[bool]] = defaultdict(list)
    for entry in failing:
        for fault in entry.judged.program.faults:
            by_family[fault.family.name].append(entry.close)
    print("\nby fault")
    for name, close in sorted(by_family.items()):
        print(f"  {name:28} {sum(close)}/{len(close)}")


def _line(entry: Entry) -> str:
    mended, judged = entry.mended, entry.judged
    return (
        f"  {judged.program.name}: {judged.outcome.score:.3f} → {mended.after.whole:.3f} of "
        f"{entry.reference.whole:.3f} (unseen {mended.after.proving:.3f} of "
        f"{entry.reference.proving:.3f}; rows allow {entry.ceiling:.3f}), "
        f"{mended.seconds:.0f} s, {mended.trials} trials; "
        f"{mended.root}; {'; '.join(mended.changes) or '—'}; {mended.sentence}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Repair one half of the corpus, or a sample of it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--corpus", type=Path, default=corpora.FOLDER)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where repairs are kept")
    parser.add_argument("--sample", type=int, help="so many failing programs, drawn at random")
    parser.add_argument("--healthy", type=int, default=0, help="so many that train well, too")
    parser.add_argument("--random", action="store_true", help="random changes for comparison, too")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--only", default="", help="programs whose name holds such a text, A,B")
    parser.add_argument("--list", action="store_true", help="what fell short, by name")
    parser.add_argument("--stale", action="store_true", help="repairs by older code will do")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for each")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=float, default=math.inf, help="begin nothing after seconds")
    parser.add_argument("--no-build", action="store_true", help="only what is trained already")
    parser.add_argument("--time", type=int, default=0, help="time so many beside PyTorch instead")
    chosen = parser.parse_args(arguments)
    corpus = Corpus(chosen.corpus)
    if not chosen.no_build:
        corpus.build()
    judged = [
        one
        for one in corpus.judged
        if one.program.half == chosen.half
        and any(text in one.program.name for text in chosen.only.split(","))
    ]
    failing = _drawn([one for one in judged if one.label == "fails"], chosen.sample, chosen.seed)
    training = [one for one in judged if one.label == "trains"]
    healthy = _drawn(training, chosen.healthy, chosen.seed)
    if chosen.time:
        from benchmarks.faults import repair_time

        repair_time.report(corpus, _drawn(failing, chosen.time, chosen.seed))
        return
    options = {name: getattr(chosen, name) for name in ("processes", "stale", "most", "budget")}
    entries = repair_all(corpus, failing, chosen.folder, random=chosen.random, **options)
    entries = with_ceilings(corpus, entries, chosen.folder)
    well = repair_all(corpus, healthy, chosen.folder, **options)
    print(f"{chosen.half} half: {len(entries)} of {len(failing)} failing programs, ", end="")
    print(f"{len(well)} of {len(healthy)} healthy ones\n")
    if entries or well:
        print(table(entries, well))
    if chosen.list:
        print_misses(entries, well)


def _drawn(judged: Sequence[Judged], count: int | None, seed: int) -> list[Judged]:
    if count is None or count >= len(judged):
        # In any order, so that a part that is done is a fair sample of all.
        count = len(judged)
    return random.Random(seed).sample(judged, count)


if __name__ == "__main__":
    main(sys.argv[1:])
