"""What the lanes of a training carry from step to step, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.groups import Groups
from surefoot.engine.placement import place_lanes
from surefoot.engine.program import Prepared
from surefoot.engine.programs import Programs
from surefoot.engine.starting import first_weights
from surefoot.engine.step import LaneInput, LaneState
from surefoot.engine.stopping import choose

# It runs once, and fills memory for the most part.
_EFFORT = Effort.LEAST


class Carried(NamedTuple):
    """What lanes carry.

    Attributes:
        states: weights, running averages and what the update rule remembers.
        given: the numbers of their recipes.
        kept: the parameters and running averages that early stopping keeps, or None.
    """

    states: LaneState
    given: LaneInput
    kept: Any

    @property
    def weights(self) -> tuple[Any, Any]:
        """Parameters and running averages after the last step."""
        return self.states.params, self.states.state

    @property
    def averaged(self) -> tuple[Any, Any]:
        """Their means, where the recipe asks for them; else the same."""
        mean = self.states.average
        return self.weights if mean is None else (mean.params, mean.state)

    @property
    def chosen(self) -> tuple[Any, Any]:
        """Parameters and running averages that training leaves behind."""
        return self.averaged if self.kept is None else self.kept

    def keep(self, improved: Any) -> Carried:
        """Keep the weights of some lanes as they are now."""
        return self._replace(kept=choose(improved, self.averaged, self.kept))

    def scale_rates(self, scale: Any) -> Carried:
        """Multiply the learning rates of all lanes."""
        return self._replace(given=self.given._replace(rate_scale=scale))


class CarriedLanes:
    """All lanes of a training: those in groups on the device, and what those left that are gone.

    Attributes:
        parts: what each group carries.
    """

    def __init__(self, groups: Groups, parts: list[Carried]) -> None:
        self._groups = groups
        self.parts = parts
        self._gone: Carried | None = None

    def whole(self) -> Carried:
        """Return what all lanes carry, as NumPy arrays; of those that are gone what they had."""
        return self._groups.join(self.parts, into=self._gone)

    def compact(self, going: NDArray[np.bool_]) -> None:
        """Deal out the lanes that still train anew, where fewer groups hold them.

        No program is compiled for it, since groups keep their size, and the lanes that stay get
        the bits that they would have got.
        """
        if not self._groups.would_shrink(going):
            return
        whole = self._gone = self.whole()
        self._groups.deal(np.flatnonzero(going))
        self.parts = [self._groups.place(part) for part in self._groups.split(whole)]

    def keep(self, improved: NDArray[np.bool_]) -> None:
        """Keep the weights of some lanes as they are now."""
        chosen = zip(self.parts, self._groups.split(improved), strict=True)
        self.parts = [part.keep(self._groups.place(own)) for part, own in chosen]

    def scale_rates(self, scale: NDArray[np.floating]) -> None:
        """Multiply the learning rates of all lanes."""
        scale = scale.astype(self.parts[0].given.rate_scale.dtype)
        scaled = zip(self.parts, self._groups.split(scale), strict=True)
        self.parts = [part.scale_rates(self._groups.place(own)) for part, own in scaled]


class FirstParts:
    """What each group carries before its first step: described at once, and drawn later.

    A description is enough to trace programs by. Weights are drawn while those are compiled.

    Args:
        cohort: whose lanes they are.
        programs: of its blueprint.
        groups: what the lanes are dealt out to.
        start: the state of each lane to go on from; where nothing is given the lanes begin as
            their recipes say.
        epochs_before: how many epochs were trained before.

    Attributes:
        given: the numbers of each group's recipes.
        states: the shapes and types of a group's states, the same for all groups.
    """

    def __init__(
        self,
        cohort: Cohort,
        programs: Programs,
        groups: Groups,
        start: Sequence[LaneState] | None,
        epochs_before: int,
    ) -> None:
        self._groups = groups
        self.given = [
            groups.place(part) for part in groups.split(place_lanes(cohort, epochs_before))
        ]
        self._lanes: Iterator[Any] = iter(start or first_weights(cohort))
        self._first = next(self._lanes)
        self.states = groups.described(self._first)
        self._begin: Prepared | None = None
        if start is None:
            self._begin = programs.start.prepare(*self.states, self.given[0], layout=groups.layout)
            self.states = groups.layout.described(self._begin.out_shape)

    def draw(self, keep: bool) -> list[Carried]:
        """Return what each group carries.

        Args:
            keep: whether the weights are kept, as early stopping does.
        """
        stacked = jax.tree.map(lambda *lanes: np.stack(lanes), self._first, *self._lanes)
        states = [self._groups.place(part) for part in self._groups.split(stacked)]
        if self._begin is not None:
            begin = self._begin.compiled(_EFFORT)
            states = [begin(*own, part) for own, part in zip(states, self.given, strict=True)]
        parts = [Carried(*both, None) for both in zip(states, self.given, strict=True)]
        if not keep:
            return parts
        return [part._replace(kept=jax.tree.map(jnp.copy, part.averaged)) for part in parts]
