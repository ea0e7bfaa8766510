"""Inputs without targets: rows to predict."""

from __future__ import annotations

from typing import Any

from surefoot.data.npz import NpzSource, read_npz
from surefoot.data.registry import read
from surefoot.recipe.data import Data


def read_inputs(source: str) -> Any:
    """Return the inputs of a source, as they stand; its targets, if it has any, are left alone.

    Raises:
        DataError: there is no such source, or it cannot be read.

    >>> read_inputs("iris").shape
    (150, 4)
    """
    if NpzSource().accepts(source):  # of a file only x has to be there
        return read_npz(source, required=("x",))["x"]
    return read(Data(source=source)).x
