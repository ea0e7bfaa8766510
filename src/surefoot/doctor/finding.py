"""What a diagnosis is made of: suspicions, findings and remedies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.recipe.toml import dumps_tables

FindingId = Literal[
    "diverged",
    "exploding-gradients",
    "vanishing-gradients",
    "dead-units",
    "saturated-units",
    "symmetric-units",
    "initialization-scale",
    "learning-rate-too-high",
    "learning-rate-too-low",
    "unscaled-inputs",
    "unscaled-targets",
    "wrong-output",
    "wrong-loss",
    "saddle-point",
    "local-minimum",
    "flat-region",
    "ravine",
    "batch-too-small",
    "too-few-epochs",
    "overfitting",
    "underfitting",
    "depth-degradation",
    "class-imbalance",
    "data-problem",
]
IDS: tuple[str, ...] = get_args(FindingId)
Severity = Literal["note", "warning", "error"]
Certainty = Literal["observed", "confirmed"]


@dataclass(frozen=True)
class Remedy:
    """An edit from recipe to recipe.

    Attributes:
        text: what to change, as one would say it.
        edits: the recipe's keys and what they become, as `surefoot train --set` takes them.
            Empty where the change is not one of the recipe: better labels, more data.
    """

    text: str
    edits: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, recipe: Recipe) -> Recipe:
        """Return the edited recipe.

        Raises:
            RecipeError: the edit does not fit the recipe.

        >>> recipe = Recipe.parse({"net": {"layers": [{"dense": 2}]}})
        >>> slower = Remedy("slower", {"optimizer.learning_rate": 0.01})
        >>> slower.apply(recipe).optimizer.learning_rate
        0.01
        """
        tables = recipe.to_dict()
        for key, value in self.edits.items():
            set_key(tables, key, value)
        return Recipe.parse(tables)

    @property
    def toml(self) -> str:
        """The edit as lines that can be pasted into a recipe; nothing where there is none."""
        sections: dict[str, Any] = {}
        removed = []
        for key, value in self.edits.items():
            if value is None:
                removed.append(f"# take out {key}\n")
            else:
                set_key(sections, key, value)
        return "".join(removed) + (dumps_tables(sections) if sections else "")


@dataclass(frozen=True)
class Suspicion:
    """What one detector says, before it is weighed against what the others say.

    Attributes:
        id: of the finding.
        strength: how likely this alone keeps a net from learning well, 0 to 1.
        explanation: three to six sentences with this run's numbers: what is happening, why it
            hurts, how sure it is, what to change.
        evidence: the numbers that it rests on.
        since_step: the first step at which it was so.
        layers: the layers in which it is so; empty where it is of the whole run.
        remedies: what to change, the best first.
    """

    id: FindingId
    strength: float
    explanation: str
    evidence: Mapping[str, float | int | str]
    since_step: int = 0
    layers: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something wrong, or worth knowing, with a run.

    Attributes:
        id: one of `IDS`.
        severity: "error" where it keeps the run from learning, "warning" where it likely hurts,
            "note" where training goes well all the same.
        since_step: the first step at which it was so.
        layers: the layers in which it is so; empty where it is of the whole run.
        evidence: the numbers that it rests on.
        certainty: "observed" where a rule fired; "confirmed" where it was undone in a trial, and
            training went better.
        explanation: in plain words, with this run's numbers.
        remedies: what to change, the best first.
        caused_by: the finding that this one follows from; None for a root.
    """

    id: str
    severity: Severity
    since_step: int
    layers: tuple[str, ...]
    evidence: Mapping[str, float | int | str]
    certainty: Certainty
    explanation: str
    remedies: tuple[Remedy, ...]
    caused_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        remedies = [{"text": r.text, "edits": dict(r.edits), "toml": r.toml} for r in self.remedies]
        return {
            **vars(self),
            "layers": list(self.layers),
            "evidence": dict(self.evidence),
            "remedies": remedies,
        }
