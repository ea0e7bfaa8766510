"""Ways to damage a file, and cases that reach every region of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

# A file is cut into so many regions, small ones into one for each byte.
REGIONS = 64


class Case(NamedTuple):
    """One damage: what is done, to which of a file's bytes."""

    kind: str
    first: int
    end: int


def _flip(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    place = int(rng.integers(first, max(end, first + 1)))
    data[place] ^= 1 << int(rng.integers(8))
    return data


def _zero(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    data[first:end] = bytes(end - first)
    return data


def _noise(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    data[first:end] = rng.bytes(end - first)
    return data


def _truncate(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    return data[:first]


def _cut(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    return data[:first] + data[end:]


def _repeat(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    return data[:end] + data[first:]


def _digit(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    """Change one digit of a text to another: the file stays a good one of its kind."""
    digits = [i for i in range(first, end) if chr(data[i]).isdigit()]
    if not digits:
        return _flip(data, first, end, rng)
    place = int(rng.choice(digits))
    data[place] = ord("0") + (data[place] - ord("0") + int(rng.integers(1, 10))) % 10
    return data


def _huge(data: bytearray, first: int, end: int, rng: np.random.Generator) -> bytearray:
    """Put the largest length of eight bytes there."""
    data[first : first + 8] = b"\xff\xff\xff\xff\xff\xff\xff\x7f"[: len(data) - first]
    return data


KINDS: dict[str, Callable[[bytearray, int, int, np.random.Generator], bytearray]] = {
    "flip": _flip,
    "zero": _zero,
    "noise": _noise,
    "truncate": _truncate,
    "cut": _cut,
    "repeat": _repeat,
    "digit": _digit,
    "huge": _huge,
}


def cases(size: int, count: int) -> Iterator[Case]:
    """Yield so many cases for a file of some bytes, spread evenly over its regions."""
    regions = min(REGIONS, size)
    edges = np.linspace(0, size, regions + 1).astype(int).tolist()
    kinds = list(KINDS)
    steps = np.linspace(0, regions * len(kinds), count, endpoint=False).astype(int)
    for number, step in enumerate(steps.tolist()):
        # Each region in turn; over them the kinds shift, so that each meets each.
        region = step % regions
        kind = kinds[(step // regions + region + number) % len(kinds)]
        yield Case(kind, edges[region], edges[region + 1])


def damaged(data: bytes, case: Case, rng: np.random.Generator) -> bytes:
    """Return the bytes with the damage done."""
    return bytes(KINDS[case.kind](bytearray(data), case.first, case.end, rng))
