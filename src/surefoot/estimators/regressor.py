"""A regressor with scikit-learn's conventions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import validate_data

from surefoot.data import Target
from surefoot.data.arrays import check_finite
from surefoot.data.preprocessing import fit as fit_preprocessing
from surefoot.errors import DataError
from surefoot.estimators.base import FLOATS, SurefootEstimator
from surefoot.estimators.rows import Rows, read_weights


class SurefootRegressor(RegressorMixin, SurefootEstimator):
    """A neural network that predicts one number or several.

    It minimizes the mean of the squared error, with the loss of row i counted wᵢ times.

    Parameters
    ----------
    hidden : int or tuple of int, default=(128, 64)
        Units of each hidden layer; ``()`` for a linear model.
    activation : str, default="relu"
        After each hidden layer: any activation of a recipe, such as "tanh" or "gelu".
    dropout : float, default=0.0
        Share of each hidden layer's outputs that is set to zero in training.
    batch_norm : bool, default=False
        Whether to normalize over the batch before each activation. It counts every row alike,
        whatever its weight.
    layers : list of dict, default=None
        A recipe's layers, from the input to the output, in place of the parameters above.
    input_shape : tuple of int, default=None
        (height, width, channels) of the picture that each row of `X` holds, for convolutions.
    optimizer : str or dict, default="adam"
        Update rule: a name, or a table with its numbers:
        ``{"name": "momentum", "momentum": 0.95}``.
    learning_rate : float, default=0.001
        How far to step.
    schedule : str or dict, default="constant"
        How the rate changes during `fit`; `partial_fit`, which knows no last epoch, keeps it.
    weight_decay : float, default=None
        Share of each weight that is added to its gradient; None leaves it to the update rule.
    loss : str, default=None
        What is minimized, such as "mean_absolute_error"; None chooses "mean_squared_error".
    clip_norm : float, default=None
        Largest norm of the gradient.
    pretrain : str or dict, default=None
        How the dense layers learn before training, from X alone: "autoencoder",
        "denoising_autoencoder", "rbm", or a table with further keys of a recipe's `pretrain`.
    batch_size : int, "auto" or "full", default="auto"
        Rows in a step: "full" takes all, "auto" at most 200.
    epochs : int, default=200
        How often `fit` passes over the rows.
    early_stopping : bool, default=False
        Whether `fit` keeps some rows apart, stops when the loss on them has not fallen for a
        while, and keeps the weights that were best on them.
    validation_fraction : float, default=0.1
        Share of the rows kept apart for that.
    patience : int, default=10
        Epochs without improvement before it stops.
    standardize : bool, default=True
        Whether inputs are brought to mean 0 and variance 1. Mean and variance come from the
        training rows, for `partial_fit` from those of the first call.
    standardize_targets : bool, default=True
        Whether the network learns targets of mean 0 and variance 1; predictions are brought
        back. Losses are those of the standardized targets. Mean and variance come from all rows,
        for `partial_fit` from those of the first call.
    precision : {"auto", "float32", "float64"}, default="auto"
        Of all arithmetic; "auto" is float32 if `X` is, else float64.
    random_state : int, RandomState or None, default=None
        Of the first weights, the order of batches, dropout and the split.
    verbose : bool, default=False
        Whether to print the loss after each epoch.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has names that are all strings.
    n_outputs_ : int
        Numbers that are predicted for a row.
    n_iter_ : int
        Epochs that were trained.
    loss_curve_ : list of float
        The mean training loss of each epoch.
    validation_curve_ : list of float or None
        The loss on the rows kept apart after each epoch of `fit`, with `early_stopping`.
    best_loss_ : float
        The smallest entry of `validation_curve_`, or of `loss_curve_` where there is none.
    recipe_ : Recipe
        The recipe that was trained.

    See Also
    --------
    SurefootClassifier : The same for classes.

    Notes
    -----
    A row of weight 0 is the same as no such row. Where each step takes all rows, as "auto" does
    for up to 200 of them, a row of weight k is the same as k such rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from surefoot import SurefootRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = SurefootRegressor(hidden=(16,), epochs=100, random_state=0).fit(X, y)
    >>> regressor.score(X, y) > 0.4
    True
    """

    def __init__(
        self,
        hidden: Any = (128, 64),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        layers: Any = None,
        input_shape: tuple[int, ...] | None = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        schedule: Any = "constant",
        weight_decay: float | None = None,
        loss: str | None = None,
        clip_norm: float | None = None,
        pretrain: Any = None,
        batch_size: Any = "auto",
        epochs: int = 200,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        standardize: bool = True,
        standardize_targets: bool = True,
        precision: str = "auto",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.layers = layers
        self.input_shape = input_shape
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.loss = loss
        self.clip_norm = clip_norm
        self.pretrain = pretrain
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.standardize_targets = standardize_targets
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : SurefootRegressor
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, go_on=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these rows, from where the last call ended.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : SurefootRegressor
            The estimator.
        """
        return self._fit(X, y, sample_weight, go_on=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As `fit` was given them.
        """
        model, x = self._ready(X)
        outputs = model.outputs(x) * self._target_scale + self._target_mean
        predictions = outputs.astype(model.recipe.train.dtype, copy=False)
        return predictions if self._matrix else predictions[:, 0]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _fit(self, x: Any, y: Any, sample_weight: Any, *, go_on: bool) -> Self:
        first = not (go_on and hasattr(self, "n_outputs_"))
        x, y = validate_data(
            self, x, y, dtype=FLOATS, multi_output=True, y_numeric=True, reset=first
        )
        weights = read_weights(sample_weight, len(x))
        matrix = np.asarray(y, np.float64).reshape(len(x), -1)
        check_finite(matrix, "y", np.float64)
        if first:
            self.n_outputs_ = matrix.shape[1]
            self._matrix = y.ndim == 2
            self._measure_targets(matrix, weights)
        elif matrix.shape[1] != self.n_outputs_:
            raise DataError(
                f"y has {matrix.shape[1]} columns, and {self.n_outputs_} in the first call"
            )
        scaled = (matrix - self._target_mean) / self._target_scale
        self._learn(Rows(x, scaled, weights), Target("numbers", self.n_outputs_), go_on=go_on)
        return self

    def _measure_targets(self, y: NDArray[np.float64], weights: NDArray[Any] | None) -> None:
        """Fit the scale of the targets: kept apart from the engine's, for `partial_fit`."""
        size = y.shape[1]
        self._target_mean, self._target_scale = np.zeros(size), np.ones(size)
        if self.standardize_targets:
            fitted = fit_preprocessing(y, weights=weights)
            self._target_mean, self._target_scale = fitted.mean, fitted.scale
