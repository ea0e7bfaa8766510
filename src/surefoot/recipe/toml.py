"""Recipes as TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from surefoot.errors import RecipeError
from surefoot.files import write_text
from surefoot.recipe.root import Recipe

# A recipe is read by people; one this large is a mistake, and is refused before it is parsed.
MAX_BYTES = 4_000_000


def read_table(path: str | Path) -> dict[str, Any]:
    """Read a TOML file into tables.

    Raises:
        RecipeError: no such file, not readable, or not TOML; with the line where it breaks.
    """
    try:
        # No more than is needed: a pipe or a device may have no end.
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file; give the path of a recipe") from None
    except IsADirectoryError:
        raise RecipeError(f"{path}: is a folder; give the path of a recipe") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecipeError(f"{str(path)!r}: cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise RecipeError(f"{path}: larger than {MAX_BYTES:,} bytes; this is no recipe")
    try:
        # Some editors put a byte order mark before the text.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path}: not a text in UTF-8 (at byte {error.start}); a recipe is a TOML file"
        ) from None
    except RecursionError:
        raise RecipeError(f"{path}: holds tables deeper than can be worked with") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None
    except ValueError:  # Python's bound on the digits of a number
        raise RecipeError(f"{path}: holds a number with too many digits") from None


def load(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file; a `RecipeError` names the file and the key."""
    return Recipe.parse(read_table(path), where=str(path))


def dumps(recipe: Recipe) -> str:
    """Write a recipe as TOML text; `load` reads it back into an equal recipe.

    >>> recipe = Recipe.parse({"net": {"layers": [{"dense": 8}, {"activation": "relu"}]}})
    >>> Recipe.parse(tomllib.loads(dumps(recipe))) == recipe
    True
    """
    return dumps_tables(recipe.to_dict())


def dumps_tables(tables: Mapping[str, Any]) -> str:
    """Write a recipe's tables, whole or some of their keys, as TOML text.

    >>> print(dumps_tables({"seed": 1, "optimizer": {"learning_rate": 0.1}}), end="")
    seed = 1
    <BLANKLINE>
    [optimizer]
    learning_rate = 0.1
    """
    import tomlkit

    document = tomlkit.document()
    for key, value in tables.items():
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
    """Write a recipe to a TOML file, whole or not at all; a `RunError` says why it cannot be."""
    write_text(Path(path), dumps(recipe))
