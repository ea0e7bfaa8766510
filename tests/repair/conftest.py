"""Recipes that fail, each in one way; and lanes that need no training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from surefoot.doctor.diagnosis import Diagnosis
from surefoot.doctor.finding import Finding, Remedy
from surefoot.doctor.outcome import Outcome
from surefoot.recipe import Recipe
from surefoot.repair.case import Case
from surefoot.repair.lanes import Scores
from surefoot.repair.step import About

ABOUT = About("classes", True, 1000)
Score = Callable[[Recipe], float]
LAYERS = (
    {"dense": 16},
    {"activation": "relu"},
    {"dense": "classes"},
    {"activation": "softmax"},
)


@pytest.fixture
def make() -> Callable[..., Recipe]:
    """Return a recipe that trains well, but for the sections that a test gives."""

    def recipe(**sections: Any) -> Recipe:
        tables: dict[str, Any] = {
            "data": {"source": "iris"},
            "net": {"layers": list(LAYERS)},
            "optimizer": {"name": "adam", "learning_rate": 0.01},
            "train": {"epochs": 30},
        }
        for name, keys in sections.items():
            tables[name] = {**tables[name], **keys}
        return Recipe.parse(tables)

    return recipe


@dataclass
class Pretended:
    """Lanes whose scores are made up."""

    score: Score
    proven: Score | None = None  # where it is another, on fresh seeds and rows
    noise: float = 0.0
    width: int = 6
    lane_seconds: float = 0.01
    chunk_seconds: float = 1e-3
    steps: int = 1000
    rows: int = 100
    left: float = 60.0
    measure: str = "accuracy"
    asked: list[Recipe] = field(default_factory=list)
    trained: list[tuple[dict[Recipe, list[int]], float]] = field(default_factory=list)

    def train(self, wanted, *, proving=False, share=1.0, reserve=0.0):
        self.asked += wanted
        self.trained.append((wanted, share))
        score = self.proven if proving and self.proven else self.score
        return {r: self._scores(score(r), seeds) for r, seeds in wanted.items()}

    def compiled(self, recipe):
        return False

    def at_once(self, recipes, seeds):
        return dict.fromkeys(recipes, 1)

    def _scores(self, value, seeds):
        found = tuple(value + self.noise * (-1) ** seed for seed in seeds)
        lost = math.isnan(value)
        return Scores(found, found, found, (lost,) * len(seeds), 10, True)


@pytest.fixture
def pretended() -> type[Pretended]:
    """Return the class of lanes whose scores are made up."""
    return Pretended


@pytest.fixture
def case_of() -> Callable[..., Case]:
    """Return what makes a case of a recipe and remedies."""
    return _case


@pytest.fixture
def case(make) -> Case:
    """A recipe at a rate of 1, whose diagnosis proposes another."""
    recipe = make(optimizer={"name": "sgd", "learning_rate": 1.0})
    return _case(recipe, Remedy("a hundredth", {"optimizer.learning_rate": 0.01}))


def _case(recipe: Recipe, *remedies: Remedy) -> Case:
    finding = Finding("diverged", "error", 0, (), {}, "observed", "", remedies)
    about = Outcome("accuracy", 0.3, 0.3, 0.3, 0.95, 0.3, 0.65, 0.0, "failed")
    found = Diagnosis("unhealthy", "diverged", (finding,), ("diverged",), about, ())
    rows = SimpleNamespace(target=SimpleNamespace(kind="classes"), y_val=np.arange(4))
    return Case(recipe, recipe, rows, found, ABOUT, 0.92, 0.92, True, 0.01)
