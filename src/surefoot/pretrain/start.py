"""What a lane begins with, as its recipe says: drawn, pre-trained, or taken from another run."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.data.dataset import Dataset
from surefoot.data.labelled import PartlyLabelled
from surefoot.engine.cohort import Cohort
from surefoot.engine.placement import input_scaling
from surefoot.errors import RecipeError, TrainingError
from surefoot.pretrain.greedy import pretrain, taught_layers
from surefoot.pretrain.transfer import take
from surefoot.recipe import Recipe, numbers

Columns = Mapping[str, NDArray[Any]]
# Lanes of a study often begin alike, with the seeds of a few; weights of a large net are not small.
_KEPT = 32


class Start(NamedTuple):
    """What a lane begins with.

    Attributes:
        weights: its parameters and states.
        table: the reconstruction error of each layer and epoch of its pre-training, or None.
        note: what was taken from another run, a sentence; "" for nothing.
    """

    weights: tuple[Any, Any]
    table: Columns | None = None
    note: str = ""


_known: OrderedDict[Any, tuple[weakref.ref[Dataset], Start]] = OrderedDict()


def check(cohort: Cohort) -> None:
    """Refuse lanes that cannot begin as their recipes say, before anything is trained.

    Raises:
        RecipeError: a layer cannot be pre-trained, or does not fit the other run's.
        RunError: the run that layers are taken from cannot be used.
    """
    seen = set()
    for recipe, network in zip(cohort.recipes, cohort.networks, strict=True):
        transfer = recipe.transfer
        if (recipe.pretrain, transfer) in seen:
            continue
        seen.add((recipe.pretrain, transfer))
        takes = transfer is not None and transfer.source is not None
        if transfer is not None and transfer.layers and not takes:
            raise RecipeError(
                "transfer.layers: says which layers to take, and transfer.from does not say of "
                "which run; give both, or leave layers out"
            )
        if takes and recipe.pretrain is not None:
            raise RecipeError(
                "pretrain and transfer.from are both given, and either says what the layers begin "
                "with; leave one out"
            )
        if recipe.pretrain is not None:
            taught_layers(network)
            if cohort.dataset.stream is not None:
                raise RecipeError(
                    "pretrain: rows are read in a stream, and it needs them in memory; set "
                    "data.stream = false, or leave pretrain out"
                )
        if takes:
            take(network, network.init(0, numbers(recipe.net), cohort.precision), transfer)


def first_weights(
    cohort: Cohort, lane: int, tell: Callable[[str], None] = lambda line: None
) -> Start:
    """Return what a lane begins with; equal lanes on the same rows are taught once.

    Args:
        cohort: whose lane it is.
        lane: which.
        tell: called with a line about each layer that is taught.

    Raises:
        RunError: the run that layers are taken from cannot be used.
    """
    recipe, network = cohort.recipes[lane], cohort.networks[lane]
    drawn = network.init(recipe.seed, numbers(recipe.net), cohort.precision)
    if recipe.transfer is not None and recipe.transfer.source is not None:
        taken = take(network, drawn, recipe.transfer)
        return Start(taken.weights, None, taken.note)
    if recipe.pretrain is None:
        return Start(drawn)
    dataset = cohort.dataset
    key = id(dataset), _text(recipe)
    found = _known.get(key)
    if found is None or found[0]() is not dataset:
        with jax.enable_x64(cohort.precision == np.float64):
            x = _inputs(cohort)
            net = numbers(recipe.net)
            taught = pretrain(network, drawn, x, recipe.pretrain, net, recipe.seed, tell)
        _known[key] = weakref.ref(dataset), Start(*taught)
    _known.move_to_end(key)
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return _known[key][1]


def announced(cohort: Cohort, tell: Callable[[str], None]) -> Start:
    """Return what the only lane of a run begins with, and say how it came to that.

    Raises:
        TrainingError: pre-training ended with numbers that are not finite.
    """
    start = first_weights(cohort, 0, tell)
    if start.note:
        tell(start.note)
    if start.table is not None:
        errors = start.table["reconstruction_error"]
        lost = np.flatnonzero(~np.isfinite(errors))
        if len(lost):
            layer, epoch = start.table["layer"][lost[0]], start.table["epoch"][lost[0]]
            raise TrainingError(
                f"pre-training layer {layer} diverged in epoch {epoch}: its reconstruction error "
                "is not finite; lower pretrain.learning_rate, or scale the inputs"
            )
    return start


def _text(recipe: Recipe) -> str:
    """Return what the weights after pre-training depend on, beside the rows."""
    parts = (recipe.pretrain, recipe.net)
    texts = [part.model_dump_json() for part in parts if part is not None]
    return "\n".join([*texts, str(recipe.seed), recipe.train.precision])


def _inputs(cohort: Cohort) -> Any:
    """Return the inputs of all training rows, with labels or without, as the net takes them."""
    dataset = cohort.dataset
    x = dataset.x_train
    if isinstance(dataset, PartlyLabelled) and dataset.x_unlabelled is not None:
        x = np.concatenate([x, dataset.x_unlabelled])
    scaling = jax.tree.map(lambda lanes: lanes[0], input_scaling(cohort))
    return cohort.blueprint.inputs(jnp.asarray(x), scaling, None)
