"""Pictures that do not fit in memory, read from their cache on disk."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data import stream_limits as limits
from surefoot.data.encoding import Encoding
from surefoot.data.source import Raw, Task
from surefoot.data.split import split
from surefoot.data.stream import Part, Stream
from surefoot.data.stream_order import Blocks
from surefoot.data.target import Target
from surefoot.errors import DataError
from surefoot.recipe.data import Data

Array = NDArray[Any]


def stream_pictures(raw: Raw, data: Data) -> Raw:
    """Turn decoded pictures, which lie on disk, into a stream.

    Rows for validation are drawn as they are where all fit in memory, but for their number, and
    the sample at random by data.split_seed. `stream_limits` says how many there are at most.

    Args:
        raw: what `PictureSource` read; x is an array on disk.
        data: the recipe's section.

    Raises:
        DataError: the recipe asks for what a stream does not have.
    """
    if data.split not in ("auto", "random", "stratified"):
        raise DataError(f"data.split = {data.split!r} is for tables, and {raw.name!r} is a folder")
    reader = PictureReader.of(raw.x)
    size = int(np.prod(raw.x.shape[1:]))
    rows, rng = len(raw.x), np.random.default_rng(data.split_seed)
    most = limits.resident_rows(limits.VALIDATION_ROWS, size)
    notes = list(raw.notes)
    codes = np.unique(raw.y, return_inverse=True)[1]
    apart = np.zeros(0, np.int64)
    x_val, y_val, names_val = raw.x_val, raw.y_val, raw.names_val
    if x_val is None and not isinstance(data.validation, str) and data.validation:
        share = min(data.validation, most / rows)
        _, apart = split(rows, share, data.split_seed, None if data.split == "random" else codes)
        x_val, y_val, names_val = reader.pixels(apart), raw.y[apart], _named(raw.names, apart)
        if share < data.validation:
            notes.append(
                f"{len(apart):,} pictures are kept apart for validation, as many as stay in "
                f"memory, in place of data.validation = {data.validation:g}"
            )
    elif x_val is not None:
        chosen = np.arange(len(x_val))
        if len(x_val) > most:
            notes.append(f"{most:,} of {len(x_val):,} pictures, drawn at random, validate")
            chosen = np.sort(rng.choice(len(x_val), most, replace=False))
        # Both parts lie in one file, the pictures for validation behind the others.
        in_file = reader.file is not None
        x_val = reader.pixels(chosen, after=rows) if in_file else x_val[chosen]
        y_val, names_val = y_val[chosen], _named(names_val, chosen)
    blocks = Blocks(_bounds(rows, size), apart)
    left = np.setdiff1d(np.arange(rows), apart, assume_unique=True)
    count = min(len(left), limits.resident_rows(limits.SAMPLE_ROWS, size))
    sample = np.sort(rng.choice(left, count, replace=False))
    notes.append(f"read in a stream: {len(left):,} training pictures are shuffled as they are read")
    if count < len(left):
        notes.append(
            f"colours are standardized by, and the trained net is measured on, {count:,} training "
            "pictures drawn at random"
        )
    return replace(
        raw,
        x=reader.pixels(sample),
        y=raw.y[sample],
        x_val=x_val,
        y_val=y_val,
        names=_named(raw.names, sample),
        names_val=names_val,
        notes=tuple(notes),
        stream=StreamedPictures(reader, raw.y, blocks, size),
    )


def sample_pictures(raw: Raw, seed: int) -> Raw:
    """Return pictures of a folder of their own to validate on: as many as may stay in memory."""
    most = limits.resident_rows(limits.VALIDATION_ROWS, int(np.prod(raw.x.shape[1:])))
    if len(raw.x) <= most:
        return raw
    chosen = np.sort(np.random.default_rng(seed).choice(len(raw.x), most, replace=False))
    note = f"{most:,} of {len(raw.x):,} pictures of {raw.name!r}, drawn at random, validate"
    return replace(
        raw,
        x=PictureReader.of(raw.x).pixels(chosen),
        y=raw.y[chosen],
        names=_named(raw.names, chosen),
        notes=(*raw.notes, note),
    )


def _named(names: Any, rows: Array) -> Any:
    return None if names is None else [names[row] for row in rows.tolist()]


def _bounds(rows: int, size: int) -> NDArray[np.int64]:
    """Return the bounds of blocks that are read at once."""
    each = max(1, min(limits.BLOCK_ROWS, limits.BLOCK_BYTES // 8 // size))
    return np.unique([*range(0, rows, each), rows]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class StreamedPictures:
    """Pictures that are read in a stream.

    Attributes:
        reader: of the pictures.
        labels: the class of each picture.
        blocks: which are read together, and which are kept apart.
        size: bytes of a picture.
    """

    reader: PictureReader
    labels: Array
    blocks: Blocks
    size: int

    @property
    def rows(self) -> int:
        """How many training pictures there are."""
        return self.blocks.rows

    def fit_target(self, sample: Any, task: Task | None) -> Target:
        """Return the classes of all pictures."""
        return Target.fit(self.labels, task)

    def facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the facts of the sample, with the number of all pictures of each class."""
        counts = dict(sorted(Counter(self.labels.tolist()).items()))
        balance = min(counts.values()) / max(counts.values())
        target = {**facts["target"], "size": len(counts), "classes": counts, "balance": balance}
        return {**facts, "rows": len(self.labels), "target": target}

    def stream(self, encoding: Encoding | None, target: Target, dtype: DTypeLike) -> Stream:
        """Return the training pictures as bytes."""
        largest = int(np.diff(self.blocks.bounds).max())
        reader = replace(self.reader, y=target.encode(self.labels, "y", dtype))
        return Stream(reader, self.blocks, limits.window_blocks(largest, self.size))


