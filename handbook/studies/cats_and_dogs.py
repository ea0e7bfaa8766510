"""The running example: cats against dogs, pictures in folders, one sigmoid."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image, ImageDraw

import surefoot as sf
from handbook.study import Found
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "probability": lambda n: 0 <= n["lowest"] <= n["highest"] <= 1 and n["outputs"] == 1,
    "learns": lambda n: min(n["conv_accuracy"], n["dense_accuracy"]) > 0.8,
    "fewer": lambda n: n["conv_weights"] < n["dense_weights"] / 10,
}
_SIDE = 24
# The ground is dark and the fur is light, each of any hue.
_COLOURS = ((20, 110), (140, 236))
_NETS = {
    "dense": [{"flatten": {}}, {"dense": 32}, {"activation": "relu"}],
    "conv": [
        {"conv": 8},
        {"activation": "relu"},
        {"max_pool": 2},
        {"conv": 16},
        {"activation": "relu"},
        {"max_pool": 2},
        {"flatten": {}},
    ],
}


def animal(generator: np.random.Generator, dog: bool) -> Image.Image:
    """Draw a face somewhere in a picture: a cat's ears stand and are pointed, a dog's hang."""
    ground, fur = (tuple(int(v) for v in generator.integers(*ends, 3)) for ends in _COLOURS)
    picture = Image.new("RGB", (_SIDE, _SIDE), ground)
    draw = ImageDraw.Draw(picture)
    radius = int(generator.integers(4, 7))
    x, y = (int(v) for v in generator.integers(radius + 4, _SIDE - radius - 3, 2))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fur)
    for side in (-1, 1):
        outer = x + side * radius
        if dog:
            ear = [(outer - side, y - 3), (outer + 3 * side, y + 4), (outer, y + 5)]
        else:
            ear = [(outer, y - 1), (outer, y - radius - 4), (x + side, y - radius)]
        draw.polygon(ear, fill=fur)
        draw.point((x + side * radius // 2, y - 1), fill=(0, 0, 0))
    noise = generator.normal(0, 12, (_SIDE, _SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def draw_folder(folder: Path, each: int, seed: int = 0) -> None:
    """Fill a folder with `cat/` and `dog/`, so many pictures each."""
    generator = np.random.default_rng(seed)
    for kind in ("cat", "dog"):
        (folder / kind).mkdir(parents=True)
        for number in range(each):
            animal(generator, kind == "dog").save(folder / kind / f"{number:04d}.png")


def _train(folder: str, name: str, source: Path, epochs: int, seed: int) -> Any:
    return sf.train(
        str(source),
        net=[*_NETS[name], {"dense": 1}, {"activation": "sigmoid"}],
        loss="binary_cross_entropy",
        learning_rate=0.003,
        epochs=epochs,
        seed=seed,
        out=f"{folder}/{name}-{seed}",
    )


def measure(full: bool) -> Found:
    """Draw pictures of cats and dogs, and train on them as rows and as pictures."""
    each, epochs, seeds = (500, 15, 3) if full else (100, 10, 1)
    with tempfile.TemporaryDirectory() as folder:
        source, fresh = Path(folder, "animals"), Path(folder, "fresh")
        draw_folder(source, each)
        draw_folder(fresh, 20, seed=1)
        runs = {
            name: [_train(folder, name, source, epochs, seed) for seed in range(seeds)]
            for name in _NETS
        }
        found = {
            name: [run.metrics["validation"]["accuracy"] for run in own]
            for name, own in runs.items()
        }
        weights = {
            f"{name}_weights": sum(np.size(leaf) for leaf in jax.tree.leaves(own[0].model.params))
            for name, own in runs.items()
        }
        pictures = np.stack([np.asarray(Image.open(path)) for path in sorted(fresh.rglob("*.png"))])
        chances = runs["conv"][0].model.outputs(pictures)
        losses = {
            name: np.asarray(own[0].history["loss"], np.float64) for name, own in runs.items()
        }
    lines = []
    for role, (name, loss) in enumerate(losses.items()):
        parts = np.array_split(loss, min(60, len(loss)))
        steps = np.cumsum([len(part) for part in parts])
        lines.append(series(name, steps, [part.mean() for part in parts], role=role))
    title = "Cats against dogs: training loss of a dense and of a convolutional net"
    chart = plot("loss", title, axis("step", low=0), axis("training loss", "log"), lines)
    numbers = {
        "each": each,
        "side": _SIDE,
        "inputs": _SIDE * _SIDE * 3,
        "seeds": seeds,
        "dense_accuracy": float(np.mean(found["dense"])),
        "conv_accuracy": float(np.mean(found["conv"])),
        **weights,
        "outputs": chances.shape[1],
        "lowest": float(chances.min()),
        "highest": float(chances.max()),
    }
    return Found(numbers, {"": chart})
