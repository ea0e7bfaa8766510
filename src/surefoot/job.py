"""A run made ready: data read, recipe completed and checked, nothing compiled or written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from optax import GradientTransformation

from surefoot.data import Dataset, gather, load
from surefoot.data.columns import Columns
from surefoot.data.facts import look
from surefoot.data.frames import is_frame
from surefoot.data.labelled import keep_labelled
from surefoot.data.prepared import describe
from surefoot.data.reference import reference
from surefoot.data.source import Raw, Task
from surefoot.defaults import default_net, fill_output, fill_training, with_embedding
from surefoot.engine.cohort import Cohort
from surefoot.errors import DataError, RecipeError
from surefoot.nn.nets import Ready, needs_pictures, ready
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.recipe.toml import read_table

# What these losses compare with are classes, also where labels are whole floats.
_TASKS: dict[str, Task] = {
    "cross_entropy": "classification",
    "binary_cross_entropy": "classification",
}
# Stands for the net while the data are read; layers that are not chosen yet.
_PLACEHOLDER = {"layers": [{"dense": "outputs"}]}


@dataclass(frozen=True)
class Job:
    """A run that is ready to be trained.

    Attributes:
        recipe: complete, with every default written out.
        dataset: what to learn from.
        cohort: the recipe as a cohort of one lane.
    """

    recipe: Recipe
    dataset: Dataset
    cohort: Cohort
    _gathering: Callable[[], tuple[Future[dict[str, Any]], Future[dict[str, Any]]]]

    @property
    def look(self) -> dict[str, Any]:
        """What `surefoot.data.facts.look` tells about the data, which is known first."""
        return self._gathering()[0].result()

    @property
    def facts(self) -> dict[str, Any]:
        """What is known about the data; they are gathered while the net is built and compiled.

        `surefoot.data.facts.look` tells what they hold; beside that `prepared`, what the net is
        given (`surefoot.data.prepared.describe`), and `reference`, what simple methods reach on
        the same rows (`surefoot.data.reference.reference`).
        """
        return self._gathering()[1].result()


def prepare(
    source: Any,
    y: Any = None,
    *,
    validation_data: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    net: Any = None,
    optimizer: Any = None,
    keys: Mapping[str, Any] | None = None,
    facts: bool = True,
) -> Job:
    """Make a run ready; `surefoot.train` tells what the arguments are.

    `facts` says whether to begin with gathering them at once: that loads scikit-learn and fits
    simple methods. Else they are gathered when somebody asks.

    Raises:
        RecipeError: a key is wrong, or the net does not fit the data.
        DataError: the data cannot be used.
    """
    tables, arrays, where = _read(source, y, validation_data)
    is_recipe = isinstance(source, Recipe | Mapping) or _is_recipe_file(source)
    transformation = optimizer if isinstance(optimizer, GradientTransformation) else None
    if transformation is not None:
        tables["optimizer"] = {"name": "custom"}
    elif optimizer is not None:
        set_key(tables, "optimizer", optimizer)
    chosen = _choose_net(tables, net)
    for key, value in (keys or {}).items():
        set_key(tables, key, value)
    # The data are read as a recipe says, and what is missing from the recipe follows from them.
    has_layers = _has_layers(tables)
    draft = Recipe.parse(tables if has_layers else {**tables, "net": _PLACEHOLDER}, where)
    _check_custom(draft, transformation, where)
    raw = gather(draft.data, arrays)
    if chosen is None and not has_layers:
        shape = np.shape(raw.x)[1:]
        table_rows = None
        if isinstance(raw.x, Columns):
            table_rows = raw.x.rows if raw.stream is None else raw.stream.rows
        chosen = default_net((*shape, 1) if len(shape) == 2 else shape, table_rows)
    layers = chosen.hidden if chosen is not None else tables["net"]["layers"]
    given_loss = tables.get("train", {}).get("loss")
    embed = chosen is not None or any("embedding" in layer for layer in layers)
    dataset = _load(draft, raw, layers, given_loss, sample_weight, embed)
    if chosen is not None:
        chosen = with_embedding(chosen, dataset.encoding)
    tables = fill_output(tables, dataset.target, chosen)
    if dataset.pictures is not None:  # what was chosen by looking at them is needed to predict
        set_key(tables, "data.pictures", dataset.pictures.model_dump(mode="json"))
    if dataset.stream is not None:  # chosen by the free memory, which is another the next time
        set_key(tables, "data.stream", True)
    if not is_recipe:
        tables = fill_training(tables, dataset)
    recipe = Recipe.parse(tables, where)
    cohort = Cohort([recipe], dataset, transformation)
    gathering = cache(lambda: _gather_facts(raw, dataset, recipe))
    if facts:
        gathering()
    return Job(recipe, dataset, cohort, gathering)


def dataset_of(
    recipe: Recipe, arrays: tuple[Any, ...] | None = None, sample_weight: Any = None
) -> Dataset:
    """Load the rows of a complete recipe; nothing else is made ready, no facts are gathered.

    Args:
        recipe: whose data section, loss and layers say how rows are read.
        arrays: ``(x, y)`` or ``(x, y, x_val, y_val)``, in place of its source.
        sample_weight: how much each row counts in the loss, [rows].

    Raises:
        DataError: the data cannot be used.
    """
    layers = recipe.to_dict()["net"]["layers"]
    embed = any("embedding" in layer for layer in layers)
    raw = gather(recipe.data, arrays)
    return _load(recipe, raw, layers, recipe.train.loss, sample_weight, embed)


def reading(recipe: Recipe) -> Hashable:
    """Return what decides how a recipe's rows are read; equal ones can share a data set.

    Scaling of targets and the order of batches are the step's.
    """
    data = recipe.data.model_copy(update={"standardize_targets": False, "shuffle_seed": None})
    layers = recipe.to_dict()["net"]["layers"]
    return data, recipe.train.loss, recipe.train.precision, needs_pictures(layers)


def _load(
    recipe: Recipe, raw: Raw, layers: Any, loss: Any, sample_weight: Any, embed: bool
) -> Dataset:
    dataset = load(
        recipe.data,
        raw=raw,
        task=_TASKS.get(loss),
        images=needs_pictures(layers),
        sample_weight=sample_weight,
        embed=embed,
        dtype=np.dtype(recipe.train.dtype),
    )
    return keep_labelled(dataset, recipe.data)


def _gather_facts(
    raw: Raw, dataset: Dataset, recipe: Recipe
) -> tuple[Future[dict[str, Any]], Future[dict[str, Any]]]:
    """Begin to look at the data, in a thread of its own; return the look, and all facts."""
    pool = ThreadPoolExecutor(1)
    looked = pool.submit(look, raw, recipe.data)

    def gather() -> dict[str, Any]:
        prepared = describe(dataset, standardize_targets=recipe.data.standardize_targets)
        return {**looked.result(), "prepared": prepared, "reference": reference(dataset)}

    facts = pool.submit(gather)
    pool.shutdown(wait=False)
    return looked, facts


def _read(
    source: Any, y: Any, validation_data: tuple[Any, Any] | None
) -> tuple[dict[str, Any], tuple[Any, ...] | None, str]:
    """Return the recipe's tables, the arrays that were given, and what to call the source."""
    if isinstance(source, Recipe | Mapping):
        if y is not None:
            raise DataError("y is given beside a recipe; give (x, y) and recipe keys, or a recipe")
        tables = source.to_dict() if isinstance(source, Recipe) else copy.deepcopy(dict(source))
        return tables, None, "recipe"
    if isinstance(source, str | Path):
        if y is not None:
            raise DataError("y is given beside a named source; the source brings its own targets")
        if _is_recipe_file(source):
            return read_table(source), None, str(source)
        return {"data": {"source": str(source)}}, None, str(source)
    if y is not None or is_frame(source):  # a frame may hold its targets
        arrays: tuple[Any, ...] = (source, y)
    else:
        arrays = tuple(source) if isinstance(source, tuple) else ()
    if len(arrays) not in (2, 4):
        raise DataError(
            "the first argument must be a source's name, a recipe, arrays (x, y), or a data frame"
        )
    if is_frame(validation_data):
        arrays = (*arrays[:2], validation_data, None)
    elif validation_data is not None:
        arrays = (*arrays[:2], *validation_data)
    return {}, arrays, "recipe"


