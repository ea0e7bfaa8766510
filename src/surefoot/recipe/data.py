"""What to learn from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from surefoot.recipe.section import Count, NotNegative, Real, Section, Seed


class Data(Section):
    """The source, its split into training and validation rows, and what is done to the inputs."""

    source: str | None = Field(
        None, description="a built-in set or a file; none when arrays come from Python"
    )
    validation: Annotated[Real, Field(ge=0, lt=1)] = Field(
        0.2, description="share of the rows kept apart for validation"
    )
    # Runs that differ in seed alone are to be validated on the same rows.
    split_seed: Seed = Field(0, description="of the split, and of generated sets")
    shuffle_seed: Seed | None = Field(None, description="of the order of batches; default: seed")
    standardize: bool = Field(
        True, description="inputs to mean 0 and variance 1, fitted on the training rows"
    )
    standardize_targets: bool = Field(
        False, description="targets that are numbers to mean 0 and variance 1 within the loss"
    )
    impute: Literal["refuse", "mean", "median", "zero"] = Field(
        "refuse", description="what becomes of missing and infinite inputs"
    )
    rows: Count | None = Field(None, description="generated sets: how many rows")
    noise: Annotated[NotNegative, Field(le=100)] | None = Field(
        None, description="generated sets: standard deviation of the noise"
    )
