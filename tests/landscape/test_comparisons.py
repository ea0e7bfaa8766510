"""Two ways to train beside each other, on tiny nets."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import surefoot as sf
from surefoot.figures.svg import to_svg
from surefoot.job import prepare
from surefoot.landscape.comparisons import REACHES, SURENESS, _far, _normed, _train, _two_losses
from surefoot.landscape.hessian import Surface
from surefoot.report.comparison import draw_comparison

QUICK = {"net": "mlp:6,6", "optimizer": "sgd", "keys": {"epochs": 3}, "seeds": 2}


@pytest.fixture(scope="module")
def normed():
    return sf.compare_surfaces("batch_norm", "iris", **QUICK)


@pytest.fixture(scope="module")
def losses():
    return sf.compare_surfaces("loss", "iris", **QUICK)


def test_both_are_measured_for_every_seed_on_the_way(normed):
    assert normed.seeds == 2
    assert normed.rows <= 120
    for own in normed.variants:
        assert own.turning.shape == own.losses.shape == (2, len(own.steps))
        assert own.steps[[0, -1]].tolist() == [0, 12]
        assert np.isfinite(own.turning).all()
        assert own.losses[:, -1].mean() < own.losses[:, 0].mean()
        assert own.plane.shape == (21, 21)
    assert f"of {normed.seeds} seeds" in normed.sentence


@pytest.fixture(scope="module")
def trained():
    """One seed with cross-entropy."""
    job = prepare("iris", net="mlp:6", optimizer="sgd", keys={"epochs": 1})
    return _train(job, *_two_losses(job)[0], 1, 64)[0]


def test_the_turn_of_the_gradient_is_what_its_formula_says(trained):
    own = jax.tree.map(lambda array: array[0], (trained.params, trained.state))
    surface = Surface.of(trained.cohort, *own, rows=64)
    theta = surface.start.astype(np.float64)
    loss, gradient = surface.gradient(theta)
    norm = np.linalg.norm(gradient)
    steps = REACHES[:, None] * np.linalg.norm(theta) * gradient / norm
    there = [surface.gradient(theta - step) for step in steps]
    turned = max(np.linalg.norm(other - gradient) / norm for _, other in there)
    assert trained.measured[1, 0, -1] == pytest.approx(turned, rel=1e-5)
    lengths = np.linalg.norm(steps, axis=1)
    steep = max(
        abs(own - loss) / length / loss for (own, _), length in zip(there, lengths, strict=True)
    )
    assert trained.measured[2, 0, -1] == pytest.approx(steep, rel=1e-4)


def test_far_from_the_solution_cross_entropy_has_the_larger_gradient(losses):
    one, two = losses.variants
    assert one.far.shape == two.far.shape == (2, len(SURENESS))
    # The surer of what is wrong, the larger the one; the other is held up by the flat softmax.
    assert (np.diff(one.far, axis=1) > 0).all()
    assert (one.far[:, -1] > 10 * two.far[:, -1]).all()
    assert (two.far[:, -1] / one.far[:, -1] < two.far[:, 0] / one.far[:, 0]).all()
    assert "made to be wrong" in losses.sentence


def test_the_wrong_net_has_its_outputs_moved_by_one_class(trained):
    far = _far(trained, trained, 64)
    params, state = jax.tree.map(lambda array: array[0], (trained.params, trained.state))
    last = {key: np.roll(value, 1, axis=-1) for key, value in params[-1].items()}
    surface = Surface.of(trained.cohort, [*params[:-1], last], state, rows=64)
    norm = np.linalg.norm(surface.gradient(surface.start)[1])
    assert far[0, list(SURENESS).index(1.0)] == pytest.approx(norm, rel=1e-5)


def test_the_picture_has_both_surfaces(normed, losses):
    for found in (normed, losses):
        svg = to_svg(draw_comparison(found))
        for own in found.variants:
            assert own.name.capitalize() in svg


def test_normalization_is_put_in_front_of_hidden_activations_alone():
    layers = [
        {"dense": 4},
        {"activation": "relu"},
        {"residual": [{"dense": 4}, {"activation": "relu"}]},
        {"dense": 3},
        {"activation": "softmax"},
    ]
    made = _normed(layers, last=True)
    norm = {"batch_norm": {}}
    assert made[1] == norm
    assert made[3] == {"residual": [{"dense": 4}, norm, {"activation": "relu"}]}
    assert made[4:] == layers[3:]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bach_norm", "iris"), "did you mean 'batch_norm'"),
        (("batch_norm", "iris", [{"dense": 3}, {"activation": "softmax"}]), "no hidden activation"),
        (("loss", "diabetes", "mlp:4"), "a dense layer and a softmax"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, words):
    kind, source, *net = arguments
    with pytest.raises(sf.InputError, match=words):
        sf.compare_surfaces(kind, source, net=net[0] if net else None)


@pytest.mark.parametrize("numbers", [{"seeds": 0}, {"rows": 1}])
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(sf.InputError):
        sf.compare_surfaces("loss", "iris", **numbers)
