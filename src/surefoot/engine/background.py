"""Work that goes on beside training, one piece at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Background:
    """A thread that writes while training goes on.

    What is started while something is still being written is skipped: the next boundary comes
    soon, and what would be queued would be old.

    >>> background = Background()
    >>> background.start(lambda: None)
    True
    >>> background.close()
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="surefoot-checkpoint")
        self._under_way: Future[None] | None = None
        self.seconds = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._under_way is not None and not self._under_way.done()

    def start(self, work: Callable[[], None]) -> bool:
        """Begin some work, unless other work goes on; return whether it was begun.

        ``seconds`` is how long the last work took.
        """
        if self.busy:
            return False

        def timed() -> None:
            started = time.monotonic()
            try:
                work()
            finally:
                self.seconds = time.monotonic() - started

        self._under_way = self._pool.submit(timed)
        return True

    def error(self) -> BaseException | None:
        """Return what the last work raised, once."""
        if self._under_way is None or not self._under_way.done():
            return None
        error, self._under_way = self._under_way.exception(), None
        return error

    def wait(self) -> None:
        """Wait until nothing is being written."""
        if self._under_way is not None:
            self._under_way.exception()

    def close(self) -> None:
        """Wait, and end the thread."""
        self._pool.shutdown(wait=True)
