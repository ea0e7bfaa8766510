"""A run's folder as evidence: what is broken or missing is left out, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from surefoot.checksums import check
from surefoot.doctor.evidence import Evidence
from surefoot.errors import RunError, SurefootError
from surefoot.files import read_json
from surefoot.recipe import load
from surefoot.run import refuse_ensemble
from surefoot.vitals.table import Table, read


def read_run(folder: str | Path) -> tuple[Evidence, tuple[str, ...]]:
    """Read what a run left behind, finished or not.

    Returns:
        The evidence, and a line about each file that could not be read.

    Raises:
        RunError: there is no such folder, or neither table can be read: nothing is left to judge.
        RecipeError: its recipe cannot be read.
    """
    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"{path}: no such folder; give the folder of a run, or a recipe.toml")
    if not (path / "recipe.toml").is_file():
        raise RunError(f"{path}: holds no recipe.toml; this is not a run's folder")
    if (path / "members.parquet").is_file():
        refuse_ensemble(path, read_json(path / "summary.json"), "the doctor judges single runs")
    check(path, "recipe.toml")
    recipe = load(path / "recipe.toml")
    tables: dict[str, Table] = {}
    lost: list[str] = []
    for name in ("metrics", "vitals", "landscape"):
        if name == "landscape" and not (path / "landscape.parquet").exists():
            continue
        try:
            check(path, f"{name}.parquet")
            tables[name] = read(path, name)
        except SurefootError as error:
            lost.append(str(error))
    if not tables.keys() & {"metrics", "vitals"}:
        raise RunError(f"{path}: neither metrics nor vitals can be read: {lost[0]}")
    facts: Any = {}
    try:
        check(path, "data.json")
        facts = read_json(path / "data.json")
    except SurefootError as error:
        lost.append(str(error))
    if not isinstance(facts, dict):
        lost.append(f"{path / 'data.json'}: holds no facts of data")
        facts = {}
    empty = Table({})
    evidence = Evidence(
        recipe,
        tables.get("metrics", empty),
        tables.get("vitals", empty),
        facts,
        _total_steps(path, facts, recipe.train.batch_size, recipe.train.epochs),
        tables.get("landscape"),
    )
    return evidence, tuple(lost)


def _total_steps(path: Path, facts: dict[str, Any], batch: int | str, epochs: int) -> int | None:
    """Return how many steps a run was to have that is not over; None for one that is."""
    if (path / "summary.json").is_file():
        return None
    prepared = facts.get("prepared")
    rows = prepared.get("rows") if isinstance(prepared, dict) else None
    if not isinstance(rows, int) or rows < 1:
        return None
    return epochs * (1 if isinstance(batch, str) else -(-rows // batch))
