"""`sf.ready_study`: a question about training, answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from surefoot.checksums import seal
from surefoot.data.dataset import Dataset
from surefoot.errors import RecipeError
from surefoot.files import write_json
from surefoot.job import dataset_of, prepare, reading
from surefoot.recipe import Recipe, save
from surefoot.recipe.overrides import set_key, short_names
from surefoot.recipe.section import is_whole
from surefoot.recipe.toml import dumps_tables
from surefoot.study.folder import StudyFolder
from surefoot.study.ready.found import Found, best_rates, compare, first_of_runs
from surefoot.study.ready.outcomes import trains
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.registry import question_of
from surefoot.study.ready.tables import arm_rows, best_numbers, rate_rows
from surefoot.study.ready.telling import sentences
from surefoot.study.ready.training import Training, guessing
from surefoot.study.results import FORMAT, SEALED, Study
from surefoot.study.space import Setting
from surefoot.study.validation import Rows
from surefoot.vitals.table import write

_MOST_SEEDS = 1000
# The least share of rows to validate on where few are to be trained on, and the largest.
_LEAST_VALIDATION, _MOST_VALIDATION = 0.2, 0.95


def ready_study(
    name: str,
    source: Recipe | Mapping[str, Any] | str | Path | None = None,
    *,
    seeds: int = 8,
    epochs: int | None = None,
    keys: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Study:
    """Answer a question about training: which rule, which activation, how deep, and so on.

    What is compared, the *arms*, is each tried with many learning rates first, with a few seeds
    and on one half of the validation rows. Each at its own best rate is then trained with fresh
    seeds and measured on the other half. Differences are paired by seed, and their p is corrected
    by Holm for all comparisons of the study.

    A recipe is taken as it is, but for what the study changes. For a source of data alone the
    study brings a net, about 1,000 updates of 32 rows, and what else its question needs.

    Args:
        name: "optimizers", "initializers", "activations", "momentum", "batch-size", "depth",
            "batch-norm", "dropout" or "loss".
        source: a recipe, its tables, the path of its file, or a source of data; the study's own
            where nothing is given.
        seeds: fresh ones, of each arm.
        epochs: of each run, in place of the recipe's.
        keys: of the recipe, by their short names or whole ones.
        out: the study's folder; ``studies/NAME-SOURCE-N`` where nothing is given.
        tell: called with a line for people.

    Returns:
        The study: `table()` has a row for each arm, `conclusions` the sentences; its folder also
        holds `rates.parquet`, a row for each arm and rate, and `losses.parquet`, the training loss
        of each epoch of each run.

    Raises:
        RecipeError: there is no such study, a key is wrong or one that the study itself sets, or
            the net or data do not suit the question.
        DataError: the data cannot be used.
        RunError: the folder holds something else, or cannot be written.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = sf.ready_study("momentum", "iris", seeds=2, epochs=9, out=f"{folder}/s")
    ...     found.table()["momentum"].tolist()
    [0.0, 0.5, 0.8, 0.9, 0.95, 0.99]
    """
    started = time.perf_counter()
    question = question_of(name)
    _check(question, seeds, epochs, keys)
    given = question.source if source is None else source
    recipe, dataset = _read(question, given, epochs, keys)
    arms = list(question.arms(recipe, dataset))
    settings = [_setting(recipe, arm, rate) for arm in arms for rate in question.rates]
    rows = Rows(recipe, dataset, halved=True)
    folder = _folder(question, recipe, dataset, seeds, out)
    if folder.finished:
        tell(f"{folder.path}: this study is finished")
        return Study(folder.path)
    tell(question.asks)
    first = range(recipe.seed, recipe.seed + min(question.choosing_seeds, seeds))
    fresh = list(range(first[-1] + 1, first[-1] + 1 + seeds))
    found = _find(question, arms, settings, rows, (list(first), fresh), folder, tell)
    columns = question.columns(recipe, dataset, arms)
    found = replace(found, columns=dict(columns))
    write(folder.path, "settings", arm_rows(found))
    write(folder.path, "rates", rate_rows(found))
    best = found.settings[found.best * len(found.rates) + found.chosen[found.best]]
    save(best.recipe, folder.path / "best.toml")
    primary = found.compared[0].outcome
    summary = {
        "study_format": FORMAT,
        "study": str(folder.path),
        "ready": name,
        "question": question.asks,
        "settings": len(arms),
        "runs": found.search.diverged.size + found.runs.diverged.size,
        "diverged": int(found.search.diverged.sum() + found.runs.diverged.sum()),
        "seeds": fresh,
        "measure": primary.name,
        "arms": [arm.name for arm in arms],
        "best": best_numbers(found, fresh),
        "conclusions": sentences(found, question.remarks(found)),
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_json(folder.path / "summary.json", summary)
    seal(folder.path, SEALED)
    folder.clear()
    return Study(folder.path)


def _find(
    question: Question,
    arms: Sequence[Arm],
    settings: Sequence[Setting],
    rows: Rows,
    seeds: tuple[list[int], list[int]],
    folder: StudyFolder,
    tell: Callable[[str], None],
) -> Found:
    """Choose each arm's rate, and compare the arms with fresh seeds on other rows."""
    rates = len(question.rates)
    recipe = settings[0].recipe
    held = rows.held_back(recipe)
    folder.make()
    training = Training(folder, guessing(held), tell)
    updates = [arm.updates for arm in arms]
    each = [own for own in updates for _ in range(rates)]
    search = training.train("choosing", settings, each, seeds[0], rows.choosing)
    search = search._replace(rates=rates)
    measure = "rmse" if "train_rmse" in search.columns else "accuracy"
    outcomes = question.outcomes(measure)
    chosen, best = best_rates(search, first_of_runs(outcomes))
    picked = [settings[i * rates + rate] for i, rate in enumerate(chosen)]
    runs = training.train("comparing", picked, updates, seeds[1], rows.held_back)
    training.join()
    names = [arm.name for arm in arms]
    if any(arm.against is not None for arm in arms):
        against = [-1 if arm.against is None else names.index(arm.against) for arm in arms]
    else:  # settled before the runs that are compared
        against = [-1 if i == best else best for i in range(len(arms))]
    return Found(
        arms,
        settings,
        question.rates,
        chosen,
        search,
        runs,
        compare(outcomes, against, runs, search),
        trains(search, measure).reshape(len(arms), rates, -1).all(axis=2),
        measure,
        len(held.x_val) if rows.held and held.x_val is not None else 0,
        {},
    )


