"""From what fails to a proven recipe: diagnose, try, shrink, prove. Nothing is written."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from surefoot.data import Dataset
from surefoot.doctor.outcome import Outcome
from surefoot.errors import DataError
from surefoot.job import Job
from surefoot.recipe import Recipe
from surefoot.repair.case import Case, open_case
from surefoot.repair.lanes import Lanes
from surefoot.repair.proof import Proof, prove
from surefoot.repair.result import Repair
from surefoot.repair.search import LEAST_TO_PROVE, Table, always_tried, search, share_of
from surefoot.repair.shrink import shrunk
from surefoot.repair.step import About, Candidate
from surefoot.run import Run

# What search and proof may take where nothing is said: so many seconds, or trainings of the recipe.
_SECONDS, _TRAININGS = 60.0, 6.0


def mend(
    target: Run | Recipe | Job | str | Path,
    budget_seconds: float | None = None,
    tell: Callable[[str], None] = lambda line: None,
    chosen: Callable[[Recipe], None] = lambda recipe: None,
) -> Repair:
    """Find the smallest edit that makes a failing recipe train well, and prove it.

    Args:
        target: a run or its folder, a recipe or the path of its TOML file, or a job.
        budget_seconds: how long search and proof may take, after the diagnosis; they are shorter
            where time is short. A minute or six trainings, whichever is longer, without it.
        tell: called with a line for people before each thing that takes long.
        chosen: called with a recipe before it is proven: it may be the new one.

    Raises:
        RunError: there is no such run, or nothing of it can be read.
        RecipeError: the recipe cannot be read, or does not fit its data.
        DataError: the data cannot be used, or have too few validation rows.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="surefoot-first") as pool:
        return _mended(target, budget_seconds, tell, chosen, pool)


def _mended(
    target: Run | Recipe | Job | str | Path,
    asked_seconds: float | None,
    tell: Callable[[str], None],
    chosen: Callable[[Recipe], None],
    pool: Executor,
) -> Repair:
    started = time.monotonic()
    case, lanes = _opened(target, asked_seconds, tell, pool)
    budget_seconds = _budget(asked_seconds, case.lane_seconds)
    found = case.diagnosis
    if case.healthy:
        so_far = "" if case.finished else ", as far as training was seen"
        return _unchanged(case, f"nothing was wrong{so_far}: {_shown(found.outcome)}", started)
    root = f"root cause {found.root_cause}" if found.root_cause else "no cause is known"
    tell(f"{root}: {_shown(found.outcome)}")
    lanes = lanes or Lanes(case.base, case.dataset)
    lanes.lane_seconds = case.lane_seconds
    lanes.end = time.monotonic() + budget_seconds
    proofs: dict[Candidate, Proof] = {}
    for table in search(lanes, case, budget_seconds, tell):
        if table.helped and _settled(table, proofs, budget_seconds, tell, chosen):
            break
    proven = {candidate: proof for candidate, proof in proofs.items() if proof.proven}
    if proven:
        # The best, where each change more has to be worth something.
        best = max(proven, key=lambda c: proven[c].mean("repaired") - table.worth * len(c.texts))
        return _repaired(case, best, table, proven[best], started)
    failed = list(proofs.values())
    sentence = _refuted(table, failed) if failed else _in_vain(table)
    return _unchanged(case, sentence, started, table, failed)


def _settled(
    table: Table,
    proofs: dict[Candidate, Proof],
    budget_seconds: float,
    tell: Callable[[str], None],
    chosen: Callable[[Recipe], None],
) -> bool:
    """Prove what came out best, the smallest edit first; return whether that ends the search.

    It does where a recipe is proven to be as good as simple methods, and where the time is over.
    Others are set aside: what is proven to help and still behind may be all that there is.
    """
    lanes, case = table.lanes, table.case
    best = table.best()
    if len(best.steps) > 1:
        tell("undoing what is not needed…")
        table.reserve = LEAST_TO_PROVE * budget_seconds
        best = shrunk(table, best)
    for candidate in dict.fromkeys((best, table.top())):
        tell(f"proving on fresh seeds and rows: {'; '.join(candidate.texts)}…")
        chosen(case.delivered(candidate.recipe))
        proof = prove(lanes, case, candidate, len(proofs))
        if proof is None:
            return True
        proofs[candidate] = proof
        if proof.proven and proof.mean("repaired") >= table.good_enough(proof.share):
            return True
        if _another_seed_is_enough(table, proof):
            return True
        table.set_aside.add(candidate.recipe)
    return False


def _budget(asked: float | None, lane_seconds: float) -> float:
    return asked or max(_SECONDS, _TRAININGS * lane_seconds)


