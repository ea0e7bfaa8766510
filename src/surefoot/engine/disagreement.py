"""What several predictions of the same rows say together, and how far they lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Target

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Disagreement:
    """The mean of the members' predictions, row by row, and how far they lie apart.

    Attributes:
        predictions: labels, or numbers in the target's units, by the mean.
        mean: Σ pₘ / M: chances of classes or labels, or numbers, [rows, outputs].
        std: their standard deviation over the members, √(Σ (pₘ − mean)² / M), [rows, outputs].
        entropy: H(mean) = −Σ mean · ln mean, in nats, [rows]: how unsure the mean is; of labels the
            sum over them. None for numbers.
        mutual_information: H(mean) − Σ H(pₘ)/M, [rows]: that part of it that comes from members
            who disagree; 0 where all say the same. None for numbers.
        members: M.
    """

    predictions: NDArray[Any]
    mean: Array
    std: Array
    entropy: Array | None
    mutual_information: Array | None
    members: int


def disagreement(outputs: NDArray[Any], target: Target) -> Disagreement:
    """Return what the members say together.

    Args:
        outputs: chances, or numbers, [members, rows, outputs].
        target: what they mean.

    Source: Lakshminarayanan and others 2017 (the mean, the entropy); Houlsby and others 2011,
    equation 2 (the mutual information).

    >>> one_sure, other_sure = [[1.0, 0.0]], [[0.0, 1.0]]
    >>> found = disagreement(np.array([one_sure, other_sure]), Target("classes", 2, ("a", "b")))
    >>> found.mean.tolist(), found.std.tolist(), (found.mutual_information / np.log(2)).tolist()
    ([[0.5, 0.5]], [[0.5, 0.5]], [1.0])
    """
    each = np.asarray(outputs, np.float64)
    mean, std = each.mean(axis=0), each.std(axis=0)
    if target.kind == "numbers":
        return Disagreement(target.decode(mean), mean, std, None, None, len(each))
    inner = _entropy(each, target.kind).mean(axis=0)
    whole = _entropy(mean, target.kind)
    if target.kind == "classes":
        decoded = target.decode(np.argmax(mean, axis=1).astype(np.int32))
    else:
        decoded = (mean > 0.5).astype(int)
    # Rounding alone can make it less than nothing.
    shared = np.maximum(whole - inner, 0)
    return Disagreement(decoded, mean, std, whole, shared, len(each))


def _entropy(chances: Array, kind: str) -> Array:
    """Return −Σ p ln p over the last axis, of labels that of each and its opposite."""
    total = -_plogp(chances)
    if kind == "labels":
        total = total - _plogp(1 - chances)
    return total.sum(axis=-1)


def _plogp(p: Array) -> Array:
    positive = np.clip(p, 0, None)
    return positive * np.log(np.where(positive > 0, positive, 1))
