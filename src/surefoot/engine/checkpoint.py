"""One checkpoint: a folder of safetensors files and a manifest, whole or not there at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.checksums import check_file, check_seal, of_file, sealed
from surefoot.engine.tensors import filled, named, read_tensors, size_of, write_tensors
from surefoot.errors import RunError, SurefootError
from surefoot.files import read_json, write_json

FORMAT = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Point:
    """Where in its training a run was.

    Attributes:
        recipe: SHA-256 of the recipe as TOML: what is resumed has to be the same.
        step: how many steps were taken.
        epoch: the epoch of the next step, from 1.
        position: how many of its steps were taken.
        score: what the best is chosen by, lower is better; None where nothing was measured.
        about: what else there is to know, as JSON takes it.
    """

    recipe: str
    step: int
    epoch: int
    position: int
    score: float | None
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk whose manifest was read; its arrays are read by `restore`.

    Attributes:
        path: its folder.
        point: where the run was.
        files: size and checksum of each file.
    """

    path: Path
    point: Point
    files: Mapping[str, Any]

    def restore(self, templates: Mapping[str, Any]) -> dict[str, Any]:
        """Read the trees of arrays.

        Args:
            templates: for each part a tree of that structure, its leaves with shape and dtype.

        Raises:
            RunError: a file is missing, truncated or altered, or does not fit the template.
        """
        trees = {}
        for name, template in templates.items():
            path = self.path / _file(name)
            most = size_of(template)
            check_file(path, self.files.get(_file(name)))
            try:
                trees[name] = filled(template, read_tensors(path, most))
            except RunError as error:
                raise RunError(f"{path}: does not fit this run: {error}") from None
        return trees


def write(folder: Path, point: Point, trees: Mapping[str, Any]) -> Checkpoint:
    """Write a checkpoint under a temporary name, flush it, and rename it.

    Args:
        folder: of the run's checkpoints.
        point: where the run is.
        trees: a tree of arrays for each part; each goes to a file of its own.

    Raises:
        RunError: the disk is full, or the folder cannot be written; nothing is left of it then.
    """
    path = folder / f"step-{point.step:012d}"
    temporary = path.with_name(path.name + ".tmp")
    try:
        folder.mkdir(exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for name, tree in trees.items():
            write_tensors(temporary / _file(name), named(tree))
            _flush(temporary / _file(name))
        files = {_file(name): of_file(temporary / _file(name)) for name in trees}
        manifest = {"format": FORMAT, **vars(point), "about": dict(point.about), "files": files}
        write_json(temporary / _MANIFEST, sealed(manifest))
        _flush(temporary)
        if path.exists():  # of the same step, from before a resumption
            shutil.rmtree(path)
        temporary.rename(path)
        _flush(folder)
    except (OSError, SurefootError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{path}: checkpoint cannot be written: {reason}") from None
    return Checkpoint(path, point, files)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint's manifest.

    Raises:
        RunError: it is missing, altered, or of another format.
    """
    manifest = read_json(path / _MANIFEST)
    where = path / _MANIFEST
    check_seal(manifest, where)
    if manifest.get("format") != FORMAT:
        raise RunError(f"{where}: not a checkpoint of format {FORMAT}")
    try:
        point = Point(
            recipe=str(manifest["recipe"]),
            step=int(manifest["step"]),
            epoch=int(manifest["epoch"]),
            position=int(manifest["position"]),
            score=None if manifest["score"] is None else float(manifest["score"]),
            about=dict(manifest["about"]),
        )
        return Checkpoint(path, point, dict(manifest["files"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{where}: not a checkpoint's manifest: {error}") from None


def _file(name: str) -> str:
    return f"{name}.safetensors"


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
