"""A run's folder, whatever is in it: what is missing or broken is named, and the rest is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.checksums import check
from surefoot.doctor.diagnosis import examine
from surefoot.doctor.evidence import Evidence
from surefoot.doctor.folder import read_run
from surefoot.engine.model import check_parts
from surefoot.errors import SurefootError
from surefoot.files import finite, read_json
from surefoot.recipe import Recipe, load
from surefoot.vitals.surface import SURFACE_COLUMNS, SURFACE_COUNTS, SURFACE_TEXTS
from surefoot.vitals.table import Table, read

_EMPTY = Table({})


@dataclass(frozen=True)
class Pages:
    """What a run's page is made from.

    Attributes:
        path: the folder.
        recipe: how it was trained; None where it cannot be read.
        recipe_text: the recipe's TOML; empty where there is none.
        evidence: what the doctor reads; of empty tables where they are missing.
        diagnosis: what the doctor said, as `surefoot diagnose --json` prints it; None where there
            was nothing to judge.
        summary: what `surefoot train --json` prints; None while the run goes on.
        environment: where it was trained.
        lost: a line about each thing that could not be read.
        surface: slices and planes of the error surface; None where none were measured.
        model: what `model.json` says; None where there is none, or it was altered.
    """

    path: Path
    recipe: Recipe | None
    recipe_text: str
    evidence: Evidence | None
    diagnosis: Mapping[str, Any] | None
    summary: Mapping[str, Any] | None
    environment: Mapping[str, Any]
    lost: tuple[str, ...]
    surface: Table | None = None
    model: Mapping[str, Any] | None = None

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        """What was found, the root cause first."""
        given = (self.diagnosis or {}).get("findings")
        return [own for own in given or () if isinstance(own, Mapping) and "id" in own]

    def fact(self, *path: str) -> Any:
        """Return a value out of the data's facts, None where it is not there."""
        return None if self.evidence is None else self.evidence.fact(*path)


def open_run(path: Path) -> Pages:
    """Read all that a run's folder holds."""
    lost: list[str] = []
    recipe, text = None, ""
    try:
        text = (path / "recipe.toml").read_text(encoding="utf-8", errors="replace")
        check(path, "recipe.toml")
        recipe = load(path / "recipe.toml")
    except (OSError, SurefootError) as error:
        lost.append(_line(error))
    evidence = None
    if recipe is not None:
        try:
            evidence, gone = read_run(path)
            lost += gone
        except SurefootError as error:
            lost.append(_line(error))
            evidence = Evidence(recipe, _EMPTY, _EMPTY, _mapping(path, "data.json", []))
    finished = (path / "summary.json").is_file()
    summary = _mapping(path, "summary.json", lost) if finished else None
    surface = _surface(path, lost)
    model = _model(path, lost)
    _check_pretraining(path, lost)
    return Pages(
        path,
        recipe,
        text,
        evidence,
        _diagnosis(path, evidence, finished, lost),
        summary,
        _mapping(path, "environment.json", lost),
        tuple(dict.fromkeys(lost)),
        surface,
        model,
    )


def _check_pretraining(path: Path, lost: list[str]) -> None:
    """Name the table of pre-training, where it is there and was altered."""
    if (path / "pretraining.parquet").is_file():
        try:
            check(path, "pretraining.parquet")
            read(path, "pretraining")
        except SurefootError as error:
            lost.append(_line(error))


def _model(path: Path, lost: list[str]) -> Mapping[str, Any] | None:
    """Return what is known of the model, where there is one."""
    if not (path / "model.json").is_file():
        return None
    try:
        return check_parts(path)
    except SurefootError as error:
        lost.append(_line(error))
        return None


def _surface(path: Path, lost: list[str]) -> Table | None:
    """Return the surface table, where there is one that can be read."""
    file = path / "surface.parquet"
    if not file.exists():
        return None
    try:
        check(path, file.name)
        table = read(path, file.stem)
    except SurefootError as error:
        lost.append(_line(error))
        return None
    numbers = all(
        name in table and table[name].dtype.kind in "fi"
        for name in (*SURFACE_COUNTS, *SURFACE_COLUMNS)
    )
    if not numbers or any(name not in table for name in SURFACE_TEXTS):
        lost.append(f"{file}: not a surface table of this version; remove it")
        return None
    return table


def _diagnosis(
    path: Path, evidence: Evidence | None, finished: bool, lost: list[str]
) -> Mapping[str, Any] | None:
    """Return what was said at the end, or what the doctor says now of what there is."""
    if (path / "findings.json").is_file():
        said = _mapping(path, "findings.json", lost)
        if said:
            return said
    if evidence is None or evidence.steps == 0:
        return None
    if finished:
        lost.append(f"{path / 'findings.json'}: missing; the run was judged anew from its tables")
    return finite(examine(evidence).to_dict())


def _mapping(path: Path, name: str, lost: list[str]) -> Mapping[str, Any]:
    try:
        check(path, name)
        value = read_json(path / name)
    except SurefootError as error:
        lost.append(_line(error))
        return {}
    if isinstance(value, Mapping):
        return value
    lost.append(f"{path / name}: does not hold what it should")
    return {}


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