def _check(question: Question, seeds: Any, epochs: Any, keys: Mapping[str, Any] | None) -> None:
    if not (is_whole(seeds) and 1 <= seeds <= _MOST_SEEDS):
        raise RecipeError(f"seeds = {seeds!r}: must be a whole number from 1 to {_MOST_SEEDS:,}")
    if epochs is not None and not (is_whole(epochs) and epochs >= 1):
        raise RecipeError(f"epochs = {epochs!r}: must be a whole number of at least 1")
    names = short_names()
    for key in keys or {}:
        head, dot, rest = key.partition(".")
        whole = names.get(head, head) + dot + rest
        for own in (*question.varies, "optimizer.learning_rate"):
            if whole == own or whole.startswith(f"{own}."):
                raise RecipeError(
                    f"{key}: the study {question.name!r} sets it itself; leave it out, or write a "
                    "study of your own with [vary]"
                )


def _read(
    question: Question, source: Any, epochs: int | None, keys: Mapping[str, Any] | None
) -> tuple[Recipe, Dataset]:
    """Return the recipe that is varied, and its rows."""
    is_recipe = isinstance(source, Recipe | Mapping) or str(source).endswith(".toml")
    own = dict(keys or {})
    if is_recipe:
        job = prepare(source, keys=own, facts=False)
    else:
        net = None if "net" in own else question.net
        job = prepare(source, net=net, keys={**question.keys, **own}, facts=False)
    tables = job.recipe.to_dict()
    steps = job.cohort.steps_per_epoch
    if not is_recipe and question.training_rows is not None and "validation" not in own:
        whole = job.dataset.rows + (0 if job.dataset.x_val is None else len(job.dataset.x_val))
        share = 1 - question.training_rows / whole
        share = round(min(max(share, _LEAST_VALIDATION), _MOST_VALIDATION), 3)
        set_key(tables, "data.validation", share)
        steps = max(1, round(steps * whole * (1 - share) / job.dataset.rows))
    if epochs is not None:
        set_key(tables, "epochs", epochs)
    elif not is_recipe and not {"epochs", "train.epochs"} & set(own):
        set_key(tables, "epochs", max(1, round(question.updates / steps)))
    recipe = Recipe.parse(tables)
    same = reading(recipe) == reading(job.recipe)
    return recipe, job.dataset if same else dataset_of(recipe)


def _setting(recipe: Recipe, arm: Arm, rate: float) -> Setting:
    tables = recipe.to_dict()
    for key, value in arm.keys.items():
        set_key(tables, key, value)
    set_key(tables, "learning_rate", rate)
    values = {**arm.values, "learning_rate": rate}
    return Setting(values, Recipe.parse(tables, arm.name))


def _folder(
    question: Question, recipe: Recipe, dataset: Dataset, seeds: int, out: str | Path | None
) -> StudyFolder:
    asked = {"ready": question.name, "seeds": seeds, **recipe.to_dict()}
    name = f"{question.name}-{Path(dataset.source).stem or 'data'}"
    return StudyFolder(out, name, dumps_tables(asked))
