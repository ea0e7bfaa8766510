"""A folder of pictures from the command line: train, predict, and what is refused."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FEW = ("--epochs", "1", "--net", "mlp:4")


@pytest.fixture
def pets(folder):
    """A folder with two classes of six pictures of noise."""
    rng = np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        Path("pets", kind).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(f"pets/{kind}/{i}.png")
    return Path("pets")


def huge(path, side=30_000):
    """Write a valid PNG of as many pixels a side, in few bytes: all black, one bit a pixel."""

    def chunk(kind, content):
        parts = kind + content
        return struct.pack(">I", len(content)) + parts + struct.pack(">I", zlib.crc32(parts))

    packed = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    pixels = b"".join(packed.compress(row) for _ in range(side)) + packed.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_train_and_predict_raw_files(surefoot, pets):
    ended = surefoot("train", "pets", "--out", "run", *FEW)
    assert ended.code == 0, ended.err
    assert "target: 2 classes: cats 6, dogs 6" in ended.err.splitlines()
    assert "surefoot predict run 'FOLDER/*.jpg'" in ended.err
    predicted = surefoot("predict", "run", "pets/cats/*.png")
    header, *lines = predicted.out.splitlines()
    assert header == "file,prediction,p(cats),p(dogs)"
    assert [line.split(",")[0] for line in lines] == [f"pets/cats/{i}.png" for i in range(6)]


def refused(surefoot, *said):
    ended = surefoot("train", "pets", "--out", "run", *FEW)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert all(words in ended.err for words in said), ended.err
    assert not Path("run").exists()


def test_a_picture_of_30000_pixels_a_side_is_refused(surefoot, pets):
    huge(pets / "cats" / "huge.png")
    refused(surefoot, "'cats/huge.png' (900000000 pixels", "data.pictures.skip")


def test_truncated_pictures_are_named(surefoot, pets):
    whole = (pets / "cats" / "0.png").read_bytes()
    (pets / "cats" / "0.png").write_bytes(whole[: len(whole) // 2])
    refused(surefoot, "1 picture of 12", "'cats/0.png'")


def test_an_empty_class(surefoot, pets):
    (pets / "birds").mkdir()
    refused(surefoot, "'pets/birds' holds no pictures")


def test_one_class(surefoot, pets):
    for path in (pets / "dogs").iterdir():
        path.unlink()
    (pets / "dogs").rmdir()
    refused(surefoot, "one class only, 'cats'")


def test_links_that_lead_outside_are_named_and_not_followed(surefoot, pets):
    Image.new("RGB", (16, 16)).save("secret.png")
    os.symlink(os.path.abspath("secret.png"), pets / "cats" / "link.png")
    looked = surefoot("data", "pets")
    assert looked.code == 0
    assert "cats 6, dogs 6" in looked.out
    assert "1 link left out, 'cats/link.png'" in looked.out
