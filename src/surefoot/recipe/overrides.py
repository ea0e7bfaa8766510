"""Single keys of a recipe by name: ``learning_rate``, ``train.epochs``, ``net.layers.0.dense``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any

from surefoot.errors import RecipeError, nearest
from surefoot.recipe.data import Data
from surefoot.recipe.evolution import Evolution
from surefoot.recipe.layers import Net
from surefoot.recipe.optimizer import RULES, OptaxRule
from surefoot.recipe.root import Recipe
from surefoot.recipe.schedule import SCHEDULES
from surefoot.recipe.train import Train, Vitals

# A short name stands for the first section that has it.
_SECTIONS = (
    ("train", (Train,)),
    ("data", (Data,)),
    ("optimizer", (*RULES.values(), OptaxRule)),
    ("net", (Net,)),
    ("vitals", (Vitals,)),
    ("schedule", tuple(SCHEDULES.values())),
    ("evolution", (Evolution,)),
)


# Sections that may be written as a name alone, and their numbers that a new name leaves in place.
_NAMED = ("optimizer", "schedule", "average")
_KEPT = ("learning_rate", "warmup")


def short_names() -> dict[str, str]:
    """Return each short name with the key that it stands for.

    >>> short_names()["learning_rate"], short_names()["warmup"], short_names()["seed"]
    ('optimizer.learning_rate', 'schedule.warmup', 'seed')
    """
    names = {name: name for name in Recipe.model_fields}
    for section, models in _SECTIONS:
        for model in models:
            for name in model.model_fields:
                if name != "name":
                    names.setdefault(name, f"{section}.{name}")
    names["lr"] = "optimizer.learning_rate"
    return names


def set_key(tables: dict[str, Any], key: str, value: Any) -> None:
    """Set one key in a recipe's tables, in place.

    Args:
        tables: as TOML gives them.
        key: a short name, or a path with dots; numbers in it, also in brackets, count list
            entries from 0.
        value: what it becomes. A new name for the optimizer or the schedule drops the numbers of
            the old one, except for the learning rate and the warm-up.

    Raises:
        RecipeError: there is no such key.

    >>> tables = {"net": {"layers": [{"dense": 8}]}}
    >>> set_key(tables, "net.layers.0.dense", 16)
    >>> set_key(tables, "epochs", 3)
    >>> tables
    {'net': {'layers': [{'dense': 16}]}, 'train': {'epochs': 3}}
    """
    names = short_names()
    head, *rest = re.sub(r"\[(\d+)\]", r".\1", key).split(".")
    if head not in names:
        raise RecipeError(
            f"unknown key {key!r}{nearest(head, names)}; docs/recipe.md lists all keys"
        )
    path = [*names[head].split("."), *rest]
    if path[0] in _NAMED:
        if isinstance(tables.get(path[0]), str):
            tables[path[0]] = {"name": tables[path[0]]}
        if len(path) == 1 and isinstance(value, str):
            path.append("name")
        if path[1:] == ["name"]:
            _rename(tables, path[0], value)
            return
    place: Any = tables
    for step in path[:-1]:
        place = _descend(place, step, key)
    last = path[-1]
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise RecipeError(f"key {key!r}: {'.'.join(path[:-1])!r} is no table")


def _rename(tables: dict[str, Any], section: str, name: str) -> None:
    old = tables.get(section, {})
    if not isinstance(old, dict):
        old = {}
    kept = old if old.get("name") == name else {k: v for k, v in old.items() if k in _KEPT}
    tables[section] = {**kept, "name": name}


def _descend(place: Any, step: str, key: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, step, key)]
    if isinstance(place, dict):
        return place.setdefault(step, {})
    raise RecipeError(f"key {key!r}: nothing lies below {step!r}")


def _index(place: list[Any], step: str, key: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", step) or int(step) >= len(place):
        raise RecipeError(
            f"key {key!r}: {step!r} must be the number of one of {len(place)} entries, from 0"
        )
    return int(step)


def parse_assignments(texts: Iterable[str]) -> list[tuple[str, Any]]:
    """Read ``KEY=VALUE`` texts; a value is written as in TOML, quotes may be left out.

    >>> parse_assignments(["train.epochs=3", "optimizer=sgd", "lr=1e-2"])
    [('train.epochs', 3), ('optimizer', 'sgd'), ('lr', 0.01)]

    Raises:
        RecipeError: there is no "=".
    """
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"--set {text}: must be KEY=VALUE, such as train.epochs=10")
        try:
            parsed = tomllib.loads(f"value = {value.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = value.strip()
        except (ValueError, RecursionError):
            raise RecipeError(f"--set {key.strip()}: too many digits, or nested too deep") from None
        pairs.append((key.strip(), parsed))
    return pairs
