"""A folder of pictures as a source: one folder a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import decoding
from surefoot.data.cache import Cache, Pixels
from surefoot.data.decode import Form
from surefoot.data.folder import Listing, count, list_classes
from surefoot.data.source import Raw
from surefoot.errors import DataError
from surefoot.recipe.data import Data, Pictures

# Where nothing is said about the size: pictures of photographs' sizes are for nets and machines
# larger than those that defaults are for.
_LARGEST_DEFAULT = 64
_SAMPLED = 512  # pictures whose headers are read to choose size and channels
_NAMED = 3  # unreadable pictures that a message names


class PictureSource:
    """Reads a folder that holds a folder of pictures for each class.

    With `train/` and `test/` (or `val/`) above the classes, the latter's pictures are the rows for
    validation. Pictures are decoded on all cores, once: `surefoot.data.cache` keeps them.
    """

    supported = "a folder with a folder of pictures for each class"

    def accepts(self, source: str) -> bool:
        """Say whether `source` is a folder."""
        return os.path.isdir(source)

    def read(self, data: Data) -> Raw:
        """Read all pictures as uint8 ``[n, height, width, channels]``; classes are folders' names.

        Raises:
            DataError: as `surefoot.data.folder.list_classes`, or more pictures are unreadable than
                ``data.pictures.skip`` allows.
        """
        path = str(data.source)
        for key in ("rows", "noise", "target", "weight", "split_column"):
            if getattr(data, key) is not None:
                raise DataError(f"data.{key} is not for pictures, and {path!r} is a folder of them")
        listing = list_classes(path)
        pixels, form = _pixels(listing, data.pictures)
        labels, parts, names = _rows(listing)
        kept = np.delete(np.arange(len(names)), list(pixels.problems))
        notes = [*listing.notes, *filter(None, [pixels.note])]
        problems = {names[place]: why for place, why in pixels.problems.items()}
        notes += check_skipped(path, problems, len(names), data.pictures.skip)
        _check_classes(path, labels[parts == 0], labels[kept][parts[kept] == 0])
        given = listing.validation is not None
        trained = int((parts[kept] == 0).sum())
        if given and trained == len(kept):
            raise DataError(f"{path!r} holds no readable pictures for validation")
        read = [names[place] for place in kept]
        return Raw(
            name=path,
            x=pixels.array[:trained],
            y=labels[kept][:trained],
            x_val=pixels.array[trained:] if given else None,
            y_val=labels[kept][trained:] if given else None,
            task="classification",
            names=read[:trained],
            names_val=read[trained:] if given else None,
            notes=tuple(notes),
            pictures=data.pictures.model_copy(
                update={
                    "size": (form.height, form.width),
                    "color": "grey" if form.channels == 1 else "rgb",
                }
            ),
        )


def check_skipped(path: str, problems: dict[str, str], total: int, limit: float) -> list[str]:
    """Return what to say about unreadable pictures: a line, or none.

    Args:
        path: where they are.
        problems: the reason for each file.
        total: how many pictures there are.
        limit: the share of them that may be unreadable.

    Raises:
        DataError: there are more, or none is left.

    >>> check_skipped("pets", {"cats/a.jpg": "empty"}, 200, 0.01)
    ["1 picture of 200 in 'pets' left out: 'cats/a.jpg' (empty)"]
    """
    if not problems:
        return []
    first = [f"{name!r} ({why})" for name, why in list(problems.items())[:_NAMED]]
    more = len(problems) - len(first)
    named = ", ".join(first) + (f" and {more} more" if more else "")
    many = f"{count(len(problems), 'picture')} of {total:,} in {path!r}"
    if len(problems) > limit * total or len(problems) == total:
        raise DataError(
            f"{many} cannot be read, more than data.pictures.skip = {limit:g} allows: {named}; "
            "repair or remove them, or raise data.pictures.skip"
        )
    return [f"{many} left out: {named}"]


def _pixels(listing: Listing, pictures: Pictures) -> tuple[Pixels, Form]:
    """Return the pictures as they are kept, or decode them."""
    files = [
        file
        for part in (listing.train, listing.validation or {})
        for group in part.values()
        for file in group
    ]
    cache = Cache(listing.root, pictures.model_dump(mode="json", exclude={"skip"}))
    found = cache.read(files)
    if found is not None:
        return found
    learned = sum(map(len, listing.train.values()))
    paths = [os.path.join(listing.root, file.path) for file in files[:learned]]
    form = choose_form(paths, pictures)
    pixels, outcome = cache.build(files, form)
    if pictures.color == "auto" and form.channels == 1 and outcome.color:
        # A picture with color was not among those that the choice was made by.
        form = Form(form.height, form.width, 3, form.fit)
        pixels, _ = cache.build(files, form)
    return pixels, form


def choose_form(paths: Sequence[str], pictures: Pictures) -> Form:
    """Return what pictures become: as settings say, and what they leave open by a look at some."""
    height, width = pictures.size or (0, 0)
    grey = pictures.color == "grey"
    if pictures.size is None or pictures.color == "auto":
        places = np.linspace(0, len(paths) - 1, min(_SAMPLED, len(paths))).astype(int)
        seen = [h for h in decoding.headers([paths[place] for place in places]) if h is not None]
        if pictures.size is None and seen:
            height, width = (
                min(int(np.median([getattr(h, side) for h in seen])), _LARGEST_DEFAULT)
                for side in ("height", "width")
            )
        if pictures.color == "auto":
            grey = bool(seen) and all(h.grey for h in seen)
    return Form(max(height, 1), max(width, 1), 1 if grey else 3, pictures.fit)


def _rows(listing: Listing) -> tuple[NDArray[np.str_], NDArray[Any], list[str]]:
    """Return the class, the part (0 training, 1 validation) and the path of each picture."""
    groups = [
        (part, name, group)
        for part, classes in enumerate((listing.train, listing.validation or {}))
        for name, group in classes.items()
    ]
    sizes = [len(group) for _, _, group in groups]
    labels = np.repeat(np.array([name for _, name, _ in groups]), sizes)
    parts = np.repeat([part for part, _, _ in groups], sizes)
    return labels, parts, [file.path for _, _, group in groups for file in group]


def _check_classes(path: str, before: NDArray[np.str_], after: NDArray[np.str_]) -> None:
    lost = sorted(set(before.tolist()) - set(after.tolist()))
    if lost:
        raise DataError(f"{path!r}: no picture of the class {lost[0]!r} can be read")
