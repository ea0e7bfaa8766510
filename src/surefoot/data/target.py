"""What is to be predicted: labels or numbers, to arrays and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from surefoot.data.arrays import as_array, as_numbers, check_finite, short
from surefoot.data.source import Task
from surefoot.errors import DataError

Kind = Literal["classes", "labels", "numbers"]
Label = str | int | float | bool


@dataclass(frozen=True)
class Target:
    """The kind of a target, and the labels that its classes stand for.

    | kind | given as | `size` | encoded as |
    | --- | --- | --- | --- |
    | ``classes`` | one label a row, or one-hot rows | number of classes | indices, int32 ``[n]`` |
    | ``labels`` | 0/1 rows, any number of ones | number of labels | 0 or 1, ``[n, size]`` |
    | ``numbers`` | numbers, one or several a row | numbers a row | ``[n, size]`` |

    `classes` holds the labels, sorted, in the user's own type; for one-hot rows, the columns'
    numbers. It is `None` for the other kinds.
    """

    kind: Kind
    size: int
    classes: tuple[Label, ...] | None = None

    @classmethod
    def fit(cls, y: Any, task: Task | None = None) -> Target:
        """Recognize a target from its values.

        A column ``[n]`` or ``[n, 1]`` of text, booleans or integers holds labels; a column of
        floats holds numbers, whole or not, since nothing else tells a count from a label. `task`
        overrules this: a loss that needs classes, such as cross-entropy, asks for
        ``"classification"``, which takes whole floats as labels; ``"regression"`` takes integers
        and booleans as numbers. A matrix is one-hot rows, 0/1 rows or numbers, the first that
        fits; ``"regression"`` makes any of them numbers, and ``"classification"`` refuses numbers
        unless each row is a distribution (at least 0, sum 1), which stays as it is: ``numbers``.

        Raises:
            DataError: nothing above fits, a value is missing, or there is one class only.

        >>> Target.fit(["no", "yes", "no"])
        Target(kind='classes', size=2, classes=('no', 'yes'))
        >>> Target.fit([0.5, 1.0, 2.0]).kind
        'numbers'
        >>> Target.fit([0.0, 1.0, 0.0], task="classification").classes
        (0.0, 1.0)
        >>> Target.fit([[1, 1, 0], [0, 0, 0]])
        Target(kind='labels', size=3, classes=None)
        """
        values = _read(y, "y")
        if values.ndim == 2:
            return cls._fit_matrix(values, task)
        if values.dtype.kind == "U" and task == "regression":
            raise DataError(
                f"y holds text such as {short(values[0].item())}, and a regression needs numbers: "
                "use a loss for classes, such as cross_entropy"
            )
        if task == "regression" or (task is None and values.dtype.kind == "f"):
            return cls("numbers", 1)
        if values.dtype.kind == "f":
            fractions = values != np.round(values)
            if fractions.any():
                raise DataError(
                    f"y holds {values[fractions][0]:.6g}, which is no class label: use a loss for "
                    "numbers, such as mean_squared_error, or labels that are integers or text"
                )
        return cls._of_classes(tuple(np.unique(values).tolist()))

    @classmethod
    def _of_classes(cls, classes: tuple[Label, ...]) -> Target:
        if len(classes) < 2:
            raise DataError(
                f"y holds one class only, {short(classes[0])}: there is nothing to tell apart; "
                "give rows of at least two classes"
            )
        return cls("classes", len(classes), classes)

    @classmethod
    def _fit_matrix(cls, values: NDArray[Any], task: Task | None) -> Target:
        size = values.shape[1]
        if task != "regression" and np.isin(values, (0, 1)).all():
            if (values.sum(axis=1) != 1).any():
                return cls("labels", size)
            used = np.flatnonzero(values.any(axis=0))
            if len(used) < 2:
                return cls._of_classes((int(used[0]),))
            return cls._of_classes(tuple(range(size)))
        if task == "classification" and not (
            (values >= 0).all() and np.allclose(values.sum(axis=1), 1.0, atol=1e-4)
        ):
            raise DataError(
                f"y is a matrix of {size} columns that are neither one-hot, 0 and 1, nor "
                "probabilities: use a loss for numbers, such as mean_squared_error"
            )
        return cls("numbers", size)

    def encode(
        self, y: Any, name: str = "y", dtype: DTypeLike = np.float32
    ) -> NDArray[np.int32] | NDArray[np.floating]:
        """Return `y` as training uses it; the class's table says how.

        Raises:
            DataError: a label that was not there in `fit`, another number of columns, or numbers
                that `dtype` cannot hold.

        >>> Target("classes", 2, ("no", "yes")).encode(["yes", "no"])
        array([1, 0], dtype=int32)
        >>> Target("numbers", 1).encode([1, 2])
        array([[1.],
               [2.]], dtype=float32)
        """
        values = _read(y, name)
        if self.kind == "classes":
            if values.ndim == 2:
                return self._from_one_hot(values, name)
            return self._to_indices(values, name)
        if values.dtype.kind == "U":
            raise DataError(f"{name} holds text, where numbers are needed")
        if values.ndim == 1:
            values = values[:, None]
        if values.shape[1] != self.size:
            raise DataError(f"{name} has {values.shape[1]} columns, and y has {self.size}")
        if self.kind == "labels" and not np.isin(values, (0, 1)).all():
            raise DataError(f"{name} holds other values than 0 and 1, unlike y")
        check_finite(values, name, dtype)
        return np.ascontiguousarray(values, dtype=dtype)

    def _from_one_hot(self, values: NDArray[Any], name: str) -> NDArray[np.int32]:
        one_hot = np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()
        if values.shape[1] != self.size or not one_hot:
            raise DataError(f"{name} is not a matrix of {self.size} columns with one 1 in each row")
        return values.argmax(axis=1).astype(np.int32)

    def _to_indices(self, values: NDArray[Any], name: str) -> NDArray[np.int32]:
        index = {label: i for i, label in enumerate(self.classes or ())}
        labels, inverse = np.unique(values, return_inverse=True)
        codes = np.empty(len(labels), np.int32)
        for i, label in enumerate(labels.tolist()):
            if label not in index:
                known = ", ".join(short(c) for c in (self.classes or ())[:10])
                raise DataError(
                    f"{name} holds the label {short(label)}, which is none of the classes {known}"
                    f"{'…' if self.size > 10 else ''} that are learned"
                )
            codes[i] = index[label]
        return codes[inverse]

    def decode(self, predictions: Any) -> NDArray[Any]:
        """Return predictions in the user's terms.

        Args:
            predictions: for ``classes`` class indices, of any shape; for ``labels`` probabilities
                or 0 and 1, ``[n, size]``; for ``numbers`` outputs, ``[n, size]``.

        Returns:
            the labels themselves; 0 and 1, split at ½; or the numbers, ``[n]`` for a single one.

        >>> Target("classes", 2, ("no", "yes")).decode([1, 0]).tolist()
        ['yes', 'no']
        """
        values = np.asarray(predictions)
        if self.kind == "classes":
            return np.asarray(self.classes)[values]
        if self.kind == "labels":
            return (values >= 0.5).astype(np.int64)
        return values.reshape(-1) if self.size == 1 else values

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON keeps without loss.

        >>> Target("numbers", 1).to_dict()
        {'kind': 'numbers', 'size': 1, 'classes': None}
        """
        classes = None if self.classes is None else list(self.classes)
        return {"kind": self.kind, "size": self.size, "classes": classes}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Target:
        """Rebuild what `to_dict` returned.

        Raises:
            DataError: `plain` is not what `to_dict` returns.

        >>> Target.from_dict({"kind": "classes", "size": 2, "classes": [False, True]}).classes
        (False, True)
        """
        kind, size, classes = (plain.get(key) for key in ("kind", "size", "classes"))
        fits = kind in get_args(Kind) and isinstance(size, int) and size > 0
        if kind == "classes":
            fits = fits and isinstance(classes, list) and len(classes) == size
            fits = fits and all(isinstance(label, str | int | float) for label in classes)
        else:
            fits = fits and classes is None
        if not fits:
            raise DataError(f"not the description of a target: {short(dict(plain))}")
        return cls(kind, size, None if classes is None else tuple(classes))


