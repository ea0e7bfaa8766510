"""What checkpoints cost: the time of one, as a share of the seconds between two."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import surefoot as sf
from surefoot import saving
from surefoot.keeper import Keeper

# Nets of `make bench`: what they take in, and their hidden layers.
NETS = {
    "mlp 64-64-64-10": ((64,), [{"dense": 64}, {"dense": 64}], 32),
    "mlp 784-512-512-10": ((784,), [{"dense": 512}, {"dense": 512}], 128),
    "convnet 32×32×3": (
        (32, 32, 3),
        [
            layer
            for filters in (32, 64, 128)
            for layer in ({"conv": filters}, {"batch_norm": {}}, {"max_pool": 2})
        ]
        + [{"flatten": {}}],
        64,
    ),
}
# Of training: long enough for some checkpoints, which are asked for this often.
_SECONDS, _EVERY = 8.0, 1.0


class Cost(NamedTuple):
    """What the checkpoints of a net cost.

    Attributes:
        name: of the net.
        count: how many were written.
        blocked: seconds that training waited for one, on average.
        beside: seconds that the writing of one took beside training, on average.
    """

    name: str
    count: int
    blocked: float
    beside: float

    def share(self, every: float) -> float:
        """Return the share of all time, at one in so many seconds, if nothing went on beside."""
        return (self.blocked + self.beside) / every


def measure(folder: Path, name: str) -> Cost:
    """Train a net for some seconds with a checkpoint each second."""
    shape, hidden, batch = NETS[name]
    rng = np.random.default_rng(0)
    rows = 50 * batch
    np.savez(
        folder / "rows.npz",
        x=rng.standard_normal((rows, *shape), dtype=np.float32),
        y=rng.integers(0, 10, rows),
    )
    times: list[tuple[float, float]] = []
    started = time.monotonic()
    save, stop = saving.Saver.save, Keeper.stop

    def timed(self, take, about):
        save(self, take, about)
        blocked = self._blocked
        self.wait()
        times.append((blocked, self._background.seconds))

    share = saving._MOST_SHARE
    saving.Saver.save, saving._MOST_SHARE = timed, 1e9
    Keeper.stop = lambda self: time.monotonic() - started > _SECONDS
    try:
        started = time.monotonic()
        sf.train(
            folder / "rows.npz",
            net=[*hidden, {"dense": "classes"}, {"activation": "softmax"}],
            epochs=1_000_000,
            batch_size=batch,
            out=folder / name.replace(" ", "-"),
            checkpoints__every_seconds=_EVERY,
        )
    finally:
        saving.Saver.save, saving._MOST_SHARE, Keeper.stop = save, share, stop
    blocked, beside = np.mean(times, axis=0)
    return Cost(name, len(times), float(blocked), float(beside))
