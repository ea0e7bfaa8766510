"""How much each row counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.target import Target
from surefoot.errors import RecipeError, nearest
from surefoot.recipe import Train


def class_weights(train: Train, target: Target, y: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the weight of each class, or None where all are 1.

    "balanced" gives class k the weight n / (classes · nₖ), as scikit-learn does, so that all
    classes together count alike.

    >>> train = Train(class_weight="balanced")
    >>> class_weights(train, Target("classes", 2, ("a", "b")), np.array([0, 0, 0, 1])).tolist()
    [0.6666666666666666, 2.0]

    Raises:
        RecipeError: the target has no classes, or a named class does not exist.
    """
    if train.class_weight is None:
        return None
    if target.kind != "classes" or target.classes is None:
        raise RecipeError("train.class_weight: the target has no classes; leave it out")
    labels = y if y.ndim == 1 else np.argmax(y, axis=1)
    if train.class_weight == "balanced":
        counts = np.bincount(labels, minlength=target.size)
        return len(labels) / (target.size * np.maximum(counts, 1))
    names = [str(label) for label in target.classes]
    weights = np.ones(target.size)
    for name, weight in train.class_weight:
        if name not in names:
            raise RecipeError(
                f"train.class_weight: there is no class {name!r} (classes: {', '.join(names)})"
                f"{nearest(name, names)}"
            )
        weights[names.index(name)] = weight
    return weights


def row_weights(
    train: Train, target: Target, y: NDArray[Any], given: NDArray[Any] | None
) -> NDArray[Any] | None:
    """Return the weight of each training row in the loss: its own times its class's."""
    return weighted(class_weights(train, target, y), y, given)


def weighted(
    of_class: NDArray[Any] | None, y: NDArray[Any], given: NDArray[Any] | None
) -> NDArray[Any] | None:
    """Return the weight of each row: its class's, from `class_weights`, times its own."""
    if of_class is None:
        return given
    weights = of_class[y if y.ndim == 1 else np.argmax(y, axis=1)]
    return weights if given is None else weights * given
