"""What every ready study has to have; nothing is trained."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import surefoot as sf
from surefoot.engine.cohort import Cohort
from surefoot.study.ready import command
from surefoot.study.ready.found import Found, compare
from surefoot.study.ready.outcomes import Stage, trains
from surefoot.study.ready.registry import QUESTIONS
from surefoot.study.ready.tables import arm_rows, best_numbers, rate_rows
from surefoot.study.ready.telling import sentences

SEEDS = 4


@pytest.fixture(scope="module")
def prepared():
    """Each study's recipe and rows, once for each source of data."""
    kept = {}

    def of(question, source=None):
        key = question.name, source
        if key not in kept:
            kept[key] = command._read(question, source or question.source, None, None)
        return kept[key]

    return of


@pytest.fixture(params=QUESTIONS)
def question(request):
    return QUESTIONS[request.param]


def test_its_question_is_one_sentence(question):
    assert question.asks.endswith("?")
    assert question.asks[0].isupper()
    assert len(question.asks) <= 100


def test_its_arms_are_recipes_that_fit_the_data_and_name_each_other(question, prepared):
    recipe, dataset = prepared(question)
    arms = question.arms(recipe, dataset)
    names = [arm.name for arm in arms]
    assert len(set(names)) == len(names) >= 2
    assert len({tuple(arm.values.items()) for arm in arms}) == len(arms)
    assert len({tuple(arm.values) for arm in arms}) == 1
    for arm in arms:
        assert arm.against is None or arm.against in names
        assert arm.against != arm.name
        own = command._setting(recipe, arm, 0.125).recipe
        assert own.optimizer.learning_rate == 0.125
        Cohort([own], dataset)
        # What an arm sets may not be set by a person as well.
        for key in (*arm.keys, "learning_rate"):
            with pytest.raises(sf.RecipeError, match="sets it itself"):
                command._check(question, 2, None, {key: 1})


def test_its_rates_rise_by_equal_factors(question):
    rates = np.array(question.rates)
    assert (np.diff(np.log10(rates)) < 0.52).all()
    assert (np.diff(rates) > 0).all()


def made_up(question, recipe, dataset, seed=0):
    """Return a study's findings on results drawn at random."""
    arms = list(question.arms(recipe, dataset))
    rates = len(question.rates)
    settings = [command._setting(recipe, arm, rate) for arm in arms for rate in question.rates]
    drawn = np.random.default_rng(seed)

    def stage(count, rates):
        shape = (count, SEEDS)
        columns = {
            name: drawn.uniform(0.2, 1.0, shape)
            for name in (
                "train_loss",
                "train_accuracy",
                "validation_loss",
                "validation_accuracy",
            )
        }
        columns["diverged"] = np.where(drawn.random(shape) < 0.1, 5, -1)
        curves = np.sort(drawn.exponential(size=(*shape, 30)), axis=2)[:, :, ::-1]
        return Stage(columns, curves, np.ones(count), 0.1, rates)

    search, runs = stage(len(settings), rates), stage(len(arms), 1)
    outcomes = question.outcomes("accuracy")
    names = [arm.name for arm in arms]
    named = [-1 if arm.against is None else names.index(arm.against) for arm in arms]
    against = named if max(named) >= 0 else [-1, *[0] * (len(arms) - 1)]
    columns = {"update_ms": np.arange(1.0, len(arms) + 1), "epoch_ms": np.ones(len(arms))}
    return Found(
        arms,
        settings,
        question.rates,
        [1] * len(arms),
        search,
        runs,
        compare(outcomes, against, runs, search),
        trains(search, "accuracy").reshape(len(arms), rates, -1).all(axis=2),
        "accuracy",
        100,
        columns,
    )