def _is_recipe_file(source: Any) -> bool:
    return isinstance(source, str | Path) and str(source).endswith(".toml")


def _choose_net(tables: dict[str, Any], net: Any) -> Ready | None:
    """Put the layers that were given into the tables, or return the ready net that was named."""
    if net is None:
        return None
    if isinstance(net, str):
        net = ready(net)
    old = tables.get("net")
    kept = {k: v for k, v in old.items() if k != "layers"} if isinstance(old, Mapping) else {}
    if isinstance(net, Ready):
        tables["net"] = kept
        return net
    if not isinstance(net, list | tuple):
        raise RecipeError(
            f"net = {net!r}: give text such as 'mlp:128,64', sf.nets.mlp(128, 64), or a list of "
            "layers"
        )
    tables["net"] = {**kept, "layers": list(net)}
    return None


def _has_layers(tables: dict[str, Any]) -> bool:
    """Return whether layers were given; what is no table counts too, for the recipe to refuse."""
    net = tables.get("net", {})
    return not isinstance(net, Mapping) or "layers" in net


def _check_custom(draft: Recipe, transformation: GradientTransformation | None, where: str) -> None:
    if draft.optimizer.name == "custom" and transformation is None:
        raise RecipeError(
            f"{where}: optimizer.name = 'custom' stands for an Optax transformation that was "
            "given from Python; give it again as optimizer=…, or choose a rule by name"
        )
