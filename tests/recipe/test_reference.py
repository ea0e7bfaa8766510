"""Every key is documented, and the page says what the models say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from surefoot.recipe.reference import markdown, sections

PAGE = Path(__file__).parents[2] / "docs" / "recipe.md"


@pytest.mark.parametrize("model", list(sections()), ids=lambda model: model.__name__)
def test_every_key_has_a_description(model):
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name}"
        assert "|" not in field.description


def test_every_section_is_in_the_reference():
    """Whatever a recipe can reach is among the sections that the reference tells of."""
    told, waiting = set(sections()), list(sections())
    while waiting:
        for model in _models_in([f.annotation for f in waiting.pop().model_fields.values()]):
            if model.model_fields and model not in told:
                raise AssertionError(model)


def _models_in(annotations):
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        else:
            yield from _models_in(get_args(annotation))


def test_every_key_is_on_the_page():
    lines = markdown().splitlines()
    for model in sections():
        for name in model.model_fields:
            assert any(line.startswith(f"| `{name}`") for line in lines), name


def test_the_page_is_up_to_date():
    # Made again by `make docs`: python -m surefoot.recipe.reference > docs/recipe.md
    assert PAGE.read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize(
    "row",
    [
        '| `name` | `"adam"` | `"adam"` | which update rule |',
        "| `beta2` * | number, ≥ 0, < 1 | `0.999` | β₂, of the mean of their squares |",
        "| `dropout` * | number, ≥ 0, < 1 | needed | the chance of a zero |",
        '| `batch_size` | whole number, ≥ 1 or `"full"` | `32` | rows per step, or "full" |',
        "| `clip_value` * | number, > 0 | – | largest entry of the gradient |",
    ],
)
def test_rows(row):
    assert row in markdown().splitlines()
