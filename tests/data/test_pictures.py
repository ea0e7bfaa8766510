"""Folders of pictures as a source: pixels, labels, names; kept on disk, and made anew in time."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot.data import decoding, load
from surefoot.data.dataset import gather
from surefoot.data.pictures import PictureSource
from surefoot.errors import DataError
from surefoot.recipe.data import Data

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cats-dogs"

pytestmark = pytest.mark.usefixtures("cache")


def read(root: Path, **settings):
    """Read a folder with some of ``data.pictures``."""
    return PictureSource().read(Data(source=str(root), pictures=settings))


def test_rows_are_sorted_by_class_and_file(tmp_path, classes):
    root = classes(tmp_path / "data", {"dogs": 3, "cats": 2})
    raw = read(root)
    assert raw.names == [
        *(f"cats/{i:03}.png" for i in range(2)),
        *(f"dogs/{i:03}.png" for i in range(3)),
    ]
    assert raw.y.tolist() == ["cats"] * 2 + ["dogs"] * 3
    assert raw.x.dtype == np.uint8
    for pixels, name in zip(raw.x, raw.names, strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(root / name)))
    assert raw.pictures.size == (16, 16)
    assert raw.pictures.color == "rgb"


def test_test_pictures_are_rows_for_validation(tmp_path, classes):
    classes(tmp_path / "data" / "train", {"a": 3, "b": 2})
    classes(tmp_path / "data" / "test", {"a": 1, "b": 2}, first=100)
    dataset = load(Data(source=str(tmp_path / "data")), images=True)
    assert (len(dataset.x_train), len(dataset.x_val)) == (5, 3)
    assert dataset.y_val.tolist() == [0, 1, 1]
    assert dataset.names_val[0] == "test/a/000.png"
    assert dataset.target.classes == ("a", "b")


def test_a_split_keeps_names_and_rows_together(tmp_path, classes):
    root = classes(tmp_path / "data", {"a": 10, "b": 10})
    dataset = load(Data(source=str(root), validation=0.3), images=True)
    for x, y, names in (
        (dataset.x_train, dataset.y_train, dataset.names_train),
        (dataset.x_val, dataset.y_val, dataset.names_val),
    ):
        for pixels, label, name in zip(x, y, names, strict=True):
            assert name.startswith("ab"[label])
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(root / name)))
    assert len(dataset.names_val) == 6


@pytest.mark.parametrize("images", [True, False])
def test_channels_are_scaled_by_the_training_pictures(tmp_path, classes, images):
    root = classes(tmp_path / "data", {"a": 10, "b": 10})
    weights = np.arange(20.0)
    for given in (None, weights):
        dataset = load(Data(source=str(root)), images=images, sample_weight=given)
        pixels = dataset.x_train.reshape(len(dataset.x_train), -1, 3).astype(np.float64)
        own = None if given is None else given[dataset.train_rows]
        mean = np.average(pixels.mean(axis=1), axis=0, weights=own)
        scale = np.sqrt(np.average(((pixels - mean) ** 2).mean(axis=1), axis=0, weights=own))
        np.testing.assert_allclose(dataset.preprocessing.mean, mean, rtol=1e-12)
        np.testing.assert_allclose(dataset.preprocessing.scale, scale, rtol=1e-9)
    assert dataset.scaled_in_step
    assert dataset.x_train.dtype == np.uint8
    assert dataset.feature_shape == ((16, 16, 3) if images else (768,))


def test_a_constant_channel_keeps_scale_one(tmp_path, save):
    for name in ("a", "b"):
        for i in range(2):
            save(tmp_path / "data" / name / f"{i}.png", np.full((4, 4, 3), 200, np.uint8))
    fitted = load(Data(source=str(tmp_path / "data")), images=True).preprocessing
    assert fitted.mean.tolist() == [200, 200, 200]
    assert fitted.scale.tolist() == [1, 1, 1]


def test_size_and_color_follow_from_the_pictures(tmp_path, picture, save):
    for i, (height, width) in enumerate([(30, 20), (31, 20), (40, 90), (8, 10)]):
        save(tmp_path / "data" / "ab"[i % 2] / f"{i}.png", picture(height, width, i, channels=1))
    raw = read(tmp_path / "data")
    assert raw.x.shape == (4, 30, 20, 1)
    assert raw.pictures.color == "grey"
    assert read(tmp_path / "data", color="rgb", size=12).x.shape == (4, 12, 12, 3)
    save(tmp_path / "data" / "a" / "large.png", picture(500, 900))
    raw = read(tmp_path / "data")
    assert (raw.pictures.size, raw.pictures.color) == ((31, 20), "rgb")


def test_one_picture_with_color_is_found_among_many(tmp_path, picture, save, monkeypatch):
    monkeypatch.setattr("surefoot.data.pictures._SAMPLED", 2)
    for i in range(6):
        save(tmp_path / "data" / "ab"[i % 2] / f"{i}.png", picture(8, 8, i, 3 if i == 2 else 1))
    raw = read(tmp_path / "data")
    assert raw.pictures.color == "rgb"
    assert raw.x.shape == (6, 8, 8, 3)
    np.testing.assert_array_equal(raw.x[raw.names.index("a/2.png")], picture(8, 8, 2))


def test_unreadable_pictures_are_named_and_left_out_up_to_a_limit(tmp_path, classes):
    root = classes(tmp_path / "data", {"a": 6, "b": 4})
    (root / "a" / "003.png").write_bytes(b"")
    (root / "b" / "003.png").write_bytes(b"no picture")
    with pytest.raises(
        DataError, match=r"^2 pictures of 10 .* more than data.pictures.skip = 0.01"
    ):
        read(root)
    raw = read(root, skip=0.2)
    assert raw.notes == (
        f"2 pictures of 10 in '{root}' left out: 'a/003.png' (empty), 'b/003.png' (not a JPEG, "
        "PNG, WebP or BMP)",
    )
    assert raw.names == [f"a/{i:03}.png" for i in (0, 1, 2, 4, 5)] + [
        f"b/{i:03}.png" for i in range(3)
    ]
    for pixels, name in zip(raw.x, raw.names, strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(root / name)))


def test_a_class_that_cannot_be_read_at_all(tmp_path, classes):
    root = classes(tmp_path / "data", {"a": 3, "b": 1})
    (root / "b" / "000.png").write_bytes(b"")
    with pytest.raises(DataError, match="no picture of the class 'b' can be read"):
        read(root, skip=1)
    for path in (root / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^4 pictures of 4"):
        read(root, skip=1)


@pytest.mark.parametrize("key", ["rows", "noise", "target", "weight", "split_column"])
def test_keys_for_other_sources_are_refused(tmp_path, classes, key):
    root = classes(tmp_path / "data", {"a": 1, "b": 1})
    value = "x" if key in ("target", "weight", "split_column") else 1
    with pytest.raises(DataError, match=f"data.{key} is not for pictures"):
        PictureSource().read(Data(source=str(root), **{key: value}))


def test_another_folder_for_validation_gets_the_same_size(tmp_path, classes, save, picture):
    root = classes(tmp_path / "data", {"a": 2, "b": 2})
    other = classes(tmp_path / "other", {"a": 1, "b": 1}, size=(40, 30))
    raw = gather(Data(source=str(root), validation=str(other)))
    assert raw.x_val.shape == (2, 16, 16, 3)
    assert raw.names_val == ["a/000.png", "b/000.png"]


class TestCache:
    """What was decoded is kept, and used for just these files."""

    @pytest.fixture
    def root(self, tmp_path, classes) -> Path:
        return classes(tmp_path / "data", {"a": 5, "b": 5})

    @pytest.fixture
    def decoded(self, monkeypatch) -> list[int]:
        """Count the pictures that are decoded."""
        counts: list[int] = []
        into = decoding.decode_into

        def counting(path, start, files, form):
            counts.append(len(files))
            return into(path, start, files, form)

        monkeypatch.setattr(decoding, "decode_into", counting)
        return counts

    def test_pictures_are_decoded_once(self, root, decoded, cache):
        first, second = read(root), read(root)
        assert decoded == [10]
        np.testing.assert_array_equal(first.x, second.x)
        assert isinstance(second.x, np.memmap)
        assert not second.x.flags.writeable
        (folder,) = cache.iterdir()
        assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".npy"]

    def test_settings_have_places_of_their_own(self, root, decoded):
        read(root, size=8)
        read(root, size=12)
        assert read(root, size=8).x.shape == (10, 8, 8, 3)
        read(root, size=8, skip=0.5)
        assert decoded == [10, 10]

    @pytest.mark.parametrize("change", ["add", "remove", "modify", "touch", "rename"])
    def test_changed_files_are_decoded_anew(self, root, decoded, picture, save, cache, change):
        read(root)
        path = root / "a" / "002.png"
        if change == "add":
            save(root / "a" / "009.png", picture(16, 16, 77))
        elif change == "remove":
            path.unlink()
        elif change == "modify":
            save(path, picture(16, 16, 77))
        elif change == "touch":
            os.utime(path, ns=(1, 1))
        else:
            path.rename(root / "a" / "008.png")
        raw = read(root)
        assert len(decoded) == 2
        for pixels, name in zip(raw.x, raw.names, strict=True):
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(root / name)))
        (folder,) = cache.iterdir()
        assert len(list(folder.glob("*.npy"))) == 1

    @pytest.mark.parametrize("damage", ["cut", "zeros", "gone", "not json", "other json", "list"])
    def test_a_damaged_cache_is_made_anew(self, root, decoded, cache, damage):
        expected = np.array(read(root).x)
        (folder,) = cache.iterdir()
        (array,), manifest = folder.glob("*.npy"), folder / "manifest.json"
        if damage == "cut":
            os.truncate(array, 500)
        elif damage == "zeros":
            about = array.stat()
            array.write_bytes(array.read_bytes()[:128] + bytes(about.st_size - 128))
            os.utime(array, ns=(about.st_atime_ns, about.st_mtime_ns))
        elif damage == "gone":
            array.unlink()
        elif damage == "not json":
            manifest.write_bytes(b'{"version": 1\xff')
        elif damage == "list":
            manifest.write_text("[1]")
        else:
            changed = json.loads(manifest.read_text()) | {"form": {}, "problems": [["x"]]}
            manifest.write_text(json.dumps(changed))
        np.testing.assert_array_equal(read(root).x, expected)
        assert len(decoded) == 2

    def test_a_cache_that_cannot_be_written_is_done_without(self, root, cache):
        expected = np.array(read(root).x)
        shutil.rmtree(cache)
        cache.write_text("a file where the folder would be")
        raw = read(root)
        np.testing.assert_array_equal(raw.x, expected)
        (note,) = raw.notes
        assert note.startswith("decoded pictures cannot be kept in")

    def test_a_disk_that_is_full_is_done_without(self, root, cache, monkeypatch):
        def full(path, start, files, form):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(decoding, "decode_into", full)
        raw = read(root)
        assert len(raw.x) == 10
        assert raw.notes[0].endswith("No space left on device")
        assert [path for path in cache.rglob("*") if path.is_file()] == []

    def test_what_a_crash_left_behind_is_removed(self, root, cache):
        read(root)
        (folder,) = cache.iterdir()
        old, new = folder / "old.npy.part", folder / "new.npy.part"
        for path in (old, new):
            path.write_bytes(b"x")
        os.utime(old, (1, 1))
        (root / "a" / "000.png").unlink()
        read(root)
        assert not old.exists()
        assert new.exists()


class TestProcesses:
    """Workers give what threads give."""

    @pytest.fixture(autouse=True)
    def _few_are_worth_it(self, monkeypatch):
        monkeypatch.setattr(decoding, "_WORTH_PROCESSES", 1)
        monkeypatch.setattr(decoding, "cores", lambda: 2)

    @pytest.fixture
    def root(self, tmp_path, classes) -> Path:
        root = classes(tmp_path / "data", {"a": 20, "b": 20})
        (root / "b" / "007.png").write_bytes(b"no picture")
        return root

    def test_every_picture_is_in_its_place(self, root):
        raw = read(root, skip=1)
        assert len(raw.x) == 39
        for pixels, name in zip(raw.x, raw.names, strict=True):
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(root / name)))
        assert "'b/007.png' (not a JPEG" in raw.notes[0]

    @pytest.mark.parametrize("program", ["/nothing/here", "/bin/false", sys.executable])
    def test_where_workers_fail_threads_do_the_work(self, root, monkeypatch, program):
        monkeypatch.setattr(sys, "executable", program)
        if program == sys.executable:  # one that ends at its first request
            monkeypatch.setattr(decoding.decode, "__file__", os.devnull)
        raw = read(root, skip=1)
        assert len(raw.x) == 39
        np.testing.assert_array_equal(raw.x[0], np.asarray(Image.open(root / raw.names[0])))


def test_cats_and_dogs():
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there: real pictures are not tested")
    raw = PictureSource().read(Data(source=str(REAL)))
    assert raw.x.shape == (1999, 64, 64, 3)
    assert raw.x_val.shape == (200, 64, 64, 3)
    assert raw.notes == ()
    assert sorted(set(raw.y.tolist())) == ["cats", "dogs"]
    for i in (0, 999, 1998):
        np.testing.assert_array_equal(raw.x[i], np.asarray(Image.open(REAL / raw.names[i])))
