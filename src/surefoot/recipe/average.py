"""The mean of the weights over training, in place of the last ones: by name, with its numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from surefoot.recipe.section import (
    LANE_NUMBER,
    Count,
    Section,
    Share,
    ShareBelowOne,
    by_name,
    tag,
)


class _Average(Section):
    every: Annotated[Count, LANE_NUMBER] = Field(
        1, description="steps from one whose weights are taken to the next"
    )


class Exponential(_Average):
    """w̄ = Σ decayⁿ⁻ⁱ wᵢ / Σ decayⁿ⁻ⁱ over the n weights that were taken: the newest count most."""

    name: Literal["exponential"] = Field("exponential", description="which mean")
    decay: Annotated[ShareBelowOne, LANE_NUMBER] = Field(
        0.99, description="by which older weights count less; 1/(1 − decay) of them count"
    )
    start: Share = Field(0.0, description="share of all steps after which weights are taken")


class Stochastic(_Average):
    """w̄ = Σ wᵢ / n over the weights of the last part of the run: Izmailov and others 2018."""

    name: Literal["stochastic"] = Field("stochastic", description="which mean")
    # Their budget: three quarters of usual training, then the weights are taken.
    start: Share = Field(0.75, description="share of all steps after which weights are taken")


AVERAGES: dict[str, type[Section]] = {
    average.model_fields["name"].default: average for average in (Exponential, Stochastic)
}


Average = Annotated[
    Annotated[Exponential, Tag("exponential")] | Annotated[Stochastic, Tag("stochastic")],
    Discriminator(tag),
    by_name("exponential"),
]
