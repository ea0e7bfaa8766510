"""Pictures to predict: files, patterns and folders."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surefoot.data import decoding
from surefoot.data.decode import Form
from surefoot.data.folder import count, is_picture, list_pictures
from surefoot.data.pictures import check_skipped
from surefoot.errors import DataError
from surefoot.recipe.data import Pictures

_BLOCK = 1024  # pictures in memory at once
_WILD = frozenset("*?[")


@dataclass
class PictureInputs:
    """Pictures to predict, decoded block by block.

    Attributes:
        files: their paths, as they were given or found, without those that turned out unreadable.
        notes: what was left out, a line each; complete when all blocks were read.
    """

    files: list[str]
    notes: list[str]
    _settings: Pictures
    _problems: dict[str, str] = field(default_factory=dict)

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures in the files' order, ``[n, height, width, channels]``.

        Raises:
            DataError: at the end, if more are unreadable than ``data.pictures.skip`` allows.
        """
        form = form_of(self._settings)
        given = self.files
        for first in range(0, len(given), _BLOCK):
            part = given[first : first + _BLOCK]
            array = np.empty((len(part), form.height, form.width, form.channels), np.uint8)
            problems = decoding.decode_to(memoryview(array).cast("B"), part, form).problems
            self._problems |= {part[place]: why for place, why in problems.items()}
            if len(problems) < len(part):
                yield np.delete(array, list(problems), axis=0) if problems else array
        where = os.path.commonpath(given) if len(given) > 1 else given[0]
        self.notes += check_skipped(where, self._problems, len(given), self._settings.skip)
        self.files = [name for name in given if name not in self._problems]


def form_of(settings: Pictures) -> Form:
    """Return what a run's complete settings make of a picture.

    Raises:
        DataError: they are not complete: the run was not trained on pictures.
    """
    if settings.size is None or settings.color == "auto":
        raise DataError("this run was not trained on picture files: give rows as it was trained on")
    return Form(*settings.size, 1 if settings.color == "grey" else 3, settings.fit)


def find_pictures(sources: Sequence[str], settings: Pictures) -> PictureInputs | None:
    """Return the pictures that sources name; None where they name anything else.

    Args:
        sources: picture files, patterns such as ``'*.jpg'``, folders with pictures at any depth.
        settings: the run's, from its recipe.

    Raises:
        DataError: a pattern or a folder without pictures, or a source of another kind among them.
    """
    files: list[str] = []
    notes: list[str] = []
    other = []
    for source in sources:
        if os.path.isdir(source):
            found, about = list_pictures(source)
            files += found
            notes += about
        elif _WILD & set(source) and not os.path.lexists(source):
            matches = glob.glob(source, recursive=True)
            found = sorted(match for match in matches if is_picture(match))
            if not found:
                many = f"{count(len(matches), 'file')} and no picture" if matches else "nothing"
                raise DataError(f"{source!r} matches {many}: give a pattern such as '*.jpg'")
            files += found
        elif is_picture(source):
            if not os.path.isfile(source):
                exists = os.path.lexists(source)
                raise DataError(
                    f"{source!r} is no regular file" if exists else f"there is no file {source!r}"
                )
            files.append(source)
        else:
            other.append(source)
    if not files:
        return None
    if other:
        raise DataError(f"{other[0]!r} is no picture, and others are: predict them one by one")
    form_of(settings)
    return PictureInputs(files, notes, settings)
