"""Supervised pre-training: another run's layers, what is frozen, and each layer's rate."""

from __future__ import annotations

import math
import os
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model, field_serializer

from surefoot.errors import nearest
from surefoot.recipe.layers import LAYER_KINDS
from surefoot.recipe.section import CountOrNone, Section, is_real, is_whole, refusal

# Layers by their part in the net.
PARTS = ("hidden", "output")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)*|[0-9]+-[0-9]+")


def _selector(value: Any) -> str:
    text = str(value) if is_whole(value) else value
    if not isinstance(text, str):
        raise refusal(f"{value!r} must be a layer's number, such as 3, or a text")
    if _NUMBER.fullmatch(text) or text in (*PARTS, *LAYER_KINDS):
        return text
    raise refusal(
        f"{text!r} names no layers{nearest(text, [*PARTS, *LAYER_KINDS])}; give a number such as 3 "
        f'or "4.2", "1-4", a kind such as "dense", "hidden" or "output"'
    )


def _selectors(value: Any) -> Any:
    return tuple(_selector(own) for own in (value if isinstance(value, list | tuple) else [value]))


def _rates(value: Any) -> Any:
    if isinstance(value, tuple):
        return value
    if not isinstance(value, dict):
        raise refusal("must be a table of factors, such as {hidden = 0.1}")
    table = {_selector(name): factor for name, factor in value.items()}
    for name, factor in table.items():
        if not (is_real(factor) and 0 <= factor < math.inf):
            raise refusal("must be a finite number of at least 0", name)
    return tuple(sorted((name, float(factor)) for name, factor in table.items()))


def _folder(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


_From = create_model(  # a keyword of Python, which no class body takes for a name
    "_From",
    __base__=Section,
    **{
        "from": (
            Annotated[str, BeforeValidator(_folder)] | None,
            Field(None, description="the run whose layers training begins with, its folder"),
        )
    },
)


class Transfer(_From):
    """Begin with layers of another run, keep some as they are, and let others move less.

    Layers are named by number (`3`, `"4.2"`, `"1-4"`), by kind (`"dense"`), or as `"hidden"` (all
    but the output layer) and `"output"`.
    """

    layers: Annotated[tuple[str, ...], BeforeValidator(_selectors)] = Field(
        (),
        description="which layers to take; default: from the first on all that fit, but the last",
    )
    freeze: Annotated[tuple[str, ...], BeforeValidator(_selectors)] = Field(
        (), description="layers whose weights stay as they are"
    )
    thaw: CountOrNone | None = Field(
        None, description="after how many epochs frozen layers move as well; default: never"
    )
    rates: Annotated[tuple[tuple[str, float], ...], BeforeValidator(_rates)] = Field(
        (), description="what the updates of layers are multiplied by, {hidden = 0.1}"
    )

    @property
    def source(self) -> str | None:
        """The folder of the run whose layers are taken."""
        return getattr(self, "from")

    @field_serializer("rates")
    def _as_table(self, rates: tuple[tuple[str, float], ...]) -> dict[str, float]:
        return dict(rates)
