"""Which data are read in a stream, and how."""

from __future__ import annotations

from dataclasses import replace

from surefoot.data import stream_limits as limits
from surefoot.data.memory import free_bytes
from surefoot.data.pictures import PictureSource
from surefoot.data.registry import find
from surefoot.data.source import Raw
from surefoot.data.stream_pictures import sample_pictures, stream_pictures
from surefoot.data.stream_tables import sample_table, stream_table
from surefoot.data.table_files import open_table
from surefoot.data.tables import TableSource, check_table, grown_bytes
from surefoot.errors import DataError
from surefoot.recipe.data import Data


def read_or_stream(data: Data) -> Raw:
    """Read a source into memory; or, where it takes too much of it, or so it is said, a part of it.

    Raises:
        DataError: the source cannot be read, or cannot be read as the recipe says.
    """
    source = find(data)
    if isinstance(source, TableSource):
        size = 0 if data.stream is not None else _table_bytes(str(data.source))
        if not _streamed(data, size):
            return source.read(data)
        return _noted(stream_table(data), data, size)
    if isinstance(source, PictureSource):
        raw = source.read(data)  # on disk, and not in memory
        if not _streamed(data, raw.x.nbytes):
            return raw
        return _noted(stream_pictures(raw, data), data, raw.x.nbytes)
    if data.stream:
        raise DataError(
            f"data.stream = true: tables and folders of pictures are read in a stream, and "
            f"{data.source!r} is neither"
        )
    return source.read(data)


def read_validation(data: Data, path: str, streamed: bool) -> Raw:
    """Read rows to validate on from a source of their own: beside a stream, as many as may stay.

    Args:
        data: the recipe's section.
        path: the source.
        streamed: whether training rows are read in a stream.
    """
    own = data.model_copy(update={"source": path, "stream": False})
    source = find(own)
    if streamed and isinstance(source, TableSource):
        return sample_table(own, path)
    raw = source.read(own)
    return sample_pictures(raw, data.split_seed) if streamed and raw.pictures is not None else raw


def _table_bytes(path: str) -> int:
    """Return about how many bytes a table takes in memory; few pages of the file are read."""
    reader, _ = check_table(path)
    if reader != "read_parquet":
        return grown_bytes(path)
    file = open_table(path)
    return 8 * file.rows * len(file.described)


def _streamed(data: Data, size: int) -> bool:
    return size > limits.FREE_SHARE * free_bytes() if data.stream is None else data.stream


def _noted(raw: Raw, data: Data, size: int) -> Raw:
    if data.stream is not None:
        return raw
    note = (
        f"the data would take about {size / 1e9:.1f} GB, more than half of the "
        f"{free_bytes() / 1e9:.1f} GB of memory that are free (data.stream = false reads them all)"
    )
    return replace(raw, notes=(note, *raw.notes))
