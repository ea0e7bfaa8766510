"""Cats and dogs, with defaults, beside a usual loop: `python -m benchmarks.data_cats_dogs FOLDER`.

FOLDER holds ``train/`` and ``test/``, each with a folder a class; pictures are 64 × 64. The peer is
what a person writes in PyTorch: three conv blocks (16-32-64) with batch norm, ReLU and max-pooling,
dropout 0.5, flips, Adam at 1e-3, batches of 32, 12 epochs. Surefoot is its command line with
nothing but the folder and a seed. Each is a process of its own, they take turns, and its wall time
counts from start to end: importing, decoding, compiling, training, predicting.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TARGET = 0.74


def peer(folder: str, seed: int) -> float:
    """Train in PyTorch; return the accuracy on the test pictures."""
    import numpy as np
    import torch
    from PIL import Image
    from torch import nn

    def read(part: str) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = [], []
        for label, kind in enumerate(sorted(os.listdir(Path(folder, part)))):
            for path in sorted(Path(folder, part, kind).iterdir()):
                with Image.open(path) as image:
                    x.append(np.asarray(image.convert("RGB")))
                y.append(label)
        pictures = torch.from_numpy(np.stack(x)).permute(0, 3, 1, 2).contiguous()
        return pictures, torch.tensor(y)

    torch.manual_seed(seed)
    (x, y), (x_test, y_test) = read("train"), read("test")
    mean = x.float().mean((0, 2, 3), keepdim=True)
    std = x.float().std((0, 2, 3), keepdim=True)
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * 8 * 8, 2))
    rule = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(12):
        net.train()
        order = torch.randperm(len(x))
        for first in range(0, len(x), 32):
            rows = order[first : first + 32]
            batch = (x[rows].float() - mean) / std
            flipped = torch.rand(len(rows)) < 0.5
            batch[flipped] = batch[flipped].flip(3)
            rule.zero_grad()
            nn.functional.cross_entropy(net(batch), y[rows]).backward()
            rule.step()
    net.eval()
    with torch.no_grad():
        predicted = net((x_test.float() - mean) / std).argmax(1)
    return float((predicted == y_test).float().mean())


def time_peer(folder: str, seed: int) -> tuple[float, float]:
    """Return accuracy and seconds of the peer, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.data_cats_dogs", folder, "--peer", str(seed)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout), time.perf_counter() - started


def time_surefoot(folder: str, seed: int, cache: str) -> tuple[float, float]:
    """Return accuracy and seconds of `surefoot train`, with the caches of a first run, or not."""
    code = "from surefoot.cli.app import main; main()"
    with tempfile.TemporaryDirectory() as place:
        out = str(Path(place, "run"))
        command = [sys.executable, "-c", code, "train", folder, "--seed", str(seed), "--json"]
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--quiet", "--out", out],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        seconds = time.perf_counter() - started
    return json.loads(done.stdout)["metrics"]["validation"]["accuracy"], seconds


@dataclass(frozen=True)
class Measured:
    """Means over the seeds, and the median of the peer's time over Surefoot's of the same turn."""

    accuracy: float
    peer_accuracy: float
    ratio: float


def measure(folder: str, seeds: int) -> Measured:
    """Train both with each seed, taking turns; print each and the means."""
    ours, theirs = [], []
    for seed in range(seeds):
        theirs.append(time_peer(folder, seed))
        # Caches of its own: each run decodes and compiles.
        with tempfile.TemporaryDirectory() as cache:
            ours.append(time_surefoot(folder, seed, cache))
        for name, (accuracy, seconds) in (("PyTorch", theirs[-1]), ("Surefoot", ours[-1])):
            print(f"seed {seed}  {name:8}  {accuracy:7.1%}  {seconds:6.1f} s", flush=True)
    measured = Measured(
        statistics.mean(a for a, _ in ours),
        statistics.mean(a for a, _ in theirs),
        statistics.median(b / a for (_, a), (_, b) in zip(ours, theirs, strict=True)),
    )
    print(f"mean accuracy  PyTorch {measured.peer_accuracy:.1%}")
    print(f"mean accuracy  Surefoot {measured.accuracy:.1%} (target {TARGET:.0%})")
    print(f"PyTorch's time over Surefoot's, median of turns  {measured.ratio:.2f} (target 1)")
    return measured


def main() -> None:
    """Measure both; exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Train on cats and dogs beside PyTorch.")
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer is not None:
        print(peer(given.folder, given.peer))
        return
    measured = measure(given.folder, given.seeds)
    sys.exit(measured.accuracy < TARGET or measured.ratio < 1)


if __name__ == "__main__":
    main()
