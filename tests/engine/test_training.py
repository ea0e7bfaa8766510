"""The loop as a whole: against PyTorch, over lanes, to the bit, and when it goes wrong."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import torch

from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.errors import DataError, RecipeError
from surefoot.recipe import numbers
from surefoot.vitals.columns import VITAL_COLUMNS


class Notes:
    """A listener that keeps every block."""

    def __init__(self, stop_after=None):
        self.blocks = []
        self._stop_after = stop_after

    def block(self, block):
        self.blocks.append(block)

    def stop(self):
        return self._stop_after is not None and len(self.blocks) >= self._stop_after

    @property
    def loss(self):
        return np.concatenate([block.loss for block in self.blocks])


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def same_bits(one, other):
    return all(np.array_equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


def torch_run(recipe, dataset, cohort, rule):
    """Train the same net on the same batches in PyTorch; return its losses and weights."""
    network = cohort.blueprint.network
    params, _ = network.init(recipe.seed, numbers(recipe.net), np.float64)
    weights = [
        torch.tensor(np.asarray(p[name]), requires_grad=True)
        for p in (params[0], params[2])
        for name in ("kernel", "bias")
    ]
    optimizer = rule(weights)
    x, y = torch.tensor(dataset.x_train), torch.tensor(dataset.y_train).long()
    losses = []
    for epoch in range(1, recipe.train.epochs + 1):
        for rows in cohort.order(epoch):
            rows = torch.tensor(rows).long()
            hidden = torch.tanh(x[rows] @ weights[0] + weights[1])
            loss = torch.nn.functional.cross_entropy(hidden @ weights[2] + weights[3], y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return np.array(losses), [weight.detach().numpy() for weight in weights]


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        ({"name": "sgd", "learning_rate": 0.1}, lambda w: torch.optim.SGD(w, 0.1)),
        ({"name": "adam", "learning_rate": 0.02}, lambda w: torch.optim.Adam(w, 0.02)),
    ],
)
def test_a_whole_run_equals_pytorch(make_recipe, arrays, optimizer, rule):
    recipe = make_recipe(optimizer=optimizer, train={"precision": "float64"})
    dataset = load(recipe.data, arrays=arrays, dtype=np.float64)
    cohort = Cohort([recipe], dataset)
    notes = Notes()
    (result,) = train(cohort, notes)
    losses, weights = torch_run(recipe, dataset, cohort, rule)
    np.testing.assert_allclose(notes.loss[:, 0], losses, rtol=1e-9)
    ours = [result.params[i][name] for i in (0, 2) for name in ("kernel", "bias")]
    for our, their in zip(ours, weights, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-9, atol=1e-12)


def test_the_same_recipe_gives_the_same_bits(make_recipe, dataset):
    recipe = make_recipe([{"dense": 8}, {"dropout": 0.3}, *make_recipe().net.layers[1:]])
    first, second = (train(Cohort([recipe], dataset))[0] for _ in range(2))
    assert same_bits(first.params, second.params)
    other = make_recipe(recipe.net.layers, seed=1)
    assert not same_bits(first.params, train(Cohort([other], dataset))[0].params)


def test_a_lane_of_sixteen_equals_the_same_recipe_alone(make_recipe, dataset):
    recipes = [
        make_recipe(
            [
                {"dense": 8},
                {"activation": "relu"},
                {"dropout": 0.1 + lane / 50},
                *make_recipe().net.layers[2:],
            ],
            seed=lane,
            optimizer={"learning_rate": 0.001 * (lane + 1)},
            train={"epochs": 12, "clip_norm": 0.5 + lane},
        )
        for lane in range(16)
    ]
    together = Notes()
    results = train(Cohort(recipes, dataset), together)
    assert len(together.loss) >= 100
    for lane in (0, 7, 15):
        alone = Notes()
        (result,) = train(Cohort([recipes[lane]], dataset), alone)
        np.testing.assert_allclose(together.loss[:100, lane], alone.loss[:100, 0], rtol=1e-5)
        np.testing.assert_allclose(results[lane].validation, result.validation, rtol=1e-4)


def test_lanes_with_one_shuffle_seed_see_the_same_batches(make_recipe, dataset):
    recipes = [make_recipe(seed=seed, data={"shuffle_seed": 5}) for seed in range(2)]
    assert Cohort(recipes, dataset).order(1).shape == (9, 10)
    different = [make_recipe(seed=seed) for seed in range(2)]
    assert Cohort(different, dataset).order(1).shape == (2, 9, 10)


def test_a_hundred_learning_rates_compile_once(make_recipe, dataset):
    rates = np.logspace(-4, 0, 100)
    recipes = [make_recipe(optimizer={"learning_rate": float(rate)}) for rate in rates]
    cohort = Cohort(recipes, dataset)
    results = train(cohort)
    programs = programs_for(cohort.blueprint)
    before = (programs.start.count, programs.train.count, programs.evaluate.count)
    others = [make_recipe(optimizer={"learning_rate": float(rate) / 3}) for rate in rates]
    again = train(Cohort(others, dataset))
    assert (programs.start.count, programs.train.count, programs.evaluate.count) == before
    assert len({result.train[0] for result in results + again}) > 150  # they do differ


def test_vital_signs_do_not_change_the_training(make_recipe, dataset):
    plain, watched = (
        train(Cohort([make_recipe(vitals={"every": every, "first": every})], dataset))[0]
        for every in (0, 3)
    )
    for one, other in zip(leaves(plain.params), leaves(watched.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_records_lie_where_the_recipe_says(make_recipe, dataset):
    notes = Notes()
    train(Cohort([make_recipe(vitals={"every": 8, "first": 3})], dataset), notes)
    recorded = np.concatenate([block.recorded for block in notes.blocks])
    assert recorded.tolist() == [0, 1, 2, 8, 16, 24, 32]
    first = notes.blocks[0]
    assert first.vitals.shape[1:] == (1, 4, len(VITAL_COLUMNS))
    assert np.isfinite(first.norm).all()
    assert (first.rate == np.float32(1e-3)).all()


def test_clipping_is_seen_in_the_norms(make_recipe, dataset):
    notes = Notes()
    train(Cohort([make_recipe(train={"clip_norm": 0.01})], dataset), notes)
    block = notes.blocks[0]
    assert (block.norm > 0.01).all()
    np.testing.assert_allclose(block.clipped_norm, 0.01, rtol=1e-5)


def test_divergence_keeps_the_last_finite_weights(make_recipe, dataset):
    layers = [{"dense": 8}, {"activation": "relu"}, {"dense": "classes"}]
    recipe = make_recipe(
        layers,
        optimizer={"name": "sgd", "learning_rate": 1e30},
        train={"loss": "mean_squared_error", "epochs": 3},
    )
    healthy = recipe.model_copy(
        update={"optimizer": recipe.optimizer.model_copy(update={"learning_rate": 0.01})}
    )
    notes = Notes()
    bad, good = train(Cohort([recipe, healthy], dataset), notes)
    assert bad.ended == "diverged"
    assert bad.diverged is not None
    assert bad.steps == bad.diverged + 1
    assert all(np.isfinite(leaf).all() for leaf in leaves(bad.params))
    assert good.ended == "finished"
    assert good.steps == 27
    assert np.isfinite(good.train[0])


def test_a_cohort_ends_when_all_lanes_have_diverged(make_recipe, dataset):
    recipe = make_recipe(
        [{"dense": "classes"}],
        optimizer={"name": "sgd", "learning_rate": 1e38},
        train={"loss": "mean_squared_error", "epochs": 50},
    )
    (result,) = train(Cohort([recipe], dataset))
    assert result.ended == "diverged"
    assert result.epochs < 50


def test_early_stopping_keeps_the_best_weights(make_recipe, dataset):
    stopping = {"monitor": "validation_loss", "patience": 2}
    recipe = make_recipe(
        optimizer={"learning_rate": 0.3}, train={"epochs": 60, "early_stopping": stopping}
    )
    notes = Notes()
    (result,) = train(Cohort([recipe], dataset), notes)
    losses = [float(b.validation.loss[0]) for b in notes.blocks if b.validation is not None]
    assert result.ended == "early"
    assert result.best_epoch == int(np.argmin(losses)) + 1
    assert result.epochs == result.best_epoch + 2
    assert result.validation[0] == pytest.approx(min(losses), rel=1e-6)


def test_plateau_lowers_the_rate(make_recipe, dataset):
    recipe = make_recipe(
        optimizer={"name": "sgd", "learning_rate": 1e-12},
        schedule={"name": "plateau", "factor": 0.5, "patience": 2},
        train={"epochs": 6},
        vitals={"every": 1, "first": 0},
    )
    notes = Notes()
    train(Cohort([recipe], dataset), notes)
    rates = np.concatenate([block.rate for block in notes.blocks])[:, 0]
    by_epoch = rates.reshape(6, 9)[:, 0] / 1e-12
    np.testing.assert_allclose(by_epoch, [1, 1, 1, 0.5, 0.5, 0.25], rtol=1e-5)


def test_interruption_gives_a_usable_result(make_recipe, dataset):
    (result,) = train(Cohort([make_recipe(train={"epochs": 50})], dataset), Notes(stop_after=3))
    assert result.ended == "interrupted"
    assert 0 < result.steps < 450
    assert np.isfinite(result.validation[0])


@pytest.mark.parametrize("until", [0, 13, 18])
def test_it_ends_before_the_step_that_is_asked_for(make_recipe, dataset, until):
    cohort = Cohort([make_recipe(train={"epochs": 4}, schedule="cosine")], dataset)
    whole, part = Notes(), Notes()
    train(cohort, whole)
    (result,) = train(cohort, part, until=until)
    assert (result.steps, result.ended) == (until, "interrupted")
    losses = [
        np.concatenate([np.zeros((0, 1)), *(b.loss for b in n.blocks)]) for n in (whole, part)
    ]
    np.testing.assert_array_equal(losses[0][:until], losses[1])


def test_going_on_equals_never_having_stopped(make_recipe, dataset):
    whole = train(Cohort([make_recipe(train={"epochs": 4})], dataset))[0]
    half = Cohort([make_recipe(train={"epochs": 2})], dataset)
    first = train(half)[0]
    second = train(half, start=[first.last], epochs_before=2)[0]
    assert same_bits(whole.params, second.params)
    assert second.steps == whole.steps


def test_regression_is_measured_in_the_targets_units(make_recipe):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(200, 3))
    y = 500 + 100 * x @ [1.0, -2.0, 0.5]
    tables = {"train": {"loss": "mean_squared_error", "epochs": 60, "batch_size": 20}}
    recipes = [
        make_recipe(
            [{"dense": "outputs"}],
            data={"standardize_targets": on},
            optimizer={"learning_rate": 0.02},
            **tables,
        )
        for on in (True, False)
    ]
    dataset = load(recipes[0].data, arrays=(x, y), task="regression")
    scaled, raw = train(Cohort(recipes, dataset))
    assert scaled.train[1] < 5  # of a standard deviation of about 230
    assert raw.train[1] > 100  # 480 steps of 0.02 do not reach 500
    assert scaled.train[0] == pytest.approx((scaled.train[1] / y.std()) ** 2, rel=0.1)


def test_sample_weights_count(make_recipe, arrays):
    x, y = arrays
    recipe = make_recipe(
        data={"validation": 0.0},
        train={"batch_size": "full", "epochs": 30},
        optimizer={"learning_rate": 0.05},
    )
    weights = np.where(y == 0, 0.0, 1.0)
    some = load(recipe.data, arrays=(x, y), sample_weight=weights)
    fewer = load(recipe.data, arrays=(x[y > 0], y[y > 0] - 1), sample_weight=weights[y > 0])
    (result,) = train(Cohort([recipe], some))
    predicted_zero = result.train[1]
    assert predicted_zero == pytest.approx(1.0, abs=0.1)  # rows of weight zero are not measured
    assert len(fewer.x_train) < len(some.x_train)


@pytest.mark.parametrize(
    ("tables", "error", "words"),
    [
        ({"train": {"batch_size": 500}}, DataError, "500 is more than the 90 training rows"),
        ({"train": {"early_stopping": {"monitor": "validation_rmse"}}}, RecipeError, "accuracy"),
        ({"net": {"layers": [{"dense": 4}]}}, RecipeError, "layer 1 (dense): the net has 4"),
        ({"train": {"class_weight": {"nine": 2.0}}}, RecipeError, "there is no class 'nine'"),
        (
            {"net": {"layers": [{"batch_norm": {}}, {"dense": 3}]}, "train": {"batch_size": 1}},
            RecipeError,
            "layer 1 (batch_norm): a batch of one",
        ),
    ],
)
def test_what_cannot_work_is_one_line(make_recipe, dataset, tables, error, words):
    with pytest.raises(error) as caught:
        train(Cohort([make_recipe(**tables)], dataset))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recipes_of_another_structure_are_no_cohort(make_recipe, dataset):
    wider = make_recipe([{"dense": 9}, {"dense": "classes"}])
    with pytest.raises(RecipeError, match="not one cohort"):
        Cohort([make_recipe(), wider], dataset)


def test_lanes_may_differ_in_their_initializers(make_recipe, dataset):
    names = ("he_normal", "zeros", "orthogonal")
    recipes = [make_recipe(net={"initializer": name}) for name in names]
    results = train(Cohort(recipes, dataset))
    assert len({result.train[0] for result in results}) == 3
