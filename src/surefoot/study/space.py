"""What a study varies: the values of any of a recipe's keys, as a grid or drawn at random."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.data.dataset import Dataset
from surefoot.defaults import fill_output, with_embedding
from surefoot.errors import RecipeError
from surefoot.nn.nets import Ready, ready
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key
from surefoot.recipe.section import is_real, is_whole

# Each setting is a recipe in memory, and a row that somebody has to read.
_MOST_SETTINGS = 100_000


@dataclass(frozen=True)
class Uniform:
    """A number that is drawn evenly between two bounds.

    >>> 0.1 <= Uniform(0.1, 0.9).draw(np.random.default_rng(0)) < 0.9
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high)

    def draw(self, generator: np.random.Generator) -> float:
        """Return a number."""
        return float(generator.uniform(self.low, self.high))

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands for it in a study's file."""
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class LogUniform:
    """A number whose logarithm is drawn evenly: each factor of ten is as likely as another.

    >>> 1e-4 <= LogUniform(1e-4, 1.0).draw(np.random.default_rng(0)) <= 1
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high)
        if not self.low > 0:
            raise RecipeError(f"low = {self.low!r}: must be above 0 on a scale of logarithms")

    def draw(self, generator: np.random.Generator) -> float:
        """Return a number."""
        return float(np.exp(generator.uniform(np.log(self.low), np.log(self.high))))

    def to_dict(self) -> dict[str, Any]:
        """Return the table that stands for it in a study's file."""
        return {"low": self.low, "high": self.high, "scale": "log"}


def _check_bounds(low: Any, high: Any) -> None:
    for name, value in (("low", low), ("high", high)):
        if not (is_real(value) and math.isfinite(value)):
            raise RecipeError(f"{name} = {value!r}: must be a finite number")
    if not low < high:
        raise RecipeError(f"low = {low!r}: must be below high = {high!r}")


def logspace(low: float, high: float, count: int) -> list[float]:
    """Return numbers from 10^low to 10^high at equal ratios, as `numpy.logspace` does.

    Args:
        low: the exponent of the first.
        high: the exponent of the last.
        count: how many.

    Raises:
        RecipeError: a bound is not finite, or the count is not 1 or more.

    >>> logspace(-2, 0, 3)
    [0.01, 0.1, 1.0]
    """
    _check_bounds(low, high)
    if not (is_whole(count) and 1 <= count <= _MOST_SETTINGS):
        raise RecipeError(f"count = {count!r}: must be a whole number from 1 to {_MOST_SETTINGS:,}")
    return [float(value) for value in np.logspace(low, high, count)]


@dataclass(frozen=True)
class Setting:
    """One choice of all varied keys.

    Attributes:
        values: each varied key's value.
        recipe: the study's recipe with them.
    """

    values: Mapping[str, Any]
    recipe: Recipe

    @property
    def label(self) -> str:
        """What it is called: "learning_rate = 0.01, optimizer = sgd"."""
        return ", ".join(f"{k} = {shown(v)}" for k, v in self.values.items()) or "the recipe"


def shown(value: Any) -> str:
    """Return a value as people read it, short.

    >>> shown(0.0123456), shown("sgd"), shown([{"dense": 8}])
    ('0.01235', 'sgd', '[{"dense": 8}]')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def plain(value: Any) -> Any:
    """Return a value as TOML knows it: NumPy's numbers and arrays, and ready nets, are replaced."""
    if isinstance(value, Ready):
        return value.text
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(entry) for entry in value]
    return value


def read_vary(vary: Any) -> dict[str, list[Any] | Uniform | LogUniform]:
    """Return each key's values, or what they are drawn from, checked.

    Args:
        vary: of each key a list of values; `Uniform` or `LogUniform`; or a table as in a study's
            file: ``low`` and ``high``, with ``count`` a grid of so many, without it a draw;
            ``scale = "log"`` for equal ratios. Other tables hold further keys: ``train.epochs``
            may be written as a table ``train`` with ``epochs`` in it.

    Raises:
        RecipeError: something else was given.

    >>> read_vary({"train": {"epochs": [1, 2]}, "lr": {"low": 0.1, "high": 10, "count": 3}})
    {'train.epochs': [1, 2], 'lr': [0.1, 5.05, 10.0]}
    """
    if not isinstance(vary, Mapping):
        raise RecipeError("vary: must be a table with a list of values for each key")
    found: dict[str, list[Any] | Uniform | LogUniform] = {}
    for key, given in vary.items():
        try:
            values = given if isinstance(given, Uniform | LogUniform) else _values(plain(given))
        except RecipeError as error:
            raise RecipeError(f"vary: {key}: {error}") from None
        if isinstance(values, Mapping):
            found |= {f"{key}.{inner}": v for inner, v in read_vary(values).items()}
        else:
            found[str(key)] = values
    return found