class _File:
    """An open file, closed when nobody needs it any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._number = -1
        try:
            self._number = os.open(name, os.O_RDONLY)
        except OSError as error:
            raise DataError(f"{name!r} cannot be read: {error.strerror}") from None

    def __del__(self) -> None:
        if self._number >= 0:
            os.close(self._number)

    def fill(self, view: memoryview, offset: int) -> None:
        """Read as many bytes as fit, from a place in the file on."""
        while view:
            try:
                count = os.preadv(self._number, [view], offset)
            except OSError as error:
                raise DataError(f"{self.name!r} cannot be read: {error.strerror}") from None
            if count == 0:
                raise DataError(f"{self.name!r} has become shorter while it was read: train again")
            view, offset = view[count:], offset + count


@dataclass(frozen=True, eq=False)
class PictureReader:
    """Reads pictures from the file that an array lies in.

    A map of the file into memory would count as the process's own memory. The file stays open:
    what becomes of the cache in the meantime does not matter.

    Attributes:
        array: ``[n, height, width, channels]`` uint8, a map of the file from its first picture
            on; or an array in memory.
        file: that the array lies in, if any.
        y: targets of the pictures.
    """

    array: Array
    file: _File | None
    y: Array | None = None

    @classmethod
    def of(cls, array: Array) -> PictureReader:
        """Open the file, if there is one."""
        name = array.filename if isinstance(array, np.memmap) else None
        return cls(array, None if name is None else _File(str(name)))

    def pixels(self, rows: NDArray[np.int64], after: int = 0) -> Array:
        """Return pictures ``[rows, height, width, channels]``.

        Args:
            rows: their numbers, in rising order.
            after: the number of pictures that precede number 0; they lie behind the array's own,
                in the same file.
        """
        out = np.empty((len(rows), *self.array.shape[1:]), np.uint8)
        if self.file is None:
            return np.take(self.array, rows, axis=0, out=out)
        size = self.array[0].size
        offset = int(self.array.offset) + after * size  # type: ignore[attr-defined]
        # Runs of consecutive pictures are read at once.
        edges = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        for first, end in pairwise(edges):
            if end > first:
                view = memoryview(out[first:end]).cast("B")
                self.file.fill(view, offset + int(rows[first]) * size)
        return out

    def read(self, rows: NDArray[np.int64]) -> Part:
        """Return pictures and their classes."""
        assert self.y is not None
        return Part(self.pixels(rows), self.y[rows], None)
