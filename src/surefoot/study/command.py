"""`sf.study`: many settings, several seeds each, and what may be concluded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import seal
from surefoot.errors import RecipeError
from surefoot.files import write_json
from surefoot.garbage import uncollected
from surefoot.job import prepare
from surefoot.processes import is_first
from surefoot.recipe import Recipe, save
from surefoot.recipe.section import is_whole
from surefoot.recipe.toml import dumps_tables
from surefoot.study.conclusions import Conclusions, conclude, spread
from surefoot.study.halving import Halving, run_halved
from surefoot.study.plan import make_plan
from surefoot.study.progress import Progress
from surefoot.study.report import Fresh, Scale, best_numbers, sentences, setting_rows
from surefoot.study.results import FORMAT, SEALED, Study
from surefoot.study.running import Columns, run
from surefoot.study.shared import folder_of, one_writer
from surefoot.study.space import Setting, expand, plain, read_vary
from surefoot.study.validation import Rows, validate
from surefoot.vitals.table import Table, make_ready, write

_MOST_SEEDS, _LAST_SEED = 1_000, 2**32


def study(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    *,
    vary: Mapping[str, Any],
    seeds: int | Sequence[int] = 5,
    draws: int | None = None,
    baseline: Mapping[str, Any] | None = None,
    halving: bool | Mapping[str, Any] | None = None,
    validated: bool = True,
    out: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Study | None:
    """Train a recipe with many settings, several seeds each, and say what may be concluded.

    Settings that differ in numbers alone are lanes of one compiled program. Equal seeds have the
    same first weights, where the net is the same, and see the same batches. Settings are compared
    by accuracy, or rmse, over validation rows: the mean over seeds. Where rows can be validated
    on, one half of them is held back: the best of many is partly the luckiest of many, so it is
    trained again with fresh seeds, beside the baseline or else the second best, and measured on
    rows that were not used to choose it.

    A folder that holds the same study is continued where that was interrupted.

    Args:
        recipe: what is varied: a recipe, its tables, the path of its file, or a source of data.
        vary: of each key of a recipe a list of values, or `sf.LogUniform` and `sf.Uniform` to
            draw from.
        seeds: how many, from the recipe's own on; or which.
        draws: how many random settings, in place of every combination.
        baseline: the values of the setting to compare with, in place of the best.
        halving: whether settings that do poorly are dropped on the way, with all their seeds:
            true, or a table: of ``eta`` settings, 2 or 3, one goes on, first after ``share`` of the
            epochs or more, then after ``eta`` times as many. Two settings at least are trained to
            the end, and conclusions are drawn between those that are.
        validated: whether the best is tried again.
        out: the study's folder; ``studies/SOURCE-N`` where nothing is given.
        tell: called with a line for people: the plan first, then how far it is.

    Returns:
        The study. None in a process that only computes for another, which writes.

    Raises:
        RecipeError: a key does not exist, a value is out of its bounds, or a run does not fit.
        DataError: the data cannot be used.
        RunError: the folder holds something else, or cannot be written.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = sf.study(
    ...         {"data": {"source": "iris"}, "net": {"layers": [{"dense": "classes"}]},
    ...          "train": {"epochs": 2, "from_logits": True}},
    ...         vary={"learning_rate": [1e-4, 0.1]}, seeds=3, validated=False, out=f"{folder}/s",
    ...     )
    ...     found.best.metrics["keys"], found.table().rows
    ({'learning_rate': 0.1}, 2)
    """
    started = time.perf_counter()
    if not isinstance(recipe, Recipe | Mapping | str | Path):
        raise RecipeError("recipe: must be a recipe, its tables, a file's path, or a source's name")
    values = read_vary(vary)
    job = prepare(recipe, facts=False)
    with uncollected():
        settings = expand(job.recipe, job.dataset, values, draws)
    numbers = _seeds(seeds, job.recipe.seed)
    against = None if baseline is None else _place(baseline, settings)
    halved = _halved(halving, settings)
    epochs = settings[0].recipe.train.epochs
    again = validated and len(settings) > 1
    rows = Rows(job.recipe, job.dataset, again)
    asked = {
        "seeds": numbers,
        "validated": validated,
        **({} if draws is None else {"draws": draws}),
        **({} if halved is None else {"halving": halved.to_dict()}),
        **job.recipe.to_dict(),
        "vary": {k: v if isinstance(v, list) else v.to_dict() for k, v in values.items()},
        **({} if baseline is None else {"baseline": plain(baseline)}),
    }
    folder = folder_of(out, job.dataset.source, dumps_tables(asked))
    if folder.finished:
        tell(f"{folder.path}: this study is finished")
        return Study(folder.path) if is_first() else None
    done = folder.done()
    for line in folder.lost:
        tell(line)
    share = 1.0 if halved is None else halved.work(epochs, len(settings))
    with uncollected():
        plan = make_plan(settings, numbers, rows.choosing, done=done, share=share)
    scale = Scale(f"{rows.part}_{plan.measure}", higher=plan.measure == "accuracy")
    tell((f"{len(done):,} runs are finished; " if done else "") + plan.text)
    folder.make()
    with one_writer(folder.path):
        parts: Iterable[Columns]
        if halved is None:
            parts = run(plan, settings, tell)
        else:
            parts = run_halved(
                plan,
                settings,
                halved.rungs(epochs, len(settings)),
                scale,
                Progress(plan, tell, ready=make_ready),
                passed=folder.passed(),
                never=() if against is None else (against,),
            )
        for part in parts:
            folder.keep(part)
        runs = _ordered(folder.runs())
        found = _conclude(runs, len(settings), scale, against)
        fresh = None
        if again:
            tell("training the best again with fresh seeds…")
            fresh = _validate(settings, found, numbers, rows, scale)
        if not is_first():
            return None
        write(folder.path, "settings", setting_rows(settings, runs, found, len(numbers)))
        save(settings[found.best].recipe, folder.path / "best.toml")
        folder.join(runs)
        summary = {
            "study_format": FORMAT,
            "study": str(folder.path),
            "settings": len(settings),
            "runs": runs.rows,
            "diverged": int((runs["diverged"] >= 0).sum()),
            "seeds": numbers,
            "measure": scale.column,
            "programs": plan.programs,
            "best": best_numbers(settings, found, fresh, scale),
            "conclusions": sentences(settings, runs, found, fresh, scale),
            "seconds": round(time.perf_counter() - started, 3),
        }
        write_json(folder.path / "summary.json", summary)
        seal(folder.path, SEALED)
        folder.clear()
    return Study(folder.path)


def _seeds(seeds: Any, first: int) -> list[int]:
    """Return the seeds, from how many there are or from the seeds themselves."""
    if is_whole(seeds) and 1 <= seeds <= _MOST_SEEDS and first + seeds <= _LAST_SEED:
        return list(range(first, first + int(seeds)))
    own = list(seeds) if isinstance(seeds, list | tuple | range) else []
    if (
        1 <= len(own) <= _MOST_SEEDS
        and len(set(own)) == len(own)
        and all(is_whole(seed) and 0 <= seed < _LAST_SEED for seed in own)
    ):
        return [int(seed) for seed in own]
    raise RecipeError(
        f"seeds = {seeds!r}: must be a whole number from 1 to {_MOST_SEEDS:,}, or a list of "
        "different seeds"
    )


def _place(baseline: Any, settings: Sequence[Setting]) -> int:
    """Return the number of the setting that has the baseline's values."""
    wanted = plain(baseline)
    for number, setting in enumerate(settings):
        if setting.values == wanted:
            return number
    keys = ", ".join(settings[0].values)
    raise RecipeError(f"baseline: must be one of the settings, with a value for each of {keys}")


