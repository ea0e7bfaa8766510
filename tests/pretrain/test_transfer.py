"""Another run's layers, frozen ones, and a rate for each layer."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import surefoot as sf
from surefoot.engine import training
from surefoot.engine.cohort import Cohort
from surefoot.engine.placement import place_lanes
from surefoot.engine.programs import programs_for
from surefoot.engine.training import train
from surefoot.errors import RecipeError, RunError
from surefoot.job import prepare
from surefoot.keeper import Keeper
from surefoot.pretrain.start import first_weights
from surefoot.recipe import dumps

LAYERS = [
    {"dense": 6}, {"batch_norm": {}}, {"activation": "relu"}, {"dense": 5}, {"activation": "relu"},
    {"dense": "classes"}, {"activation": "softmax"},
]  # fmt: skip
BASE = {
    "data": {"source": "iris"},
    "net": {"layers": LAYERS},
    "train": {"epochs": 2, "batch_size": 16},
    "vitals": {"every": 0, "first": 0},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return the folder of a run whose layers are taken."""
    path = tmp_path_factory.mktemp("source") / "run"
    return sf.train({**BASE, "seed": 9}, out=path)


def trained(**sections):
    """Return what a lane began with, and what training left, as (params, state)."""
    job = prepare({**BASE, **sections})
    (result,) = train(job.cohort)
    return first_weights(job.cohort, 0).weights, (result.params, result.state)


def same(one, other):
    return all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def test_all_layers_that_fit_are_taken_but_the_output(source):
    job = prepare({**BASE, "seed": 4, "transfer": {"from": source}})
    begun = first_weights(job.cohort, 0)
    params, state = begun.weights
    for i in (0, 1, 3):
        assert same(params[i], source.model.params[i])
    assert same(state[1], source.model.state[1])
    assert not same(params[5], source.model.params[5])
    assert "layers 1, 2, 4" in begun.note
    assert "6 (dense)" in begun.note


def test_layers_are_compared_in_their_order_up_to_the_first_that_does_not_fit(source):
    layers = [{"dropout": 0.1}, *LAYERS[:3], {"dense": 7}, *LAYERS[4:]]
    job = prepare({**BASE, "net": {"layers": layers}, "transfer": {"from": str(source.path)}})
    begun = first_weights(job.cohort, 0)
    assert same(begun.weights[0][1], source.model.params[0])
    assert "layers 2, 3 of" in begun.note
    assert "drawn anew: 5 (dense), 7 (dense)" in begun.note


def test_named_layers_may_be_any_that_fit(source):
    job = prepare({**BASE, "transfer": {"from": str(source.path), "layers": [4, "output"]}})
    params = first_weights(job.cohort, 0).weights[0]
    assert same(params[3], source.model.params[3])
    assert same(params[5], source.model.params[5])
    assert not same(params[0], source.model.params[0])


@pytest.mark.parametrize("rule", ["adamw", "momentum", "optax.adamw"])
def test_frozen_weights_keep_their_bits(source, rule):
    """Through weight decay, momentum, and clipping; averages follow the data all the same."""
    options = {"weight_decay": 0.1} if rule.startswith("optax") else {}
    own = {"name": rule, "learning_rate": 0.05}
    own |= {"options": options} if options else {"weight_decay": 0.1}
    before, after = trained(
        optimizer=own,
        train={**BASE["train"], "clip_norm": 0.5},
        transfer={"from": str(source.path), "freeze": ["1-2"]},
    )
    assert same(before[0][:2], after[0][:2])
    assert not same(before[0][3], after[0][3])
    assert not same(before[0][5], after[0][5])
    assert not same(before[1][1], after[1][1])


def test_large_nets_whose_weights_are_no_vector_are_frozen_alike(monkeypatch):
    monkeypatch.setattr("surefoot.engine.packing.SMALL", 0)
    layers = [{"dense": 3}, {"activation": "relu"}, {"dense": "classes"}, {"activation": "softmax"}]
    before, after = trained(net={"layers": layers}, transfer={"freeze": [1]})
    assert same(before[0][0], after[0][0])
    assert not same(before[0][2], after[0][2])


def test_a_factor_is_a_rate(source):
    """Plain SGD: a step times f is the step of a rate times f; a thaw comes after its epochs."""
    sgd = {"name": "sgd", "learning_rate": 0.1}
    one_step = {"epochs": 1, "batch_size": "full"}
    before, whole = trained(optimizer=sgd, train=one_step)
    _, scaled = trained(optimizer=sgd, train=one_step, transfer={"rates": {"4": 0.25, "output": 0}})
    moved = [whole[0][i]["kernel"] - before[0][i]["kernel"] for i in (0, 3)]
    found = [scaled[0][i]["kernel"] - before[0][i]["kernel"] for i in (0, 3, 5)]
    np.testing.assert_allclose(found[0], moved[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], 0.25 * moved[1], rtol=1e-3, atol=1e-7)
    assert not found[2].any()


