"""What the engine tells while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot.engine.snapshot import Snapshot

Array = NDArray[Any]


@dataclass(frozen=True)
class Validation:
    """What was measured on the validation rows after an epoch, a number for each lane."""

    loss: Array
    measure: Array


@dataclass(frozen=True)
class Block:
    """The steps of one dispatch.

    Attributes:
        epoch: which epoch they belong to, from 1.
        first: the number of the first of them, from 0.
        loss: of each step and lane, [steps, lanes].
        measure: accuracy, or rmse, of each step's batch, [steps, lanes].
        recorded: the numbers of the steps at which vital signs were taken, [records].
        rate: the learning rate there, [records, lanes].
        norm: the gradient's norm before clipping, [records, lanes].
        clipped_norm: and after it.
        vitals: [records, lanes, sites, `VITAL_COLUMNS`].
        validation: where the last step ended an epoch and there are validation rows.
        running: the lanes that were still training when the block began, [lanes].
        diverged: the step at which each lane diverged, −1 for none, [lanes].
    """

    epoch: int
    first: int
    loss: Array
    measure: Array
    recorded: Array
    rate: Array
    norm: Array
    clipped_norm: Array
    vitals: Array
    validation: Validation | None
    running: NDArray[np.bool_]
    diverged: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        epoch: int,
        first: int,
        loss: Array,
        measure: Array,
        recorded: Array,
        measured: Any,
        *,
        running: NDArray[np.bool_],
        diverged: NDArray[np.int32],
    ) -> Block:
        """Return a block without validation; `measured` may have room for more records."""
        number = len(recorded)
        return cls(
            epoch=epoch,
            first=first,
            loss=loss,
            measure=measure,
            recorded=recorded,
            rate=measured.rate[:number],
            norm=measured.norm[:number],
            clipped_norm=measured.clipped_norm[:number],
            vitals=measured.vitals[:number],
            validation=None,
            running=running,
            diverged=diverged,
        )

    def with_validation(self, validation: Validation) -> Block:
        """Return the block that ends an epoch."""
        return replace(self, validation=validation)

    def last_step(self, lane: int) -> int:
        """Return the step after the last one that this lane took within the block."""
        end = self.first + len(self.loss)
        return end if self.diverged[lane] < 0 else min(end, int(self.diverged[lane]) + 1)


class Listener(Protocol):
    """Who is told of each block, and may ask for an end."""

    def block(self, block: Block) -> None:
        """Take note of the steps of one dispatch."""

    def stop(self) -> bool:
        """Return whether training is to end at the next boundary."""


class Steering(Protocol):
    """A listener that may also ask for another learning rate."""

    def rate_factor(self) -> float:
        """Return what every lane's rate is multiplied by from the next dispatch on."""


def factor_of(listener: Listener) -> float:
    """Return what a listener multiplies the learning rate by; 1 where it does not."""
    steering: Steering | None = _as(listener, "rate_factor")
    return 1.0 if steering is None else steering.rate_factor()


class Keeping(Protocol):
    """A listener that may keep everything that a training is."""

    def boundary(self, snapshot: Callable[[], Snapshot]) -> None:
        """Take a snapshot, or not; called after each dispatch."""


def offer(listener: Listener, snapshot: Callable[[], Snapshot]) -> None:
    """Let a listener take a snapshot, where it is one that may want to."""
    keeping: Keeping | None = _as(listener, "boundary")
    if keeping is not None:
        keeping.boundary(snapshot)


class Choosy(Protocol):
    """A listener that says whether it looks at validation; one that does not say so looks."""

    looks_at_validation: bool


def looks_at_validation(listener: Listener) -> bool:
    """Return whether a listener wants to know what each epoch came to on the validation rows."""
    choosy: Choosy | None = _as(listener, "looks_at_validation")
    return True if choosy is None else choosy.looks_at_validation


class Waiting(Protocol):
    """A listener that has work of its own for the time of compilation."""

    def compiling(self) -> None:
        """Do it; called once, when all programs are being compiled."""


def offer_time(listener: Listener) -> None:
    """Let a listener use the time while programs are compiled, where it is one that may."""
    waiting: Waiting | None = _as(listener, "compiling")
    if waiting is not None:
        waiting.compiling()


def _as(listener: Any, method: str) -> Any:
    """Return a listener that has such a method; None for another.

    `isinstance` with a protocol takes ten times as long, which small nets notice in every epoch.
    """
    return listener if hasattr(listener, method) else None


class Silent:
    """A listener that takes no note and never asks for an end."""

    def block(self, block: Block) -> None:
        """Take no note."""

    def stop(self) -> bool:
        """Never."""
        return False


def epoch_metrics(
    measure: str,
    losses: NDArray[Any],
    measures: NDArray[Any],
    validation: Validation | None,
) -> dict[str, NDArray[Any]]:
    """Return what an epoch came to for each lane, under the names that may be monitored.

    Args:
        measure: "accuracy" or "rmse".
        losses: of each step and lane.
        measures: the same.
        validation: loss and measure over the validation rows, where there are any.
    """
    rmse = measure == "rmse"
    mean = np.sqrt(np.mean(measures**2, axis=0)) if rmse else np.mean(measures, axis=0)
    metrics = {"train_loss": np.mean(losses, axis=0), f"train_{measure}": mean}
    if validation is not None:
        metrics["validation_loss"] = validation.loss
        metrics[f"validation_{measure}"] = validation.measure
    return metrics
