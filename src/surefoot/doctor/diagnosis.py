"""From evidence to a diagnosis: suspicions, weighed against each other and against the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from surefoot.doctor.causes import causes_of, chain, root_scores
from surefoot.doctor.detector import OF_GRADIENTS, Detector
from surefoot.doctor.evidence import PLACE, Evidence
from surefoot.doctor.finding import Finding, Remedy, Severity, Suspicion
from surefoot.doctor.outcome import Outcome, outcome
from surefoot.doctor.registry import DETECTORS
from surefoot.recipe import Recipe

# From here on a suspicion is said at all, and from here on it can be why a run does poorly.
SAID, _LIKELY = 0.15, 0.3
# Before a result can be expected only what cannot go well is called wrong; where there is nothing
# to compare the result with, what hardly ever does.
_CERTAIN, _SURE = 0.99, 0.85
_RESULT_EXPECTED = 0.07
# Simple methods suffer from these as a net does: being as good as they are says nothing then.
_SPOIL_THE_YARDSTICK = frozenset({"data-problem", "class-imbalance", "overfitting"})


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a run, the root cause first.

    Attributes:
        verdict: "unhealthy" where a finding is a warning or worse.
        root_cause: the finding whose removal helps most; None where the run is healthy.
        findings: all, the root first, then by severity and strength.
        chain: from the root cause to what follows from it.
        outcome: the result that findings are weighed against.
        lacking: columns of the tables that were not there; what needs them was not looked at.
        trials: a row for each candidate that was tried; `surefoot.doctor.trials.Trials` tells of
            what.
        checks: a row for each thing that was looked at before training;
            `surefoot.doctor.preflight.Preflight` tells of what.
    """

    verdict: Literal["healthy", "unhealthy"]
    root_cause: str | None
    findings: tuple[Finding, ...]
    chain: tuple[str, ...]
    outcome: Outcome
    lacking: tuple[str, ...]
    trials: tuple[Mapping[str, Any], ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()

    @property
    def partial(self) -> bool:
        """Whether something that detectors read was not there."""
        return bool(self.lacking)

    def _repr_html_(self) -> str:
        from surefoot.notebook import diagnosis_html

        return diagnosis_html(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: what `surefoot diagnose --json` prints."""
        return {
            "verdict": self.verdict,
            "root_cause": self.root_cause,
            "chain": list(self.chain),
            "findings": [finding.to_dict() for finding in self.findings],
            "lacking": list(self.lacking),
            "trials": [dict(row) for row in self.trials],
            "checks": [dict(row) for row in self.checks],
        }


def examine(evidence: Evidence) -> Diagnosis:
    """Diagnose a run, finished or not, from its evidence alone: nothing is trained.

    Suspicions say what is unusual; the result says whether it hurts. A run that does as well as
    simple methods do on the same rows is healthy whatever is unusual about it, and one that falls
    far behind is not, even where no rule fired.
    """
    suspicions, lacking = suspect(evidence)
    return weigh(evidence, suspicions, lacking)


def suspect(
    evidence: Evidence, detectors: Sequence[Detector] = DETECTORS
) -> tuple[list[Suspicion], tuple[str, ...]]:
    """Ask every detector; return what they say, and the columns that some of them lacked."""
    gone = set(evidence.lacking)
    by_gradient = evidence.recipe.train.method == "gradient"
    found, lacking = [], gone.intersection(PLACE)
    with np.errstate(all="ignore"):
        for detector in detectors:
            if not by_gradient and detector.id in OF_GRADIENTS:
                continue
            missing = gone.intersection(detector.reads)
            if missing:
                lacking |= missing
                continue
            suspicion = detector.look(evidence)
            if suspicion is not None:
                found.append(_with_changes(suspicion, evidence.recipe))
    return found, tuple(sorted(lacking))


def _with_changes(suspicion: Suspicion, recipe: Recipe) -> Suspicion:
    """Leave out remedies that the recipe has already: they would change nothing."""
    kept = tuple(r for r in suspicion.remedies if not r.edits or _changes(r, recipe))
    return replace(suspicion, remedies=kept) if kept != suspicion.remedies else suspicion


def _changes(remedy: Remedy, recipe: Recipe) -> bool:
    """Whether training would be another: without gradients, update rule and schedule are unused."""
    edited = remedy.apply(recipe)
    if recipe.train.method != "gradient":
        kept = {"optimizer": recipe.optimizer, "schedule": recipe.schedule}
        edited = edited.model_copy(update=kept)
    return edited != recipe


def weigh(
    evidence: Evidence,
    suspicions: Sequence[Suspicion],
    lacking: tuple[str, ...] = (),
    confirmed: str | None = None,
    trials: Sequence[Mapping[str, Any]] = (),
    checks: Sequence[Mapping[str, Any]] = (),
) -> Diagnosis:
    """Weigh suspicions against each other and against the result.

    Args:
        evidence: what they rest on.
        suspicions: what detectors said.
        lacking: columns that were not there.
        confirmed: the finding that a trial has shown to be the root.
        trials: what was tried, as `surefoot.doctor.trials.Trials` has it.
        checks: what was looked at before training, as `surefoot.doctor.preflight.Preflight` has it.
    """
    with np.errstate(all="ignore"):
        about = outcome(evidence)
    if confirmed is None and all(s.strength < SAID for s in suspicions):
        named = _unexplained(evidence, about)
        known = {s.id for s in named}
        suspicions = [*(s for s in suspicions if s.id not in known), *named]
    scores = root_scores(suspicions)
    root = confirmed or max(scores, key=lambda name: scores[name], default=None)
    severities = {s.id: _severity(s, about, evidence, s.id == root) for s in suspicions}
    unhealthy = any(severity != "note" for severity in severities.values())
    if not unhealthy:
        root = None
    elif severities[root] == "note":  # the cause of what does harm does harm
        severities[root] = "warning"
    said = [
        _with_trials(s, trials) if s.id == confirmed else s
        for s in suspicions
        if s.strength >= SAID or s.id == root
    ]
    caused = causes_of(said, root)
    findings = tuple(
        Finding(
            s.id,
            severities[s.id],
            s.since_step,
            s.layers,
            s.evidence,
            "confirmed" if s.id == confirmed else "observed",
            s.explanation,
            s.remedies,
            caused[s.id],
        )
        for s in sorted(said, key=lambda s: (s.id != root, -scores[s.id], -s.strength))
    )
    return Diagnosis(
        "unhealthy" if unhealthy else "healthy",
        root,
        findings,
        tuple(chain(root, caused)) if root is not None else (),
        about,
        lacking,
        tuple(trials),
        tuple(checks),
    )


def _with_trials(suspicion: Suspicion, trials: Sequence[Mapping[str, Any]]) -> Suspicion:
    """Let a confirmed suspicion quote the trial that confirmed it."""
    for row in trials:
        if row["id"] == suspicion.id and row["tried"]:
            numbers = {f"trial_{key}": row[key] for key in ("with", "without", "seeds", "steps")}
            return replace(
                suspicion,
                explanation=f"{suspicion.explanation} {row['sentence']}",
                evidence={**suspicion.evidence, **numbers},
            )
    return suspicion


def _severity(suspicion: Suspicion, about: Outcome, evidence: Evidence, is_root: bool) -> Severity:
    if suspicion.id == "diverged" and not (
        about.state == "fine" and suspicion.evidence.get("finite")
    ):
        return "error"
    strength = suspicion.strength
    if about.state == "unknown":
        return "error" if strength >= _SURE else "warning" if strength >= 0.6 else "note"
    if evidence.progress < _RESULT_EXPECTED:
        hopeless = strength >= _CERTAIN and about.state != "fine"
        return "warning" if hopeless else "note"
    if about.state == "fine":
        spoiled = suspicion.id in _SPOIL_THE_YARDSTICK and strength >= 0.5
        return "warning" if spoiled and evidence.progress >= 1 else "note"
    if evidence.progress < 1:
        # What a healthy run has reached by then differs; the strong ones need not wait for it.
        needed = 0.95 - 0.5 * evidence.progress if about.learned > 0.3 else 0.5
        return "warning" if strength >= needed else "note"
    if is_root:
        return "error" if about.state == "failed" else "warning"
    return "warning" if strength >= _LIKELY else "note"


def _unexplained(evidence: Evidence, about: Outcome) -> list[Suspicion]:
    """Name what a poor result without a cause is: learned by heart, or not learned."""
    if not about.poor or evidence.progress < 1:
        return []
    accurate = about.measure == "accuracy"
    by_heart = (
        about.train > about.now + 0.5 * about.gap if accurate else about.train < 0.7 * about.now
    )
    shown = [
        f"{value:.1%}" if accurate else f"{value:.4g}" for value in (about.now, about.reference)
    ]
    return [
        Suspicion(
            "overfitting" if by_heart else "underfitting",
            _LIKELY,
            f"The run ends at {about.measure} {shown[0]} on rows that it did not train on, and "
            f"simple methods reach {shown[1]} on the same rows. No rule says why; "
            + (
                "on its own training rows the net does well, so it learned them by heart. "
                if by_heart
                else "on its own training rows it does no better, so it never learned them. "
            )
            + "That it falls short is measured; the cause is not. A repair tries what may help.",
            {"now": about.now, "reference": about.reference, "train": about.train},
        )
    ]