def test_its_sentences_and_tables_say_what_was_found(question, prepared):
    found = made_up(question, *prepared(question))
    told = sentences(found, question.remarks(found))
    assert all(line.endswith(".") and "nan" not in line for line in told)
    text = " ".join(told)
    assert all(arm.name in text for arm in found.arms)
    assert all(each.outcome.title[1:] in text for each in found.compared)
    rows = arm_rows(found)
    assert {len(column) for column in rows.values()} == {len(found.arms)}
    assert rows["learning_rate"].tolist() == [question.rates[1]] * len(found.arms)
    rates = rate_rows(found)
    assert {len(column) for column in rates.values()} == {len(found.settings)}
    assert rates["chosen"].sum() == len(found.arms)
    assert best_numbers(found, [1, 2])["setting"] == found.best


def test_what_is_not_shown_is_not_said(question, prepared):
    found = made_up(question, *prepared(question))
    same = {name: np.full_like(column, 0.5) for name, column in found.runs.columns.items()}
    same["diverged"] = np.full(same["diverged"].shape, -1)
    runs = found.runs._replace(columns=same, curves=np.ones_like(found.runs.curves))
    outcomes = [each.outcome for each in found.compared if not each.outcome.over_rates]
    equal = compare(outcomes, found.compared[0].against, runs, found.search)
    nothing = replace(found, runs=runs, compared=equal)
    assert {v for each in equal for v in each.verdict} <= {"", "no difference shown"}
    text = " ".join(sentences(nothing, question.remarks(nothing)))
    for each in equal:
        assert all(f"{word}: " not in text.replace("shown: ", "") for word in each.outcome.words)


def test_few_rows_are_kept_to_train_on_where_a_study_needs_few(prepared):
    _, dataset = prepared(QUESTIONS["dropout"])
    assert 190 <= dataset.rows <= 210
    _, small = prepared(QUESTIONS["dropout"], "iris")
    assert small.rows == 120


def test_a_recipe_is_taken_as_it_is():
    tables = {
        "data": {"source": "iris"},
        "net": {"layers": [{"dense": 5}, {"activation": "tanh"}, {"dense": "classes"}]},
        "train": {"epochs": 3, "from_logits": True},
    }
    recipe, _ = command._read(QUESTIONS["dropout"], tables, None, {"batch_size": 10})
    assert recipe.train.epochs == 3
    assert recipe.train.batch_size == 10
    assert recipe.net.layers[0].dense == 5
    longer, _ = command._read(QUESTIONS["dropout"], tables, 7, None)
    assert longer.train.epochs == 7


def test_a_source_alone_gets_about_as_many_updates_as_the_study_says(prepared):
    recipe, dataset = prepared(QUESTIONS["optimizers"], "iris")
    assert recipe.train.epochs * -(-dataset.rows // recipe.train.batch_size) == 1000


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("optimiser", None, "no ready study is called 'optimiser'.*optimizers"),
        ("loss", "diabetes", "compares losses of classes"),
        (
            "activations",
            {"data": {"source": "iris"}, "net": {"layers": [{"dense": "classes"}]}},
            "has no activation before the output",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(name, source, message, tmp_path):
    with pytest.raises(sf.RecipeError, match=message):
        sf.ready_study(name, source, out=tmp_path / "s")
    for options, told in (
        ({"seeds": 0}, "seeds = 0"),
        ({"epochs": 0}, "epochs = 0"),
        ({"keys": {"learnin_rate": 1}}, "learnin_rate"),
    ):
        with pytest.raises(sf.RecipeError, match=told):
            sf.ready_study("momentum", "iris", out=tmp_path / "s", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (("", "better", "better", "no difference shown"), "momentum 0.5 gets there in 70 updates"),
        (("", "worse", *["no difference shown"] * 2), "No momentum was shown"),
    ],
)
def test_momentum_is_told_of_by_what_was_shown_and_not_by_what_is_least(verdicts, told):
    names = [f"momentum {beta}" for beta in (0.0, 0.5, 0.8, 0.9)]
    arms = [SimpleNamespace(name=name) for name in names]
    steps = SimpleNamespace(mean=np.array([260.0, 70.0, 90.0, 40.0]), verdict=verdicts)
    found = SimpleNamespace(arms=arms, compared=[steps], named=lambda name: 0, best=3)
    (remark,) = QUESTIONS["momentum"].remarks(found)
    assert remark.startswith(told)
