"""The base of every part of a recipe, and the split into structure and numbers.

A recipe is data: frozen, typed, bounded. Its fields are of two sorts. *Structure* (sizes, names,
switches) decides which program is compiled. *Numbers* (rates, shares, seeds) are traced values
of that program: recipes that differ in numbers alone are lanes of one cohort.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import cache
from numbers import Integral
from numbers import Real as RealNumber
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from surefoot.errors import nearest


class LaneNumber:
    """Marks a field whose value may differ between the lanes of one cohort."""


LANE_NUMBER = LaneNumber()


def refusal(reason: str, key: str | None = None) -> PydanticCustomError:
    """Build an error in our own words; ``key`` is the one of the checked table that is at fault."""
    return PydanticCustomError("refusal", "refused", {"reason": reason, "key": key})


def is_real(value: Any) -> bool:
    """Whether a value is a number, Python's or NumPy's; true and false are none."""
    return isinstance(value, RealNumber) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, Python's or NumPy's; true, false and 1.0 are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _to_float(value: Any) -> float:
    if not is_real(value):
        raise refusal("must be a number")
    try:
        return float(value)
    except OverflowError:
        raise refusal("must be a finite number") from None


def _to_int(value: Any) -> int:
    if not is_whole(value):
        raise refusal("must be a whole number")
    return operator.index(value)


Real = Annotated[float, BeforeValidator(_to_float), Field(allow_inf_nan=False)]
Integer = Annotated[int, BeforeValidator(_to_int)]
Switch = Annotated[bool, Field(strict=True)]
Number = Annotated[Real, LANE_NUMBER]
Positive = Annotated[Real, Field(gt=0), LANE_NUMBER]
NotNegative = Annotated[Real, Field(ge=0), LANE_NUMBER]
Share = Annotated[Real, Field(ge=0, le=1), LANE_NUMBER]
ShareBelowOne = Annotated[Real, Field(ge=0, lt=1), LANE_NUMBER]
# No name in a recipe is longer; beyond it nobody looks for what was meant.
LONGEST_NAME = 50
# Far above any use, far below where an int32 or a float64 would lose count.
MAX_COUNT = 1_000_000_000
Count = Annotated[Integer, Field(ge=1, le=MAX_COUNT)]
CountOrNone = Annotated[Integer, Field(ge=0, le=MAX_COUNT)]
Seed = Annotated[Integer, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    """A frozen table of a recipe; an unknown key is refused with the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in values:
                if key not in cls.model_fields:
                    raise unknown_key(key, cls.model_fields)
        return values


def tag(value: Any) -> str | None:
    """Return the name by which one of several tables is told, of a table or of its section."""
    return value.get("name") if isinstance(value, dict) else getattr(value, "name", None)


def by_name(default: str) -> BeforeValidator:
    """Let a table be given by its name alone; one without a name has the default's."""

    def with_name(value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and "name" not in value:
            return {"name": default, **value}
        return value

    return BeforeValidator(with_name)


def unknown_key(key: Any, allowed: Iterable[str], owner: str = "") -> PydanticCustomError:
    """Build the error for a key that a section does not have."""
    names = sorted(allowed)
    near = nearest(str(key)[:LONGEST_NAME], names)
    return refusal(
        f"unknown key{owner}{near} (allowed: {', '.join(names) or 'none'})",
        str(key),
    )


@cache
def _marked(annotation: Any) -> bool:
    return any(LANE_NUMBER in getattr(part, "__metadata__", ()) for part in get_args(annotation))


def is_lane_number(field: FieldInfo) -> bool:
    """Whether a field is a lane number, also where it may be absent (``Number | None``)."""
    return LANE_NUMBER in field.metadata or _marked(field.annotation)


@cache
def _fields(section: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    """Return each field's name, and whether it is a lane number: a study asks for every run."""
    return tuple((name, is_lane_number(field)) for name, field in section.model_fields.items())


def numbers(section: BaseModel) -> dict[str, Any]:
    """Return the lane numbers of a section as a tree of the section's own shape.

    Lists of sections become lists, so that ``numbers(net)["layers"][i]`` belongs to layer i.

    >>> from surefoot.recipe import Recipe
    >>> recipe = Recipe.parse({"net": {"layers": [{"dropout": 0.1}]}})
    >>> numbers(recipe.net)["layers"]
    [{'dropout': 0.1}]
    """
    tree: dict[str, Any] = {}
    for name, is_number in _fields(type(section)):
        value = getattr(section, name)
        if is_number:
            if value is not None:
                tree[name] = value
        elif isinstance(value, BaseModel):
            tree[name] = numbers(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            tree[name] = [numbers(item) for item in value]
    return tree


def structure(section: BaseModel) -> tuple[Any, ...]:
    """Return what is left of a section without its numbers: hashable, equal within a cohort."""
    parts: list[Any] = [type(section).__name__]
    for name, is_number in _fields(type(section)):
        value = getattr(section, name)
        if is_number:
            parts.append((name, value is not None))
        elif isinstance(value, BaseModel):
            parts.append((name, structure(value)))
        elif isinstance(value, tuple):
            parts.append(
                (name, tuple(structure(v) if isinstance(v, BaseModel) else v for v in value))
            )
        else:
            parts.append((name, value))
    return tuple(parts)
