"""What a source of data is, and what it hands over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from surefoot.recipe.data import Data, Pictures

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from surefoot.data.encoding import Encoding
    from surefoot.data.stream import Stream
    from surefoot.data.target import Target

Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False)
class Raw:
    """Rows as their source holds them: nothing checked, split, scaled or encoded.

    `x` is array-like, ``[n, features]``, ``[n, height, width]`` or ``[n, height, width,
    channels]``; `y` holds n labels or numbers, or a matrix ``[n, outputs]``. `x_val` and `y_val`
    are given together or not at all. `task` is what the source knows about its target; `None`
    leaves it to the values. `names` and `names_val` say which file each row is from, where each
    has one of its own; `notes` are lines about what was left out. `pictures` are the settings
    with which files became uint8 pictures, complete; `None` where x holds anything else. Where
    `stream` is set, x and y are a sample of the training rows, and the rest is read from there.
    """

    name: str
    x: Any
    y: Any
    x_val: Any = None
    y_val: Any = None
    task: Task | None = None
    names: Sequence[str] | None = None
    names_val: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    pictures: Pictures | None = None
    stream: Streamed | None = None


class Streamed(Protocol):
    """Training rows that do not fit in memory."""

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        ...

    def fit_target(self, sample: Any, task: Task | None) -> Target:
        """Recognize the target; classes are those of all rows.

        Args:
            sample: the sample's targets.
            task: what the loss needs, or the sample suggests.
        """
        ...

    def facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return facts about the sample, corrected to what is known of all rows."""
        ...

    def stream(self, encoding: Encoding | None, target: Target, dtype: DTypeLike) -> Stream:
        """Return the training rows, ready for the step."""
        ...


class Source(Protocol):
    """A kind of source. A new one is one file, and one line in `surefoot.data.registry`."""

    @property
    def supported(self) -> str:
        """What may stand as ``source``, for the message that refuses something else."""
        ...

    def accepts(self, source: str) -> bool:
        """Say whether this kind reads `source`, judged by its name and not by what it holds."""
        ...

    def read(self, data: Data) -> Raw:
        """Read ``data.source``, or raise `surefoot.errors.DataError`."""
        ...
