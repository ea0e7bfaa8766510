"""The corpus of training programs: deterministic, split in halves, every recipe a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.corpus import Corpus
from benchmarks.faults.datasets import DATASETS, arrays
from benchmarks.faults.edits import apply
from benchmarks.faults.programs import FAMILIES, Fault, generate
from surefoot.doctor.finding import IDS
from surefoot.recipe import Recipe, dumps
from surefoot.recipe.toml import load

FOLDER = Path("somewhere")


@pytest.fixture(scope="module")
def programs():
    return generate(FOLDER)


def test_the_generator_is_deterministic(programs):
    again = generate(FOLDER)
    assert [p.name for p in again] == [p.name for p in programs]
    assert [p.recipe for p in again] == [p.recipe for p in programs]


def test_there_are_enough_of_every_sort(programs):
    assert len(programs) >= 440
    assert len({program.name for program in programs}) == len(programs)
    assert len({program.recipe for program in programs}) == len(programs)
    doubles = [program for program in programs if len(program.faults) == 2]
    assert len(doubles) >= 60
    for half in ("tune", "report"):
        own = [program for program in programs if program.half == half]
        injected = {fault.family.name for program in own for fault in program.faults}
        missing = {family.name for family in FAMILIES} - injected
        assert len(own) >= 0.48 * len(programs)
        assert not missing


def test_no_data_set_is_in_both_halves_and_the_mix_is_equal(programs):
    sets = {half: {p.dataset for p in programs if p.half == half} for half in ("tune", "report")}
    assert not sets["tune"] & sets["report"]
    for half in sets:
        specs = [DATASETS[name] for name in sets[half]]
        assert len(specs) == 8
        assert sum(spec.task == "regression" for spec in specs) == 2
        assert sum(spec.pictures for spec in specs) == 1
        assert sum(spec.make is None for spec in specs) >= 1


def test_every_recipe_survives_toml(programs, tmp_path):
    path = tmp_path / "recipe.toml"
    for program in programs:
        assert Recipe.parse(program.recipe.to_dict()) == program.recipe
    for program in programs[::9]:
        path.write_text(dumps(program.recipe), encoding="utf-8")
        assert load(path) == program.recipe


def test_undoing_a_fault_gives_another_recipe(programs):
    for program in programs:
        assert set(program.undo) == {str(fault) for fault in program.faults}
        assert program.recipe not in program.undo.values()


def test_two_faults_share_no_part_of_the_recipe(programs):
    for program in programs:
        if len(program.faults) == 2:
            one, other = program.faults
            assert not one.family.parts & other.family.parts


def test_faults_are_named_by_findings_that_exist():
    named = set()
    for family in FAMILIES:
        for strength in family.strengths:
            right = Fault(family, strength).right
            assert right
            assert right <= set(IDS)
            named |= right
    assert set(IDS) - named == {"diverged"}, "a mere symptom, and no fault's name"


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_data_sets_have_training_and_validation_rows(name):
    data = arrays(name)
    spec = DATASETS[name]
    assert len(data.x) == len(data.y) >= 80
    assert len(data.x_val) == len(data.y_val) >= 80
    assert (data.x.ndim == 4) == (spec.pictures or name == "digits")
    if spec.classes:
        assert set(np.unique(data.y)) == set(np.unique(data.y_val)) == set(range(spec.classes))


def test_edits_do_what_they_say():
    data = arrays("wine")
    scaled = apply(data, ("inputs-times=100",))
    np.testing.assert_allclose(scaled.x.std(axis=0), 100, rtol=1e-4)
    shuffled = apply(data, ("labels-shuffled=1",))
    assert sorted(shuffled.y) == sorted(data.y)
    assert np.mean(shuffled.y == data.y) < 0.6
    assert (shuffled.y_val == data.y_val).all()
    rare = apply(data, ("imbalance=15",))
    counts = np.bincount(rare.y)
    assert counts.max() / np.sort(counts)[:-1].max() >= 10
    few = apply(data, ("few-rows=12",))
    assert np.bincount(few.y).tolist() == [4, 4, 4]
    assert apply(data, ()).x.tobytes() == data.x.tobytes()


def test_a_small_part_of_the_corpus_holds_what_it_needs(tmp_path):
    corpus = Corpus(tmp_path, quick=True)
    assert 30 <= len(corpus.programs) <= 70
    recipes = set(corpus.recipes)
    for program in corpus.programs:
        assert {program.recipe, *program.undo.values()} <= recipes
    assert corpus.missing() == list(corpus.recipes)
