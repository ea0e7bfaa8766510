"""What training leaves behind: a folder, opened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import RunError
from surefoot.files import read_json
from surefoot.recipe import Recipe
from surefoot.vitals.table import Table, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from surefoot.engine.model import Model

FORMAT = 1


class Run:
    """A finished run.

    Its folder holds `recipe.toml`, `environment.json`, `data.json`, `summary.json`, the tables
    `metrics.parquet` and `vitals.parquet`, and the model: `model.safetensors`, `model.json`.

    Attributes:
        path: the folder.
        summary: what `surefoot train --json` prints.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a run's folder; its tables and its model are read when they are asked for.

        Raises:
            RunError: there is no such folder, or it is not a run's.
        """
        self.path = Path(path)
        if not self.path.is_dir():
            raise RunError(f"{self.path}: no such folder; give the folder of a run")
        self.summary: dict[str, Any] = read_json(self.path / "summary.json")
        if not isinstance(self.summary, dict) or self.summary.get("format") != FORMAT:
            raise RunError(f"{self.path / 'summary.json'}: not a run of format {FORMAT}")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Loss and accuracy, or rmse, of the kept weights: ``{"train": …, "validation": …}``."""
        return self.summary["metrics"]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found wrong."""
        return self.summary["findings"]

    @cached_property
    def recipe(self) -> Recipe:
        """How the run was trained."""
        from surefoot.recipe import load

        return load(self.path / "recipe.toml")

    @cached_property
    def history(self) -> Table:
        """The metrics table: one row a step."""
        return read(self.path, "metrics")

    @cached_property
    def vitals(self) -> Table:
        """The vitals table: one row a recorded step and layer."""
        return read(self.path, "vitals")

    @cached_property
    def model(self) -> Model:
        """The trained network."""
        from surefoot.engine.model import Model

        return Model.load(self.path)

    def predict(self, x: Any) -> NDArray[Any]:
        """Return labels, or numbers in the target's units, for raw rows.

        Raises:
            DataError: the rows do not have the shape that the net was trained on.
        """
        return self.model.predict(x)

    def predict_proba(self, x: Any) -> NDArray[Any] | None:
        """Return the chance of each class, [rows, classes]; None for regression."""
        return self.model.probabilities(x)
