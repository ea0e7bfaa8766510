"""Validation errors as one line: the key, the value, what is allowed, the nearest name."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from surefoot.errors import RecipeError, nearest
from surefoot.recipe.layers import LAYER_KINDS
from surefoot.recipe.optimizer import RULES
from surefoot.recipe.schedule import SCHEDULES

# Steps of pydantic's path that name a member of a union, not a key of the recipe.
_UNION_MEMBERS = {*RULES, *SCHEDULES, "optax", "custom"}


def one_line(error: ValidationError, where: str) -> RecipeError:
    """Turn pydantic's account of what is wrong into one line.

    The first error is told in full, further ones are counted.
    """
    details = [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]
    first = details[0]
    key = _key(first["loc"])
    # Several errors about one key are the members of a union, each with its own refusal.
    reasons = [_reason(detail) for detail in details if _key(detail["loc"]) == key]
    reason = ", or ".join(dict.fromkeys(reasons)).replace(", or must be", ", or")
    text = f"{where}: {key}{_value(first)}: {reason}"
    others = len({_key(detail["loc"]) for detail in details} - {key})
    if others:
        text += f" (and {others} more key{'s' if others > 1 else ''} with errors)"
    return RecipeError(text)


def _is_echo(detail: Any) -> bool:
    """Whether a list was called too short only because its entries had been refused."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _key(loc: tuple[int | str, ...]) -> str:
    """Write pydantic's path as the key that a person typed: ``net.layers[2].dropout``."""
    key = ""
    previous: int | str | None = None
    for index, step in enumerate(loc):
        if isinstance(step, int):
            key += f"[{step}]"
        elif index and isinstance(previous, int) and step in LAYER_KINDS:
            pass  # the layer's tag; its key follows
        elif (
            step in _UNION_MEMBERS
            or step[0].isupper()
            or "[" in step
            or step in ("int", "float", "str", "bool", "constrained-int")
        ):
            continue
        else:
            key += f".{step}" if key else step
        previous = step
    return key or "the recipe"


def _value(detail: Any) -> str:
    value = detail["input"]
    if detail["type"] in ("missing", "unknown_key", "layer_kind"):
        return ""
    if isinstance(value, dict | list | tuple) and len(repr(value)) > 60:
        return ""
    return f" = {_toml_like(value)}"


def _toml_like(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _reason(detail: Any) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "missing":
            return "is missing; this key is needed"
        case "literal_error":
            names = [
                name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", ")
            ]
            return f"must be one of {', '.join(names)}{nearest(value, names)}"
        case "union_tag_invalid":
            names = [
                name.strip("'")
                for name in context["expected_tags"].split(", ")
                if name not in ("'custom'", "'optax'")
            ]
            name = context["tag"]
            return f"no such name {name!r}; must be one of {', '.join(names)}{nearest(name, names)}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "greater_than":
            return f"must be greater than {context['gt']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
        case "less_than":
            return f"must be less than {context['lt']:g}"
        case "finite_number":
            return "must be a finite number"
        case "int_type" | "int_from_float" | "int_parsing":
            return "must be a whole number"
        case "float_type" | "float_parsing":
            return "must be a number"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must be a table"
        case "union_tag_not_found":
            return "must be a name, or a table with a name"
        case "string_type":
            return "must be a text"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}"
        case "too_short":
            return f"needs at least {context['min_length']} entry"
        case "tuple_type" | "list_type":
            return "must be a list"
        case _:
            message = str(detail["msg"])
            return message.removeprefix("Value error, ").removeprefix("Input should be ")
