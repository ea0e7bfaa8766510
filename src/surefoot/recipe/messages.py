"""Validation errors as one line: the key, the value, what is allowed, the nearest name."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from surefoot.errors import RecipeError, nearest
from surefoot.recipe.layers import LAYER_KINDS
from surefoot.recipe.section import LONGEST_NAME

# Pydantic and JAX work on nested layers by recursion; a net of more blocks within blocks than
# this is a mistake.
MAX_DEPTH = 60


def too_deep(values: Any) -> str | None:
    """Return the section that holds tables or lists nested deeper than `MAX_DEPTH`, if any does.

    >>> too_deep({"net": {"layers": [{"dense": 8}]}}) is None
    True
    """
    waiting = [(values, 0, "the recipe")]
    while waiting:
        value, depth, section = waiting.pop()
        if depth > MAX_DEPTH:
            return section
        if isinstance(value, Mapping):
            waiting += [(v, depth + 1, section if depth else str(k)) for k, v in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(entry, depth + 1, section) for entry in value]
    return None


def one_line(error: ValidationError, where: str) -> RecipeError:
    """Turn pydantic's account of what is wrong into one line.

    The first error is told in full, further ones are counted.
    """
    details = [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]
    place = _place(details[0])
    # Several errors about one key are the members of a union, each with its own refusal.
    same = [_reason(detail) for detail in details if _place(detail) == place]
    reason = ", or ".join(dict.fromkeys(text for text, _ in same)).replace(", or must be", ", or")
    hint = next((hint for _, hint in same if hint), "")
    key, value, layer = place
    what = _shorten(f"{key}{value}{layer}" if key else f"the recipe{value}", 200)
    text = f"{where}: {what}: {reason}{hint}"
    others = len({_place(detail) for detail in details} - {place})
    if others:
        text += f" (and {others} more key{'s' if others > 1 else ''} with errors)"
    return RecipeError(text)


def _is_echo(detail: Any) -> bool:
    """Whether a list was called too short only because its entries had been refused."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _place(detail: Any) -> tuple[str, str, str]:
    """Return the key that a person typed, its value, and the layer that it belongs to.

    Such as ``net.layers[2].dropout``, `` = 1.5`` and `` (layer 3, dropout)``.
    """
    key, numbers, kind = "", [], ""
    loc = detail["loc"]
    for index, step in enumerate(loc):
        if isinstance(step, int):
            key += f"[{step}]"
            numbers.append(str(step + 1))
            kind = ""
        elif index and isinstance(loc[index - 1], int) and step in LAYER_KINDS:
            kind = step  # the layer's tag; its key follows
        elif index == 1 and loc[0] in ("optimizer", "schedule", "average"):
            continue  # the name of the rule or the schedule, or of a class
        elif not _names_a_type(step):
            key += f".{step}" if key else step
    layer = f" (layer {'.'.join(numbers)}{', ' * bool(kind)}{kind})" if numbers else ""
    value = detail["input"]
    # What is wrong may be one key of the table that was looked at.
    inner = detail.get("ctx", {}).get("key")
    if detail["type"] == "union_tag_invalid":
        inner = "name"
    if inner is not None:
        key += ("." if key else "") + _bare(inner)
        # A key that is not there has a default.
        value = value.get(inner) if isinstance(value, Mapping) else None
    shown = "" if value is None or detail["type"] == "missing" else f" = {_toml_like(value)}"
    return key, shown, layer


def _names_a_type(step: str) -> bool:
    """Whether a step of pydantic's path is a member of a union, and no key."""
    return "[" in step or step in ("int", "constrained-int")


def _bare(key: Any) -> str:
    """Write a key as its author would: in quotes only where TOML needs them."""
    return str(key) if re.fullmatch(r"[\w-]+", str(key)) else _toml_like(str(key))


def _toml_like(value: Any) -> str:
    """Write a value as its author would, at most about 60 characters long."""
    match value:
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 256:
            return f"a number of about {round(value.bit_length() * 0.30103)} digits"
        case str():
            quoted = json.dumps(value[:200], ensure_ascii=False)
            text = quoted if quoted.isprintable() else repr(value[:200])
        case Mapping():
            entries = [
                f"{_bare(key)} = {_toml_like(entry)}" for key, entry in list(value.items())[:20]
            ]
            text = f"{{{', '.join(entries)}}}"
        case list() | tuple():
            text = f"[{', '.join(_toml_like(entry) for entry in value[:20])}]"
        case datetime.date() | datetime.time():
            text = value.isoformat()
        case _:
            text = " ".join(repr(value).split())
    return _shorten(text, 60)


def _shorten(text: str, limit: int) -> str:
    """Cut the middle out of a long text: both ends of a key say where it is."""
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def _reason(detail: Any) -> tuple[str, str]:
    """Return what is wrong, and the nearest valid name if there is one."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "refusal":
            return context["reason"], ""
        case "missing":
            return "is missing; this key is needed", ""
        case "literal_error":
            names = re.findall(r"'([^']*)'", context["expected"])
            allowed = f"one of {', '.join(names)}" if len(names) > 1 else f'"{names[0]}"'
            return f"must be {allowed}", nearest(_text(value), names)
        case "union_tag_invalid":
            tags = re.findall(r"'([^']*)'", context["expected_tags"])
            names = [name for name in tags if name not in ("custom", "optax")]
            more = ' or "optax." and an optimizer of Optax' if "optax" in tags else ""
            name = value.get("name") if isinstance(value, Mapping) else value
            return f"must be one of {', '.join(names)}{more}", nearest(_text(name), names)
        case "greater_than_equal":
            return f"must be at least {_plain(context['ge'])}", ""
        case "greater_than":
            return f"must be greater than {_plain(context['gt'])}", ""
        case "less_than_equal":
            return f"must be at most {_plain(context['le'])}", ""
        case "less_than":
            return f"must be less than {_plain(context['lt'])}", ""
        case "too_short":
            return f"needs at least {context['min_length']} entry", ""
        case "union_tag_not_found":
            return "must be a name, or a table with a name", ""
        case _:
            return _BY_KIND.get(kind, "has a value that is not allowed here"), ""


_BY_KIND = {
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "model_type": "must be a table",
    "string_type": "must be a text",
    "string_unicode": "must be a text without broken characters",
    "tuple_type": "must be a list",
}


def _text(value: Any) -> str:
    return value[:LONGEST_NAME] if isinstance(value, str) else ""


def _plain(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"
