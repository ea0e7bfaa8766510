"""A picture file becomes the pixels that Pillow and NumPy say it has."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from surefoot.data.decode import MOST_PIXELS, Form, Unreadable, decode, decode_all, header, strict


@pytest.fixture(autouse=True)
def _as_in_the_pool():
    """Decode as the pools do: only Pillow's warning of large pictures counts, as an error."""
    with warnings.catch_warnings():
        strict()
        yield


def pixels_of(path: Path, form: Form) -> np.ndarray:
    """Decode a file into an array."""
    content, _ = decode(str(path), form)
    return np.frombuffer(content, np.uint8).reshape(form.height, form.width, form.channels)


RGB, GREY = Form(20, 30, 3, "crop"), Form(20, 30, 1, "crop")


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_formats_without_loss_keep_every_pixel(tmp_path, save, picture, suffix):
    given = picture(20, 30)
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"a.{suffix}", given, **options)
    np.testing.assert_array_equal(pixels_of(path, RGB), given)


def test_a_jpeg_of_the_right_size_is_what_pillow_decodes(tmp_path, save, picture):
    path = save(tmp_path / "a.jpg", picture(20, 30), quality=80)
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels_of(path, RGB), np.asarray(image))


def test_a_wrong_ending_does_not_matter(tmp_path, save, picture):
    path = save(tmp_path / "a.png", picture(20, 30))
    np.testing.assert_array_equal(pixels_of(path.rename(tmp_path / "b.jpg"), RGB), picture(20, 30))


def test_grey_and_color_into_each_other(tmp_path, save, picture):
    grey = picture(20, 30, channels=1)
    path = save(tmp_path / "grey.png", grey)
    np.testing.assert_array_equal(pixels_of(path, GREY), grey)
    np.testing.assert_array_equal(pixels_of(path, RGB), np.repeat(grey, 3, axis=2))
    color = picture(20, 30)
    path = save(tmp_path / "color.png", color)
    luma = color @ [0.299, 0.587, 0.114]  # ITU-R 601-2
    np.testing.assert_allclose(pixels_of(path, GREY)[..., 0], luma, atol=1)


def test_transparency_lies_on_white(tmp_path, save, picture):
    rgba = np.concatenate([picture(20, 30), picture(20, 30, 1, 1)], axis=2)
    alpha = rgba[..., 3:] / 255
    expected = rgba[..., :3] * alpha + 255 * (1 - alpha)
    path = save(tmp_path / "a.png", rgba)
    np.testing.assert_allclose(pixels_of(path, RGB), expected, atol=1.01)
    grey_alpha = tmp_path / "la.png"
    Image.fromarray(rgba[..., [0, 3]], "LA").save(grey_alpha)
    expected = rgba[..., :1] * alpha + 255 * (1 - alpha)
    np.testing.assert_allclose(pixels_of(grey_alpha, GREY), expected, atol=1.01)


@pytest.mark.parametrize("transparency", [None, 1, b"\xff\x00\x80"])
def test_palettes(tmp_path, save, transparency):
    places = np.arange(600, dtype=np.uint8).reshape(20, 30) % 3
    colors = np.array([[10, 20, 30], [200, 100, 0], [255, 255, 255]])
    image = Image.fromarray(places, "P")
    image.putpalette(colors.astype(np.uint8).tobytes())
    path = tmp_path / "p.png"
    image.save(path, **({} if transparency is None else {"transparency": transparency}))
    alpha = np.array({None: [1, 1, 1], 1: [1, 0, 1]}.get(transparency, [1, 0, 128 / 255]))
    expected = (colors * alpha[:, None] + 255 * (1 - alpha[:, None]))[places]
    np.testing.assert_allclose(pixels_of(path, RGB), expected, atol=1.01)


def test_sixteen_bits_keep_the_upper_eight(tmp_path, save):
    values = np.arange(600, dtype=np.uint16).reshape(20, 30) * 109
    path = tmp_path / "deep.png"
    Image.fromarray(values).save(path)
    np.testing.assert_array_equal(pixels_of(path, GREY)[..., 0], values >> 8)
    assert header(str(path)).grey


def test_one_bit_is_black_and_white(tmp_path, save):
    path = tmp_path / "bits.png"
    bits = np.arange(600).reshape(20, 30) % 2 == 0
    Image.fromarray(bits).save(path)
    np.testing.assert_array_equal(pixels_of(path, GREY)[..., 0], np.where(bits, 255, 0))


