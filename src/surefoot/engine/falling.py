"""The plateau schedule over lanes: whose rate falls after which epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.optim import plateau
from surefoot.recipe import Section


class FallingRates:
    """What each lane's learning rate is multiplied by; 1 where its schedule is no plateau.

    Args:
        schedules: of each lane.
        has_validation: whether there are validation rows: they are watched where there are.
    """

    def __init__(self, schedules: Sequence[Any], has_validation: bool) -> None:
        self._schedules: Sequence[Section] = schedules
        self._on = np.array([schedule.name == "plateau" for schedule in schedules])
        self._default = "validation_loss" if has_validation else "train_loss"
        self._state = plateau.init(len(schedules))
        self._scale = np.ones(len(schedules))
        self._factor = 1.0

    @property
    def active(self) -> bool:
        """Whether any lane has such a schedule."""
        return bool(self._on.any())

    def remembered(self) -> dict[str, NDArray[Any]]:
        """Return a copy of what is remembered, for `recall`."""
        own = {"rates": self._scale.copy(), "factor": np.array(self._factor)}
        return {**{name: array.copy() for name, array in self._state._asdict().items()}, **own}

    def recall(self, remembered: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what was remembered."""
        own = {name: array.copy() for name, array in remembered.items()}
        self._scale, self._factor = own.pop("rates"), float(own.pop("factor"))
        self._state = plateau.PlateauState(**own)

    def update(self, metrics: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Take an epoch's metrics in; return what each lane's rate is multiplied by."""
        values = [
            metrics[getattr(schedule, "monitor", None) or self._default][lane]
            for lane, schedule in enumerate(self._schedules)
        ]
        keys = {"factor": 1.0, "patience": 1, "minimum_change": 0.0, "cooldown": 0}
        numbers = {
            key: np.array([getattr(s, key, default) if on else default for s, on in self._each])
            for key, default in keys.items()
        }
        self._state, scale = plateau.update(self._state, values, **numbers)
        self._scale = np.where(self._on, scale, 1.0)
        return self._scale * self._factor

    def steer(self, factor: float) -> NDArray[np.float64] | None:
        """Multiply all rates by a factor beside that; return the scales where they change.

        >>> from surefoot.recipe import Recipe
        >>> recipe = Recipe.parse({"net": {"layers": [{"dense": 1}]}})
        >>> rates = FallingRates([recipe.schedule], has_validation=True)
        >>> rates.steer(1.0), rates.steer(0.5)
        (None, array([0.5]))
        """
        if factor == self._factor:
            return None
        self._factor = factor
        return self._scale * factor

    @property
    def _each(self) -> list[tuple[Any, bool]]:
        return list(zip(self._schedules, self._on.tolist(), strict=True))
