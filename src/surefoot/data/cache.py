"""Decoded pictures on disk, so that they are decoded once.

Under ``$XDG_CACHE_HOME/surefoot/pictures`` (or ``~/.cache/…``) there is a folder for each folder
of pictures and settings: an array, ``.npy``, and `manifest.json`, which says from what it was made.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.lib import format as npy
from numpy.typing import NDArray

from surefoot.data import decoding
from surefoot.data.decode import Form
from surefoot.data.decoding import Outcome
from surefoot.data.folder import File

_VERSION = 1
_SAMPLED = 64  # pictures whose pixels the manifest vouches for: a look at them takes 1 ms
_ABANDONED = 24 * 3600.0  # seconds after which a half-written array belongs to nobody


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pictures that could be read, ``[n, height, width, channels]`` uint8, and what was not.

    `problems` maps the place of each unreadable one among the files to the reason; `note` is
    what there is to say about the cache, or nothing.
    """

    array: NDArray[np.uint8]
    problems: dict[int, str]
    note: str = ""


def cache_folder(kind: str, key: Any) -> Path:
    """Return the folder for what is made from a source; nothing is read or written.

    Args:
        kind: of what is made: "pictures" or "tables".
        key: plain data that tells it from others of its kind.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return base / "surefoot" / kind / digest[:24]


def clear(folder: Path, name: str) -> None:
    """Remove older files than `name` (who has one open keeps it), and what a crash left behind."""
    for path in folder.iterdir():
        try:
            fresh = time.time() - path.stat().st_mtime < _ABANDONED
            if path.name in (name, "manifest.json") or (path.suffix == ".part" and fresh):
                continue
            path.unlink()
        except OSError:  # another process was faster
            continue


class Cache:
    """The place of one folder's pictures, made with one group of settings."""

    def __init__(self, root: str, settings: dict[str, Any]) -> None:
        """Choose the place; nothing is read or written.

        Args:
            root: the folder of pictures, absolute.
            settings: plain data that the pixels depend on, beside the files.
        """
        self._about = {
            "version": _VERSION,
            "pillow": PIL.__version__,
            "root": root,
            "settings": settings,
        }
        self.folder = cache_folder("pictures", [_VERSION, root, settings])

    def read(self, files: Sequence[File]) -> tuple[Pixels, Form] | None:
        """Return what is kept, if it was made from just these files and nothing has changed it."""
        try:
            text = (self.folder / "manifest.json").read_text(encoding="utf-8")
            manifest = json.loads(text)
            if any(manifest[key] != value for key, value in self._about.items()):
                return None
            if manifest["files"] != [[file.path, file.size, file.modified] for file in files]:
                return None
            form = Form(**manifest["form"])
            path = self.folder / os.path.basename(manifest["array"])
            about = path.stat()
            if [about.st_size, about.st_mtime_ns] != manifest["stamp"]:
                return None
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            problems = {int(place): str(why) for place, why in manifest["problems"]}
            shape = (len(files) - len(problems), form.height, form.width, form.channels)
            if array.shape != shape or _digest(array) != manifest["digest"]:
                return None
            return Pixels(array, problems), form
        # Whatever is wrong with what is kept, it is made anew.
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def build(self, files: Sequence[File], form: Form) -> tuple[Pixels, Outcome]:
        """Decode pictures and keep them; where that fails, they are in memory alone.

        Also those that turn out to have color where `form` has none are kept: the caller looks at
        the outcome and builds again.
        """
        root = self._about["root"]
        paths = [os.path.join(root, file.path) for file in files]
        try:
            return self._write(files, paths, form)
        except OSError as error:
            array = np.empty((len(files), form.height, form.width, form.channels), np.uint8)
            outcome = decoding.decode_to(memoryview(array).cast("B"), paths, form)
            kept = np.delete(array, list(outcome.problems), axis=0) if outcome.problems else array
            note = (
                f"decoded pictures cannot be kept in {str(self.folder)!r}: "
                f"{error.strerror or error}"
            )
            return Pixels(kept, outcome.problems, note), outcome

    def _write(
        self, files: Sequence[File], paths: Sequence[str], form: Form
    ) -> tuple[Pixels, Outcome]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{secrets.token_hex(8)}.npy"
        part = self.folder / f"{name}.part"
        start = len(_head(len(paths), form))
        try:
            part.write_bytes(b"")
            outcome = decoding.decode_into(part, start, paths, form)
            count = len(paths) - len(outcome.problems)
            with part.open("rb+") as file:
                _close_gaps(file, start, form.bytes, outcome.problems, len(paths))
                file.seek(0)
                file.write(_head(count, form))
                file.truncate(start + count * form.bytes)
            path = part.rename(self.folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        shape = (count, form.height, form.width, form.channels)
        if not count:
            path.unlink()
            return Pixels(np.empty(shape, np.uint8), outcome.problems), outcome
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        about = path.stat()
        manifest = {
            **self._about,
            "form": asdict(form),
            "files": [[file.path, file.size, file.modified] for file in files],
            "problems": list(outcome.problems.items()),
            "array": name,
            "stamp": [about.st_size, about.st_mtime_ns],
            "digest": _digest(array),
        }
        temporary = self.folder / f"{name}.json.part"
        temporary.write_text(json.dumps(manifest), encoding="utf-8")
        temporary.replace(self.folder / "manifest.json")
        clear(self.folder, name)
        return Pixels(array, outcome.problems), outcome


def _head(rows: int, form: Form) -> bytes:
    """Return the head of a `.npy` file; NumPy leaves room, so that its length is always one."""
    stream = io.BytesIO()
    shape = (rows, form.height, form.width, form.channels)
    npy.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def _close_gaps(
    file: io.BufferedRandom, start: int, size: int, gaps: dict[int, str], rows: int
) -> None:
    """Move pictures up over the places of those that could not be read."""
    bounds = [*gaps, rows]
    place = bounds[0]
    for before, after in pairwise(bounds):
        for row in range(before + 1, after):
            file.seek(start + row * size)
            pixels = file.read(size)
            file.seek(start + place * size)
            file.write(pixels)
            place += 1


def _digest(array: NDArray[np.uint8]) -> str:
    """Return a digest of some pictures, spread evenly: a crash may leave a file of zeros."""
    rows = np.linspace(0, len(array) - 1, min(_SAMPLED, len(array))).astype(int)
    return hashlib.blake2b(array[rows].tobytes(), digest_size=16).hexdigest()
