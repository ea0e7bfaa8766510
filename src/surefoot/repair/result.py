"""What a repair comes to."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.doctor.diagnosis import Diagnosis
from surefoot.recipe import Recipe, dumps
from surefoot.repair.proof import Proof

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Repair:
    """What a repair comes to.

    Attributes:
        repaired: whether the new recipe is proven to be better.
        sentence: what came out, in one line.
        before: mean loss and accuracy, or rmse, of the recipe as it was, over fresh seeds and on
            rows not used for choosing; what the diagnosis measured where nothing was proven.
        after: the same of the new recipe; equal to ``before`` where there is none.
        changes: what was changed, a text each.
        recipe: the new recipe; the old one where nothing was repaired.
        original: the old one.
        diagnosis: what was wrong.
        proof: what was trained to prove it, if anything was.
        trials: how many trainings were made, proof included.
        tried: a row for each recipe that was tried: `changes`, `mean` score, `scores`, `diverged`.
        seconds: how long it all took.
        folder: where it was written, if it was.
    """

    repaired: bool
    sentence: str
    before: Metrics
    after: Metrics
    changes: tuple[str, ...]
    recipe: Recipe
    original: Recipe
    diagnosis: Diagnosis
    proof: Proof | None
    trials: int
    tried: Sequence[Mapping[str, Any]]
    seconds: float
    folder: Path | None = None

    @property
    def diff(self) -> str:
        """The change of the recipe as a unified diff of its TOML; empty where there is none."""
        before, after = (dumps(r).splitlines(keepends=True) for r in (self.original, self.recipe))
        return "".join(difflib.unified_diff(before, after, "before.toml", "after.toml", n=1))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: what `surefoot repair --json` prints."""
        return {
            "repaired": self.repaired,
            "sentence": self.sentence,
            "root_cause": self.diagnosis.root_cause,
            "before": dict(self.before),
            "after": dict(self.after),
            "changes": list(self.changes),
            "recipe": None if self.folder is None else str(self.folder / "recipe.toml"),
            "run": None if self.folder is None else str(self.folder / "run"),
            "trials": self.trials,
            "seconds": round(self.seconds, 3),
            "proof": None if self.proof is None else self.proof.to_dict(),
            "diff": self.diff,
            "tried": [dict(row) for row in self.tried],
        }
