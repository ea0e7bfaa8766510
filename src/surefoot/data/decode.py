"""A picture file as pixels of one size.

This file imports nothing of Surefoot: it is also run by itself, as a worker process that decodes
pictures (see `surefoot.data.decoding`), and has to start at once.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from PIL import Image

# What Pillow is allowed to take a file for, whatever its name says.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
# Pillow's own limit for a picture that is no attack: 256 MiB in RGB. One that a header says is
# larger is never decoded.
MOST_PIXELS = 89_478_485

_ORIENTATION = 0x0112  # the EXIF tag
# What EXIF numbers 2 to 8 ask for; those from 5 on exchange height and width.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HOLDS_ORIENTATION = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}
# A JPEG is decoded at a fraction of its size where that leaves this many times the pixels a side
# that are needed: fewer would show after resizing.
_SPARE = 2


class Unreadable(Exception):
    """A file that is no picture, or not one that may be decoded; the message is the reason."""


@dataclass(frozen=True)
class Form:
    """What every picture becomes: uint8 ``[height, width, channels]``.

    `channels` is 1 (grey) or 3 (red, green, blue); `fit` as in ``data.pictures.fit``.
    """

    height: int
    width: int
    channels: int
    fit: str

    @property
    def bytes(self) -> int:
        """Return the size of one picture."""
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class Header:
    """What a picture's first bytes say: upright height and width, and whether it has no color."""

    height: int
    width: int
    grey: bool


def header(path: str) -> Header:
    """Read a picture's size and kind without decoding it.

    Raises:
        Unreadable: as `decode`.
    """
    with _opened(path) as image:
        width, height = image.size
        if _turn(image) >= 5:
            width, height = height, width
        return Header(height, width, _is_grey(image))


def decode(path: str, form: Form) -> tuple[bytes, bool]:
    """Return a picture's pixels, row by row, and whether the file itself is grey.

    It is turned upright as EXIF asks. Transparency is laid on white. 16-bit values keep their
    upper 8 bits, CMYK becomes RGB. Of an animation it is the first frame.

    Raises:
        Unreadable: no picture, damaged, truncated, or of more than `MOST_PIXELS`.
    """
    with _opened(path) as image:
        if image.format not in ("JPEG", "MPO"):
            image.load()  # PNG may keep its EXIF behind the pixels
        turn = _turn(image)
        size = (form.width, form.height) if turn < 5 else (form.height, form.width)
        if image.format in ("JPEG", "MPO") and image.size != size:
            image.draft(None, _least(image.size, size, form.fit))
        grey = _is_grey(image)
        result = _resized(_colored(image, "L" if form.channels == 1 else "RGB"), size, form.fit)
        if turn in _TURNS:
            result = result.transpose(_TURNS[turn])
        return result.tobytes(), grey


@contextmanager
def _opened(path: str) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise Unreadable(_too_large(f"{width} × {height}"))
            yield image
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(_too_large(str(error).split("(")[-1].split(" pixels")[0])) from None
    except Image.UnidentifiedImageError:
        empty = os.path.getsize(path) == 0
        raise Unreadable("empty" if empty else "not a JPEG, PNG, WebP or BMP") from None
    except OSError as error:
        raise Unreadable(error.strerror or _line(error)) from None
    # What a damaged or hostile file makes a decoder raise is not listed anywhere: struct.error,
    # SyntaxError, IndexError, MemoryError and more have been seen. One file is one result.
    except Exception as error:
        raise Unreadable(_line(error)) from None


def _too_large(size: str) -> str:
    return f"{size} pixels, more than the {MOST_PIXELS:,} that are decoded"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__


def _turn(image: Image.Image) -> int:
    if not _HOLDS_ORIENTATION & image.info.keys():
        return 1
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF is no reason to refuse the pixels
        return 1
    return turn if turn in _TURNS else 1


def _is_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La", "I") or image.mode.startswith("I;16")