def _read(y: Any, name: str) -> NDArray[Any]:
    """Return a column ``[n]`` of numbers or text, or a matrix ``[n, k > 1]`` of numbers."""
    values = as_array(y, name)
    if values.ndim > 2 or 0 in values.shape:
        raise DataError(
            f"{name} has shape {values.shape}: give one label or number for each row, "
            "or a matrix [rows, outputs]"
        )
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        values = as_numbers(values, name)
    elif values.dtype.kind in "OT":
        values = _from_objects(values.tolist(), name)
    elif values.dtype.kind != "U":
        values = as_numbers(values, name)
    if values.dtype.kind != "U":
        check_finite(values, name, np.float64)
    return values


def _from_objects(values: list[Any], name: str) -> NDArray[Any]:
    for row, value in enumerate(values):
        if value is None or (isinstance(value, float) and value != value):
            raise DataError(
                f"{name} has no value at row {row} (counted from 0): leave out rows without one"
            )
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=str)
    if all(isinstance(value, bool | np.bool_) for value in values):
        return np.array(values, dtype=bool)
    try:
        if all(isinstance(value, Integral) for value in values):
            return np.array([int(value) for value in values], dtype=np.int64)
        if all(isinstance(value, Real) for value in values):
            return np.array([float(value) for value in values])
    except OverflowError:
        raise DataError(f"{name} holds a number beyond 64 bits: use text labels") from None
    types = sorted({type(value).__name__ for value in values})
    raise DataError(
        f"{name} mixes or holds labels of type {', '.join(types[:5])}: use one type, text or "
        "integers, for all of them"
    )
