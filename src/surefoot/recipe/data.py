"""What to learn from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_serializer

from surefoot.recipe.layers import Pair
from surefoot.recipe.section import (
    LANE_NUMBER,
    Count,
    Integer,
    Positive,
    Real,
    Section,
    Seed,
    Switch,
    refusal,
)


def _a_place(source: str) -> str:
    if not source or "\0" in source:
        raise refusal("must be the name of a built-in set or the path of a file")
    return source


Treatment = Literal["numeric", "categorical", "boolean", "date", "text", "identifier", "drop"]


def _sorted_items(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Pictures(Section):
    """How pictures of many sizes and kinds become arrays of one shape."""

    size: Pair | None = Field(
        None, description="height and width, [64, 64]; default: the median, at most 64 × 64"
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description="of a picture of another shape: crop keeps its middle, pad all of it amid "
        "black, stretch distorts it",
    )
    color: Literal["auto", "grey", "rgb"] = Field(
        "auto",
        description="channels; auto: grey where every file is grey. Transparency lies on white",
    )
    skip: Annotated[Real, Field(ge=0, le=1)] = Field(
        0.01, description="share of pictures that may be unreadable and are left out"
    )


class Augment(Section):
    """Random changes of training pictures, fresh in every step, within the compiled step."""

    flip: Switch = Field(False, description="left for right, with chance 1/2")
    flip_vertical: Switch = Field(False, description="top for bottom, with chance 1/2")
    shift: Annotated[Integer, Field(ge=0, le=4096)] = Field(
        0, description="pixels by which a picture is moved at most, each way; zeros follow"
    )
    crop: Annotated[Real, Field(gt=0, le=1)] = Field(
        1.0, description="smallest share of height and width that a random cut keeps"
    )


class Data(Section):
    """The source, its split into training and validation rows, and what is done to the inputs."""

    source: Annotated[str, AfterValidator(_a_place)] | None = Field(
        None, description="a built-in set or a file; none when arrays come from Python"
    )
    validation: Annotated[Real, Field(ge=0, lt=1)] | Annotated[str, AfterValidator(_a_place)] = (
        Field(
            0.2, description="share of the rows kept apart for validation, or a source of its own"
        )
    )
    target: Annotated[tuple[str, ...], BeforeValidator(_names)] | None = Field(
        None, description="tables: the column, or columns, to predict"
    )
    columns: Annotated[tuple[tuple[str, Treatment], ...], BeforeValidator(_sorted_items)] = Field(
        (), description="tables: the treatment of columns, where it shall not be guessed"
    )
    categories: Literal["auto", "one_hot", "embedding"] = Field(
        "auto", description="tables: how categories become numbers; auto: by how many there are"
    )
    weight: str | None = Field(None, description="tables: the column with each row's weight")
    split: Literal["auto", "random", "stratified", "group", "time"] = Field(
        "auto", description="how validation rows are chosen; auto: stratified for classes"
    )
    split_column: str | None = Field(
        None, description="tables: whose values are kept together (group), or in order (time)"
    )
    stream: Switch | None = Field(
        None,
        description="tables and pictures: read training rows while training goes on; default: "
        "where they would take more than half of the free memory",
    )
    pictures: Pictures = Field(Pictures(), description="how pictures become arrays of one shape")
    augment: Augment = Field(Augment(), description="random changes of training pictures")
    # Runs that differ in seed alone are to be validated on the same rows.
    split_seed: Seed = Field(0, description="seed of the split, and of generated sets")
    shuffle_seed: Annotated[Seed, LANE_NUMBER] | None = Field(
        None, description="seed of the order of batches; default: the recipe's seed"
    )
    labelled: Count | None = Field(
        None,
        description="how many training rows keep their labels, chosen by split_seed; the others "
        "serve to scale the inputs and to pre-train; default: all",
    )
    standardize: Switch = Field(
        True, description="inputs to mean 0 and variance 1, fitted on the training rows"
    )
    clip: Positive | None = Field(
        None,
        description="arrays: inputs farther from the middle 90 % of a feature than so many times "
        "its width are cut there, fitted on the training rows; default: none is",
    )
    standardize_targets: Switch = Field(
        False, description="targets that are numbers to mean 0 and variance 1 within the loss"
    )
    impute: Literal["auto", "refuse", "mean", "median", "zero"] = Field(
        "auto",
        description="what becomes of missing and infinite inputs; auto: refused in arrays, in "
        "tables the median and an indicator",
    )
    rows: Count | None = Field(None, description="generated sets: how many rows")
    noise: Annotated[Real, Field(ge=0, le=100)] | None = Field(
        None, description="generated sets: standard deviation of the noise"
    )

    @field_serializer("columns")
    def _as_table(self, columns: tuple[tuple[str, Treatment], ...]) -> dict[str, str]:
        return dict(columns)

    @field_serializer("target")
    def _one_name(self, target: tuple[str, ...] | None) -> Any:
        return target[0] if target is not None and len(target) == 1 else target
