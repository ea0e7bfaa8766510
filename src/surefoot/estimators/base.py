"""What the classifier and the regressor have in common: from parameters to a trained model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from surefoot.data import Preprocessing, Target
from surefoot.data.arrays import check_finite
from surefoot.data.preprocessing import fit as fit_preprocessing
from surefoot.defaults import fill_output
from surefoot.engine.cohort import Cohort
from surefoot.engine.model import Model
from surefoot.engine.step import LaneState
from surefoot.engine.training import LaneResult, train
from surefoot.errors import DataError, RecipeError
from surefoot.estimators.curves import Curves
from surefoot.estimators.rows import Rows, drop_weightless, make_dataset, split_rows
from surefoot.nn.nets import mlp
from surefoot.recipe import Recipe, structure

# As scikit-learn's own networks have it.
_LARGEST_BATCH = 200
# What inputs may be; anything else becomes the first.
FLOATS = (np.float64, np.float32)


class SurefootEstimator(BaseEstimator):
    """Base of `SurefootClassifier` and `SurefootRegressor`."""

    # Set by `_learn`: the trained network, and all that its training carried after the last step.
    _model: Model
    _lane: LaneState

    def _ready(self, x: Any) -> tuple[Model, NDArray[Any]]:
        """Return the trained model and new inputs, checked against what it was fitted on."""
        check_is_fitted(self)
        return self._model, validate_data(self, x, dtype=FLOATS, reset=False)

    def _shaped(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return flat rows in the shape that the network takes."""
        if self.input_shape is None:
            return x
        shape = tuple(self.input_shape)
        if prod(shape) != x.shape[1]:
            raise DataError(
                f"X has {x.shape[1]} features, and input_shape = {shape} takes {prod(shape)}"
            )
        return x.reshape(-1, *shape)

    def _learn(self, rows: Rows, target: Target, *, go_on: bool) -> None:
        """Train, and keep what was learned.

        Args:
            rows: flat inputs, encoded targets, and weights.
            target: what the targets mean.
            go_on: whether this is `partial_fit`: one epoch, from where the last call ended.
        """
        rows = drop_weightless(rows._replace(x=self._shaped(rows.x)))
        before = self._model if go_on and hasattr(self, "_model") else None
        seed = before.recipe.seed if before else self._draw_seed()
        dtype = before.recipe.train.precision if before else self._precision(rows.x)
        watched = bool(self.early_stopping) and not go_on
        # The recipe comes first: it checks the parameters that splitting and scaling take.
        recipe = self._recipe(target, seed, dtype, len(rows.x), watched, go_on)
        if before:
            _check_same(before.recipe, recipe)
        check_finite(rows.x, "X", dtype)
        held_out = None
        if recipe.data.validation:
            rows, held_out = split_rows(rows, target, recipe.data.validation, seed)
            recipe = self._recipe(target, seed, dtype, len(rows.x), watched, go_on)
        preprocessing = (
            before.preprocessing
            if before
            else fit_preprocessing(
                rows.x, standardize=recipe.data.standardize, weights=rows.weights
            )
        )
        # Batch normalization would count the copies that rows are filled up with.
        pad = recipe.train.batch_size == "full" and not self.batch_norm and self.layers is None
        dataset = make_dataset(rows, held_out, target, preprocessing, dtype, pad)
        cohort = Cohort([recipe], dataset)
        done = self.n_iter_ if before else 0
        curves = Curves(cohort.steps_per_epoch, done, bool(self.verbose))
        start = [self._lane] if before else None
        (result,) = train(cohort, curves, start=start, epochs_before=done)
        self._keep(result, dataset.target, dataset.preprocessing, dataset.feature_shape)
        self._remember(result, curves, before is not None)

    def _keep(
        self,
        result: LaneResult,
        target: Target,
        preprocessing: Preprocessing,
        shape: tuple[int, ...],
    ) -> None:
        self._model = Model(
            recipe=result.recipe,
            params=result.params,
            state=result.state,
            scaling=result.scaling,
            target=target,
            preprocessing=preprocessing,
            feature_shape=shape,
        )
        # What `partial_fit` goes on from has the weights that were kept, and may move again.
        self._lane = result.last._replace(
            params=result.params, state=result.state, diverged=np.int32(-1)
        )

    def _remember(self, result: LaneResult, curves: Curves, more: bool) -> None:
        """Set the public attributes, and say so where training diverged."""
        self.recipe_ = result.recipe
        self.loss_curve_ = (self.loss_curve_ if more else []) + curves.train
        self.validation_curve_ = curves.validation or None
        self.best_loss_ = float(np.min(self.validation_curve_ or self.loss_curve_))
        self.n_iter_ = len(self.loss_curve_)
        if result.diverged is not None:
            warnings.warn(
                f"{type(self).__name__} diverged at step {result.diverged}: its loss or gradient "
                "was no longer finite; the last finite weights are kept. Lower learning_rate, set "
                "clip_norm, or scale the data.",
                ConvergenceWarning,
                stacklevel=4,
            )

    # From parameters to a recipe.

    def _draw_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _precision(self, x: NDArray[Any]) -> str:
        return x.dtype.name if self.precision == "auto" else self.precision

    def _recipe(
        self, target: Target, seed: int, precision: str, rows: int, watched: bool, one_epoch: bool
    ) -> Recipe:
        """Write the parameters as a recipe, which checks them."""
        train: dict[str, Any] = {
            "batch_size": self._batch_size(rows),
            "epochs": 1 if one_epoch else self.epochs,
            "precision": precision,
        }
        if self.clip_norm is not None:
            train["clip_norm"] = self.clip_norm
        if self.loss is not None:
            train["loss"] = self.loss
        if watched:
            train["early_stopping"] = {"monitor": "validation_loss", "patience": self.patience}
        tables: dict[str, Any] = {
            "seed": seed,
            "data": {
                "validation": self.validation_fraction if watched else 0.0,
                "standardize": self.standardize,
            },
            "optimizer": self._optimizer(),
            # One epoch at a time, there is no last step that a schedule could end at.
            "schedule": "constant" if one_epoch else self.schedule,
            "train": train,
            # Nothing reads vital signs here.
            "vitals": {"every": 0, "first": 0},
        }
        if self.pretrain is not None:
            tables["pretrain"] = self.pretrain
        if self.layers is not None:
            tables["net"] = {"layers": self.layers}
            return Recipe.parse(fill_output(tables, target, None), type(self).__name__)
        net = mlp(
            *self._hidden(),
            activation=self.activation,
            dropout=self.dropout,
            batch_norm=bool(self.batch_norm),
        )
        return Recipe.parse(fill_output(tables, target, net), type(self).__name__)

    def _hidden(self) -> tuple[Any, ...]:
        if isinstance(self.hidden, Integral):
            return (self.hidden,)
        if not isinstance(self.hidden, Iterable):
            raise RecipeError(
                f"hidden = {self.hidden!r}: must be sizes of layers, such as (128, 64)"
            )
        return tuple(self.hidden)

    def _batch_size(self, rows: int) -> Any:
        if self.batch_size == "auto":
            return "full" if rows <= _LARGEST_BATCH else _LARGEST_BATCH
        if isinstance(self.batch_size, Integral) and self.batch_size >= rows:
            return "full"
        return self.batch_size

    def _optimizer(self) -> Any:
        table = (
            dict(self.optimizer)
            if isinstance(self.optimizer, Mapping)
            else {"name": self.optimizer}
        )
        own = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        return {**{key: value for key, value in own.items() if value is not None}, **table}

    def __getstate__(self) -> dict[str, Any]:
        # A model keeps its compiled programs at hand; they are made anew where it is read.
        state = super().__getstate__()
        if "_model" in state:
            state = {**state, "_model": replace(self._model)}
        return state


def _check_same(before: Recipe, now: Recipe) -> None:
    """Refuse to go on with another net or update rule than training began with."""
    for section in ("net", "optimizer"):
        old, new = getattr(before, section), getattr(now, section)
        if old != new and structure(old) != structure(new):
            raise RecipeError(
                f"partial_fit: the {section} is not the one that training began with; call fit "
                "to begin anew, or set the parameters back"
            )
