"""Training without gradients: it learns, keeps all that a run has, and refuses in one line."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import surefoot as sf
from surefoot.cli.app import main
from surefoot.engine.generation import over_individuals
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe, dumps
from surefoot.study.rate_finder import find_rate

SILENT = {"every": 0, "first": 0}


def _tables(source, hidden, activation, method, epochs, **evolution):
    layers = [{"dense": hidden}, {"activation": activation}, {"dense": 1}]
    return {
        "data": {"source": source, "rows": 200, "validation": 0.2},
        "net": {"layers": [*layers, {"activation": "sigmoid"}]},
        "train": {
            "method": method,
            "loss": "binary_cross_entropy",
            "batch_size": "full",
            "epochs": epochs,
        },
        "evolution": {"population": 64, **evolution},
        "vitals": SILENT,
    }


def _weights(run):
    return [array for layer in run.model.params for array in layer.values()]


def test_the_genetic_algorithm_learns_xor_and_the_best_is_never_lost(tmp_path):
    tables = _tables("xor", 4, "tanh", "genetic", 80)
    run = sf.train(Recipe.parse(tables), out=tmp_path / "run")
    assert run.metrics["validation"]["accuracy"] > 0.9
    loss = run.history["loss"]
    assert len(loss) == 80  # a row for each generation
    assert (np.diff(loss) < 1e-6).all()
    assert run.predict([[1, 1], [-1, 1], [1, -1], [-1, -1]]).tolist() == [0, 1, 1, 0]
    again = sf.train(Recipe.parse(tables), out=tmp_path / "again")
    for one, other in zip(_weights(run), _weights(again), strict=True):
        assert (one == other).all()


def test_evolution_learns_through_steps_where_gradients_cannot(tmp_path):
    reached = {}
    for method in ("gradient", "evolution_strategy"):
        tables = _tables("circles", 16, "step", method, 120)
        tables["optimizer"] = {"learning_rate": 0.01}
        tables["seed"] = 1
        # With a first layer that stands still, nothing is left to tell the classes by.
        tables["net"]["layers"][0] = {"dense": 16, "bias_initializer": {"name": "zeros"}}
        run = sf.train(Recipe.parse(tables), out=tmp_path / method)
        reached[method] = run.metrics["train"]["accuracy"]
    assert reached["evolution_strategy"] > 0.85
    assert reached["evolution_strategy"] > reached["gradient"] + 0.15


def test_a_run_that_was_interrupted_ends_with_the_same_bits(tmp_path, monkeypatch):
    recipe = Recipe.parse(_tables("xor", 3, "tanh", "genetic", 8))
    whole = sf.train(recipe, out=tmp_path / "whole")
    from surefoot.keeper import Keeper

    plain = Keeper.stop
    monkeypatch.setattr(Keeper, "stop", lambda self: self._step >= 4 or plain(self))
    assert sf.train(recipe, out=tmp_path / "run").summary["ended"] == "interrupted"
    monkeypatch.setattr(Keeper, "stop", plain)
    resumed = sf.resume(tmp_path / "run")
    assert resumed.summary["epochs"] == 8
    for one, other in zip(_weights(whole), _weights(resumed), strict=True):
        assert (one == other).all()


def test_a_study_varies_the_scale_of_mutation_as_lanes_of_one_program(tmp_path):
    recipe = Recipe.parse(_tables("xor", 3, "tanh", "genetic", 20))
    vary = {"evolution.mutation_scale": [0.001, 0.3]}
    found = sf.study(recipe, vary=vary, seeds=2, out=tmp_path / "study")
    assert found is not None


def test_individuals_are_evaluated_alike_in_parts_of_any_size():
    genomes = jnp.arange(14.0).reshape(7, 2)
    whole = over_individuals(jnp.sum, genomes, 7).tolist()
    assert [over_individuals(jnp.sum, genomes, size).tolist() for size in (1, 3, 100)] == [
        whole
    ] * 3


def test_a_recipe_for_gradients_says_nothing_of_evolution():
    tables = _tables("xor", 3, "tanh", "gradient", 2)
    del tables["evolution"]
    assert "method" not in dumps(Recipe.parse(tables))
    assert "evolution" not in dumps(Recipe.parse(tables))
    changed = Recipe.parse({**tables, "evolution": {"population": 9}})
    assert Recipe.parse(changed.to_dict()) == changed


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("evolution.population=1", "evolution.population = 1: must be at least 2"),
        ("evolution.elite=300", "evolution.elite = 300: must be less than population"),
        ("evolution.mutation_scale=-1", "evolution.mutation_scale = -1: must be at least 0"),
        ("train.method=genetc", "did you mean 'genetic'"),
    ],
)
def test_bad_keys_end_in_one_line(assignment, words, capsys, tmp_path):
    out = tmp_path / "run"
    given = ["--set", "method=genetic", "--set", assignment, "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main(["train", "xor", *given])
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "\n" not in said
    assert not out.exists()


def test_what_is_for_gradients_alone_says_so():
    recipe = Recipe.parse(_tables("xor", 3, "tanh", "genetic", 2))
    for command in (sf.repair, find_rate):
        with pytest.raises(RecipeError, match=r"train\.method = 'genetic'"):
            command(recipe)
