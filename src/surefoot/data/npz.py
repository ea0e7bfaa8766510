"""Arrays from a `.npz` file: `x`, `y`, and optionally `x_val` and `y_val`."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from surefoot.data.source import Raw
from surefoot.errors import DataError, nearest
from surefoot.recipe.data import Data

# What a damaged or hostile zip or .npy makes the standard library and NumPy raise: a header that
# is no Python literal, a wrong checksum, a bad compressed stream, an unknown compression, a
# password, an offset outside the file.
_BROKEN = (
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    struct.error,
    OverflowError,
)


class NpzSource:
    """Reads `.npz` files as `numpy.savez` and `numpy.savez_compressed` write them."""

    supported = "a path to a .npz file"

    def accepts(self, source: str) -> bool:
        """Say whether `source` ends in `.npz`."""
        return source.lower().endswith(".npz")

    def read(self, data: Data) -> Raw:
        """Read the arrays of the file; pickled objects in it are never loaded.

        Raises:
            DataError: the file is missing, damaged, not a `.npz`, too large for this machine's
                memory, lacks `x` or `y`, or one of them is pickled.
        """
        path = str(data.source)
        for key in ("rows", "noise"):
            if getattr(data, key) is not None:
                raise DataError(f"data.{key} is for generated sets, and {path!r} is a file")
        arrays = read_npz(path, required=("x", "y"), optional=("x_val", "y_val"))
        return Raw(path, arrays["x"], arrays["y"], arrays.get("x_val"), arrays.get("y_val"))


def read_npz(
    path: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, NDArray[Any]]:
    """Read the named arrays of a `.npz` file, with their sizes checked before any memory is taken.

    Args:
        path: the file.
        required: names that must be in it.
        optional: names that are read where they are in it.

    Returns:
        the arrays by name. Others in the file are left alone.

    Raises:
        DataError: as `NpzSource.read` says.
    """
    if os.path.isdir(path):
        raise DataError(f"{path!r} is a folder, not a .npz file")
    try:
        with zipfile.ZipFile(path) as archive:
            held = {i.filename.removesuffix(".npy"): i for i in archive.infolist()}
            for name in required:
                if name not in held:
                    have = ", ".join(repr(other) for other in list(held)[:10]) or "nothing"
                    raise DataError(
                        f"{path!r} has no array {name!r}{nearest(name, held)}; it holds {have}: "
                        f"save it with numpy.savez(path, {_arguments(required)})"
                    )
            members = {n: held[n] for n in (*required, *optional) if n in held}
            _check_sizes(path, archive, members)
            return {name: _read_array(path, archive, name, members[name]) for name in members}
    except DataError:  # a ValueError too, which is caught below
        raise
    except FileNotFoundError:
        raise DataError(f"there is no file {path!r}") from None
    except zipfile.BadZipFile:
        raise DataError(
            f"{path!r} is not a .npz file, or only a part of one: write it again with numpy.savez"
        ) from None
    except OSError as error:
        raise DataError(f"{path!r} cannot be read: {error.strerror or error}") from None
    except _BROKEN as error:
        raise _damaged(path, error) from None


def _arguments(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name}=…" for name in names)


def _damaged(path: str, error: Exception, name: str | None = None) -> DataError:
    where = "" if name is None else f" in array {name!r}"
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return DataError(f"{path!r} is damaged{where} ({reason}): write it again with numpy.savez")


def _check_sizes(path: str, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
    """Compare what the headers promise with what the archive holds and this machine can take."""
    total = 0
    for name, info in members.items():
        try:
            with archive.open(info) as stream:
                version = npy.read_magic(stream)
                if version == (1, 0):
                    shape, _, dtype = npy.read_array_header_1_0(stream)
                else:
                    shape, _, dtype = npy.read_array_header_2_0(stream)
                header = stream.tell()
        except _BROKEN as error:
            raise _damaged(path, error, name) from None
        if dtype.hasobject:
            raise DataError(
                f"array {name!r} in {path!r} holds pickled Python objects, which are never loaded: "
                "save numbers, or labels as text (y.astype(str))"
            )
        size = math.prod(shape) * dtype.itemsize
        if any(length < 0 for length in shape) or header + size != info.file_size:
            raise DataError(
                f"{path!r} is damaged in array {name!r} (its header says {size} bytes, it holds "
                f"{info.file_size - header}): write it again with numpy.savez"
            )
        total += size
    if total > memory_bytes():
        raise DataError(
            f"{path!r} holds {total / 1e9:.1f} GB of arrays, more than this machine's memory of "
            f"{memory_bytes() / 1e9:.1f} GB: train on fewer rows"
        )


def _read_array(
    path: str, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo
) -> NDArray[Any]:
    try:
        with archive.open(info) as stream:
            return npy.read_array(stream, allow_pickle=False)
    except MemoryError:
        raise DataError(f"array {name!r} in {path!r} does not fit in memory") from None
    except _BROKEN as error:
        raise _damaged(path, error, name) from None


def memory_bytes() -> int:
    """Return this machine's physical memory in bytes, or 64 GB where it cannot be asked."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 64 * 10**9
