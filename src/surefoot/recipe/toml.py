"""Recipes as TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from surefoot.errors import RecipeError
from surefoot.recipe.root import Recipe

# A recipe is read by people; one this large is a mistake, and is refused before it is parsed.
MAX_BYTES = 4_000_000


def read_table(path: str | Path) -> dict[str, Any]:
    """Read a TOML file into tables.

    Raises:
        RecipeError: no such file, not readable, or not TOML; with the line where it breaks.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"{path}: larger than {MAX_BYTES:,} bytes; this is no recipe")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file; give the path of a recipe") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read as text: {error}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None


def load(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file; a `RecipeError` names the file and the key."""
    return Recipe.parse(read_table(path), where=str(path))


def dumps(recipe: Recipe) -> str:
    """Write a recipe as TOML text; `load` reads it back into an equal recipe.

    >>> recipe = Recipe.parse({"net": {"layers": [{"dense": 8}, {"activation": "relu"}]}})
    >>> Recipe.parse(tomllib.loads(dumps(recipe))) == recipe
    True
    """
    import tomlkit

    document = tomlkit.document()
    for key, value in recipe.to_dict().items():
        if isinstance(value, dict):
            table = tomlkit.table()
            for name, entry in value.items():
                table.add(name, _inline(entry, lines=name == "layers"))
            document.add(key, table)
        else:
            document.add(key, value)
    return tomlkit.dumps(document)


def _inline(value: Any, lines: bool = False) -> Any:
    """Keep what is nested on one line, and a list of layers on one line each."""
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for key, entry in value.items():
            table.add(key, _inline(entry))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for entry in value:
            array.append(_inline(entry))
        return array.multiline(lines)
    return value


def save(recipe: Recipe, path: str | Path) -> None:
    """Write a recipe to a TOML file."""
    Path(path).write_text(dumps(recipe), encoding="utf-8")
