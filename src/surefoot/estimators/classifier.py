"""A classifier with scikit-learn's conventions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from surefoot.data import Target
from surefoot.errors import DataError
from surefoot.estimators.base import FLOATS, SurefootEstimator
from surefoot.estimators.rows import Rows, read_weights


class SurefootClassifier(ClassifierMixin, SurefootEstimator):
    """A neural network that tells classes apart.

    It minimizes the cross-entropy between the classes and the network's softmax (of a single
    sigmoid for two classes and for labels), with the loss of row i counted wᵢ times.

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
        What is minimized; None chooses the cross-entropy.
    clip_norm : float, default=None
        Largest norm of the gradient.
    pretrain : str or dict, default=None
        How the dense layers learn before training, from X alone: "autoencoder",
        "denoising_autoencoder", "rbm", or a table with further keys of a recipe's `pretrain`.
    batch_size : int, "auto" or "full", default="auto"
        Rows in a step: "full" takes all, "auto" at most 200.
    epochs : int, default=200
        How often `fit` passes over the rows.
    class_weight : dict or "balanced", default=None
        How much rows of each class count: ``{label: weight}``, 1 for labels that are not there;
        "balanced" lets all classes together count alike.
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
    precision : {"auto", "float32", "float64"}, default="auto"
        Of all arithmetic; "auto" is float32 if `X` is, else float64.
    random_state : int, RandomState or None, default=None
        Of the first weights, the order of batches, dropout and the split.
    verbose : bool, default=False
        Whether to print the loss after each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has names that are all strings.
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
    SurefootRegressor : The same for numbers.

    Notes
    -----
    A row of weight 0 is the same as no such row. Where each step takes all rows, as "auto" does
    for up to 200 of them, a row of weight k is the same as k such rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from surefoot import SurefootClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SurefootClassifier(hidden=(16,), epochs=300, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.9
    True
    >>> classifier.predict_proba(X[:2]).shape
    (2, 3)
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
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        standardize: bool = True,
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
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of any sort, or a matrix of 0 and 1 where a row may have several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : SurefootClassifier
            The fitted estimator.
        """
        x, y = self._check(X, y, reset=True)
        weights = read_weights(sample_weight, len(x))
        if weights is not None:
            x, y, weights = Rows(x, y, weights).at(weights > 0)
        several = y.ndim == 2
        self._set_classes(np.arange(y.shape[1]) if several else np.unique(y), several)
        self._learn(self._rows(x, y, weights), self._target(), go_on=False)
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Train one more epoch, on these rows, from where the last call ended.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that there are. The first call needs them, later ones do not.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self : SurefootClassifier
            The estimator.
        """
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise DataError("classes must be passed on the first call to partial_fit")
        if classes is not None:
            classes = np.unique(classes)
            if not first and not np.array_equal(self.classes_, classes):
                raise DataError(
                    f"classes={classes.tolist()} are not those of the last call to partial_fit, "
                    f"{self.classes_.tolist()}"
                )
        if isinstance(self.class_weight, str):
            raise DataError(
                f"class_weight = {self.class_weight!r} needs all rows at once, and partial_fit "
                "sees a part: give a table {label: weight}"
            )
        x, y = self._check(X, y, reset=first)
        weights = read_weights(sample_weight, len(x))
        if first:
            self._set_classes(classes, y.ndim == 2)
        self._learn(self._rows(x, y, weights), self._target(), go_on=True)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels; 0 and 1 where a row may have several.
        """
        chances = self.predict_proba(X)
        if self._several:
            return (chances > 0.5).astype(np.int64)
        return self.classes_[np.argmax(chances, axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the chance of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        chances : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        model, x = self._ready(X)
        return model.probabilities(x)

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of the chance of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; minus infinity for a chance of 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _check(self, x: Any, y: Any, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and labels, the latter [rows], or a matrix of 0 and 1 [rows, labels]."""
        x, y = validate_data(self, x, y, dtype=FLOATS, multi_output=True, reset=reset)
        check_classification_targets(y)
        if type_of_target(y) == "multiclass-multioutput":
            raise DataError("y has several columns of classes: give one label a row, or 0 and 1")
        several = y.ndim == 2 and y.shape[1] > 1
        return x, y if several else column_or_1d(y, warn=True)

    def _set_classes(self, classes: NDArray[Any], several: bool) -> None:
        if len(classes) < 2:
            raise DataError(
                f"y holds one class only, {classes.tolist()[0]!r}: there is nothing to tell apart; "
                "give rows of at least two classes"
            )
        self.classes_ = classes
        self._several = several

    def _target(self) -> Target:
        count = len(self.classes_)
        if self._several:
            return Target("labels", count)
        return Target("classes", count, tuple(range(count)))

    def _rows(self, x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None) -> Rows:
        """Encode labels, and let each row count as its class does."""
        if (y.ndim == 2) != self._several or (self._several and y.shape[1] != len(self.classes_)):
            raise DataError("y has another number of columns than in the first call")
        if self._several:
            if self.class_weight is not None:
                raise DataError("class_weight: rows with several labels have no single class")
            return Rows(x, np.asarray(y, np.float64), weights)
        unknown = np.setdiff1d(y, self.classes_).tolist()
        if unknown:
            raise DataError(
                f"y holds {unknown[0]!r}, which is none of the classes {self.classes_.tolist()}"
            )
        codes = np.searchsorted(self.classes_, y).astype(np.int32)
        if self.class_weight is not None:
            of_class = self._class_weights(y, weights)
            weights = of_class[codes] * (1.0 if weights is None else weights)
        return Rows(x, codes, weights)

    def _class_weights(self, y: NDArray[Any], weights: NDArray[Any] | None) -> NDArray[np.float64]:
        if isinstance(self.class_weight, str) and self.class_weight != "balanced":
            raise DataError(
                f"class_weight = {self.class_weight!r}: must be a table {{label: weight}}, or "
                '"balanced"'
            )
        of_class = compute_class_weight(
            self.class_weight, classes=self.classes_, y=y, sample_weight=weights
        )
        if not (np.isfinite(of_class).all() and (of_class >= 0).all()):
            raise DataError("class_weight holds a weight below 0, or one that is not finite")
        return of_class