def test_a_frozen_layer_thaws_after_its_epochs():
    frozen = {"freeze": ["hidden"], "thaw": 1}
    job = prepare({**BASE, "transfer": frozen})
    begun = first_weights(job.cohort, 0).weights[0]
    steps = job.cohort.steps_per_epoch
    (first,) = train(prepare({**BASE, "transfer": frozen}).cohort, until=steps)
    (second,) = train(job.cohort, until=steps + 1)
    assert same(first.params[:5], begun[:5])
    assert not same(first.params[5], begun[5])
    assert not same(second.params[0], begun[0])


def test_a_recipe_without_it_has_the_program_that_it_had():
    """Without factors the program has no such argument, and the recipe's file no such section."""
    plain, ones = prepare(BASE), prepare({**BASE, "transfer": {"rates": {"dense": 1.0}}})
    assert plain.cohort.factors is None
    given = [jax.tree.leaves(place_lanes(job.cohort, 0)) for job in (plain, ones)]
    assert len(given[1]) == len(given[0]) + 2 * len(jax.tree.leaves(ones.cohort.factors.after)) + 1
    text = dumps(plain.recipe)
    assert not any(word in text for word in ("transfer", "pretrain", "labelled"))


def test_factors_are_numbers_of_one_program(source):
    transfer = {"from": str(source.path), "freeze": [1]}
    recipes = [
        prepare({**BASE, "transfer": {**transfer, "rates": {"4": factor}, "thaw": thaw}}).recipe
        for factor, thaw in ((0.0, 1), (0.5, 1), (2.0, 5))
    ]
    cohort = Cohort(recipes, prepare(BASE).dataset)
    before = programs_for(cohort.blueprint).train.count
    results = train(cohort)
    assert programs_for(cohort.blueprint).train.count - before <= 1
    assert not same(results[0].params[3], results[1].params[3])
    assert same(results[0].params[3], source.model.params[3])
    assert same(results[2].params[0], source.model.params[0])
    study = sf.study(
        {**BASE, "transfer": {**transfer, "rates": {"4": 1.0}}},
        vary={"transfer.rates.4": [0.0, 1.0]}, seeds=2,
        out=source.path.parent / "study",
    )  # fmt: skip
    assert study.runs.rows == 4


def test_a_killed_run_goes_on_to_the_same_bits(source, tmp_path, monkeypatch):
    recipe = {
        **BASE,
        "train": {"epochs": 3, "batch_size": 16},
        "checkpoints": {"every_seconds": 1e-6},
        "transfer": {"from": str(source.path), "freeze": [1], "thaw": 2, "rates": {"4": 0.3}},
    }
    whole = sf.train(recipe, out=tmp_path / "whole")
    monkeypatch.setattr("surefoot.saving._MOST_SHARE", 1e9)
    monkeypatch.setattr(training, "_FIRST_STEPS", 4)
    real, left = Keeper.block, [5]

    def killed(self, block):
        if not left[0]:
            raise SystemError
        left[0] -= 1
        real(self, block)

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "block", killed)
        patched.setattr(training, "_DISPATCH_SECONDS", 0.0)
        with pytest.raises(SystemError):
            sf.train(recipe, out=tmp_path / "killed")
    assert list((tmp_path / "killed" / "checkpoints").iterdir())
    run = sf.resume(tmp_path / "killed")
    assert same(run.model.params, whole.model.params)


@pytest.mark.parametrize(
    ("transfer", "words"),
    [
        ({"from": "SOURCE", "layers": [1]}, ["layer 1 (dense)", "4×9 and 9 here", "4×6 and 6"]),
        ({"from": "SOURCE"}, ["no layer of that run fits", "4×9", "4×6"]),
        ({"layers": [1]}, ["transfer.from"]),
        ({"freeze": ["dense", "2"]}, ["every layer with weights is frozen", "output"]),
        ({"freeze": ["hidden"], "rates": {"output": 0}}, ["every layer with weights is frozen"]),
        ({"freeze": ["dense", "2"], "thaw": 2}, ["before transfer.thaw = 2 of 2 epochs"]),
        ({"freeze": [3]}, ["no layer '3' has weights", "1 (dense), 2 (batch_norm), 4 (dense)"]),
        ({"freeze": ["conv"]}, ["no layer 'conv'"]),
        ({"rates": {"dense": 0.1, "hidden": 0.2}}, ["named by both 'dense' and 'hidden'"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(source, transfer, words):
    named = {**transfer, **({"from": str(source.path)} if "from" in transfer else {})}
    layers = [{"dense": 9}, *LAYERS[1:]]
    with pytest.raises(RecipeError) as refused:
        prepare({**BASE, "net": {"layers": layers}, "transfer": named})
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "\n" not in str(refused.value)


def test_runs_that_do_not_exist_or_are_damaged_are_named(source, tmp_path):
    with pytest.raises(RunError, match="no such folder"):
        prepare({**BASE, "transfer": {"from": str(tmp_path / "nowhere")}})
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in source.path.iterdir():
        if file.is_file():
            (broken / file.name).write_bytes(file.read_bytes())
    model = broken / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    with pytest.raises(RunError, match=r"broken/model\.safetensors"):
        prepare({**BASE, "transfer": {"from": str(broken)}})
