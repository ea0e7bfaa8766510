"""What a study leaves behind: a folder, opened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.files import read_json
from surefoot.vitals.table import Table, read

if TYPE_CHECKING:
    from surefoot.recipe import Recipe

FORMAT = 1
# What a study's checksums.json speaks for.
SEALED = (
    "study.toml",
    "runs.parquet",
    "settings.parquet",
    "rates.parquet",
    "losses.parquet",
    "best.toml",
    "summary.json",
)


class Best(NamedTuple):
    """The setting that did best.

    Attributes:
        recipe: with its values.
        metrics: `keys`, its values; `measure`, what it was chosen by; `chosen`, mean, interval
            (`low`, `high`) and number of `seeds` as it was chosen; `validated`, the same over
            fresh seeds and held-back rows, or None; `against`, what it was validated beside;
            `verdict` of that comparison.
    """

    recipe: Recipe
    metrics: dict[str, Any]


class Study:
    """A finished study.

    Its folder holds `study.toml`, what was asked; the tables `runs.parquet`, a row for each run,
    and `settings.parquet`, a row for each setting; `best.toml`, the recipe that did best; and
    `summary.json`.

    Attributes:
        path: the folder.
        summary: what `surefoot study --json` prints.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a study's folder.

        Raises:
            RunError: there is no such folder, or it is not a finished study's.
        """
        self.path = Path(path)
        if not self.path.is_dir():
            raise RunError(f"{self.path}: no such folder; give the folder of a study")
        self.summary: dict[str, Any] = read_json(self.path / "summary.json")
        if not isinstance(self.summary, dict) or self.summary.get("study_format") != FORMAT:
            raise RunError(f"{self.path / 'summary.json'}: not a study of format {FORMAT}")
        check(self.path, "summary.json")

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r})"

    def table(self) -> Table:
        """Return the table of settings: a row for each, with its mean and what it shows."""
        check(self.path, "settings.parquet")
        return read(self.path, "settings")

    @cached_property
    def runs(self) -> Table:
        """The table of runs: a row for each setting and seed."""
        check(self.path, "runs.parquet")
        return read(self.path, "runs")

    @property
    def conclusions(self) -> list[str]:
        """What may be concluded, a sentence each."""
        return self.summary["conclusions"]

    @property
    def best(self) -> Best:
        """The setting that did best: its recipe, and how well it did."""
        from surefoot.recipe import load

        check(self.path, "best.toml")
        return Best(load(self.path / "best.toml"), self.summary["best"])
