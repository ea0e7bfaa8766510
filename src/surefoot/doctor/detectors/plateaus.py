"""Where the loss stopped falling: what the error surface was measured to be there."""

from __future__ import annotations

import numpy as np

from surefoot.doctor.detector import Detector
from surefoot.doctor.edits import initialized, rate_of
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.finding import FindingId, Remedy, Suspicion
from surefoot.doctor.plateau import judge
from surefoot.vitals.table import Table

_IDS: dict[str, FindingId] = {
    "saddle-point": "saddle-point",
    "local-minimum": "local-minimum",
    "flat-region": "flat-region",
    "not-critical": "ravine",
}
_STRENGTH = {"saddle-point": 0.6, "local-minimum": 0.3, "flat-region": 0.6, "ravine": 0.6}


def _detector(kind: str) -> Detector:
    found = _IDS[kind]

    def look(evidence: Evidence) -> Suspicion | None:
        table = evidence.curvature
        if table is None or table.rows == 0:
            return None
        point = _last(table)
        verdict = judge(point)
        if verdict.kind != kind or (kind == "not-critical" and verdict.cause != "ravine"):
            return None
        strength = 0.0 if verdict.cause == "fitted" else _STRENGTH[found]
        return Suspicion(
            found,
            strength,
            verdict.sentence,
            verdict.evidence,
            int(point.get("step", 0)),
            remedies=_remedies(evidence, found),
        )

    look.__doc__ = f"""Say whether the last measured point is a place of this kind: {kind}.

    Formula, thresholds and source: `surefoot.doctor.plateau.judge`, which reads the landscape
    table. Nothing is said where the error surface was not measured.
    """
    return Detector(found, look)


def _last(table: Table) -> dict[str, float]:
    """Return the numbers of the point that was measured last in the run."""
    row = int(np.argmax(np.asarray(table["step"]))) if "step" in table else table.rows - 1
    numbers = {}
    for name, column in table.items():
        if np.asarray(column).dtype.kind in "iuf":
            numbers[name] = float(column[row])
    return numbers


def _remedies(evidence: Evidence, found: str) -> tuple[Remedy, ...]:
    rate = rate_of(evidence.recipe)
    slower = Remedy("a tenth of the rate", {"optimizer.learning_rate": (rate or 0.01) / 10})
    others = {
        "saddle-point": Remedy("random weights of a healthy scale", initialized(evidence.recipe)),
        "flat-region": Remedy("weights of a healthy scale", initialized(evidence.recipe)),
        "local-minimum": Remedy("another start: another seed", {"seed": evidence.recipe.seed + 1}),
        "ravine": slower,
    }
    return (others[found],)


DETECTORS = tuple(_detector(kind) for kind in _IDS)
