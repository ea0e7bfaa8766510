"""Early stopping: when, and which weights are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.recipe import EarlyStopping


class Stopping:
    """Watches one metric for each lane.

    A metric with "loss" or "rmse" in its name is better when lower, an accuracy when higher.
    Lanes without early stopping never stop, and their last weights are kept.
    """

    def __init__(self, rules: Sequence[EarlyStopping | None]) -> None:
        self._rules = rules
        self._best = np.full(len(rules), np.inf)
        self.best_epoch = np.zeros(len(rules), np.int64)
        self.stopped = np.zeros(len(rules), bool)

    @property
    def active(self) -> bool:
        """Whether any lane has early stopping."""
        return any(self._rules)

    def remembered(self) -> dict[str, NDArray[Any]]:
        """Return a copy of what is remembered, for `recall`."""
        remembered = {"best": self._best, "epoch": self.best_epoch, "stopped": self.stopped}
        return {name: array.copy() for name, array in remembered.items()}

    def recall(self, remembered: dict[str, NDArray[Any]]) -> None:
        """Go on from what was remembered."""
        self._best, self.best_epoch, self.stopped = (
            remembered[name].copy() for name in ("best", "epoch", "stopped")
        )

    def update(self, epoch: int, metrics: dict[str, NDArray[np.floating]]) -> NDArray[np.bool_]:
        """Take note of an epoch's metrics; return the lanes whose weights are the best so far."""
        improved = np.zeros(len(self._rules), bool)
        for lane, rule in enumerate(self._rules):
            if rule is None:
                improved[lane] = True
                continue
            if self.stopped[lane]:
                continue
            value = float(metrics[rule.monitor][lane])
            cost = -value if rule.monitor.endswith("accuracy") else value
            if cost < self._best[lane] - rule.minimum_change:
                self._best[lane] = cost
                self.best_epoch[lane] = epoch
                improved[lane] = True
            elif epoch - self.best_epoch[lane] >= rule.patience:
                self.stopped[lane] = True
        return improved


@jax.jit
def choose(mask: Any, new: Any, old: Any) -> Any:
    """Take the lanes that the mask names from ``new``, the others from ``old``."""

    def of(new: Any, old: Any) -> Any:
        return jnp.where(mask.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    return jax.tree.map(of, new, old)
