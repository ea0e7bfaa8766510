"""`.npz` files: whole, damaged and hostile."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from surefoot.data import load, npz
from surefoot.data.registry import read
from surefoot.errors import DataError
from surefoot.recipe import Data

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 3


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "data.npz")


def refused(path, said):
    with pytest.raises(DataError, match=said) as caught:
        read(Data(source=path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_writes(path, save):
    save(path, x=X, y=Y, x_val=X[:4], y_val=Y[:4], other=np.zeros(3))
    raw = read(Data(source=path))
    for held, expected in ((raw.x, X), (raw.y, Y), (raw.x_val, X[:4]), (raw.y_val, Y[:4])):
        np.testing.assert_array_equal(held, expected)
    dataset = load(Data(source=path, standardize=False))
    np.testing.assert_array_equal(dataset.x_val, X[:4])
    assert dataset.train_rows is None
    assert dataset.source == path


def test_text_labels_and_column_order(path):
    labels = np.array(["red", "green", "blue"])[Y]
    np.savez(path, x=np.asfortranarray(X), y=labels)
    dataset = load(Data(source=path, validation=0, standardize=False))
    np.testing.assert_array_equal(dataset.x_train, X)
    assert dataset.x_train.flags.c_contiguous
    np.testing.assert_array_equal(dataset.target.decode(dataset.y_train), labels)


def test_missing_files_and_names(path, tmp_path):
    refused(path, "there is no file")
    (tmp_path / "folder.npz").mkdir()
    refused(str(tmp_path / "folder.npz"), "is a folder")
    np.savez(path, X=X, y=Y)
    refused(path, "no array 'x'; did you mean 'X'\\?; it holds 'X', 'y'")
    np.savez(path, X)
    refused(path, "it holds 'arr_0'.*numpy.savez\\(path, x=…, y=…\\)")


def test_no_rows_and_noise_for_files(path):
    np.savez(path, x=X, y=Y)
    with pytest.raises(DataError, match=r"data\.rows is for generated sets"):
        read(Data(source=path, rows=5))


def test_only_one_validation_array(path):
    np.savez(path, x=X, y=Y, x_val=X)
    with pytest.raises(DataError, match="x_val without y_val"):
        load(Data(source=path))
    np.savez(path, x=X, y=Y, y_val=Y)
    with pytest.raises(DataError, match="y_val without x_val"):
        load(Data(source=path))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"0" * 40])
def test_not_a_zip(path, content):
    with open(path, "wb") as stream:
        stream.write(content)
    refused(path, "is not a .npz file")


def test_pickles_are_never_loaded(path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    np.savez(path, x=X, y=np.array([Trap()] * 12, object))
    refused(path, "array 'y' .* pickled Python objects")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Trap()))
        archive.writestr("y.npy", pickle.dumps(Trap()))
    refused(path, "damaged in array 'x'")


def header(shape):
    stream = io.BytesIO()
    described = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


@pytest.mark.parametrize(
    "shape", [(10**12, 10**6), (5, 5), (-1, 2), (2**62, 2**62), (3, 1), (0, 10**9)]
)
def test_headers_are_not_believed(path, shape):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header(shape) + bytes(16))
        archive.writestr("y.npy", header(shape) + bytes(16))
    refused(path, "damaged in array 'x' \\(its header says")


def test_more_than_fits_in_memory(path, monkeypatch):
    np.savez(path, x=X, y=Y)
    monkeypatch.setattr(npz, "memory_bytes", lambda: X.nbytes + Y.nbytes - 1)
    refused(path, "more than this machine's memory")
    monkeypatch.setattr(npz, "memory_bytes", lambda: X.nbytes + Y.nbytes)
    assert read(Data(source=path)).x.shape == X.shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_is_one_line_or_none(path, save):
    save(path, x=X, y=Y)
    with open(path, "rb") as stream:
        whole = stream.read()
    rng = np.random.default_rng(0)
    damaged = [whole[: int(size)] for size in rng.integers(0, len(whole), 40)]
    for place in rng.integers(0, len(whole), 300):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    said = []
    for content in damaged:
        with open(path, "wb") as stream:
            stream.write(content)
        try:
            raw = read(Data(source=path))
        except DataError as error:
            said.append(str(error))
        else:  # the damage met a field that carries nothing, such as a date
            np.testing.assert_array_equal(raw.x, X)
            np.testing.assert_array_equal(raw.y, Y)
    assert len(said) > 100
    assert not any("\n" in line for line in said)
