"""Where the loss stopped falling: what the error surface was measured to be there."""

from __future__ import annotations

from surefoot.doctor.detector import Detector
from surefoot.doctor.edits import initialized, rate_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import FindingId, Remedy, Suspicion
from surefoot.doctor.plateau import judge
from surefoot.doctor.rows import readable
from surefoot.vitals.table import Table

_IDS: dict[str, FindingId] = {
    "saddle-point": "saddle-point",
    "local-minimum": "local-minimum",
    "flat-region": "flat-region",
    "not-critical": "ravine",
}
_STRENGTH = {"saddle-point": 0.6, "local-minimum": 0.3, "flat-region": 0.6, "ravine": 0.6}
# What each means for the run, and what to change.
_MEANING = {
    "saddle-point": "Steps along the gradient leave such a place very slowly, so the loss lies "
    "still long before it is as low as it could be. Start the weights elsewhere, or take the way "
    "out that was tried here.",
    "local-minimum": "That says nothing against the net: training has arrived. If the loss is too "
    "high all the same, try another seed, more units or other inputs.",
    "flat-region": "More steps lead nowhere from here, whatever their length. Start with weights "
    "of a healthy scale, and look for dead or saturated units and for unscaled inputs.",
    "ravine": "Steps that go to and fro spend the run on its steepest directions and leave the "
    "others to wait.",
}
_EXAMPLE = {
    "saddle-point": "a deep linear net whose weights all begin at 0.",
    "local-minimum": "a quadratic bowl after enough steps.",
    "flat-region": "a hidden layer that is silent on every row.",
    "not-critical": "curvatures of 100 and 1, and a rate of 0.019: just below 2/100.",
}


def _detector(kind: str) -> Detector:
    found = _IDS[kind]

    def look(evidence: Evidence) -> Suspicion | None:
        table = evidence.curvature
        point = {} if table is None else _last(table)
        if not point:
            return None
        verdict = judge(point)
        if verdict.kind != kind or (kind == "not-critical" and verdict.cause != "ravine"):
            return None
        strength = 0.0 if verdict.cause == "fitted" else _STRENGTH[found]
        return Suspicion(
            found,
            strength,
            f"{verdict.sentence} {_MEANING[found]} This was measured at step "
            f"{int(point.get('step', 0)):,} on a sample of the training rows: it is what the "
            "surface is like there, not a guess from the curve.",
            verdict.evidence,
            int(point.get("step", 0)),
            remedies=_remedies(evidence, found),
        )

    look.__doc__ = f"""Say whether the last measured point is a place of this kind: {kind}.

    Formula, thresholds and source: `surefoot.doctor.plateau.judge`, which reads the landscape
    table. Nothing is said where the error surface was not measured.

    Example: {_EXAMPLE[kind]}
    """
    return Detector(found, look)


def _last(table: Table) -> dict[str, float]:
    """Return the numbers of the point that was measured last in the run."""
    ordered = readable(table, (), ("step",))
    return {name: float(column[-1]) for name, column in ordered.items()} if ordered.rows else {}


def _remedies(evidence: Evidence, found: str) -> tuple[Remedy, ...]:
    if found == "ravine":
        rate = rate_of(evidence.recipe)
        edits = {} if rate is None else {"optimizer.learning_rate": rate / 10}
        return (Remedy("a tenth of the rate", edits),)
    others = {
        "saddle-point": Remedy("random weights of a healthy scale", initialized(evidence.recipe)),
        "flat-region": Remedy("weights of a healthy scale", initialized(evidence.recipe)),
        "local-minimum": Remedy(
            "another start: another seed", {"seed": (evidence.recipe.seed + 1) % 2**32}
        ),
    }
    return (others[found],)


DETECTORS = tuple(_detector(kind) for kind in _IDS)
