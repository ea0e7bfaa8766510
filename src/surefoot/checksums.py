"""Checksums: whether files and what JSON says are still as they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from surefoot.errors import RunError
from surefoot.files import finite, read_json, write_json

FORMAT = 1
NAME = "checksums.json"


def of_file(path: Path) -> dict[str, Any]:
    """Return a file's size and SHA-256.

    Raises:
        RunError: it is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"bytes": file.tell(), "sha256": digest}
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None


def check_file(path: Path, known: Any) -> None:
    """Refuse a file that is not as `of_file` saw it.

    Raises:
        RunError: it is missing, truncated or altered, or what is known of it is no checksum.
    """
    if not isinstance(known, Mapping):
        raise RunError(f"{path}: its checksum is missing")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None
    if size != known.get("bytes"):
        raise RunError(f"{path}: has {size:,} bytes and was written with {known.get('bytes')}")
    if of_file(path)["sha256"] != known.get("sha256"):
        raise RunError(f"{path}: was altered after it was written: its checksum is another")


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table that holds its own checksum, of its values as JSON without spaces.

    >>> check_seal(sealed({"format": 1}), "a.json")
    >>> check_seal({**sealed({"format": 1}), "format": 2}, "a.json")
    Traceback (most recent call last):
    surefoot.errors.RunError: a.json: was altered after it was written: its checksum is another
    """
    return {**value, "sha256": _digest(value)}


def check_seal(value: Any, where: str | Path) -> None:
    """Refuse a table that is not as `sealed` returned it."""
    given = value.get("sha256") if isinstance(value, Mapping) else None
    if given is None:
        raise RunError(f"{where}: its checksum is missing")
    if _digest({key: entry for key, entry in value.items() if key != "sha256"}) != given:
        raise RunError(f"{where}: was altered after it was written: its checksum is another")


def _digest(value: Mapping[str, Any]) -> str:
    text = json.dumps(finite(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def seal(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of a folder's files beside them, those that are there.

    Raises:
        RunError: a file cannot be read, or the list cannot be written.
    """
    files = {name: of_file(folder / name) for name in names if (folder / name).is_file()}
    _write(folder, files)


def check(folder: Path, name: str) -> None:
    """Refuse a file of a sealed folder that is not as it was; without a seal, say nothing.

    Raises:
        RunError: the file, or the list of checksums, is missing or altered.
    """
    files = _read(folder)
    if files is not None and name in files:
        check_file(folder / name, files[name])


@contextmanager
def resealed(folder: Path, name: str) -> Iterator[None]:
    """Let a file of a sealed folder be written anew.

    Raises:
        RunError: the list of checksums is altered, or cannot be written.
    """
    files = _read(folder)
    if files is None:
        yield
        return
    # Should we be stopped in between, the file is there with no checksum rather than a wrong one.
    others = {known: entry for known, entry in files.items() if known != name}
    if name in files:
        _write(folder, others)
    yield
    _write(folder, {**others, name: of_file(folder / name)})


def _write(folder: Path, files: Mapping[str, Any]) -> None:
    write_json(folder / NAME, sealed({"format": FORMAT, "files": files}))


def _read(folder: Path) -> dict[str, Any] | None:
    """Return what is known of a folder's files; None where it is not sealed."""
    path = folder / NAME
    if not path.exists():
        return None
    known = read_json(path)
    check_seal(known, path)
    if known.get("format") != FORMAT or not isinstance(known.get("files"), dict):
        raise RunError(f"{path}: not a list of checksums of format {FORMAT}")
    return known["files"]