def _ordered(runs: Table) -> Table:
    """Return the runs by setting and seed, whatever order they were trained in."""
    order = np.lexsort((runs["seed"], runs["setting"]))
    return Table({name: column[order] for name, column in runs.items()})


def _halved(given: Any, settings: Sequence[Setting]) -> Halving | None:
    halving = Halving.read(given)
    if halving and len({setting.recipe.train.epochs for setting in settings}) > 1:
        raise RecipeError(
            "halving: settings of different epochs cannot be compared on the way; leave "
            "train.epochs out of vary, or halving out"
        )
    return halving


def _conclude(runs: Table, count: int, scale: Scale, against: int | None) -> Conclusions:
    """Compare the settings that were trained to the end."""
    left = (runs["dropped"].reshape(count, -1) < 0).all(axis=1)
    numbers = np.flatnonzero(left)

    def of(name: str) -> NDArray[Any]:
        return runs[name].reshape(count, -1)[left]

    loss = of(f"{scale.column.partition('_')[0]}_loss")
    baseline = None if against is None else int(np.searchsorted(numbers, against))
    diverged = of("diverged") >= 0
    found = conclude(of(scale.column), diverged, higher=scale.higher, baseline=baseline, ties=loss)
    if left.all():
        return found
    return spread(found, numbers, runs[scale.column].reshape(count, -1))


def _validate(
    settings: Sequence[Setting],
    found: Conclusions,
    seeds: Sequence[int],
    rows: Rows,
    scale: Scale,
) -> Fresh:
    """Train the best and what it is compared with again."""
    beside = found.reference if found.reference != found.best else found.order[1]
    first = max(seeds) + 1
    if first + len(seeds) > _LAST_SEED:
        first = 0 if min(seeds) >= len(seeds) else len(seeds)
    fresh = list(range(first, first + len(seeds)))
    numbers = (found.best, beside)
    parts = validate(settings, numbers, fresh, rows.choosing, rows.held_back)
    again = Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    place = np.array([numbers.index(number) for number in again["setting"]])
    again = _ordered(Table({**again, "setting": place}))
    # The best is compared with what it was validated beside: one comparison, named beforehand.
    compared = _conclude(again, 2, scale, 1)
    return Fresh(beside, fresh, rows.held, compared)
