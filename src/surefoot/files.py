"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surefoot.errors import InputError, RunError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file; flush it, and rename it to ``path``.

    Raises:
        RunError: the disk is full, or the place cannot be written.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from None


def check_target(to: Path, endings: tuple[str, ...], option: str = "--to") -> None:
    """Refuse a file that exists, that has no folder, or whose ending is none of these.

    Args:
        to: the file.
        endings: each with its dot.
        option: with which it was given.

    Raises:
        InputError: says which.
    """
    if to.suffix not in endings:
        raise InputError(f"{option} {to}: give a file that ends in {' or '.join(endings)}")
    if not to.absolute().parent.is_dir():
        raise InputError(f"{option} {to}: there is no folder {to.parent}; make it first")
    if to.exists():
        raise InputError(f"{option} {to}: exists already; give another file, or remove this one")


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    write_whole(path, lambda temporary: _write_text(temporary, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON; numbers that are not finite become null."""
    write_text(path, json.dumps(finite(value), indent=1, allow_nan=False) + "\n")


def read_json(path: Path, most_bytes: int = 64_000_000) -> Any:
    """Read a JSON file of bounded size.

    Raises:
        RunError: it is missing, too large, or not JSON.
    """
    try:
        if path.stat().st_size > most_bytes:
            raise RunError(f"{path}: larger than {most_bytes:,} bytes; this is not Surefoot's file")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path}: no such file; is this a run's folder?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def finite(value: Any) -> Any:
    """Return a value with None for each number that JSON cannot hold.

    >>> finite({"loss": float("nan"), "steps": [1, 2.5]})
    {'loss': None, 'steps': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