def _colored(image: Image.Image, mode: str) -> Image.Image:
    """Return the picture in mode "L" or "RGB"."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        # Converted directly, Pillow would clip at 255.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
        image.info.pop("transparency", None)  # a single 16-bit grey that stands for nothing
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == mode else image.convert(mode)


def _scaled(given: tuple[int, int], wanted: tuple[int, int], fit: str) -> tuple[float, float]:
    """Return the size of the whole picture once it is resized, before it is cut or padded."""
    x, y = wanted[0] / given[0], wanted[1] / given[1]
    if fit == "stretch":
        return wanted
    scale = max(x, y) if fit == "crop" else min(x, y)
    return given[0] * scale, given[1] * scale


def _least(given: tuple[int, int], wanted: tuple[int, int], fit: str) -> tuple[int, int]:
    width, height = _scaled(given, wanted, fit)
    return max(1, int(width * _SPARE)), max(1, int(height * _SPARE))


def _resized(image: Image.Image, wanted: tuple[int, int], fit: str) -> Image.Image:
    if image.size == wanted:
        return image
    width, height = _scaled(image.size, wanted, fit)
    bilinear = Image.Resampling.BILINEAR  # over all pixels that a new one covers
    if fit != "pad":
        # The middle part of the picture that becomes the whole of the result.
        across, down = (
            image.width * (1 - wanted[0] / width) / 2,
            image.height * (1 - wanted[1] / height) / 2,
        )
        box = (across, down, image.width - across, image.height - down)
        return image.resize(wanted, bilinear, box, reducing_gap=_SPARE)
    inner = (min(wanted[0], max(1, round(width))), min(wanted[1], max(1, round(height))))
    canvas = Image.new(image.mode, wanted)  # black
    place = ((wanted[0] - inner[0]) // 2, (wanted[1] - inner[1]) // 2)
    canvas.paste(image.resize(inner, bilinear, reducing_gap=_SPARE), place)
    return canvas


@dataclass(frozen=True)
class Decoded:
    """Several pictures: their pixels one after another, zeros for those that are unreadable.

    `problems` has the place of each unreadable one and the reason; `color` says whether any of
    the others has color.
    """

    pixels: bytes
    problems: list[tuple[int, str]]
    color: bool


def decode_all(paths: Sequence[str], form: Form) -> Decoded:
    """Decode pictures one after another."""
    parts, problems, color = [], [], False
    for place, path in enumerate(paths):
        try:
            pixels, grey = decode(path, form)
            parts.append(pixels)
            color = color or not grey
        except Unreadable as error:
            parts.append(bytes(form.bytes))
            problems.append((place, str(error)))
    return Decoded(b"".join(parts), problems, color)


def strict() -> None:
    """Let Pillow's warning of a picture too large be an error, and its other ones be silent.

    To be called within `warnings.catch_warnings`, around all threads that decode: the filters are
    the process's own.
    """
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def write_at(file: int, content: bytes, offset: int) -> None:
    """Write all bytes at a place in a file.

    Raises:
        OSError: the disk is full, or fails.
    """
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def request(paths: Sequence[str], offset: int) -> str:
    """Return the line that asks a worker for pictures, to be written from `offset` on."""
    return json.dumps({"paths": list(paths), "offset": offset}) + "\n"


def arguments(form: Form, target: str) -> list[str]:
    """Return the arguments of a worker that writes to the file `target`."""
    return [json.dumps(asdict(form)), target]


def _work() -> None:
    """Answer each line of standard input, a request, with a line of standard output."""
    strict()
    form, file = Form(**json.loads(sys.argv[1])), os.open(sys.argv[2], os.O_RDWR)
    for line in sys.stdin:
        asked = json.loads(line)
        done = decode_all(asked["paths"], form)
        write_at(file, done.pixels, asked["offset"])
        print(json.dumps({"problems": done.problems, "color": done.color}), flush=True)


if __name__ == "__main__":
    _work()
