"""What a person sees while a network trains."""

from __future__ import annotations

import time
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from surefoot.engine.events import Block

# Without a terminal a line is written now and then, so that a log stays short.
_LINE_SECONDS = 5.0


class TrainingProgress:
    """A bar where there is a terminal, a line now and then where there is none.

    The bar is refreshed by time, ten times a second, not by steps: it costs nothing.
    """

    def __init__(self, console: Console, total_steps: int, epochs: int, measure: str) -> None:
        self._console = console
        self._epochs = epochs
        self._measure = measure
        self._validation = ""
        self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            refresh_per_second=10,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(
            "", total=total_steps, epoch=f"0/{epochs}", figures="compiling…"
        )

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def block(self, block: Block) -> None:
        """Show the newest figures."""
        if block.validation is not None:
            value = float(block.validation.measure[0])
            shown = f"{value:.2%}" if self._measure == "accuracy" else f"{value:.4g}"
            self._validation = f"  validation {self._measure} {shown}"
        epoch = f"{block.epoch}/{self._epochs}"
        figures = f"loss {float(np.mean(block.loss)):.4g}{self._validation}"
        if self._console.is_terminal:
            done = block.first + len(block.loss)
            self._bar.update(self._task, completed=done, epoch=epoch, figures=figures)
        elif time.monotonic() - self._said > _LINE_SECONDS:
            self._said = time.monotonic()
            self._console.print(f"epoch {epoch}  {figures}")
