"""The sets that scikit-learn brings, read from its files: to load all of it takes a second."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A line for each row, its class last; in those that are not compressed a first line says how many
# rows and features there are, and what the classes are called.
_FILES = {
    "digits": "digits.csv.gz",
    "iris": "iris.csv",
    "wine": "wine_data.csv",
    "breast-cancer": "breast_cancer.csv",
}
_LOADERS = {name: f"load_{name.replace('-', '_')}" for name in (*_FILES, "diabetes")}


def embedded(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rows of an embedded set, [rows, features], and their targets, [rows].

    They are those of scikit-learn's loader, to the bit. Where its files are not as they are known,
    and for what is computed from them, the loader itself is asked.

    >>> x, y = embedded("iris")
    >>> x.shape, y[0].item()
    ((150, 4), 'setosa')
    """
    path = _path(name)
    if path is None:
        return _loaded(name)
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        names = [] if path.suffix == ".gz" else file.readline().strip().split(",")[2:]
        table = np.loadtxt(file, delimiter=",")
    classes = table[:, -1].astype(int)
    return table[:, :-1], np.array(names)[classes] if names else classes


def _path(name: str) -> Path | None:
    """Return where the file of a set is; None where there is none."""
    spec = find_spec("sklearn")  # which does not load it
    if spec is None or spec.origin is None or name not in _FILES:
        return None
    path = Path(spec.origin).parent / "datasets" / "data" / _FILES[name]
    return path if path.is_file() else None


def _loaded(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    from sklearn import datasets

    bunch = getattr(datasets, _LOADERS[name])()
    names = bunch.get("target_names")
    is_text = names is not None and np.asarray(names).dtype.kind == "U"
    return bunch.data, np.asarray(names)[bunch.target] if is_text else bunch.target
