"""When the interpreter does not look for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let objects be made without a look for garbage among them.

    Modules, plans and traces are many small objects that stay. Each look goes through all that
    there are, JAX's included, which takes up to a tenth of a second.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
