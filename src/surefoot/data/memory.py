"""How much memory there is to work with."""

from __future__ import annotations


def free_bytes() -> int:
    """Return how many bytes of memory can be taken without swapping, caches of files included.

    >>> free_bytes() > 0
    True
    """
    import psutil

    return int(psutil.virtual_memory().available)
