"""What each kind of ensemble is worth: all of them trained over seeds, on rows nothing chose by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Dataset
from surefoot.engine.cohort import Cohort
from surefoot.engine.result import LaneResult
from surefoot.engine.training import Training, train
from surefoot.ensemble.comparison import Comparison, conclude
from surefoot.ensemble.measuring import parts_of, predicted, score
from surefoot.ensemble.members import Member
from surefoot.ensemble.seeds import model_of, with_seed
from surefoot.ensemble.snapshots import choose
from surefoot.errors import InputError
from surefoot.job import prepare
from surefoot.nn.nets import mlp
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.saving import snapshot_epochs
from surefoot.study.validation import halves

MEMBERS, SEEDS, DRAWS = 5, 8, 50
# For a source alone: a net with dropout, so that each kind can be tried; half of the rows to
# validate on, since the built-in sets are small; and epochs that cycles divide.
_NET, _VALIDATION, _UPDATES = mlp(64, 64, dropout=0.1), 0.5, 1500
_MOST_EPOCHS = 200

Array = NDArray[Any]


def compare_ensembles(
    source: Recipe | Mapping[str, Any] | str | Path,
    *,
    members: int | None = None,
    seeds: int | None = None,
    net: Any = None,
    tell: Callable[[str], None] = lambda line: None,
    **keys: Any,
) -> Comparison:
    """Train a single net and each kind of ensemble over the same seeds, and compare them.

    The kinds are as many seeds; the snapshots of one run with a cyclic rate, those clearly worse
    than the best left out; the exponential and the stochastic mean of the weights of one run; and
    one run's net asked 50 times with its dropout on. All but the first take one training. Half of
    the validation rows serve to choose snapshots, and everything is compared on the other half.

    Args:
        source: a recipe, its tables or file, or a source of data: that gets a net of 64 and 64
            units with dropout 0.1, and half of its rows to validate on.
        members: nets of each ensemble; 5 where nothing is given.
        seeds: how often each kind is trained; 8 where nothing is given.
        net: of a source: as `surefoot.train` takes it.
        tell: called with a line for people.
        **keys: of the recipe, as `surefoot.train` takes them.

    Raises:
        InputError: too few members or seeds.
        RecipeError: a key is wrong, or there are fewer epochs than members.
        DataError: the data cannot be used, or there are fewer than 20 validation rows.

    >>> found = compare_ensembles("iris", members=2, seeds=2, epochs=6)
    >>> [row[0] for row in found.rows]
    ['single', '2 seeds', 'snapshots', 'exponential mean', 'stochastic mean', 'dropout']
    """
    size, count = MEMBERS if members is None else members, SEEDS if seeds is None else seeds
    for name, value in (("members", size), ("seeds", count)):
        if value < 2:
            raise InputError(f"{name} = {value}: must be at least 2 to be compared")
    recipe, choosing, comparing = _read(source, net, keys, size)
    first = recipe.seed
    tell(f"{count} trainings of each kind, of {size} seeds {count * size}…")
    many = _train([with_seed(recipe, first + i, choosing) for i in range(count * size)], choosing)
    outputs = [_outputs(recipe, result, comparing) for result in many]
    own = [with_seed(recipe, first + i * size, choosing) for i in range(count)]
    kinds: dict[str, list[Array]] = {
        "single": outputs[::size],
        f"{size} seeds": [
            np.mean(outputs[i : i + size], axis=0) for i in range(0, len(outputs), size)
        ],
        "snapshots": _snapshots(own, size, choosing, comparing, tell),
    }
    for name in ("exponential", "stochastic"):
        averaged = [_changed(each, {"average": name}) for each in own]
        found = _train(averaged, choosing)
        kinds[f"{name} mean"] = [_outputs(recipe, result, comparing) for result in found]
    kinds["dropout"] = _thinned(recipe, many[::size], comparing)
    if not kinds["dropout"]:
        del kinds["dropout"]
        tell("dropout is left out: the net has no dropout layer whose rate is above 0")
    model = model_of(recipe, many[0].params, many[0].state, many[0], choosing)
    rows = parts_of(comparing)["validation"]
    scores = {
        kind: [score(each, rows, model) for each in predictions]
        for kind, predictions in kinds.items()
    }
    measure = "rmse" if model.target.kind == "numbers" else "accuracy"
    return conclude(choosing.source, measure, scores, len(rows.y))


def _read(
    source: Any, net: Any, keys: Mapping[str, Any], members: int
) -> tuple[Recipe, Dataset, Dataset]:
    """Return the recipe, its rows to choose by, and those to compare on."""
    named = {key.replace("__", "."): value for key, value in keys.items()}
    whole = isinstance(source, Recipe | Mapping) or str(source).endswith(".toml")
    if not whole:
        named = {"data.validation": _VALIDATION, **named}
        net = _NET if net is None and "net.layers" not in named else net
    job = prepare(source, net=net, keys=named, facts=False)
    recipe = job.recipe
    if not whole and "epochs" not in named and "train.epochs" not in named:
        wanted = min(_MOST_EPOCHS, -(-_UPDATES // job.cohort.steps_per_epoch))
        recipe = _changed(recipe, {"train.epochs": -(-wanted // members) * members})
    snapshot_epochs(members, recipe.train.epochs, recipe.schedule.warmup)
    parts = halves(job.dataset, recipe.data.split_seed)
    if parts is None:
        raise InputError(
            f"{job.dataset.source}: has fewer than 20 validation rows, and half of them serve to "
            "choose; raise data.validation"
        )
    return recipe, *parts


def _changed(recipe: Recipe, keys: Mapping[str, Any]) -> Recipe:
    tables = recipe.to_dict()
    for key, value in keys.items():
        set_key(tables, key, value)
    return Recipe.parse(tables)


def _train(recipes: Sequence[Recipe], dataset: Dataset) -> list[LaneResult]:
    return train(Cohort(recipes, dataset))


def _outputs(recipe: Recipe, result: LaneResult, dataset: Dataset) -> Array:
    model = model_of(recipe, result.params, result.state, result, dataset)
    return predicted(model, dataset, parts_of(dataset)["validation"].x)


def _thinned(recipe: Recipe, results: Sequence[LaneResult], dataset: Dataset) -> list[Array]:
    """Return the means of each net's thinned ones; nothing where there is no dropout."""
    rows = parts_of(dataset)["validation"].x
    found = []
    for result in results:
        model = model_of(recipe, result.params, result.state, result, dataset)
        if not model.has_dropout:
            return []
        each = partial(model.drawn, samples=DRAWS, seed=recipe.seed)
        found.append(predicted(model, dataset, rows, each).mean(axis=0))
    return found


