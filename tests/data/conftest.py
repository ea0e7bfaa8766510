"""Pictures that tests make, and a cache of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def _picture(height: int, width: int, seed: int = 0, channels: int = 3) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, channels), dtype=np.uint8)
    layers = [
        Image.fromarray(coarse[..., c]).resize((width, height), Image.Resampling.BILINEAR)
        for c in range(channels)
    ]
    return np.stack([np.asarray(layer) for layer in layers], axis=-1)


def _save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, **options)
    return path


@pytest.fixture(scope="session")
def picture() -> Callable[..., np.ndarray]:
    """Return smooth random pixels of a size: sharp ones would not survive JPEG."""
    return _picture


@pytest.fixture(scope="session")
def save() -> Callable[..., Path]:
    """Write a picture; its format follows from the path."""
    return _save


@pytest.fixture(scope="session")
def classes() -> Callable[..., Path]:
    """Write a folder with some PNG pictures for each class; every second class is brighter."""

    def write(
        root: Path, counts: dict[str, int], size: tuple[int, int] = (16, 16), first: int = 0
    ) -> Path:
        for number, (name, count) in enumerate(counts.items()):
            for i in range(count):
                dark = _picture(*size, seed=first + 1000 * number + i) // 2
                _save(root / name / f"{i:03}.png", dark + np.uint8(100 * (number % 2)))
        return root

    return write


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Keep decoded pictures out of the user's cache."""
    path = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))
    return path / "surefoot" / "pictures"
