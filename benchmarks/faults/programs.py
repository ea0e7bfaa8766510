"""The programs of the corpus: healthy bases, harmless changes, one fault, and two faults.

Everything follows from one seed: the same programs every time, for both halves by the same rules.
Whether a program fails is not said here; its outcome says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.faults import faults_of_data, faults_of_nets, faults_of_training
from benchmarks.faults.bases import BASES, HARMLESS
from benchmarks.faults.datasets import DATASETS, Half
from benchmarks.faults.draft import Draft
from benchmarks.faults.family import Family, Strength
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe

SEED = 4
FAMILIES: tuple[Family, ...] = (
    *faults_of_nets.FAMILIES,
    *faults_of_training.FAMILIES,
    *faults_of_data.FAMILIES,
)
_HARMLESS_EACH = 6
_DOUBLES_EACH = 5
_LETTERS = "abc"


@dataclass(frozen=True)
class Fault:
    """A bad idea at one strength.

    >>> low = next(family for family in FAMILIES if family.name == "rate-low")
    >>> str(Fault(low, 1e-3)), sorted(Fault(low, 1e-3).right)
    ('rate-low=0.001', ['learning-rate-too-low'])
    """

    family: Family
    strength: Strength

    def __str__(self) -> str:
        strength = self.strength
        text = strength if isinstance(strength, str) else f"{strength:g}"
        return f"{self.family.name}={text}"

    @property
    def right(self) -> frozenset[str]:
        """The findings that name it rightly."""
        return self.family.right(self.strength)


@dataclass(frozen=True)
class Program:
    """One training program of the corpus.

    Attributes:
        name: data set / base / harmless change or faults.
        dataset: its name.
        half: of the corpus.
        recipe: what is trained.
        faults: what was done to the base, in order; empty for what is meant to be healthy.
        undo: for each fault, by its text, the recipe without it.
    """

    name: str
    dataset: str
    half: Half
    recipe: Recipe
    faults: tuple[Fault, ...]
    undo: Mapping[str, Recipe]


def generate(folder: Path) -> tuple[Program, ...]:
    """Return all programs; their arrays will lie in `folder`."""
    programs = [*_healthy(folder)]
    for half in ("tune", "report"):
        programs += _single(folder, half)
        programs += _double(folder, half)
    distinct = {program.recipe: program for program in reversed(programs)}
    return tuple(program for program in programs if distinct[program.recipe] is program)


def reference_recipes(folder: Path) -> dict[str, tuple[Recipe, ...]]:
    """Return the healthy bases of each data set, by its name."""
    return {name: tuple(base.recipe(folder) for base in bases) for name, bases in BASES.items()}


def _names(half: Half) -> list[str]:
    return [name for name, spec in DATASETS.items() if spec.half == half]


def _healthy(folder: Path) -> Iterator[Program]:
    rng = np.random.default_rng([SEED, 0])
    for name, bases in BASES.items():
        half = DATASETS[name].half
        for letter, base in zip(_LETTERS, bases, strict=False):
            yield Program(f"{name}/{letter}", name, half, base.recipe(folder), (), {})
        for i, change in enumerate(rng.permutation(sorted(HARMLESS))[:_HARMLESS_EACH]):
            place = i % len(bases)
            draft = bases[place].copy()
            HARMLESS[change](draft)
            recipe = draft.recipe(folder)
            yield Program(f"{name}/{_LETTERS[place]}/{change}", name, half, recipe, (), {})


def _with(base: Draft, faults: tuple[Fault, ...]) -> Draft:
    """Return the base with faults; those of the net's body first, for others edit its layers."""
    draft = base.copy()
    for fault in sorted(faults, key=lambda fault: "body" not in fault.family.parts):
        fault.family.edit(draft, fault.strength)
    return draft


def _program(
    folder: Path, half: Half, name: str, place: int, faults: tuple[Fault, ...]
) -> Program | None:
    """Return a program with faults, or None where they cannot be said as a recipe together."""
    base = BASES[name][place]
    try:
        recipe = _with(base, faults).recipe(folder)
        undo = {
            str(fault): _with(base, tuple(f for f in faults if f is not fault)).recipe(folder)
            for fault in faults
        }
    except RecipeError:
        return None
    text = "+".join(map(str, faults))
    return Program(f"{name}/{_LETTERS[place]}/{text}", name, half, recipe, faults, undo)


def _single(folder: Path, half: Half) -> Iterator[Program]:
    """Yield each family at each strength, on the data sets that have the fewest so far."""
    rng = np.random.default_rng([SEED, 1, *half.encode()])
    load: Counter[str] = Counter()
    for family in FAMILIES:
        used: Counter[str] = Counter()
        places = {
            name: [i for i, base in enumerate(BASES[name]) if family.applies(base)]
            for name in _names(half)
        }
        fitting = [name for name, found in places.items() if found]
        for strength in family.strengths:
            draws = {name: rng.random() for name in fitting}
            order = sorted(fitting, key=lambda n: (used[n], load[n], draws[n]))
            for name in order[: family.shares]:
                used[name] += 1
                load[name] += 1
                place = int(rng.choice(places[name]))
                program = _program(folder, half, name, place, (Fault(family, strength),))
                if program is not None:
                    yield program


def _double(folder: Path, half: Half) -> Iterator[Program]:
    """Yield pairs of faults of unlike parts of the recipe, at any strengths."""
    rng = np.random.default_rng([SEED, 2, *half.encode()])
    for name in _names(half):
        made = 0
        while made < _DOUBLES_EACH:
            place = int(rng.integers(len(BASES[name])))
            fitting = [family for family in FAMILIES if family.applies(BASES[name][place])]
            one, other = (fitting[i] for i in rng.choice(len(fitting), 2, replace=False))
            if one.parts & other.parts:
                continue
            faults = tuple(
                Fault(family, family.strengths[int(rng.integers(len(family.strengths)))])
                for family in (one, other)
            )
            program = _program(folder, half, name, place, faults)
            if program is not None:
                made += 1
                yield program
