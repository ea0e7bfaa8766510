"""Folders of pictures that are read in a stream."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data import gather, load
from surefoot.data import stream_limits as limits
from surefoot.data.facts import look
from surefoot.errors import DataError
from surefoot.recipe import Data


@pytest.fixture(autouse=True)
def small(cache, monkeypatch):
    """Blocks of 4 pictures, windows of 12, a cache of our own."""
    monkeypatch.setattr(limits, "BLOCK_ROWS", 4)
    monkeypatch.setattr(limits, "WINDOW_ROWS", 12)
    return cache


@pytest.fixture
def pets(tmp_path, classes):
    return str(classes(tmp_path / "pets", {"cats": 25, "dogs": 15}))


def test_pictures_are_those_of_the_folder(pets):
    data = Data(source=pets, stream=True)
    dataset, whole = load(data, images=True), gather(data.model_copy(update={"stream": False}))
    assert dataset.rows == 32
    assert dataset.x_val.shape == (8, 16, 16, 3)
    for epoch, chunk in enumerate(dataset.stream.chunks(0, 32, 1, last=2), 1):
        rows = dataset.stream.batches(0, epoch, 32)[0]
        assert len(set(rows.tolist())) == 32
        assert chunk.part.x.dtype == np.uint8
        assert np.array_equal(chunk.part.x, whole.x[rows])
        assert np.array_equal(chunk.part.y, (whole.y[rows] == "dogs").astype(np.int32))


def test_validation_pictures_are_those_of_a_resident_run(pets):
    streamed = load(Data(source=pets, stream=True), images=True)
    resident = load(Data(source=pets, stream=False), images=True)
    assert np.array_equal(streamed.x_val, resident.x_val)
    assert np.array_equal(streamed.y_val, resident.y_val)
    assert streamed.names_val == resident.names_val
    assert np.array_equal(streamed.x_train, resident.x_train)
    assert np.array_equal(streamed.preprocessing.mean, resident.preprocessing.mean)


def test_what_stays_in_memory_is_bounded_and_said(pets, monkeypatch):
    monkeypatch.setattr(limits, "RESIDENT_BYTES", 6 * 16 * 16 * 3)
    dataset = load(Data(source=pets, stream=True), images=True)
    assert (len(dataset.x_train), len(dataset.x_val), dataset.rows) == (6, 6, 34)
    notes = "\n".join(dataset.notes)
    assert "6 pictures are kept apart for validation" in notes
    assert "is measured on, 6 training pictures drawn at random" in notes
    facts = look(gather(Data(source=pets, stream=True)), Data(source=pets, stream=True))
    assert facts["rows"] == 40
    assert facts["target"]["classes"] == {"cats": 25, "dogs": 15}


def test_pictures_of_a_test_folder_validate(tmp_path, classes, monkeypatch):
    root = tmp_path / "pets"
    classes(root / "train", {"cats": 9, "dogs": 9})
    classes(root / "test", {"cats": 4, "dogs": 4}, first=500)
    data = Data(source=str(root), stream=True)
    dataset = load(data, images=True)
    whole = gather(data.model_copy(update={"stream": False}))
    assert dataset.rows == 18
    assert np.array_equal(dataset.x_val, whole.x_val)
    monkeypatch.setattr(limits, "VALIDATION_ROWS", 3)
    fewer = load(data, images=True)
    assert len(fewer.x_val) == 3
    assert all(any(np.array_equal(x, y) for y in whole.x_val) for x in fewer.x_val)


def test_pictures_of_another_folder_validate(tmp_path, pets, classes, monkeypatch):
    other = str(classes(tmp_path / "other", {"cats": 3, "dogs": 2}, first=700))
    monkeypatch.setattr(limits, "VALIDATION_ROWS", 4)
    dataset = load(Data(source=pets, stream=True, validation=other), images=True)
    assert (dataset.rows, len(dataset.x_val)) == (40, 4)
    assert "4 of 5 pictures" in "\n".join(dataset.notes)


def test_pictures_stream_by_themselves_where_they_take_half_of_free_memory(pets, monkeypatch):
    size = 40 * 16 * 16 * 3
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 2 * size)
    assert load(Data(source=pets), images=True).stream is None
    monkeypatch.setattr("surefoot.data.streams.free_bytes", lambda: 2 * size - 2)
    assert load(Data(source=pets), images=True).stream is not None


def test_a_stream_goes_on_when_the_cache_is_cleared_and_ends_when_it_is_cut(pets, small):
    dataset = load(Data(source=pets, stream=True), images=True)
    chunks = dataset.stream.chunks(0, 4, 1, last=3)
    next(chunks)
    (kept,) = small.glob("*/*.npy")
    with kept.open("rb+") as file:
        kept.unlink()
        for _ in range(4):
            next(chunks)
        file.truncate(1000)
    with pytest.raises(DataError, match="has become shorter"):
        for _ in chunks:
            pass


def test_only_tables_split_by_group(pets):
    with pytest.raises(DataError, match="is for tables"):
        load(Data(source=pets, stream=True, split="time"), images=True)