def _opened(
    target: Run | Recipe | Job | str | Path,
    asked_seconds: float | None,
    tell: Callable[[str], None],
    pool: Executor,
) -> tuple[Case, Lanes | None]:
    """Open the case; begin to compile what is tried in any case beside what is diagnosed.

    Returns:
        the case, and the lanes for which something is compiled: none where a run is given.
    """
    made: list[Lanes] = []

    def begun(base: Recipe, dataset: Dataset, about: About) -> None:
        try:
            lanes = Lanes(base, dataset)
        except DataError:  # too few rows, which does not matter where nothing is wrong
            return
        made.append(lanes)
        share = share_of(lanes, _budget(asked_seconds, lanes.lane_seconds))
        lanes.compile_ahead(always_tried(base, about), share, pool)

    searched = False
    try:
        case = open_case(target, asked_seconds or _SECONDS, tell, begun)
        searched = not case.healthy
    finally:
        if made and not searched:  # healthy, or stopped: nobody needs what is not compiled yet
            made[0].end = -math.inf
    return case, made[0] if made else None


def _in_vain(table: Table) -> str:
    """Say why there is nothing to prove."""
    if table.case.base not in table.scores:
        return "nothing was tried: the time was over; give a larger budget"
    if table.before >= table.enough:
        return (
            f"nothing to repair: over {len(table.seeds)} seeds the recipe as it is does as well "
            f"as simple methods ({table.before:.3f}); another seed is enough"
        )
    if table.helped:
        return "nothing is proven to help; the time was over before the proof"
    tried = len(table.scores) - 1
    if not tried:
        return "nothing was tried: the time was over; give a larger budget"
    rows = "; what the rows lack no recipe brings back"
    return (
        f"nothing helped: {tried} changed recipes were tried, and none does clearly better than "
        f"the recipe as it is ({table.before:.3f})"
        + (rows if table.case.diagnosis.root_cause == "data-problem" else "")
    )


def _another_seed_is_enough(table: Table, proof: Proof) -> bool:
    """Whether the recipe as it is does as well as simple methods, over the proof's seeds."""
    as_it_is = min(proof.mean("original"), proof.mean("no-op"))
    return not (proof.proven or table.of_the_rows) and as_it_is >= table.case.goal_to_prove


def _refuted(table: Table, failed: Sequence[Proof]) -> str:
    """Say what the proofs were against."""
    best = max(failed, key=lambda proof: proof.gain)
    if _another_seed_is_enough(table, failed[-1]):
        return (
            f"nothing to repair: on fresh seeds the recipe as it is does as well as simple methods "
            f"({failed[-1].measure} {failed[-1].mean('original'):.3f}); another seed is enough"
        )
    proofs = "the proof failed" if len(failed) == 1 else f"{len(failed)} proofs failed"
    if best.gain > best.spread:
        reached = f"{best.measure} {best.mean('repaired'):.3f} on {best.rows} rows"
        return f"nothing helped; {proofs}: {reached} is no better than always guessing the same"
    return (
        f"nothing is proven to help; {proofs}: a gain of {best.gain:.3f}, where chance makes "
        f"{best.spread:.3f}"
    )


def _repaired(case: Case, best: Candidate, table: Table, proof: Proof, started: float) -> Repair:
    before, after = proof.mean("original"), proof.mean("repaired")
    # What is proven to help and still is behind simple methods has more wrong with it.
    behind = after < case.goal_to_prove
    part = "" if proof.share == 1 else f", after {proof.share:.0%} of the training"
    return Repair(
        True,
        f"{'improved' if behind else 'repaired'}: {proof.measure} {after:.3f} instead of "
        f"{before:.3f} on {proof.rows} rows and seeds not used for choosing{part}"
        + (f"; simple methods reach more, {case.goal_to_prove:.3f} and above" if behind else ""),
        proof.metrics("original"),
        proof.metrics("repaired"),
        best.texts,
        case.delivered(best.recipe),
        case.recipe,
        case.diagnosis,
        proof,
        table.lanes.trained,
        _rows(table),
        time.monotonic() - started,
    )


def _unchanged(
    case: Case,
    sentence: str,
    started: float,
    table: Table | None = None,
    failed: Sequence[Proof] = (),
) -> Repair:
    found = case.diagnosis.outcome
    proof = max(failed, key=lambda proof: proof.gain, default=None)
    known = math.isfinite(found.now)
    before = proof.metrics("original") if proof else {found.measure: found.now} if known else {}
    return Repair(
        False,
        sentence,
        before,
        before,
        (),
        case.recipe,
        case.recipe,
        case.diagnosis,
        proof,
        table.lanes.trained if table else 0,
        _rows(table) if table else (),
        time.monotonic() - started,
    )


def _rows(table: Table) -> list[dict[str, Any]]:
    """Return what was tried, the best first."""
    rows = [
        {
            "changes": list(table.candidates[recipe].texts),
            "mean": scores.mean,
            "scores": list(scores.scores),
            "diverged": scores.diverged,
            "steps": scores.steps,
        }
        for recipe, scores in table.scores.items()
    ]
    return sorted(rows, key=lambda row: -row["mean"])


def _shown(found: Outcome) -> str:
    now, reference = (
        "not known"
        if not math.isfinite(value)
        else f"{value:.1%}"
        if found.measure == "accuracy"
        else f"{value:.4g}"
        for value in (found.now, found.reference)
    )
    return f"{found.measure} {now}, simple methods {reference}"
