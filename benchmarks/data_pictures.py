"""How fast pictures become an array: `python -m benchmarks.data_pictures`.

20,000 JPEGs of 64 × 64 in two folders, made for this. The peer is Pillow in a process pool over all
cores, from a list of paths to one array in memory; its pool is started within its time. Surefoot
goes from the folder's name to the array: it lists the folder, decodes, and writes its cache. Both
take turns; a ratio is the peer's time over Surefoot's of the same turn. The second reading, from
the cache, is timed as well.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from surefoot.data.pictures import PictureSource
from surefoot.recipe.data import Data

TARGET = 0.9


def make(folder: Path, count: int) -> None:
    """Write JPEGs of noise that was smoothed: about as large as photographs of their size."""
    rng = np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
    for i in range(count):
        coarse = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
        image.save(folder / ("cats", "dogs")[i % 2] / f"{i:05}.jpg", quality=85)


def decode(path: str) -> np.ndarray:
    """Decode a picture, as the peer does."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def peer(folder: Path) -> tuple[float, np.ndarray]:
    """Return the seconds that Pillow in a process pool takes, and what it read."""
    started = time.perf_counter()
    paths = sorted(str(path) for path in folder.glob("*/*.jpg"))
    # Forked: the fastest way to start a pool, and safe here, where no other thread runs.
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        array = np.stack(pool.map(decode, paths, chunksize=64))
    return time.perf_counter() - started, array


def ours(folder: Path) -> tuple[float, np.ndarray]:
    """Return the seconds that Surefoot takes, and what it read."""
    started = time.perf_counter()
    raw = PictureSource().read(Data(source=str(folder)))
    return time.perf_counter() - started, raw.x


def measure(count: int, turns: int) -> dict[str, float]:
    """Return median times, and the median of the ratios with their least and greatest."""
    theirs, first, again = [], [], []
    with tempfile.TemporaryDirectory() as place, mock.patch.dict(os.environ):
        folder = Path(place, "pictures")
        make(folder, count)
        expected = peer(folder)[1]  # files are in the system's memory from here on
        for turn in range(turns):
            os.environ["XDG_CACHE_HOME"] = str(Path(place, f"cache-{turn}"))
            theirs.append(peer(folder)[0])
            seconds, array = ours(folder)
            first.append(seconds)
            if not np.array_equal(array, expected):
                sys.exit("the pixels differ")
            again.append(ours(folder)[0])
    ratios = [a / b for a, b in zip(theirs, first, strict=True)]
    return {
        "pictures": count,
        "peer_seconds": statistics.median(theirs),
        "surefoot_seconds": statistics.median(first),
        "cached_seconds": statistics.median(again),
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "greatest": max(ratios),
        "target": TARGET,
    }


def main() -> None:
    """Print times and ratios; exit with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description="Decode pictures beside Pillow.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    given = parser.parse_args()
    result = measure(given.count, given.turns)
    if given.json:
        print(json.dumps(result))
    else:
        print(f"{given.count:,} JPEGs of 64 × 64, medians of {given.turns} turns")
        print(f"Pillow in a process pool   {result['peer_seconds']:.2f} s")
        print(f"Surefoot, first            {result['surefoot_seconds']:.2f} s")
        print(f"Surefoot, from its cache   {result['cached_seconds']:.2f} s")
        print(
            f"ratio                      {result['ratio']:.2f} "
            f"({result['least']:.2f}–{result['greatest']:.2f}), target {TARGET:g}"
        )
    sys.exit(result["ratio"] < TARGET)


if __name__ == "__main__":
    main()
