"""What a person sees while a network trains."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from surefoot.cli.findings import COLOURS
from surefoot.doctor.finding import Finding
from surefoot.engine.events import Block

# Without a terminal a line is written now and then, so that a log stays short.
_LINE_SECONDS = 5.0
_BARS = "▁▂▃▄▅▆▇█"
# The sparkline's width; it shows the whole run, so that neighbours are joined when it is full.
_WIDTH = 24


class Sparkline:
    """The loss from the beginning until now, in one line of bars.

    >>> line = Sparkline()
    >>> for loss in (8.0, 4.0, 2.0, 1.0):
    ...     line.add(loss)
    >>> str(line)
    '█▆▃▁'
    """

    def __init__(self, width: int = _WIDTH) -> None:
        self._width = width
        self._each = 1
        self._waiting: list[float] = []
        self._values: list[float] = []

    def add(self, value: float) -> None:
        """Take in the next value; what is not finite is left out."""
        if not np.isfinite(value):
            return
        self._waiting.append(value)
        if len(self._waiting) < self._each:
            return
        self._values.append(float(np.mean(self._waiting)))
        self._waiting.clear()
        if len(self._values) == 2 * self._width:
            pairs = np.reshape(self._values, (-1, 2))
            self._values = pairs.mean(axis=1).tolist()
            self._each *= 2

    def __str__(self) -> str:
        shown = self._values
        if len(shown) > self._width:  # so many that two fall on one bar
            pairs = [shown[i : i + 2] for i in range(0, len(shown), 2)]
            shown = [float(np.mean(pair)) for pair in pairs]
        return bars(shown)


def bars(values: Sequence[float]) -> str:
    """Return values as bars, on a logarithmic scale where all are positive.

    >>> bars([1.0, 10.0, 100.0]), bars([3.0]), bars([])
    ('▁▅█', '▁', '')
    """
    if not values:
        return ""
    heights = np.asarray(values, np.float64)
    heights = np.log(heights) if heights.min() > 0 else heights
    room = heights.max() - heights.min()
    share = (heights - heights.min()) / room if room > 0 else np.zeros(len(heights))
    return "".join(_BARS[round(one)] for one in share * (len(_BARS) - 1))


class _Pace:
    """How many steps were taken a second, over the last few seconds.

    >>> pace = _Pace()
    >>> pace.add(0, 10.0), pace.add(50, 10.5)
    (None, None)
    >>> pace.per_second
    100.0
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, float]] = deque(maxlen=16)

    def add(self, step: int, now: float) -> None:
        self._seen.append((step, now))

    @property
    def per_second(self) -> float:
        if len(self._seen) < 2 or self._seen[-1][1] <= self._seen[0][1]:
            return 0.0
        (first, began), (last, ended) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began)


class TrainingProgress:
    """A bar and two lines where there is a terminal, a line now and then where there is none.

    They are refreshed by time, eight times a second, not by steps: that costs nothing.

    Args:
        console: where to; nothing is shown where it is quiet.
        total_steps: how many there will be.
        epochs: how many there will be.
        measure: what is measured beside the loss: "accuracy" or "rmse".
    """

    def __init__(self, console: Console, total_steps: int, epochs: int, measure: str) -> None:
        self._console = console
        self._total = total_steps
        self._epochs = epochs
        self._measure = measure
        self._validation = ""
        self._rate = float("nan")
        self._line = Sparkline()
        self._pace = _Pace()
        self._newest: Finding | None = None
        self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[left]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=total_steps, epoch=f"0/{epochs}", left="")
        self._figures = Text("compiling…", overflow="ellipsis", no_wrap=True)
        self._finding = Text("", overflow="ellipsis", no_wrap=True)
        self._live = Live(
            Group(self._bar, self._figures), console=console, transient=True, refresh_per_second=8
        )

    def __enter__(self) -> TrainingProgress:
        if self._console.is_terminal and not self._console.quiet:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def found(self, finding: Finding) -> None:
        """Show the newest finding below the figures."""
        self._newest = finding
        since = f"newest finding: {finding.id}, since step {finding.since_step:,}"
        self._finding = Text(since, COLOURS[finding.severity], overflow="ellipsis", no_wrap=True)
        self._live.update(Group(self._bar, self._figures, self._finding))

    def block(self, block: Block) -> None:
        """Show the newest figures."""
        if block.validation is not None:
            value = float(block.validation.measure[0])
            shown = f"{value:.2%}" if self._measure == "accuracy" else f"{value:.4g}"
            self._validation = f"  validation {self._measure} {shown}"
        if len(block.rate):
            self._rate = float(block.rate[-1, 0])
        loss = float(np.mean(block.loss))
        done = block.first + len(block.loss)
        self._line.add(loss)
        self._pace.add(done, time.monotonic())
        epoch = f"{block.epoch}/{self._epochs}"
        speed = self._pace.per_second
        rate = "" if np.isnan(self._rate) else f"  rate {self._rate:.3g}"
        if self._live.is_started:
            per_second = f"{speed:,.0f} steps/s" if speed else ""
            self._bar.update(self._task, completed=done, epoch=epoch, left=per_second)
            text = f"loss {loss:.4g} {self._line}{self._validation}{rate}"
            self._figures.plain = text
        elif time.monotonic() - self._said > _LINE_SECONDS:
            self._said = time.monotonic()
            left = f"  {_duration((self._total - done) / speed)} left" if speed else ""
            self._console.print(f"epoch {epoch}  loss {loss:.4g}{self._validation}{rate}{left}")


def _duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds.

    >>> _duration(75), _duration(7322)
    ('1:15', '2:02:02')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
