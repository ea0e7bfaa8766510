"""Which rows train, and which are kept apart for validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError

Rows = NDArray[np.int64]


def split(
    rows: int, share: float, seed: int, labels: NDArray[np.integer] | None = None
) -> tuple[Rows, Rows]:
    """Split `rows` rows at random; with `labels`, each class apart (stratified).

    ``round(share · rows)`` rows go to validation, at least one and never all. With labels, each
    class sends its share, rounded by largest remainders, and where that many rows go at all, each
    class of two or more members sends at least one. The last member of a class always trains: a
    net cannot learn a class that it never sees, so a class of one is never validated.

    Args:
        rows: number of rows n.
        share: of the rows for validation, above 0 and below 1.
        seed: the split depends on nothing else.
        labels: class indices ``[n]``, or `None` for a target that has no classes.

    Returns:
        the indices for training and for validation, each sorted; together every row, once.

    Raises:
        DataError: fewer than two rows, or no class of two members.

    >>> train, validation = split(10, 0.2, seed=0, labels=np.array([0] * 5 + [1] * 5))
    >>> len(train), int(sum(validation < 5)), int(sum(validation >= 5))
    (8, 1, 1)
    """
    if rows < 2:
        raise DataError(
            "a single row cannot be split: set data.validation to 0 to train without validation"
        )
    rng = np.random.default_rng(seed)
    wanted = min(max(round(share * rows), 1), rows - 1)
    if labels is None:
        chosen = rng.permutation(rows)[:wanted]
    else:
        order = rng.permutation(rows)
        order = order[np.argsort(labels[order], kind="stable")]
        counts = np.bincount(labels)
        sent = _allot(counts, wanted)
        # The place of each row within its class: the first `sent` of each class are chosen.
        place = np.arange(rows) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = order[place < np.repeat(sent, counts)]
    held_out = np.zeros(rows, bool)
    held_out[chosen] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _allot(counts: NDArray[np.integer], wanted: int) -> NDArray[np.int64]:
    """Return how many members each class sends to validation."""
    room = np.maximum(counts - 1, 0)
    if not room.any():
        raise DataError(
            "every label in y occurs only once, so none can be both learned and validated: "
            "for numbers to predict, give y as floats; otherwise set data.validation to 0"
        )
    wanted = min(wanted, int(room.sum()))
    able = room > 0
    small = np.zeros(len(counts), bool)  # classes whose share is below one row: they send one
    while True:
        shared = able & ~small
        left = wanted - int(small.sum())
        quota = np.where(shared, left * counts / max(1, counts[shared].sum()), small)
        below = shared & (quota < 1)
        if wanted < able.sum() or not below.any():
            break
        small |= below
    sent = np.minimum(np.floor(quota).astype(np.int64), room)
    while (missing := wanted - int(sent.sum())) > 0:
        open_ = np.flatnonzero(sent < room)
        order = np.argsort(-(quota - sent)[open_], kind="stable")
        sent[open_[order[:missing]]] += 1
    return sent


def split_groups(
    groups: NDArray[np.integer],
    share: float,
    seed: int,
    labels: NDArray[np.integer] | None = None,
) -> tuple[Rows, Rows]:
    """Split rows at random so that the rows of a group stay together.

    Groups are looked at from the largest to the smallest, those of equal size in random order;
    one goes to validation if that brings the number of rows there, or of each class's rows, nearer
    to its share (in the sum of squares).

    Args:
        groups: each row's group ``[n]``, numbers from 0.
        share: of the rows for validation, above 0 and below 1.
        seed: the split depends on nothing else.
        labels: class indices ``[n]``, whose shares are kept as well.

    Returns:
        the indices for training and for validation, each sorted; together every row, once.

    Raises:
        DataError: there is one group only.

    >>> train, validation = split_groups(np.array([0, 0, 1, 1, 2, 2]), 0.3, seed=0)
    >>> len(train), len(validation), validation[1] - validation[0]
    (4, 2, np.int64(1))
    """
    count = int(groups.max()) + 1
    classes = np.zeros(len(groups), np.int64) if labels is None else labels.astype(np.int64)
    width = int(classes.max()) + 1
    held = np.bincount(groups * width + classes, minlength=count * width).reshape(count, width)
    sizes = held.sum(axis=1)
    used = np.flatnonzero(sizes)
    if len(used) < 2:
        raise DataError(
            "data.split_column holds one group only, which cannot be split: set data.split to "
            "'random', or data.validation to 0"
        )
    order = np.random.default_rng(seed).permutation(used)
    order = order[np.argsort(-sizes[order], kind="stable")]
    lacking = share * held.sum(axis=0)
    chosen = []
    for group in order.tolist():
        # |lacking − g|² < |lacking|²
        if held[group] @ held[group] < 2 * (held[group] @ lacking):
            lacking = lacking - held[group]
            chosen.append(group)
    if not chosen:
        chosen = [int(order[-1])]
    elif len(chosen) == len(used):
        chosen = chosen[1:]
    validation = np.isin(groups, chosen)
    return np.flatnonzero(~validation), np.flatnonzero(validation)


def split_time(times: NDArray[np.generic], share: float) -> tuple[Rows, Rows]:
    """Keep the last rows for validation; those of the time at the border train.

    Args:
        times: numbers or dates ``[n]``.
        share: of the rows for validation, above 0 and below 1.

    Returns:
        the indices for training and for validation, each sorted; together every row, once.

    Raises:
        DataError: no row is later than the others.

    >>> [part.tolist() for part in split_time(np.array([3, 1, 2, 4]), 0.25)]
    [[0, 1, 2], [3]]
    """
    wanted = min(max(round(share * len(times)), 1), len(times) - 1)
    border = np.sort(times)[len(times) - wanted - 1]
    validation = times > border
    if not validation.any():
        raise DataError(
            "data.split = 'time': the latest time is that of too many rows to be kept apart; "
            "raise data.validation, or split in another way"
        )
    return np.flatnonzero(~validation), np.flatnonzero(validation)
