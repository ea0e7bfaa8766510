"""The kinds of sources, and how the one for a recipe is found."""

from __future__ import annotations

import os

from surefoot.data.builtin import BUILTIN, BuiltinSource
from surefoot.data.npz import NpzSource
from surefoot.data.pictures import PictureSource
from surefoot.data.source import Raw, Source
from surefoot.data.tables import TableSource
from surefoot.errors import DataError, nearest
from surefoot.recipe.data import Data

# The first that accepts a name reads it: a built-in set goes before a file of the same name.
SOURCES: tuple[Source, ...] = (BuiltinSource(), NpzSource(), TableSource(), PictureSource())


def read(data: Data) -> Raw:
    """Read the source that a recipe names.

    Raises:
        DataError: no source is named, no kind of source takes the name, or it cannot be read.

    >>> from surefoot.recipe import Data
    >>> read(Data(source="xor", rows=40)).x.shape
    (40, 2)
    """
    return find(data).read(data)


def find(data: Data) -> Source:
    """Return the kind of source that a recipe names.

    Raises:
        DataError: no source is named, or no kind of source takes the name.
    """
    if data.source is None:
        raise DataError(
            "the recipe names no data: set data.source to a built-in set or a .npz file, "
            "or pass arrays x and y from Python"
        )
    for source in SOURCES:
        if source.accepts(data.source):
            return source
    supported = " or ".join(source.supported for source in SOURCES)
    if os.path.exists(data.source):
        raise DataError(f"{data.source!r} is not a kind of file that is read: give {supported}")
    raise DataError(
        f"no built-in set and no file is called {data.source!r}"
        f"{nearest(data.source, BUILTIN)}; give {supported}"
    )
