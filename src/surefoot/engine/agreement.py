"""What the processes of a job tell each other beside the compiled step: short words, all by JAX.

Each function is called by all of them, in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jax.experimental import multihost_utils

from surefoot import errors
from surefoot.errors import InputError, SurefootError
from surefoot.processes import is_first, several

_SHORT = 1 << 16


def gather(own: bytes) -> list[bytes]:
    """Return what each process gave, of equal lengths."""
    given = np.frombuffer(own or b"\0", np.uint8)
    every = multihost_utils.process_allgather(given)
    return [row.tobytes() for row in np.reshape(every, (-1, len(given)))]


def agree(stop: bool, *numbers: float) -> tuple[Any, ...]:
    """Return whether any process wants to stop, and the first one's numbers.

    >>> agree(False, 0.25, 16)
    (False, 0.25, 16)
    """
    if not several():
        return (stop, *numbers)
    every = np.frombuffer(b"".join(gather(np.array([stop, *numbers], np.float64).tobytes())))
    table = every.reshape(-1, 1 + len(numbers))
    return (bool(table[:, 0].any()), *table[0, 1:].tolist())


def share_bytes(own: bytes) -> bytes:
    """Return the first process's bytes; those of the others do not matter."""
    length = int(np.frombuffer(gather(np.int64(len(own)).tobytes())[0], np.int64)[0])
    # A program is compiled for each length: few of them for what is short.
    short = length <= _SHORT
    whole = np.zeros(1 << max(6, (length - 1).bit_length()) if short else length, np.uint8)
    if is_first():
        whole[:length] = np.frombuffer(own, np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(whole))[:length].tobytes()


def once(function: Callable[[], Any]) -> Any:
    """Call a function in the first process alone; return its result, as JSON has it, in all.

    An error of Surefoot's is raised in all of them.

    >>> once(lambda: {"seeds": [0, 1]})
    {'seeds': [0, 1]}
    """
    if not several():
        return function()
    told: dict[str, Any] = {}
    if is_first():
        try:
            told = {"value": function()}
        except SurefootError as error:
            told = {"error": [type(error).__name__, str(error)]}
    told = json.loads(share_bytes(json.dumps(told).encode()))
    if "error" in told:
        kind, message = told["error"]
        raise getattr(errors, kind, SurefootError)(message)
    return told["value"]


def share_arrays(own: list[Any]) -> list[Any]:
    """Return the first process's arrays, whatever the others give."""
    facts = [[list(array.shape), str(array.dtype)] for array in map(np.asarray, own)]
    shared = json.loads(share_bytes(json.dumps(facts).encode()))
    found = []
    for i, (shape, dtype) in enumerate(shared):
        mine = np.ascontiguousarray(own[i]).tobytes() if is_first() else b""
        found.append(np.frombuffer(share_bytes(mine), dtype).reshape(shape).copy())
    return found


@contextmanager
def everybody() -> Iterator[None]:
    """Make something ready; go on where every process could.

    Raises:
        SurefootError: what hindered this process; or, where it could, who could not.
    """
    error: SurefootError | None = None
    try:
        yield
    except SurefootError as own:
        error = own
    if several():
        flags = gather(bytes([error is not None]))
        hindered = [str(number) for number, flag in enumerate(flags) if flag != b"\0"]
        if hindered and error is None:
            raise InputError(
                f"process {', '.join(hindered)} cannot take part, and said why; the job ends"
            )
    if error is not None:
        raise error
