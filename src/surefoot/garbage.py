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


@contextmanager
def loading() -> Iterator[None]:
    """Let modules be loaded without a look for garbage, and take all objects for old ones.

    Else the first look after it goes through all that was loaded, though it stays. Old objects are
    looked at when many more have become old. What somebody has frozen remains so.

    >>> young = []
    >>> with loading():
    ...     young.append([])
    >>> any(one is young for one in gc.get_objects(generation=2))
    True
    """
    with uncollected():
        yield
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
