"""How right the doctor is: `python -m benchmarks.faults.doctor [--half report|tune]`.

Every program of one half of the corpus is shown to Surefoot's doctor and to the published rules of
three tools, from the same tables. Surefoot looks at each failing run while it grows, too: after 1,
4 and 16 steps and each fortieth of the run.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import multiprocessing
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.faults.corpus import FOLDER, PROCESSES, Corpus, Example, Stored, summary
from benchmarks.faults.published import TOOLS
from benchmarks.faults.scoring import Entry, Opinion, Score, checkpoints, evidence_of, table

OURS = "Surefoot"
_OTHERS = ("benchmarks.critical_points", "benchmarks.vitals_cost")
Opinions = dict[str, tuple[Opinion, int]]


def opinions(stored: Stored) -> Opinions:
    """Return what every doctor says of one program, and the run's whole length."""
    from surefoot.doctor.diagnosis import examine

    evidence = evidence_of(stored)
    total = evidence.total_steps or evidence.steps
    said: Opinions = {}
    for name, tool in TOOLS.items():
        verdict = tool(evidence)
        opinion = Opinion(verdict.unhealthy, verdict.causes, verdict.step, str(verdict.symptom))
        said[name] = opinion, total
    diagnosis = examine(evidence)
    unhealthy = any(finding.severity != "note" for finding in diagnosis.findings)
    first = None
    if unhealthy:
        first = evidence.steps
        for step in checkpoints(evidence.steps):
            if examine(evidence.until(step)).verdict == "unhealthy":
                first = step
                break
    cause = (diagnosis.root_cause,) if diagnosis.root_cause else ()
    found = ", ".join(f"{finding.id} ({finding.severity})" for finding in diagnosis.findings)
    said[OURS] = Opinion(unhealthy, cause, first, found or "nothing"), total
    return said


def score(examples: Sequence[Example], processes: int = PROCESSES) -> dict[str, Score]:
    """Return every doctor's score on the examples; ours stands first."""
    stored = [example.stored for example in examples]
    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            heard = pool.map(opinions, stored, chunksize=8)
    else:
        heard = list(map(opinions, stored))
    return {
        name: Score(
            tuple(
                Entry(example.judged, *said[name])
                for example, said in zip(examples, heard, strict=True)
            )
        )
        for name in (OURS, *TOOLS)
    }


def _line(entry: Entry) -> str:
    judged, opinion = entry.judged, entry.opinion
    undone = ", ".join(f"without {name} {value:.2f}" for name, value in judged.undone.items())
    causes = "/".join(opinion.causes) or "no cause"
    numbers = f"{judged.outcome.score:.3f} of {judged.reference:.3f}" + (undone and f"; {undone}")
    return f"  {judged.program.name}: {numbers}; named {causes}; {opinion.said}"


def print_list(title: str, entries: Iterable[Entry]) -> None:
    """Print programs one by one, with their numbers."""
    lines = [_line(entry) for entry in entries]
    print(f"\n{title}: {len(lines)}")
    print("\n".join(lines))


def report(scores: dict[str, Score], listed: bool) -> None:
    """Print the table, the confusion, and with `listed` every miss and false alarm."""
    ours = scores[OURS]
    print(table(scores))
    rootless = len(ours.failing) - len(ours.rooted)
    between = sum(entry.opinion.unhealthy for entry in ours.between)
    print(f"\nfailing, with no single fault that restores it (no root cause to name): {rootless}")
    print(f"in between, called unhealthy by {OURS}: {between} of {len(ours.between)}")
    print("\nwhat was named in place of a root cause")
    for (fault, said), count in ours.confusion().most_common():
        print(f"{count:4}  {fault}: {said}")
    if listed:
        print_list("missed", (e for e in ours.failing if not e.opinion.unhealthy))
        print_list("false alarms", (e for e in ours.training if e.opinion.unhealthy))
        print_list("another cause named", (e for e in ours.rooted if not e.named))


def main(arguments: list[str] | None = None) -> None:
    """Score the doctor on one half of the corpus, building it where it is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--quick", action="store_true", help="a small part of the corpus")
    parser.add_argument("--list", action="store_true", help="every miss and false alarm by name")
    parser.add_argument("--only", default="", help="programs whose name holds this text")
    parser.add_argument("--no-build", action="store_true", help="judge what is trained already")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    chosen = parser.parse_args(arguments)
    corpus = Corpus(chosen.folder, chosen.quick)
    if not chosen.no_build:
        corpus.build(chosen.processes)
    examples = [
        example
        for example in corpus.examples(chosen.half)
        if chosen.only in example.judged.program.name
    ]
    started = time.perf_counter()
    print(f"{chosen.half} half")
    print(summary([example.judged for example in examples], faults=False))
    print()
    report(score(examples, chosen.processes), chosen.list)
    print(f"\n{len(examples)} programs judged in {time.perf_counter() - started:.0f} s")
    whole = chosen.half == "report" and not (chosen.quick or chosen.only or chosen.no_build)
    for name in _OTHERS:
        if whole and importlib.util.find_spec(name) is not None:
            print(f"\n{name.rsplit('.', 1)[1].replace('_', ' ')}")
            importlib.import_module(name).main([])


if __name__ == "__main__":
    main(sys.argv[1:])
