"""Whether data are still the ones that a run began with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.data.prepared import spaced

# Rows that are looked at: a change of a file shows in how many there are, or in some of them.
_ROWS = 1024
# Another machine rounds otherwise when it standardizes; another row changes more than this.
_CLOSE = 1e-5

Fingerprint = list[list[Any]]


def fingerprint(dataset: Dataset) -> Fingerprint:
    """Return a few numbers of each array as it is prepared: its shape and sums over some rows.

    The sums are Σ|v|, Σ v cos i and Σ v cos √2 i over the values v, numbered i from 0.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> first, again = (fingerprint(load(Data(source="iris"))) for _ in range(2))
    >>> other = fingerprint(load(Data(source="iris", split_seed=1)))
    >>> alike(first, again), alike(first, other)
    (True, False)
    """
    parts = (dataset.x_train, dataset.y_train, dataset.w_train, dataset.x_val, dataset.y_val)
    found: Fingerprint = [[dataset.rows, *dataset.feature_shape]]
    for array in parts:
        if array is None:
            found.append([])
            continue
        values = array[spaced(len(array), _ROWS)].reshape(-1).astype(np.float64)
        places = np.arange(len(values))
        waves = (float(values @ np.cos(places * step)) for step in (1.0, math.sqrt(2.0)))
        found.append([len(array), float(np.abs(values).sum()), *waves])
    return found


def alike(known: Any, seen: Fingerprint) -> bool:
    """Return whether two fingerprints are of the same data.

    Args:
        known: what a file says; anything at all.
        seen: from `fingerprint`.
    """
    try:
        if known[0] != seen[0] or len(known) != len(seen):
            return False
        return all(
            len(a) == len(b)
            and a[:1] == b[:1]
            and np.allclose(a, b, 0, _CLOSE * max(b[1:2] or [0]))
            for a, b in zip(known[1:], seen[1:], strict=True)
        )
    except (TypeError, ValueError, KeyError, IndexError):
        return False