def _values(given: Any) -> Any:
    if isinstance(given, dict) and "low" in given:
        return _range(given)
    if isinstance(given, dict) and given:
        return given
    if not isinstance(given, list) or not given:
        raise RecipeError(
            "must be a list of values, or a table with low and high such as "
            '{low = 1e-4, high = 1.0, count = 9, scale = "log"}'
        )
    if any(value is None for value in given):
        raise RecipeError("None is no value of a recipe file; leave the key out of the recipe")
    return given


def _range(given: Mapping[str, Any]) -> Any:
    unknown = set(given) - {"low", "high", "count", "scale"}
    if unknown:
        raise RecipeError(f"unknown key {min(unknown)!r} (allowed: low, high, count, scale)")
    scale, count = given.get("scale", "linear"), given.get("count")
    if scale not in ("linear", "log"):
        raise RecipeError(f'scale = {scale!r}: must be "linear" or "log"')
    drawn = (LogUniform if scale == "log" else Uniform)(given["low"], given.get("high"))
    if count is None:
        return drawn
    if not (is_whole(count) and 1 <= count <= _MOST_SETTINGS):
        raise RecipeError(f"count = {count!r}: must be a whole number from 1 to {_MOST_SETTINGS:,}")
    space = np.geomspace if scale == "log" else np.linspace
    return [float(value) for value in space(drawn.low, drawn.high, count)]


def expand(
    recipe: Recipe,
    dataset: Dataset,
    vary: Mapping[str, list[Any] | Uniform | LogUniform],
    draws: int | None = None,
) -> list[Setting]:
    """Return the settings of a study: every combination, or random ones, without repetition.

    Args:
        recipe: what is varied.
        dataset: its rows; the output layer of a net that is named follows from them.
        vary: from `read_vary`.
        draws: how many random settings; every combination where nothing is given. The recipe's
            seed decides which, so that the same study draws the same.

    Raises:
        RecipeError: a key does not exist, or a value is out of its bounds.
    """
    if draws is None:
        chosen = _grid(vary)
    else:
        if not (is_whole(draws) and 1 <= draws <= _MOST_SETTINGS):
            raise RecipeError(
                f"draws = {draws!r}: must be a whole number from 1 to {_MOST_SETTINGS:,}"
            )
        generator = np.random.Generator(np.random.Philox(key=recipe.seed))
        chosen = [tuple(_draw(values, generator) for values in vary.values()) for _ in range(draws)]
    distinct = {json.dumps(values, sort_keys=True): values for values in chosen}
    base = recipe.to_dict()
    return [
        Setting(own, _with(base, own, dataset))
        for own in (dict(zip(vary, values, strict=True)) for values in distinct.values())
    ]


def _grid(vary: Mapping[str, list[Any] | Uniform | LogUniform]) -> list[tuple[Any, ...]]:
    lists: list[Sequence[Any]] = []
    for key, values in vary.items():
        if not isinstance(values, list):
            raise RecipeError(
                f"vary: {key}: is drawn from a range; say how many draws, or give it a count"
            )
        lists.append(values)
    count = math.prod(map(len, lists))
    if count > _MOST_SETTINGS:
        raise RecipeError(
            f"vary: {count:,} combinations, and {_MOST_SETTINGS:,} are the most; give fewer "
            "values, or say how many draws"
        )
    return list(itertools.product(*lists))


def _draw(values: list[Any] | Uniform | LogUniform, generator: np.random.Generator) -> Any:
    if isinstance(values, list):
        return values[int(generator.integers(len(values)))]
    return values.draw(generator)


def _with(base: Mapping[str, Any], values: Mapping[str, Any], dataset: Dataset) -> Recipe:
    """Return the recipe with one setting's values."""
    tables = copy.deepcopy(dict(base))
    for key, value in values.items():
        where = f"vary: {key} = {shown(value)}"
        try:
            if key == "seed":
                raise RecipeError("seeds are given by themselves, as seeds = 5; leave it out")
            if key == "net" and isinstance(value, str):
                tables["net"].pop("layers")
                net = with_embedding(ready(value), dataset.encoding)
                tables = fill_output(tables, dataset.target, net)
            else:
                set_key(tables, key, copy.deepcopy(value))
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from None
    label = ", ".join(f"{key} = {shown(value)}" for key, value in values.items())
    recipe = Recipe.parse(tables, f"vary: {label}")
    if recipe.optimizer.name == "custom":
        raise RecipeError("optimizer.name = 'custom': a study takes update rules by name alone")
    return recipe
