"""`sf.study`: many settings, several seeds each, and what may be concluded."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.errors import RecipeError
from surefoot.files import write_json
from surefoot.job import dataset_of, prepare, reading
from surefoot.recipe import Recipe, save
from surefoot.recipe.section import is_whole
from surefoot.recipe.toml import dumps_tables
from surefoot.study.conclusions import Conclusions, conclude
from surefoot.study.folder import StudyFolder
from surefoot.study.plan import make_plan
from surefoot.study.report import Fresh, Scale, best_numbers, sentences, setting_rows
from surefoot.study.results import FORMAT, Study
from surefoot.study.running import run
from surefoot.study.space import Setting, expand, plain, read_vary
from surefoot.study.validation import halves, validate
from surefoot.vitals.table import Table, write

_MOST_SEEDS, _LAST_SEED = 1_000, 2**32


def study(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    *,
    vary: Mapping[str, Any],
    seeds: int | Sequence[int] = 5,
    draws: int | None = None,
    baseline: Mapping[str, Any] | None = None,
    validated: bool = True,
    out: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Study:
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
        validated: whether the best is tried again.
        out: the study's folder; ``studies/SOURCE-N`` where nothing is given.
        tell: called with a line for people: the plan first, then how far it is.

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
    job = prepare(recipe)
    settings = expand(job.recipe, job.dataset, values, draws)
    numbers = _seeds(seeds, job.recipe.seed)
    against = None if baseline is None else _place(baseline, settings)
    again = validated and len(settings) > 1
    rows = _Rows(job.recipe, job.dataset, again)
    asked = {
        "seeds": numbers,
        "validated": validated,
        **({} if draws is None else {"draws": draws}),
        **job.recipe.to_dict(),
        "vary": {k: v if isinstance(v, list) else v.to_dict() for k, v in values.items()},
        **({} if baseline is None else {"baseline": plain(baseline)}),
    }
    folder = StudyFolder(out, job.dataset.source, dumps_tables(asked))
    if folder.finished:
        tell(f"{folder.path}: this study is finished")
        return Study(folder.path)
    done = folder.done()
    plan = make_plan(settings, numbers, rows.choosing, done=done)
    tell((f"{len(done):,} runs are finished; " if done else "") + plan.text)
    folder.make()
    for part in run(plan, settings, tell):
        folder.keep(part)
    runs = _ordered(folder.runs())
    scale = Scale(f"{rows.part}_{plan.measure}", higher=plan.measure == "accuracy")
    found = _conclude(runs, len(settings), scale, against)
    fresh = None
    if again:
        tell("training the best again with fresh seeds…")
        fresh = _validate(settings, found, numbers, rows, scale)
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
    return Study(folder.path)


class _Rows:
    """The rows of each recipe of a study, read once: those to choose by, and those held back."""

    def __init__(self, recipe: Recipe, dataset: Dataset, halved: bool) -> None:
        self._read: dict[Hashable, Dataset] = {reading(recipe): dataset}
        self._halved: dict[Hashable, tuple[Dataset, Dataset]] = {}
        self._seed = recipe.data.split_seed
        self.held = halved and halves(dataset, self._seed) is not None
        self.part = "train" if dataset.x_val is None else "validation"

    def choosing(self, recipe: Recipe) -> Dataset:
        """Return the rows to choose by."""
        return self._of(recipe)[0]

    def held_back(self, recipe: Recipe) -> Dataset:
        """Return the same training rows with those that are held back; the same where none are."""
        return self._of(recipe)[1]

    def _of(self, recipe: Recipe) -> tuple[Dataset, Dataset]:
        key = reading(recipe)
        if key not in self._halved:
            whole = self._read.get(key) or dataset_of(recipe)
            parts = halves(whole, self._seed) if self.held else None
            self._halved[key] = parts or (whole, whole)
        return self._halved[key]


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


def _conclude(runs: Table, count: int, scale: Scale, against: int | None) -> Conclusions:
    scores = runs[scale.column].reshape(count, -1)
    diverged = runs["diverged"].reshape(count, -1) >= 0
    loss = runs[f"{scale.column.partition('_')[0]}_loss"].reshape(count, -1)
    return conclude(scores, diverged, higher=scale.higher, baseline=against, ties=loss)


def _validate(
    settings: Sequence[Setting],
    found: Conclusions,
    seeds: Sequence[int],
    rows: _Rows,
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
