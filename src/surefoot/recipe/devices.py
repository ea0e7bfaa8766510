"""Over how many devices a run or a study is spread."""

from __future__ import annotations

from pydantic import Field

from surefoot.recipe.section import Count, Section


class Devices(Section):
    """The mesh of devices: its two axes; what is not said is chosen by the run itself."""

    lanes: Count | None = Field(
        None,
        description="devices that the lanes of a study are dealt out to, at most; default: as many "
        "as there are lanes for",
    )
    batch: Count | None = Field(
        None,
        description="devices that share the rows of each batch, which they divide; default: one, "
        "or all for a large batch of a single run",
    )
