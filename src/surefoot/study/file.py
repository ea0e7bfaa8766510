"""A study as a TOML file: a recipe with a table of what varies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from surefoot.errors import RecipeError, SurefootError
from surefoot.recipe.toml import read_table
from surefoot.study.command import study
from surefoot.study.results import Study

# What a study's file has beside [vary] and a recipe's sections.
_KEYS = ("seeds", "draws", "validated", "halving", "baseline")


def study_file(
    path: str | Path,
    *,
    out: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Study | None:
    """Do the study that a file asks for.

    Beside a recipe's sections it has a table ``[vary]``, and may have ``seeds``, a number of them
    or a list; ``draws``; ``validated``; ``halving``; and a table ``[baseline]``. `surefoot.study`
    tells what they mean.

    Args:
        path: of the TOML file.
        out: the study's folder; ``studies/SOURCE-N`` where nothing is given.
        tell: called with a line for people.

    Raises:
        RecipeError: the file cannot be read, or a key of it is wrong.
        DataError: the data cannot be used.
        RunError: the folder holds something else, or cannot be written.
    """
    tables = read_table(path)
    vary = tables.pop("vary", None)
    if vary is None:
        raise RecipeError(f"{path}: has no table [vary]; give it keys with lists of values")
    options: dict[str, Any] = {key: tables.pop(key) for key in _KEYS if key in tables}
    if not isinstance(options.get("validated", True), bool):
        raise RecipeError(f"{path}: validated = {options['validated']!r}: must be true or false")
    try:
        return study(tables, vary=vary, out=out, tell=tell, **options)
    except SurefootError as error:
        raise type(error)(f"{path}: {error}") from None
