"""How often a run's whole state is kept, to go on from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from surefoot.recipe.section import Count, Real, Section


class Checkpoints(Section):
    """Keep the state of training beside it: what a run that was killed goes on from."""

    # A minute is little to lose, and what it costs cannot be measured. Whatever is asked, as much
    # time passes between two as keeps their cost below a hundredth.
    every_seconds: Annotated[Real, Field(ge=0)] = Field(
        60.0, description="seconds between checkpoints, at least; 0: only when it is interrupted"
    )
    # The last may be the one that a broken disk spoils.
    keep: Annotated[Count, Field(le=1000)] = Field(
        2, description="how many of the last are kept; the best is kept beside them"
    )
    # Of a cyclic schedule with as many cycles they are the weights at the ends of these.
    snapshots: Annotated[Count, Field(le=1000)] | None = Field(
        None,
        description="how many of the run's weights stay in its folder, for an ensemble: at the "
        "ends of so many equal parts of the steps after the warm-up, each at the end of an epoch",
    )
