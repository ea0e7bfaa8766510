"""Gradients with respect to inputs, and inputs that are trained."""

from __future__ import annotations

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.figures.png import to_png
from surefoot.gradients.pictures import draw_saliency, draw_trained
from surefoot.gradients.saliency import attribute


def test_the_gradient_of_a_score_is_that_of_torch(digits_run):
    torch = pytest.importorskip("torch")
    found = sf.saliency(digits_run, "digits", example=11, target=3)
    first, _, last = sf.Run(digits_run).model.params
    x = torch.tensor(found.input.x, requires_grad=True)
    first, last = (
        {k: torch.tensor(np.float64(v)) for k, v in own.items()} for own in (first, last)
    )
    hidden = torch.relu(x @ first["kernel"] + first["bias"])
    scores = hidden @ last["kernel"] + last["bias"]
    scores[3].backward()
    assert found.target == "3"
    assert found.score == pytest.approx(scores[3].item(), rel=1e-10)
    np.testing.assert_allclose(found.values, x.grad, rtol=1e-9, atol=1e-12)


def test_integrated_gradients_are_complete(digits_run):
    found = sf.saliency(digits_run, example=5, method="integrated", samples=400)
    change = found.score - found.baseline_score
    assert abs(change) > 0.5
    assert found.values.sum() == pytest.approx(change, abs=2e-3)
    plain = sf.saliency(digits_run, example=5)
    assert abs((plain.values * plain.input.x).sum() - change) > 0.01


def test_attributions_of_a_smooth_function_by_hand():
    x = np.array([1.0, -2.0, 0.5])
    with jax.enable_x64(True):
        cubic = {
            method: attribute(
                lambda x: jnp.sum(x**3), x, method, 20000 if method == "smooth" else 8
            )
            for method in ("gradient", "smooth", "integrated")
        }
        linear = attribute(lambda x: x @ jnp.arange(3.0), x, "smooth", 3)
    np.testing.assert_allclose(cubic["gradient"], 3 * x**2)
    np.testing.assert_allclose(cubic["integrated"], x**3, rtol=1e-12)
    # E 3(x + ε)² = 3x² + 3σ² with σ = 0.15 · 3.
    np.testing.assert_allclose(cubic["smooth"], 3 * x**2 + 3 * 0.45**2, atol=0.1)
    np.testing.assert_allclose(linear, np.arange(3.0))


def test_the_ranked_list_begins_with_what_matters_most(digits_run):
    found = sf.saliency(digits_run, example=2)
    sizes = [abs(value) for _, value in found.ranked()]
    assert sizes == sorted(sizes, reverse=True)
    assert found.ranked()[0][0] == f"input {np.abs(found.values).argmax()}"


def test_a_table_names_its_columns(tmp_path):
    rows = ["height,colour,kind"]
    rows += [f"{i % 7},{'red' if i % 2 else 'blue'},{'a' if i % 7 > 3 else 'b'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    source, out = str(tmp_path / "t.csv"), tmp_path / "run"
    sf.train(source, data__target="kind", net="mlp:8", epochs=40, learning_rate=0.03, out=out)
    found = sf.saliency(out, source, example=4, method="integrated", target="a")
    assert found.ranked()[0][0] == "height"
    assert "colour=red" in dict(found.ranked())
    assert to_png(draw_saliency(found)).startswith(b"\x89PNG")


def test_pictures_have_both_panels(digits_run):
    found = sf.saliency(digits_run, example=2, method="smooth", samples=4)
    assert found.input.picture == (8, 8, 1)
    scene = draw_saliency(found)
    assert sum(type(shape).__name__ == "Box" for shape in scene.shapes) == 2 * 64


def test_a_trained_input_raises_its_score_and_no_weight_changes(digits_run):
    run = sf.Run(digits_run)
    before = [np.array(leaf) for leaf in jax.tree.leaves(run.model.params)]
    file = digits_run / "model.safetensors"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    found = sf.train_input(run, 3, steps=60)
    assert found.scores.shape == (61,)
    assert found.scores[-1] > found.scores[0] + 2
    assert int(np.argmax(found.chances)) == 3
    assert run.predict(found.raw.reshape(1, 8, 8))[0] == 3
    for old, new in zip(before, jax.tree.leaves(run.model.params), strict=True):
        assert np.array_equal(old, new)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    assert len(draw_trained(found).shapes) > 3 * 64


def test_a_trained_input_may_begin_at_an_example(digits_run):
    found = sf.train_input(digits_run, "7", data="digits", example=0, steps=1)
    given = sf.saliency(digits_run, "digits", example=0)
    np.testing.assert_allclose(found.raw_start, given.raw)
    # One step of Adam moves each input that matters by its rate.
    moved = found.x - given.input.x
    assert np.abs(moved).max() == pytest.approx(0.05, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"example": 5000}, "training rows 0 to"),
        ({"data": "digits", "example": -1}, "rows in digits 0 to 1796"),
        ({"target": 12}, "no such class"),
        ({"method": "smoth"}, "did you mean 'smooth'"),
        ({"samples": 0}, "samples = 0"),
    ],
)
def test_bad_input_is_one_line(digits_run, arguments, words):
    with pytest.raises(sf.InputError, match=words):
        sf.saliency(digits_run, **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": 12}, "no such class"),
        ({"target": 3, "steps": 0}, "steps = 0"),
        ({"target": 3, "learning_rate": -1.0}, "must be above 0"),
    ],
)
def test_a_trained_input_refuses_too(digits_run, arguments, words):
    with pytest.raises(sf.InputError, match=words):
        sf.train_input(digits_run, **arguments)
