"""Whether data are still the ones that a run began with."""

from __future__ import annotations

import hashlib

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.data.prepared import spaced

# Rows that are looked at: a change of a file shows in its size, or in some of them.
_ROWS = 1024


def fingerprint(dataset: Dataset) -> str:
    """Return a checksum of how many rows there are, and of some of them as they are prepared.

    >>> from surefoot.data import load
    >>> from surefoot.recipe import Data
    >>> same, other = Data(source="iris"), Data(source="iris", split_seed=1)
    >>> fingerprint(load(same)) == fingerprint(load(same)) != fingerprint(load(other))
    True
    """
    digest = hashlib.sha256(f"{dataset.rows} {dataset.feature_shape}".encode())
    parts = (dataset.x_train, dataset.y_train, dataset.w_train, dataset.x_val, dataset.y_val)
    for array in parts:
        if array is not None:
            digest.update(f"{array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array[spaced(len(array), _ROWS)]).tobytes())
    return digest.hexdigest()
