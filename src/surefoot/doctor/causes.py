"""Which finding follows from which: the root is what nothing else explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from surefoot.doctor.finding import Suspicion

# cause → what it brings about. A root is judged by its own strength times what is left of it
# where each possible cause of it is as strong as it is.
EFFECTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "data-problem": (
            "unscaled-inputs",
            "overfitting",
            "underfitting",
            "too-few-epochs",
            "local-minimum",
            "flat-region",
        ),
        "class-imbalance": ("data-problem", "overfitting", "too-few-epochs", "local-minimum"),
        "unscaled-inputs": (
            "diverged",
            "exploding-gradients",
            "vanishing-gradients",
            "dead-units",
            "saturated-units",
            "initialization-scale",
            "learning-rate-too-high",
            "learning-rate-too-low",
            "batch-too-small",
            "overfitting",
            "too-few-epochs",
            "depth-degradation",
            "ravine",
            "flat-region",
        ),
        "unscaled-targets": (
            "diverged",
            "exploding-gradients",
            "dead-units",
            "saturated-units",
            "learning-rate-too-high",
            "learning-rate-too-low",
            "initialization-scale",
            "batch-too-small",
            "too-few-epochs",
            "underfitting",
            "ravine",
            "flat-region",
        ),
        "symmetric-units": (
            "initialization-scale",
            "vanishing-gradients",
            "learning-rate-too-low",
            "learning-rate-too-high",
            "dead-units",
            "underfitting",
            "depth-degradation",
            "saddle-point",
            "flat-region",
            "local-minimum",
        ),
        "initialization-scale": (
            "diverged",
            "exploding-gradients",
            "vanishing-gradients",
            "dead-units",
            "saturated-units",
            "learning-rate-too-high",
            "learning-rate-too-low",
            "overfitting",
            "depth-degradation",
            "too-few-epochs",
            "saddle-point",
            "flat-region",
            "ravine",
        ),
        "wrong-output": (
            "wrong-loss",
            "dead-units",
            "saturated-units",
            "vanishing-gradients",
            "too-few-epochs",
            "underfitting",
            "flat-region",
            "local-minimum",
        ),
        "wrong-loss": ("too-few-epochs", "underfitting", "flat-region", "local-minimum"),
        "learning-rate-too-high": (
            "diverged",
            "too-few-epochs",
            "dead-units",
            "saturated-units",
            "overfitting",
            "batch-too-small",
            "ravine",
            "flat-region",
            "local-minimum",
        ),
        "learning-rate-too-low": ("too-few-epochs", "underfitting"),
        "batch-too-small": ("ravine", "overfitting"),
        "dead-units": ("vanishing-gradients", "flat-region"),
        "saturated-units": ("vanishing-gradients", "flat-region", "depth-degradation"),
        "vanishing-gradients": (
            "depth-degradation",
            "learning-rate-too-low",
            "too-few-epochs",
            "underfitting",
            "saddle-point",
            "flat-region",
        ),
        "exploding-gradients": ("diverged", "learning-rate-too-high", "saturated-units", "ravine"),
        "depth-degradation": (
            "learning-rate-too-low",
            "learning-rate-too-high",
            "dead-units",
            "saturated-units",
            "overfitting",
            "too-few-epochs",
            "flat-region",
            "saddle-point",
        ),
        "underfitting": (
            "dead-units",
            "learning-rate-too-high",
            "too-few-epochs",
            "local-minimum",
        ),
    }
)


def root_scores(suspicions: Sequence[Suspicion]) -> dict[str, float]:
    """Return how likely each suspicion is the root: its strength, not explained by another.

    r = s · Π (1 − cause's s) over the causes that are present too.

    >>> def suspicion(name, strength):
    ...     return Suspicion(name, strength, "", {})
    >>> scores = root_scores([suspicion("unscaled-inputs", 0.5), suspicion("diverged", 1.0)])
    >>> scores
    {'unscaled-inputs': 0.5, 'diverged': 0.5}
    """
    strength = {suspicion.id: suspicion.strength for suspicion in suspicions}
    scores = {}
    for name, own in strength.items():
        for cause, effects in EFFECTS.items():
            if name in effects and cause in strength and cause != name:
                own *= 1 - strength[cause]
        scores[name] = own
    return scores


def cause_of(name: str, suspicions: Sequence[Suspicion], root: str | None) -> str | None:
    """Return which of the others a finding follows from: the root if it can, else the strongest.

    A finding that is as likely the root as anything has none.
    """
    if name == root:
        return None
    causes = [s for s in suspicions if name in EFFECTS.get(s.id, ()) and s.strength >= 0.3]
    if any(s.id == root for s in causes):
        return root
    return max(causes, key=lambda s: s.strength).id if causes else None


def causes_of(suspicions: Sequence[Suspicion], root: str | None) -> dict[str, str | None]:
    """Return what each follows from; where two would explain each other, the stronger does.

    >>> def suspicion(name, strength):
    ...     return Suspicion(name, strength, "", {})
    >>> causes_of([suspicion("dead-units", 0.5), suspicion("unscaled-inputs", 1.0)], None)
    {'unscaled-inputs': None, 'dead-units': 'unscaled-inputs'}
    """
    caused: dict[str, str | None] = {}
    for suspicion in sorted(suspicions, key=lambda s: -s.strength):
        cause = cause_of(suspicion.id, suspicions, root)
        circle = cause is not None and suspicion.id in _way(cause, caused)
        caused[suspicion.id] = None if circle else cause
    return caused


def chain(root: str, caused_by: Mapping[str, str | None]) -> list[str]:
    """Return a longest way from the root through what follows from it."""
    ways = [[root]]
    for name, cause in caused_by.items():
        if cause is not None:
            ways.append(_way(name, caused_by))
    return max((way for way in ways if way[0] == root), key=len)


def _way(name: str, caused_by: Mapping[str, str | None]) -> list[str]:
    way = [name]
    while (cause := caused_by.get(way[0])) is not None and cause not in way:
        way.insert(0, cause)
    return way
