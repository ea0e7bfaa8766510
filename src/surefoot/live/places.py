"""Finds the runs under a folder, and nothing outside of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from surefoot.checksums import check
from surefoot.control import RUNNING
from surefoot.errors import RunError
from surefoot.files import read_json

# A folder that was given by mistake, such as a home, must not be searched for minutes.
_DEEPEST, _MOST_FOLDERS, _MOST_RUNS = 8, 20_000, 5_000
_SIGNS = frozenset({"summary.json", "metrics.parquet", "metrics", RUNNING})


def find_runs(root: Path) -> dict[str, Path]:
    """Return the folders of runs under a folder by their names: paths from there, with "/".

    Links are not followed. Folders whose names begin with a dot, and what is within a run, are
    passed over. Where there is very much, the search ends early.

    Raises:
        RunError: there is no such folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a/b", "c"):
    ...         (Path(folder) / name / "metrics").mkdir(parents=True)
    ...         _ = (Path(folder) / name / "recipe.toml").write_text("")
    ...     sorted(find_runs(Path(folder)))
    ['a/b', 'c']
    """
    if not root.is_dir():
        raise RunError(f"{root}: no such folder; give the folder that runs are in")
    found: dict[str, Path] = {}
    level, looked = [(root, "")], 0
    for _ in range(_DEEPEST + 1):
        deeper: list[tuple[Path, str]] = []
        for path, name in level:
            looked += 1
            if looked > _MOST_FOLDERS or len(found) >= _MOST_RUNS:
                return found
            folders, names = _entries(path)
            if "recipe.toml" in names and _SIGNS & (names | set(folders)):
                found[name or "."] = path
            else:
                prefix = f"{name}/" if name else ""
                deeper += [(path / own, prefix + own) for own in folders if not own.startswith(".")]
        level = deeper
    return found


def _entries(path: Path) -> tuple[list[str], set[str]]:
    """Return the names of the folders and of the files within; none where it cannot be read."""
    folders, files = [], set()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.add(entry.name)
    except OSError:
        return [], set()
    return sorted(folders), files


def read_inside(root: Path, path: Path) -> Any:
    """Return a JSON file within a folder; None where it is not there, is a link, or is broken."""
    if not is_within(root, path):
        return None
    try:
        check(path.parent, path.name)
        return read_json(path)
    except RunError:
        return None


def complaint(root: Path, path: Path) -> str | None:
    """Return why a JSON file that is there cannot be read; None where it can, or is not there."""
    if not is_within(root, path):
        return None
    try:
        check(path.parent, path.name)
        read_json(path)
    except RunError as error:
        return str(error).splitlines()[0].replace(f"{path.parent}/", "")
    return None


def is_within(root: Path, path: Path) -> bool:
    """Return whether a path leads, without any link, to a file or folder within a folder.

    >>> is_within(Path("/usr"), Path("/usr/../etc/passwd"))
    False
    """
    try:
        mode = path.lstat().st_mode
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return False
    base = root.resolve()
    usable = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    return usable and real.is_relative_to(base) and real == base / path.relative_to(root)
