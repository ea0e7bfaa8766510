"""`sf.study`, whole: its folder, its best, and what happens to one that was interrupted."""

from __future__ import annotations

import tomllib

import duckdb
import numpy as np
import pytest

import surefoot as sf
from surefoot.lock import writing
from surefoot.study import command
from surefoot.study.validation import halves

VARY = {"learning_rate": [1e-5, 0.05], "optimizer": ["adam", "sgd"]}


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def found(job, told, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "whole"
    return sf.study(job.recipe, vary=VARY, seeds=3, out=out, tell=told.append)


def test_the_plan_is_said_first_and_the_best_is_tried_again(found, told):
    assert told[0].startswith("12 runs as 2 compiled programs of 64 lanes")
    assert told[1].startswith("6 of 12 runs")
    assert told[-1] == "training the best again with fresh seeds…"


def test_the_tables_are_read_by_duckdb(found):
    assert sorted(path.name for path in found.path.iterdir()) == [
        "best.toml",
        "checksums.json",
        "runs.parquet",
        "settings.parquet",
        "study.toml",
        "summary.json",
    ]
    means = duckdb.sql(
        f"SELECT avg(validation_accuracy) FROM '{found.path}/runs.parquet' "
        "GROUP BY setting ORDER BY setting"
    ).fetchall()
    table = found.table()
    np.testing.assert_allclose(table["mean"], np.ravel(means))
    assert table["learning_rate"].tolist() == [1e-5, 1e-5, 0.05, 0.05]
    assert table["optimizer"].tolist() == ["adam", "sgd", "adam", "sgd"]
    assert found.runs["seed"].tolist() == [0, 1, 2] * 4


def test_the_best_has_a_recipe_and_was_validated_on_fresh_seeds(found, job):
    recipe, metrics = found.best
    assert recipe.optimizer.learning_rate == 0.05 == metrics["keys"]["learning_rate"]
    assert (recipe.vitals, recipe.seed) == (job.recipe.vitals, 0)
    assert metrics["measure"] == "validation_accuracy"
    assert metrics["chosen"]["mean"] == found.table()["mean"].max()
    assert metrics["validated"]["seeds"] == [3, 4, 5]
    assert metrics["validated"]["held_back_rows"]
    assert "Best of 4: learning_rate = 0.05" in found.conclusions[0]
    assert "rows that were not used to choose it" in found.conclusions[-1]


def test_the_held_back_rows_are_others_of_the_validation_rows(job):
    chosen, held = halves(job.dataset, 0)
    together = np.concatenate([chosen.validation_rows, held.validation_rows])
    assert sorted(together) == sorted(job.dataset.validation_rows)
    assert chosen.x_train is held.x_train
    rows = dict(zip(job.dataset.validation_rows.tolist(), job.dataset.x_val, strict=True))
    expected = [rows[row] for row in held.validation_rows.tolist()]
    assert (held.x_val == np.stack(expected)).all()


def test_what_validation_measures_is_what_the_weights_reach_on_those_rows(job):
    from surefoot.engine.cohort import Cohort
    from surefoot.engine.training import train
    from surefoot.study.space import Setting
    from surefoot.study.validation import validate

    chosen, held = halves(job.dataset, 0)
    setting = Setting({}, job.recipe)
    (rows,) = validate([setting], [0], [7], lambda r: chosen, lambda r: held)
    (expected,) = train(Cohort([job.recipe.model_copy(update={"seed": 7})], held))
    np.testing.assert_allclose(rows["validation_loss"], expected.validation[0], rtol=1e-6)
    np.testing.assert_allclose(rows["train_loss"], expected.train[0], rtol=1e-6)
    assert rows["steps"].tolist() == [expected.steps]


def test_an_interrupted_study_goes_on_after_its_last_finished_part(
    found, job, tmp_path, monkeypatch
):
    whole_run = command.run
    trained: list[int] = []

    def interrupted(plan, settings, tell):
        yield next(iter(whole_run(plan, settings, tell)))
        raise KeyboardInterrupt

    def counted(plan, settings, tell):
        trained.append(plan.runs)
        return whole_run(plan, settings, tell)

    out = tmp_path / "study"
    monkeypatch.setattr(command, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sf.study(job.recipe, vary=VARY, seeds=3, out=out)
    (part,) = out.glob("runs/*")
    assert part.name.startswith("part-000000-")
    with pytest.raises(sf.RunError, match=r"summary\.json"):
        sf.Study(out)
    monkeypatch.setattr(command, "run", counted)
    said: list[str] = []
    again = sf.study(job.recipe, vary=VARY, seeds=3, out=out, tell=said.append)
    assert trained == [6]
    assert said[0].startswith("6 runs are finished; 6 runs as 1 compiled program")
    for name in ("train_loss", "validation_accuracy", "learning_rate", "seed"):
        assert again.runs[name].tobytes() == found.runs[name].tobytes()
    assert again.summary["best"] == found.summary["best"]
    # Once it is finished nothing is trained again.
    assert sf.study(job.recipe, vary=VARY, seeds=3, out=out).path == out
    assert trained == [6]
    # A table that was altered is told.
    data = (out / "runs.parquet").read_bytes()
    (out / "runs.parquet").write_bytes(data[:99] + bytes([data[99] ^ 1]) + data[100:])
    with pytest.raises(sf.RunError, match=r"runs\.parquet: was altered"):
        _ = sf.Study(out).runs


def test_a_part_that_was_altered_is_told_and_trained_again(found, job, tmp_path, monkeypatch):
    whole_run = command.run

    def interrupted(plan, settings, tell):
        yield next(iter(whole_run(plan, settings, tell)))
        raise KeyboardInterrupt

    out = tmp_path / "study"
    with monkeypatch.context() as patched:
        patched.setattr(command, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sf.study(job.recipe, vary=VARY, seeds=3, out=out)
    (part,) = out.glob("runs/*")
    part.write_bytes(part.read_bytes()[:-10])
    said: list[str] = []
    again = sf.study(job.recipe, vary=VARY, seeds=3, out=out, tell=said.append)
    assert "was altered" in said[0]
    assert said[0].endswith("its runs are trained again")
    assert again.runs["train_loss"].tobytes() == found.runs["train_loss"].tobytes()
    (out / "summary.json").unlink()
    with writing(out), pytest.raises(sf.RunError, match="is being written by process"):
        sf.study(job.recipe, vary=VARY, seeds=3, out=out)


def test_the_folder_of_another_study_is_refused(found, job):
    with pytest.raises(sf.RunError, match="is not this study"):
        sf.study(job.recipe, vary={"learning_rate": [0.1]}, seeds=3, out=found.path)


def test_what_was_asked_is_a_study_file_again(found, tmp_path):
    from surefoot.study.file import study_file

    asked = tomllib.loads((found.path / "study.toml").read_text())
    assert asked["seeds"] == [0, 1, 2]
    assert asked["vary"] == VARY
    # The folder with that file in it is that study's, finished.
    assert study_file(found.path / "study.toml", out=found.path).summary == found.summary


def test_one_seed_and_a_baseline_and_few_rows(job, tmp_path):
    vary = {"learning_rate": [1e-5, 0.05]}
    one = sf.study(job.recipe, vary=vary, seeds=1, validated=False, out=tmp_path / "one")
    assert any("One seed shows no difference" in sentence for sentence in one.conclusions)
    assert one.best.metrics["validated"] is None
    against = sf.study(
        job.recipe,
        vary=vary,
        seeds=[4, 9],
        baseline={"learning_rate": 1e-5},
        validated=False,
        out=tmp_path / "against",
    )
    assert against.runs["seed"].tolist() == [4, 9, 4, 9]
    assert any("the baseline (learning_rate = 1e-05)" in line for line in against.conclusions)


def test_a_study_whose_runs_all_diverge_still_gives_a_table(job, tmp_path):
    tables = job.recipe.to_dict()
    tables["net"]["layers"][-1] = {"activation": "identity"}
    tables["train"]["loss"] = "mean_squared_error"
    tables["optimizer"] = {"name": "sgd"}
    lost = sf.study(
        tables, vary={"learning_rate": [1e30, 1e35]}, seeds=2, validated=False, out=tmp_path / "s"
    )
    assert lost.table()["diverged"].tolist() == [2, 2]
    assert any("4 of 4 runs diverged" in sentence for sentence in lost.conclusions)
    assert lost.summary["diverged"] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds = 0"),
        ({"seeds": [1, 1]}, r"seeds = \[1, 1\]"),
        ({"seeds": 2.5}, r"seeds = 2\.5"),
        ({"baseline": {"learning_rate": 3}}, "baseline: must be one of the settings"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(job, tmp_path, options, message):
    with pytest.raises(sf.RecipeError, match=message):
        sf.study(job.recipe, vary={"learning_rate": [0.1]}, out=tmp_path / "s", **options)
    with pytest.raises(sf.RecipeError, match="recipe: must be"):
        sf.study(([1], [2]), vary={"learning_rate": [0.1]}, out=tmp_path / "s")
    assert not list(tmp_path.iterdir())
