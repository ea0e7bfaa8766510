"""The folder of a study while it goes on: what was asked, and the parts that are finished."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.files import write_text
from surefoot.study.running import Columns
from surefoot.vitals.table import Table, read, read_files, read_parts, write, write_part


class StudyFolder:
    """Where a study is written; made when the first thing is.

    Runs are kept part by part, whole or not at all, so that a study that was interrupted goes on
    after its last finished part.

    Attributes:
        path: the folder.
        finished: whether the study was finished before.
    """

    def __init__(self, out: str | Path | None, source: str, asked: str) -> None:
        """Choose a folder: a new one, or one with the same study in it.

        Args:
            out: where; ``studies/SOURCE-N`` where nothing is given, with the first N that is free
                or belongs to the same study, unfinished.
            source: of the data.
            asked: the text of `study.toml`.

        Raises:
            RunError: the folder holds something else.
        """
        self._asked = asked
        self.lost: list[str] = []
        if out is not None:
            self.path = Path(out)
            if self.path.exists() and not self._is_same():
                raise RunError(
                    f"{out}: exists already and is not this study; give another folder, or remove "
                    "this one"
                )
        else:
            name, number = Path(source).stem or "study", 1
            while True:
                self.path = Path("studies") / f"{name}-{number}"
                if not self.path.exists() or (self._is_same() and not self.finished):
                    break
                number += 1

    @property
    def finished(self) -> bool:
        """Whether the study was finished before."""
        return (self.path / "summary.json").exists()

    def _is_same(self) -> bool:
        try:
            return (self.path / "study.toml").read_text(encoding="utf-8") == self._asked
        except (OSError, ValueError):
            return False

    def make(self) -> None:
        """Make the folder, where it is not there yet, and write what was asked."""
        try:
            (self.path / "runs").mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunError(f"{self.path}: cannot be made: {reason}") from None
        write_text(self.path / "study.toml", self._asked)

    def runs(self) -> Table:
        """Return the rows of all runs that are finished.

        Parts that were truncated or altered are removed, and a line about each is in `lost`: their
        runs are trained again.
        """
        parts = self.path / "runs"
        # As long as there are parts, which know their checksums, what was made of them may not.
        if (self.path / "runs.parquet").exists() and not any(parts.glob("part-*.parquet")):
            check(self.path, "runs.parquet")
            return read(self.path, "runs")
        for path in sorted(parts.glob("part-*.parquet")):
            try:
                read_files([path])
            except RunError as error:
                self.lost.append(f"{error}; its runs are trained again")
                path.unlink()
        return Table(read_parts(parts))

    def done(self) -> set[tuple[int, int]]:
        """Return the settings and seeds of the runs that are finished."""
        runs = self.runs()
        if not runs.rows:
            return set()
        return set(zip(runs["setting"].tolist(), runs["seed"].tolist(), strict=True))

    def passed(self) -> int:
        """Return the epoch of the last choice after which settings were dropped; 0 for none."""
        runs = self.runs()
        return max(0, int(runs["dropped"].max())) if runs.rows else 0

    def keep(self, rows: Columns) -> None:
        """Write the rows of a part."""
        parts = self.path / "runs"
        last = max((path.name for path in parts.glob("part-*.parquet")), default="part--00001")
        write_part(parts, int(last[5:11]) + 1, rows)

    def join(self, runs: Mapping[str, Any]) -> None:
        """Write all runs as one table; the parts stay until `clear`."""
        write(self.path, "runs", runs)

    def clear(self) -> None:
        """Remove the parts of tables that are whole, and sealed, by now."""
        for name in ("runs", "losses"):
            shutil.rmtree(self.path / name, ignore_errors=True)
