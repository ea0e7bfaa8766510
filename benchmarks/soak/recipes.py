"""Recipes drawn at random: each is refused with one clear line, or trains."""

from __future__ import annotations

import tomllib
from typing import Any

import jax
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import surefoot as sf
from surefoot.engine.cohort import Cohort
from surefoot.engine.training import train
from surefoot.job import dataset_of
from surefoot.recipe import Recipe, dumps

# Structure costs a compilation, so tests draw from a few; numbers cost nothing, and are extreme.
_SMALL = [{"dense": 3}, {"activation": "relu"}, {"dense": "classes"}]
STRUCTURES: tuple[dict[str, Any], ...] = (
    {"net": {"layers": [*_SMALL, {"activation": "softmax"}]}},
    {
        "net": {"layers": [{"dense": 2}, {"batch_norm": {}}, {"dropout": 0.5}, {"dense": 3}]},
        "optimizer": {"name": "momentum"},
        "train": {"from_logits": True, "clip_norm": 1.0},
    },
    {
        "net": {
            "layers": [
                {"repeat": 2, "layers": [{"residual": [{"dense": 4}]}]},
                {"dense": "outputs"},
            ]
        },
        "optimizer": {"name": "rmsprop"},
        "train": {"loss": "mean_squared_error", "precision": "float64"},
    },
)

_edge = st.sampled_from(
    [0.0, 1e-45, 1e-30, 1e-8, 1e-3, 0.1, 0.5, 0.999, 1.0, 3.0, 1e8, 1e38, 1e300]
)
_number = st.one_of(_edge, st.floats(allow_nan=False, allow_infinity=False))
_count = st.sampled_from([0, 1, 2, 3, 31, 119, 120, 121, 10**9])
# What a recipe may say in numbers; a key that its rule does not have is refused.
_NUMBERS: dict[str, SearchStrategy[Any]] = {
    "seed": st.sampled_from([0, 1, 2**31, 2**32 - 1]),
    "optimizer.learning_rate": _number,
    "optimizer.momentum": _number,
    "optimizer.epsilon": _number,
    "optimizer.weight_decay": _number,
    "optimizer.decay": _number,
    "train.clip_norm": _number,
    "train.epochs": _count,
    "data.validation": _number,
    "data.split_seed": st.sampled_from([0, 2**32 - 1]),
    "vitals.every": _count,
    "vitals.first": _count,
    "net.initializer": st.one_of(
        st.sampled_from(["zeros", "ones", "he_normal", "orthogonal"]),
        st.builds(lambda value: {"name": "normal", "stddev": value}, _number),
        st.builds(lambda value: {"name": "constant", "value": value}, _number),
    ),
}
# What is structure too: each value is a program of its own.
_STRUCTURE: dict[str, SearchStrategy[Any]] = {
    "train.batch_size": st.one_of(st.sampled_from([1, 7, 119, 120, 121]), st.just("full")),
    "train.loss": st.sampled_from(
        ["cross_entropy", "binary_cross_entropy", "mean_squared_error", "mean_absolute_error"]
    ),
    "train.precision": st.sampled_from(["float32", "float64", "bfloat16"]),
    "schedule.name": st.sampled_from(["constant", "cosine", "plateau", "transformer", "step"]),
    "optimizer.name": st.sampled_from(["sgd", "adam", "adagrad", "radam", "quickprop", "nesterov"]),
}


@st.composite
def tables(draw: Any, structure: bool = False) -> dict[str, Any]:
    """Draw a recipe's tables, good ones and bad ones.

    Args:
        draw: from Hypothesis.
        structure: whether what needs a compilation of its own is drawn too.
    """
    chosen = draw(st.sampled_from(STRUCTURES))
    values = {section: dict(entries) for section, entries in chosen.items()}
    values["data"] = {"source": "iris"}
    drawn = {**_NUMBERS, **(_STRUCTURE if structure else {})}
    for key in draw(st.lists(st.sampled_from(sorted(drawn)), unique=True, max_size=5)):
        section, _, name = key.partition(".")
        if name:
            values.setdefault(section, {})[name] = draw(drawn[key])
        else:
            values[section] = draw(drawn[key])
    return values


def step(values: dict[str, Any]) -> str:
    """Train a recipe for two steps; return "trained" or "diverged", or the line that refuses it."""
    try:
        recipe = Recipe.parse(values)
        assert Recipe.parse(tomllib.loads(dumps(recipe))) == recipe, "TOML gives another recipe"
        (result,) = train(Cohort([recipe], dataset_of(recipe)), until=2)
    except sf.InputError as error:
        return _line(error)
    weights = [np.asarray(leaf) for leaf in jax.tree.leaves(result.params)]
    if result.diverged is None:
        assert all(np.isfinite(leaf).all() for leaf in weights), "weights are not finite"
    return "trained" if result.diverged is None else "diverged"


def _line(error: Exception) -> str:
    assert "\n" not in str(error), "more than a line"
    assert len(str(error)) > 10, "says nothing"
    return str(error)
