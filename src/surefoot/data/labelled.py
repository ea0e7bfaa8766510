"""Few labels: training rows whose targets are left out, and whose inputs still serve."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.dataset import Dataset
from surefoot.data.split import split
from surefoot.errors import DataError
from surefoot.recipe.data import Data


@dataclass(frozen=True, eq=False)
class PartlyLabelled(Dataset):
    """A data set of which only some training rows have targets; those are its training rows.

    Attributes:
        x_unlabelled: the inputs of the others, prepared alike; for pre-training.
    """

    x_unlabelled: NDArray[Any] | None = None


def keep_labelled(dataset: Dataset, data: Data) -> Dataset:
    """Return the data set with as many labelled rows as the recipe says, or as it is.

    They are drawn by ``data.split_seed``; of classes, each its share, and at least one. Inputs were
    scaled by all training rows, which needs no labels.

    Raises:
        DataError: there are fewer rows, or they are read in a stream.

    >>> from surefoot.data import load
    >>> moons = Data(source="moons", rows=100, labelled=10)
    >>> few = keep_labelled(load(moons), moons)
    >>> few.rows, len(few.x_unlabelled), sorted(few.y_train.tolist())
    (10, 70, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    """
    count = data.labelled
    if count is None:
        return dataset
    if dataset.stream is not None:
        raise DataError(
            "data.labelled: rows are read in a stream, which gives each its label; leave it out, "
            "or set data.stream = false"
        )
    if count >= dataset.rows:
        raise DataError(
            f"data.labelled = {count}: there are {dataset.rows} training rows; set it below that, "
            "or leave it out to use all labels"
        )
    labels = dataset.y_train if dataset.target.kind == "classes" else None
    rest, kept = split(dataset.rows, count / dataset.rows, data.split_seed, labels)

    def chosen(values: Any) -> Any:
        if values is None:
            return None
        return values[kept] if isinstance(values, np.ndarray) else [values[i] for i in kept]

    own = {field.name: getattr(dataset, field.name) for field in fields(Dataset)}
    for name in ("x_train", "y_train", "w_train", "train_rows", "names_train"):
        own[name] = chosen(own[name])
    if own["w_train"] is not None and not np.any(own["w_train"]):
        raise DataError(
            f"data.labelled = {count}: all of these rows weigh 0; raise it or the weights"
        )
    note = f"{len(rest):,} training rows keep no label: only scaling and pre-training see them"
    own["notes"] = (*dataset.notes, note)
    return PartlyLabelled(**own, x_unlabelled=dataset.x_train[rest])