def _snapshots(
    recipes: Sequence[Recipe],
    cycles: int,
    choosing: Dataset,
    comparing: Dataset,
    tell: Callable[[str], None],
) -> list[Array]:
    """Return, for each seed, the mean of the snapshots of its cycles that are good enough."""
    schedule = {"name": "cyclic_cosine", "cycles": cycles, "warmup": recipes[0].schedule.warmup}
    cyclic = [_changed(recipe, {"schedule": schedule}) for recipe in recipes]
    training = Training(Cohort(cyclic, choosing))
    members: list[list[Member]] = [[] for _ in cyclic]
    for epoch in snapshot_epochs(cycles, cyclic[0].train.epochs, cyclic[0].schedule.warmup):
        training.advance(epoch)
        for own, result in zip(members, training.results(), strict=True):
            model = model_of(recipes[0], result.params, result.state, result, choosing)
            own.append(Member(f"epoch {epoch}", model, choosing, {}))
    means, used = [], 0
    rows = parts_of(comparing)["validation"].x
    for own in members:
        kept, _ = choose(own, choosing, lambda line: None)
        used += len(kept)
        means.append(np.mean([predicted(m.model, comparing, rows) for m in kept], axis=0))
    tell(f"snapshots: {used / len(members):.1f} of {cycles} are good enough, in the mean")
    return means
