"""A trained net as a function of one input: what saliency and trained inputs start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.data import prepare as prepare_rows
from surefoot.data.inputs import read_inputs
from surefoot.data.picture_inputs import find_pictures
from surefoot.data.prepared import as_given
from surefoot.engine.blueprint import Blueprint, step_numbers
from surefoot.engine.model import Model
from surefoot.engine.objective import Scaling
from surefoot.errors import InputError, SurefootError, nearest
from surefoot.files import read_json
from surefoot.gradients.point import double
from surefoot.landscape.points import locate
from surefoot.nn.layer import Array, Context
from surefoot.run import Run

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """S(x): a score for each class, or the predicted numbers, of one prepared input.

    Attributes:
        model: the trained net, whose weights are never changed.
        names: of the targets: classes, labels or numbers.
        blueprint: its structure.
        params: its weights in float64.
        state: its running averages.
        numbers: the numbers of its layers.
    """

    model: Model
    names: tuple[str, ...]
    blueprint: Blueprint
    params: Any
    state: Any
    numbers: Any

    @classmethod
    def of(cls, model: Model) -> Scores:
        """Return the scores of a model."""
        blueprint = Blueprint.of(model.recipe, model.feature_shape, model.target)
        params, state = double((model.params, model.state))
        given = jax.tree.map(np.float64, step_numbers(model.recipe)["net"])
        columns, target = model.recipe.data.target or (), model.target
        if target.kind == "classes":
            names = target.classes or range(target.size)
        else:
            names = columns if len(columns) == target.size else range(target.size)
        return cls(model, tuple(map(str, names)), blueprint, params, state, given)

    def __call__(self, x: Array) -> Array:
        """Return the scores of one input.

        Of classes the numbers in front of softmax or sigmoid (z; one output's are −z and z), for
        what softmax does to one class depends on all others. Numbers come in the target's units.

        Args:
            x: prepared, of the shape that the first layer takes.
        """
        context = Context(False, None, self.numbers, None)
        network = self.blueprint.network
        outputs, _, _ = network.apply(self.params, self.state, x[None], context)
        if self.model.target.kind == "numbers":
            scaling = Scaling(*map(jnp.asarray, double(tuple(self.model.scaling))))
            return self.blueprint.objective.predict(outputs, scaling)[0]
        (row,) = outputs
        single = len(self.names) == 2 and row.shape == (1,)
        return jnp.concatenate([-row, row]) if single else row

    def chances(self, x: Values) -> Values | None:
        """Return the chance of each class of one input; None for numbers."""
        if self.model.target.kind == "numbers":
            return None
        dtype = np.dtype(self.model.recipe.train.dtype)
        return np.asarray(self.model.chances(self.model.forward(x[None].astype(dtype)))[0])

    def find(self, target: Any, x: Values | None = None) -> int:
        """Return which score is meant.

        Args:
            target: a class's or number's name; where it is None the highest score of x.
            x: one input.

        Raises:
            InputError: there is no such class.
        """
        if target is None:
            with jax.enable_x64(True):
                scores = np.asarray(jax.jit(self.__call__)(x))
            return 0 if self.model.target.kind == "numbers" else int(np.argmax(scores))
        if str(target) not in self.names:
            shown = ", ".join(self.names[:12]) + (", …" if len(self.names) > 12 else "")
            raise InputError(
                f"target = {target!r}: there is no such class{nearest(str(target), self.names)}; "
                f"there are {shown}"
            )
        return self.names.index(str(target))

    def raw(self, x: Values) -> Values:
        """Return a prepared input in the data's own units; of a table as the net takes it."""
        fitted = self.model.preprocessing
        if fitted.mean is None or fitted.scale is None:
            return x
        return (x.reshape(-1, len(fitted.mean)) * fitted.scale + fitted.mean).reshape(x.shape)


@dataclass(frozen=True)
class Input:
    """One input of a trained net.

    Attributes:
        x: prepared, of the shape that the first layer takes.
        names: of its numbers, where they are a row.
        picture: height, width and channels where it is a picture, also one laid out as a row.
        said: which one it is.
    """

    x: Values
    names: tuple[str, ...]
    picture: tuple[int, int, int] | None
    said: str


def input_of(run: Run, scores: Scores, data: str | None, example: int) -> Input:
    """Return one input: a row of some data, or of the run's own training rows.

    Args:
        run: whose net it is for.
        scores: the net.
        data: rows to take it from: a table, a file, pictures; the training rows without it.
        example: which row, from 0.

    Raises:
        InputError: there is no such row, or the data cannot be had.
    """
    model = scores.model
    if data is None:
        dataset = locate(run, "best").cohort.dataset
        shape, count = model.feature_shape, len(dataset.x_train)
        _check_row(example, count, "training rows")
        given = as_given(dataset, dataset.x_train[example : example + 1])
        x = np.asarray(given, np.float64).reshape(shape)
        said = f"training row {example}"
    else:
        pictures = find_pictures([data], model.recipe.data.pictures)
        parts = [read_inputs(data)] if pictures is None else list(pictures.blocks())
        prepare = partial(
            prepare_rows,
            preprocessing=model.preprocessing,
            feature_shape=model.feature_shape,
            dtype=np.float64,
            encoding=model.encoding,
        )
        rows = np.concatenate([prepare(part) for part in parts])
        _check_row(example, len(rows), f"rows in {data}")
        x, said = np.asarray(rows[example], np.float64), f"{data}, row {example}"
    names: Any = () if model.encoding is None else model.encoding.names
    if len(names) != x.size:
        names = [f"input {i}" for i in range(x.size)]
    return Input(x, tuple(names), picture_shape(run, model), said)


def picture_shape(run: Run, model: Model) -> tuple[int, int, int] | None:
    """Return height, width and channels where inputs are pictures, by the run's own facts."""
    shape: Any = model.feature_shape
    if model.encoding is None and len(shape) == 1:
        try:
            shape = read_json(Path(run.path) / "data.json").get("shape") or shape
        except (SurefootError, AttributeError):
            return None
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3 or shape[2] not in (1, 3) or prod(shape) != prod(model.feature_shape):
        return None
    return int(shape[0]), int(shape[1]), int(shape[2])


def _check_row(example: int, count: int, what: str) -> None:
    if not 0 <= example < count:
        raise InputError(f"example = {example}: there are {what} 0 to {count - 1}")