def test_cmyk_becomes_rgb(tmp_path, save, picture):
    path = tmp_path / "print.jpg"
    Image.fromarray(picture(20, 30)).convert("CMYK").save(path, quality=100)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        ink = np.asarray(image).astype(float)
    expected = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    np.testing.assert_allclose(pixels_of(path, RGB), expected, atol=2)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_pictures_are_turned_upright(tmp_path, save, picture, turn, suffix):
    exif = Image.Exif()
    exif[0x0112] = turn
    path = save(tmp_path / f"a.{suffix}", picture(20, 30), exif=exif)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    form = Form(*upright.shape[:2], 3, "crop")
    np.testing.assert_array_equal(pixels_of(path, form), upright)
    assert (header(str(path)).height, header(str(path)).width) == upright.shape[:2]
    # Turning before and after resizing differs by where rounding falls.
    half = Form(12, 10, 3, "crop")
    expected = ImageOps.fit(Image.fromarray(upright), (10, 12), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(pixels_of(path, half), np.asarray(expected), atol=8)


def test_damaged_exif_leaves_the_pixels(tmp_path, save, picture):
    path = save(tmp_path / "a.jpg", picture(20, 30), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels_of(path, RGB), np.asarray(image))


@pytest.mark.parametrize("size", [(40, 30), (21, 80), (10, 10), (7, 300), (20, 31)])
def test_crop_is_pillows_fit(tmp_path, save, picture, size):
    given = picture(*size)
    path = save(tmp_path / "a.png", given)
    expected = ImageOps.fit(Image.fromarray(given), (30, 20), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(pixels_of(path, RGB), np.asarray(expected), atol=3)


@pytest.mark.parametrize("size", [(40, 30), (21, 80), (10, 10), (300, 2)])
def test_pad_shows_all_of_it_in_the_middle_of_black(tmp_path, save, picture, size):
    given = np.maximum(picture(*size), 1)
    path = save(tmp_path / "a.png", given)
    result = pixels_of(path, Form(20, 30, 3, "pad"))
    scale = min(20 / size[0], 30 / size[1])
    inner = [max(1, round(side * scale)) for side in size]
    top, left = (20 - inner[0]) // 2, (30 - inner[1]) // 2
    shown = result[top : top + inner[0], left : left + inner[1]]
    expected = Image.fromarray(given).resize((inner[1], inner[0]), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(shown, np.asarray(expected), atol=3)
    assert result.astype(int).sum() == shown.astype(int).sum()


def test_stretch_ignores_the_shape(tmp_path, save, picture):
    given = picture(50, 40)
    path = save(tmp_path / "a.png", given)
    expected = Image.fromarray(given).resize((30, 20), Image.Resampling.BILINEAR)
    result = pixels_of(path, Form(20, 30, 3, "stretch"))
    np.testing.assert_allclose(result, np.asarray(expected), atol=3)


def test_a_large_jpeg_is_decoded_at_a_fraction_and_looks_the_same(tmp_path, save, picture):
    given = picture(800, 1200)
    path = save(tmp_path / "a.jpg", given, quality=95)
    expected = Image.fromarray(given).resize((30, 20), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(pixels_of(path, RGB), np.asarray(expected), atol=6)


def huge_png(side: int) -> bytes:
    """Return a PNG whose header promises side × side pixels, and that holds none."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9460, 15_000, 30_000])
def test_a_picture_too_large_is_refused_by_its_header(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(huge_png(side))
    for look in (header, lambda name: decode(name, RGB)):
        with pytest.raises(Unreadable, match=f"more than the {MOST_PIXELS:,} that are decoded"):
            look(str(path))


def test_what_cannot_be_read_has_a_reason(tmp_path, save, picture):
    save(tmp_path / "whole.png", picture(20, 30))
    whole = (tmp_path / "whole.png").read_bytes()
    save(tmp_path / "whole.jpg", picture(200, 300))
    jpeg = (tmp_path / "whole.jpg").read_bytes()
    contents = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"<html>not found</html>", "not a JPEG, PNG, WebP or BMP"),
        "cut.png": (whole[: len(whole) // 2], "truncated"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "gif.png": (b"GIF89a" + bytes(20), "not a JPEG"),
    }
    for name, (content, why) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unreadable, match=why):
            decode(str(tmp_path / name), RGB)
    with pytest.raises(Unreadable, match="No such file"):
        decode(str(tmp_path / "none.jpg"), RGB)


def test_damage_at_any_byte_is_a_picture_or_a_reason(tmp_path, save, picture):
    """Nothing but `Unreadable` leaves the decoder, whatever is in the file."""
    rng = np.random.default_rng(0)
    for suffix in ("jpg", "png", "bmp", "webp"):
        whole = save(tmp_path / f"a.{suffix}", picture(20, 30)).read_bytes()
        for _ in range(60):
            content = bytearray(whole)
            for place in rng.integers(0, len(content), 3):
                content[place] = rng.integers(0, 256)
            path = tmp_path / f"b.{suffix}"
            path.write_bytes(content[: rng.integers(1, len(content) + 1)])
            done = decode_all([str(path)], RGB)
            assert len(done.pixels) == RGB.bytes
