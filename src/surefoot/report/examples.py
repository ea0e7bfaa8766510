"""The examples that a net gets most wrong: pictures as pictures, rows as their values."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.columns import Column, Columns
from surefoot.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    from surefoot.data import Dataset

_MOST = 12
# A page's pictures are this wide at most; small ones are enlarged without blurring, by the page.
_WIDEST = 96
_MOST_VALUES, _MOST_COLUMNS = 8, 40

Array = NDArray[Any]


def examples(
    dataset: Dataset,
    part: str,
    places: Array,
    badness: Array,
    shown: Callable[[int], dict[str, Any]],
    facts: Any,
    table: Callable[[], Columns | None],
) -> list[dict[str, Any]]:
    """Return the worst examples, the worst first.

    Args:
        dataset: which they are of.
        part: "validation" or "training".
        places: where the predicted rows stand in that part.
        badness: how wrong each is; −∞ where it is not.
        shown: from a predicted row's number to what is said about it.
        facts: of the data, which know the shape that a picture had in its source.
        table: the source's own columns, where it is a table that can be read again.

    Returns:
        of each what ``shown`` says, `row`, where it stood in the source, or None; `file`; and
        `picture`, a data URI, or `values`, pairs of a name and a text.
    """
    order = np.argsort(-badness, kind="stable")[:_MOST]
    worst = [int(i) for i in order if np.isfinite(badness[i])]
    x = dataset.x_train if part == "training" or dataset.x_val is None else dataset.x_val
    rows = dataset.train_rows if part == "training" else dataset.validation_rows
    names = dataset.names_train if part == "training" else dataset.names_val
    shape = _picture_shape(dataset, facts)
    columns = table() if worst and rows is not None and shape is None else None
    columns_shown = _most_unusual(x[places[worst]]) if worst else []
    told = []
    for i in worst:
        place = int(places[i])
        own = {
            **shown(i),
            "row": None if rows is None else int(rows[place]),
            "file": None if names is None else str(names[place]),
        }
        if shape is not None:
            own["picture"] = _uri(_pixels(dataset, x[place], shape))
        elif columns is not None and rows is not None:
            own["values"] = _cells(columns, int(rows[place]))
        else:
            own["values"] = _values(dataset, x[place], columns_shown)
        told.append(own)
    return told


def _picture_shape(dataset: Dataset, facts: Any) -> tuple[int, ...] | None:
    """Return height, width and channels where examples are pictures."""
    shape: Sequence[Any] | None = facts.get("shape") if isinstance(facts, dict) else None
    if dataset.scaled_in_step:
        shape = dataset.x_train.shape[1:]
    elif dataset.encoding is not None:
        return None
    if shape is None or len(shape) not in (2, 3) or not all(isinstance(n, int) for n in shape):
        return None
    height, width, *channels = shape
    if (channels or [1])[0] not in (1, 3) or min(height, width) < 2:
        return None
    if height * width * (channels or [1])[0] != dataset.x_train[0].size:
        return None
    return (height, width, (channels or [1])[0])


def _pixels(dataset: Dataset, x: Array, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a row as bytes of brightness: as it was read, from its darkest to its brightest."""
    pixels = np.asarray(x, np.float64).reshape(shape)
    fitted: Preprocessing = dataset.preprocessing
    if dataset.scaled_in_step:
        return pixels.astype(np.uint8)
    if fitted.mean is not None and fitted.scale is not None:
        flat = pixels.reshape(-1, len(fitted.mean)) * fitted.scale + fitted.mean
        pixels = flat.reshape(shape)
    low, high = float(pixels.min()), float(pixels.max())
    return np.asarray((pixels - low) / max(high - low, 1e-30) * 255, np.uint8)


def _uri(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if max(picture.size) > _WIDEST:
        picture.thumbnail((_WIDEST, _WIDEST))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()


def _cells(table: Columns, row: int) -> list[tuple[str, str]]:
    """Return a table's row as it stands in its source."""
    return [(name, _cell(table[name], row)) for name in list(table)[:_MOST_COLUMNS]]


def _cell(column: Column, row: int) -> str:
    if column.missing[row]:
        return "missing"
    value = column.values[row]
    if column.labels is not None:
        return str(column.labels[value])
    if column.values.dtype.kind == "M":
        return str(value.astype("datetime64[s]")).replace("T", " ").removesuffix(" 00:00:00")
    return f"{value:.5g}" if column.values.dtype.kind == "f" else str(value)


def _most_unusual(x: Array) -> list[int]:
    """Return the features that lie farthest from their middle in any of these rows, in order."""
    farthest = np.abs(np.asarray(x, np.float64).reshape(len(x), -1)).max(axis=0)
    return sorted(np.argsort(-farthest, kind="stable")[:_MOST_VALUES].tolist())


def _values(dataset: Dataset, x: Array, columns: Sequence[int]) -> list[tuple[str, str]]:
    """Return some of a row's numbers, in their own units."""
    flat = np.asarray(x, np.float64).ravel()
    fitted = dataset.preprocessing
    known = fitted.mean is not None and fitted.scale is not None and len(fitted.mean) == len(flat)
    raw = flat * fitted.scale + fitted.mean if known else flat
    named = dataset.encoding.names if dataset.encoding is not None else None
    names = named or [f"x{i}" for i in range(len(flat))]
    return [(names[i], f"{raw[i]:.5g}") for i in columns]
