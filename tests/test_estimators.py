"""scikit-learn's contract, and what our estimators add to it."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from surefoot import SurefootClassifier, SurefootRegressor
from surefoot.engine.program import Prepared

BOTH = [SurefootClassifier, SurefootRegressor]


@parametrize_with_checks([SurefootClassifier(), SurefootRegressor()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    return make_classification(
        60, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
    )


def small(**parameters):
    return SurefootClassifier(**{"hidden": (8,), "epochs": 40, "random_state": 0, **parameters})


@pytest.mark.parametrize("estimator", BOTH)
def test_the_documented_parameters_are_the_real_ones(estimator):
    section = inspect.getdoc(estimator).split("Parameters\n----------\n")[1].split("\n\n")[0]
    documented = re.findall(r"^(\w+) : .*default=(.*)$", section, re.MULTILINE)
    real = {
        name: parameter.default
        for name, parameter in inspect.signature(estimator).parameters.items()
    }
    assert [name for name, _ in documented] == list(real)
    for name, default in documented:
        assert eval(default) == real[name], name


@pytest.mark.parametrize("estimator", BOTH)
def test_the_documented_attributes_are_the_real_ones(estimator, rows):
    section = inspect.getdoc(estimator).split("Attributes\n----------\n")[1].split("\n\n")[0]
    documented = set(re.findall(r"^(\w+) : ", section, re.MULTILINE))
    fitted = estimator(hidden=(8,), epochs=2).fit(*rows)
    public = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    # Only inputs with named columns leave names behind.
    assert documented - {"feature_names_in_"} == public


def test_importing_surefoot_loads_neither_scikit_learn_nor_jax():
    code = "import sys, surefoot; print(sorted({'sklearn', 'jax'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_digits_are_told_apart_as_well_as_by_scikit_learns_network():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    known_x, new_x, known_y, new_y = train_test_split(x, y, train_size=800, random_state=0)
    shared = {"batch_size": 32, "random_state": 0}
    ours = SurefootClassifier((32,), epochs=30, **shared).fit(known_x, known_y)
    theirs = MLPClassifier((32,), max_iter=30, tol=0, n_iter_no_change=50, **shared)
    with pytest.warns(ConvergenceWarning):
        theirs.fit(known_x, known_y)
    assert ours.score(new_x, new_y) > theirs.score(new_x, new_y) - 0.02
    assert ours.score(new_x, new_y) > 0.93


def test_a_regression_is_learned_as_well_as_by_scikit_learns_network():
    x, y = make_regression(300, 5, noise=5.0, random_state=0)
    y = y / y.std()
    shared = {"batch_size": 32, "learning_rate": 0.01, "random_state": 0}
    ours = SurefootRegressor((32,), epochs=50, **shared).fit(x[:200], y[:200])
    shared["learning_rate_init"] = shared.pop("learning_rate")
    theirs = MLPRegressor(
        hidden_layer_sizes=(32,), max_iter=50, tol=0, n_iter_no_change=51, **shared
    )
    with pytest.warns(ConvergenceWarning):
        theirs.fit(x[:200], y[:200])
    assert ours.score(x[200:], y[200:]) > theirs.score(x[200:], y[200:]) - 0.02


def test_pipeline_grid_search_and_cross_validation(rows):
    x, y = rows
    pipeline = make_pipeline(StandardScaler(), small(standardize=False, learning_rate=0.03))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.6
    search = GridSearchCV(small(), {"learning_rate": [1e-6, 3e-2]}, cv=3).fit(x, y)
    assert search.best_params_ == {"learning_rate": 3e-2}


def test_labels_come_back_as_they_were_given(rows):
    x, y = rows
    for labels in (
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([-1.0, 0.0, 7.0]),
        np.array([False, True, True]),
    ):
        fitted = small(learning_rate=0.03).fit(x, labels[y])
        assert fitted.classes_.tolist() == np.unique(labels).tolist()
        assert fitted.classes_.dtype == labels.dtype
        assert fitted.score(x, labels[y]) > 0.8


def test_rows_with_several_labels():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    y = (x[:, :3] > 0).astype(int)
    fitted = small(learning_rate=0.03).fit(x, y)
    assert fitted.predict(x).shape == (60, 3)
    assert np.mean(fitted.predict(x) == y) > 0.9
    with pytest.raises(ValueError, match="several labels"):
        small(class_weight="balanced").fit(x, y)


def test_a_regression_of_several_numbers_in_their_own_units():
    x, y = make_regression(100, 4, n_targets=3, random_state=0)
    y = y * [1.0, 1e3, 1e-3] + [0.0, 1e5, 3.0]
    fitted = SurefootRegressor((16,), learning_rate=0.03, random_state=0).fit(x, y)
    assert fitted.predict(x).shape == (100, 3)
    assert fitted.score(x, y) > 0.95
    column = SurefootRegressor((16,), epochs=2, random_state=0).fit(x, y[:, :1])
    assert column.predict(x).shape == (100, 1)


def test_a_row_of_weight_zero_is_as_good_as_not_there(rows):
    x, y = np.tile(rows[0], (5, 1)), np.tile(rows[1], 5)  # 300 rows: more than one batch
    weights = np.arange(300) % 3
    garbage = np.where(weights[:, None] == 0, 1e6, x)
    weighted = small(epochs=3).fit(garbage, y, sample_weight=weights)
    without = small(epochs=3).fit(x[weights > 0], y[weights > 0], weights[weights > 0])
    np.testing.assert_array_equal(weighted.predict_proba(x), without.predict_proba(x))
    assert weighted.loss_curve_ == without.loss_curve_


def test_a_row_of_weight_three_is_as_good_as_three_rows(rows):
    x, y = rows
    counts = np.arange(60) % 4
    shared = {"class_weight": "balanced", "learning_rate": 0.01}
    weighted = small(**shared).fit(x, y, sample_weight=counts)
    repeated = small(**shared).fit(np.repeat(x, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(
        weighted.predict_proba(x), repeated.predict_proba(x), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    # The scale of all weights together means nothing.
    scaled = small(**shared).fit(x, y, sample_weight=counts * 1e-9)
    np.testing.assert_allclose(scaled.predict_proba(x), weighted.predict_proba(x), rtol=1e-9)


def test_balanced_classes_raise_the_recall_of_the_small_one():
    x, y = make_classification(
        200, 4, n_redundant=0, weights=[0.92], class_sep=0.4, flip_y=0.05, random_state=1
    )
    plain = small(epochs=60).fit(x, y)
    balanced = small(epochs=60, class_weight="balanced").fit(x, y)
    named = small(epochs=60, class_weight=dict(enumerate(200 / (2 * np.bincount(y))))).fit(x, y)
    assert recall_score(y, balanced.predict(x)) > recall_score(y, plain.predict(x)) + 0.2
    np.testing.assert_allclose(balanced.predict_proba(x), named.predict_proba(x), rtol=1e-9)


def test_early_stopping_stops_and_keeps_the_best_weights(rows):
    x, y = rows
    noise = np.random.default_rng(0).permutation(y)  # nothing to learn: validation soon worsens
    fitted = small(
        early_stopping=True, epochs=500, patience=5, learning_rate=0.1, validation_fraction=0.3
    ).fit(x, noise)
    assert fitted.n_iter_ < 500
    assert len(fitted.loss_curve_) == len(fitted.validation_curve_) == fitted.n_iter_
    best = int(np.argmin(fitted.validation_curve_))
    assert fitted.n_iter_ == best + 1 + 5
    assert fitted.best_loss_ == fitted.validation_curve_[best] < fitted.validation_curve_[-1]
    # The rows kept apart, split anew from the recipe's seed, give the best loss once more.
    from surefoot.data.split import split

    _, held_out = split(60, 0.3, fitted.recipe_.seed, noise)
    chances = fitted.predict_proba(x[held_out])[np.arange(len(held_out)), noise[held_out]]
    assert -np.log(chances).mean() == pytest.approx(fitted.best_loss_, rel=1e-9)


def test_without_early_stopping_there_is_a_loss_for_each_epoch_and_no_validation(rows):
    fitted = small().fit(*rows)
    assert len(fitted.loss_curve_) == fitted.n_iter_ == 40
    assert fitted.validation_curve_ is None
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


def test_partial_fit_is_the_same_training_in_pieces(rows):
    x, y = rows
    whole = small(epochs=10).fit(x, y)
    pieces = small(epochs=10)
    for _ in range(10):
        pieces.partial_fit(x, y, classes=[0, 1, 2])
    # Adam's memory is carried over: the same losses, step by step.
    np.testing.assert_allclose(pieces.loss_curve_, whole.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(pieces.predict_proba(x), whole.predict_proba(x), rtol=1e-9)
    assert pieces.loss_curve_[-1] < pieces.loss_curve_[0]
    assert pieces.n_iter_ == 10


def test_partial_fit_goes_on_after_fit_and_keeps_the_scale_of_targets():
    x, y = make_regression(100, 4, random_state=0)
    y = 1e4 + y
    fitted = SurefootRegressor((16,), learning_rate=0.01, random_state=0).fit(x, y)
    before = fitted.predict(x[:50])
    fitted.partial_fit(x[50:], y[50:])
    assert fitted.n_iter_ == 201
    assert np.abs(fitted.predict(x[:50]) - before).max() < 0.2 * y.std()


def test_partial_fit_compiles_once_for_batches_of_about_one_size(rows, monkeypatch):
    x, y = rows
    compiled = []
    real = Prepared.compiled

    def counting(self, *given):
        before = len(self._compiled)
        program = real(self, *given)
        compiled.extend([1] * (len(self._compiled) - before))
        return program

    monkeypatch.setattr(Prepared, "compiled", counting)
    estimator = small(hidden=(7,)).partial_fit(x[:32], y[:32], classes=[0, 1, 2])
    estimator.predict(x[:32])
    first = len(compiled)
    assert first >= 3
    for size in (32, 31, 20, 17):
        estimator.partial_fit(x[:size], y[:size]).predict(x[:size])
    assert len(compiled) == first


def test_partial_fit_refuses_what_cannot_go_on(rows):
    x, y = rows
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small().partial_fit(x, y)
    with pytest.raises(ValueError, match=r"balanced.*needs all rows"):
        small(class_weight="balanced").partial_fit(x, y, classes=[0, 1, 2])
    estimator = small().partial_fit(x, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="are not those of the last call"):
        estimator.partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="9, which is none of the classes"):
        estimator.partial_fit(x, np.where(y == 0, 9, y))
    with pytest.raises(ValueError, match="the net is not the one that training began with"):
        estimator.set_params(hidden=(9,)).partial_fit(x, y)
    with pytest.raises(ValueError, match="the optimizer is not the one"):
        estimator.set_params(hidden=(8,), optimizer="sgd").partial_fit(x, y)
    estimator.set_params(optimizer="adam", learning_rate=0.1).partial_fit(x, y)  # a number may


def test_a_pickled_copy_predicts_and_goes_on_the_same(rows):
    x, y = rows
    fitted = small().fit(x, y)
    fitted.predict(x)  # programs are compiled, and are not pickled
    for copied in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(copied.predict_proba(x), fitted.predict_proba(x))
    copied.partial_fit(x, y)
    fitted.partial_fit(x, y)
    np.testing.assert_array_equal(copied.predict_proba(x), fitted.predict_proba(x))
    with pytest.raises(NotFittedError):
        clone(fitted).predict(x)


def test_the_same_seed_gives_the_same_network(rows):
    x, y = rows
    chances = [
        small(random_state=state).fit(x, y).predict_proba(x)
        for state in (3, 3, np.random.RandomState(3), 4, None, None)
    ]
    np.testing.assert_array_equal(chances[0], chances[1])
    np.testing.assert_array_equal(chances[0], chances[2])
    assert not np.array_equal(chances[0], chances[3])
    assert not np.array_equal(chances[4], chances[5])


def test_precision_is_that_of_the_inputs_or_as_asked(rows):
    x, y = rows
    assert small(epochs=1).fit(x, y).predict_proba(x).dtype == np.float64
    assert small(epochs=1).fit(x.astype(np.float32), y).predict_proba(x).dtype == np.float32
    assert small(epochs=1, precision="float32").fit(x, y).predict_proba(x).dtype == np.float32


def test_layers_of_a_recipe_on_pictures():
    x, y = load_digits(n_class=3, return_X_y=True)
    layers = [
        {"conv": 4, "stride": 2},
        {"batch_norm": {}},
        {"activation": "relu"},
        {"flatten": {}},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    fitted = SurefootClassifier(
        layers=layers, input_shape=(8, 8, 1), epochs=10, learning_rate=0.01, random_state=0
    ).fit(x, y)
    assert fitted.score(x, y) > 0.9
    with pytest.raises(ValueError, match="64 features, and input_shape"):
        fitted.set_params(input_shape=(4, 4, 1)).fit(x, y)


def test_verbose_prints_a_line_an_epoch(rows, capsys):
    small(epochs=3, verbose=True, early_stopping=True).fit(*rows)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Epoch 1", "Epoch 2", "Epoch 3"]
    assert all("validation loss = " in line for line in lines)


def test_divergence_warns_and_keeps_the_last_finite_weights():
    x, y = make_regression(50, 4, random_state=0)
    estimator = SurefootRegressor(
        (8,), activation="identity", optimizer="sgd", learning_rate=1e30, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="diverged at step .* Lower learning_rate"):
        estimator.fit(x, y)
    assert estimator.n_iter_ < 200


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": 0}, "epochs.*at least 1"),
        ({"learning_rate": -1.0}, "learning_rate.*greater than 0"),
        ({"activation": "rleu"}, "did you mean 'relu'"),
        ({"optimizer": "adma"}, "did you mean 'adam'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"hidden": (0,)}, "dense.*at least 1"),
        ({"hidden": None}, "hidden = None: must be sizes"),
        ({"dropout": 1.5}, "dropout"),
        ({"batch_size": 0}, "batch_size"),
        ({"precision": "half"}, "precision.*float32"),
        ({"early_stopping": True, "validation_fraction": 1.5}, "validation.*less than 1"),
        ({"early_stopping": True, "validation_fraction": 0}, "no validation rows"),
        ({"early_stopping": True, "patience": 0}, "patience"),
        ({"class_weight": "even"}, "class_weight = 'even'"),
        ({"class_weight": {0: -1, 1: 1, 2: 1}}, "class_weight.*below 0"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, "every row has weight zero"),
    ],
)
def test_a_wrong_parameter_is_told_in_one_line(parameters, message, rows):
    with pytest.raises(ValueError, match=message) as caught:
        small(**parameters).fit(*rows)
    assert "\n" not in str(caught.value)


def test_data_that_cannot_be_used(rows):
    x, y = rows
    with pytest.raises(ValueError, match="one class only"):
        small().fit(x, np.zeros(60))
    with pytest.raises(ValueError, match="one class only"):
        small().fit(x, y, sample_weight=y == 1)
    with pytest.raises(ValueError, match="negative"):
        small().fit(x, y, sample_weight=-np.ones(60))
    with pytest.raises(ValueError, match="several columns of classes"):
        small().fit(x, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match=r"X holds .* too large for float64"):
        small().fit(np.where(x > 2, 1e200, x), y)
    with pytest.raises(ValueError, match=r"y holds .* too large for float64"):
        SurefootRegressor().fit(x, y * 1e200)


def test_column_names_are_kept_and_checked(rows):
    pandas = pytest.importorskip("pandas")
    x, y = rows
    table = pandas.DataFrame(x, columns=list("abcd"))
    fitted = small(epochs=1).fit(table, y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(table[list("dcba")])


def test_iris_by_cross_validation():
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(small(epochs=200, learning_rate=0.01), x, y, cv=5).mean() > 0.93
