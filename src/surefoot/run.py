"""What training leaves behind: a folder, opened."""

from __future__ import annotations

import importlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.files import read_json
from surefoot.recipe import Recipe
from surefoot.vitals.table import Table, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from surefoot.data import Dataset
    from surefoot.engine.committee import Committee
    from surefoot.engine.disagreement import Disagreement
    from surefoot.engine.model import Model

FORMAT = 1
# What a run's checksums.json speaks for; the model has its own, so that it can be moved.
SEALED = (
    "recipe.toml",
    "environment.json",
    "data.json",
    "findings.json",
    "changes.json",
    "summary.json",
    "metrics.parquet",
    "vitals.parquet",
    "members.parquet",
    "pretraining.parquet",
)


class Run:
    """A finished run.

    Its folder holds `recipe.toml`, `environment.json`, `data.json`, `summary.json`, the tables
    `metrics.parquet` and `vitals.parquet`, the model: `model.safetensors`, `model.json`; and
    `checksums.json`, by which a file that was truncated or altered is refused.

    Attributes:
        path: the folder.
        summary: what `surefoot train --json` prints.
        dataset: the rows that it was trained on, where that was done in this process; None where
            the run was opened from its folder.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a run's folder; its tables and its model are read when they are asked for.

        Raises:
            RunError: there is no such folder, it is not a run's, or its summary was altered.
        """
        self.path = Path(path)
        self.dataset: Dataset | None = None
        if not self.path.is_dir():
            raise RunError(f"{self.path}: no such folder; give the folder of a run")
        if (self.path / "recipe.toml").is_file() and not (self.path / "summary.json").is_file():
            raise RunError(
                f"{self.path / 'summary.json'}: no such file: this run is not over; "
                f"`surefoot resume {self.path}` goes on with it"
            )
        self.summary: dict[str, Any] = read_json(self.path / "summary.json")
        if not isinstance(self.summary, dict) or self.summary.get("format") != FORMAT:
            raise RunError(f"{self.path / 'summary.json'}: not a run of format {FORMAT}")
        check(self.path, "summary.json")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def __fspath__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        from surefoot.notebook import run_html

        try:
            history = self.history
        except RunError:
            history = None
        return run_html(self.path.resolve().name, self.summary, history)

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Loss and accuracy, or rmse, of the kept weights: ``{"train": …, "validation": …}``."""
        return self.summary["metrics"]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found wrong."""
        from surefoot.notebook import Findings

        return Findings(self.summary["findings"])

    @cached_property
    def recipe(self) -> Recipe:
        """How the run was trained."""
        from surefoot.recipe import load

        check(self.path, "recipe.toml")
        return load(self.path / "recipe.toml")

    @cached_property
    def history(self) -> Table:
        """The metrics table: one row a step."""
        check(self.path, "metrics.parquet")
        return read(self.path, "metrics")

    @cached_property
    def vitals(self) -> Table:
        """The vitals table: one row a recorded step and layer."""
        check(self.path, "vitals.parquet")
        return read(self.path, "vitals")

    @cached_property
    def pretraining(self) -> Table:
        """The reconstruction error of each layer and epoch before training began.

        Raises:
            RunError: the recipe asks for no pre-training.
        """
        check(self.path, "pretraining.parquet")
        return read(self.path, "pretraining")

    @cached_property
    def model(self) -> Model:
        """The trained network.

        Raises:
            RunError: there is none, or there are several: the folder is an ensemble's.
        """
        from surefoot.engine.model import Model

        refuse_ensemble(self.path, self.summary, "a single trained net is needed here")
        found = self.predictor
        assert isinstance(found, Model)
        return found

    @cached_property
    def predictor(self) -> Model | Committee:
        """The trained network, or those of an ensemble."""
        from surefoot.engine.committee import load_predictor

        if self.summary.get("no_model"):
            raise RunError(f"{self.path}: has no model: {self.summary['no_model']}")
        return load_predictor(self.path)

    def predict(self, x: Any) -> NDArray[Any]:
        """Return labels, or numbers in the target's units, for raw rows.

        Raises:
            DataError: the rows do not have the shape that the net was trained on.
        """
        return self.predictor.predict(x)

    def disagreement(self, x: Any, *, dropout: int | None = None, seed: int = 0) -> Disagreement:
        """Return the mean prediction for raw rows, and how far the members lie apart.

        Args:
            x: raw rows.
            dropout: how many nets that dropout thins are asked, in place of the whole one.
            seed: of what they drop.

        Raises:
            DataError: the rows do not have the shape that the net was trained on.
            InputError: the net has no dropout.
        """
        return self.predictor.disagreement(x, dropout, seed)

    def report(self, to: str | Path | None = None) -> Path:
        """Write the run's page, one HTML file that needs nothing else, and return its path.

        Args:
            to: the file; `report.html` in the run's folder where nothing is given.

        Raises:
            RunError: the file cannot be written.
        """
        # By its name, as the package's face loads its parts: pages stand above what they show.
        pages = importlib.import_module("surefoot.report.write")
        return pages.write_report(self.path, to, dataset=self.dataset)

    def predict_proba(self, x: Any) -> NDArray[Any] | None:
        """Return the chance of each class, [rows, classes]; None for regression."""
        return self.predictor.probabilities(x)


def refuse_ensemble(folder: Path, summary: Any, reason: str) -> None:
    """Refuse an ensemble's folder where a single run's is needed.

    Args:
        folder: of a run.
        summary: what its `summary.json` holds.
        reason: what it is refused for.

    Raises:
        RunError: it is an ensemble's.
    """
    if isinstance(summary, dict) and isinstance(summary.get("ensemble"), dict):
        raise RunError(
            f"{folder}: is an ensemble of {summary['ensemble'].get('members')} nets, and {reason}; "
            "summary.json and the table members hold what is known of them"
        )
