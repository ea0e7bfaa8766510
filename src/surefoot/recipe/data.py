"""What to learn from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from surefoot.recipe.section import LANE_NUMBER, Count, Real, Section, Seed, Switch, refusal


def _a_place(source: str) -> str:
    if not source or "\0" in source:
        raise refusal("must be the name of a built-in set or the path of a file")
    return source


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
    # Runs that differ in seed alone are to be validated on the same rows.
    split_seed: Seed = Field(0, description="seed of the split, and of generated sets")
    shuffle_seed: Annotated[Seed, LANE_NUMBER] | None = Field(
        None, description="seed of the order of batches; default: the recipe's seed"
    )
    standardize: Switch = Field(
        True, description="inputs to mean 0 and variance 1, fitted on the training rows"
    )
    standardize_targets: Switch = Field(
        False, description="targets that are numbers to mean 0 and variance 1 within the loss"
    )
    impute: Literal["refuse", "mean", "median", "zero"] = Field(
        "refuse", description="what becomes of missing and infinite inputs"
    )
    rows: Count | None = Field(None, description="generated sets: how many rows")
    noise: Annotated[Real, Field(ge=0, le=100)] | None = Field(
        None, description="generated sets: standard deviation of the noise"
    )
