"""Training without gradients: the numbers of a genetic algorithm and of evolution strategies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from surefoot.recipe.section import (
    LANE_NUMBER,
    Count,
    CountOrNone,
    Integer,
    NotNegative,
    Positive,
    Real,
    Section,
    Share,
    refusal,
)

# What the indices of individuals fit in with room to spare; memory is checked with the net.
_MOST = 1_000_000


class Evolution(Section):
    """A population of weights, varied and selected: for `train.method` other than `"gradient"`.

    `genetic` reads the keys from `selection` to `elite`, `evolution_strategy` those from
    `strategy` on; `population` is for both.
    """

    # Enough that selection is not by chance, few enough that two cores evaluate them in
    # milliseconds.
    population: Annotated[Integer, Field(ge=2, le=_MOST)] = Field(
        256, description="individuals in each generation"
    )
    selection: Literal["tournament", "truncation", "roulette"] = Field(
        "tournament", description="how parents are chosen"
    )
    tournament_size: Annotated[Count, Field(le=_MOST)] = Field(
        3, description="tournament: how many are drawn, of which the best is chosen"
    )
    parents: Annotated[Real, Field(gt=0, le=1), LANE_NUMBER] = Field(
        0.2, description="truncation: the share of the best that parents are drawn from"
    )
    crossover: Literal["uniform", "one_point", "blend", "none"] = Field(
        "uniform", description="how a child is made of two parents"
    )
    crossover_rate: Share = Field(0.7, description="share of children with two parents")
    mutation_rate: Share = Field(0.1, description="share of a child's weights that are changed")
    mutation_scale: NotNegative = Field(0.3, description="standard deviation of a change")
    # A fixed scale cannot settle: after 500 generations this is a twelfth of it.
    mutation_decay: Annotated[Real, Field(gt=0, le=1), LANE_NUMBER] = Field(
        0.995, description="what the scale is multiplied by in each generation"
    )
    elite: CountOrNone = Field(2, description="how many of the best go on unchanged")
    strategy: Literal["snes", "openai_es"] = Field(
        "snes", description="separable natural evolution strategy, or OpenAI's with Adam"
    )
    sigma: Positive = Field(
        0.1, description="σ, standard deviation of the population around the mean; snes: the first"
    )
    learning_rate: Positive | None = Field(
        None, description="η, of the mean; default: 1 for snes, 0.02 for openai_es"
    )

    @model_validator(mode="after")
    def _leaves_room_for_children(self) -> Evolution:
        if self.elite >= self.population:
            raise refusal(
                f"must be less than population, which is {self.population}: all others are "
                "children",
                "elite",
            )
        return self
