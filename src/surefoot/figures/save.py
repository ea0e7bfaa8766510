"""Pictures into files."""

from __future__ import annotations

from pathlib import Path

from surefoot.figures.png import to_png
from surefoot.figures.scene import Scene
from surefoot.figures.svg import to_svg
from surefoot.files import write_whole

ENDINGS = (".png", ".svg")


def save(scene: Scene, to: Path) -> None:
    """Write a picture as PNG or SVG, as the file's ending says, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    data = to_png(scene) if to.suffix == ".png" else to_svg(scene).encode()
    write_whole(to, lambda temporary: _write(temporary, data))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
