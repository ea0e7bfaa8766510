"""Checkpoints: whole or not there; a bad one is told, and the one before it is used."""

from __future__ import annotations

import json
import threading
from typing import NamedTuple

import jax
import numpy as np
import pytest

from surefoot.engine import checkpoint as module
from surefoot.engine import tensors
from surefoot.engine.background import Background
from surefoot.engine.checkpoint import Point, read, write
from surefoot.engine.checkpoints import Checkpoints
from surefoot.engine.tensors import filled, named, read_tensors, write_tensors
from surefoot.errors import RunError


class Carried(NamedTuple):
    params: list
    count: np.ndarray


def _tree(value: float = 1.0) -> Carried:
    params = [{"kernel": np.full((2, 3), value, np.float32)}, {}, {"bias": np.zeros(0)}]
    return Carried(params, np.array(7, np.int32))


def _point(step: int, score: float | None = None) -> Point:
    return Point("abc", step, 1, step, score, {"rows": {"metrics": 3}})


def _use(checkpoint):
    return checkpoint.point.step, checkpoint.restore({"lanes": _tree()})["lanes"]


def test_a_tree_comes_back_array_by_array(tmp_path):
    rng = np.random.default_rng(0)
    tree = {
        "doubles": rng.normal(size=(3, 4)),
        "strided": rng.normal(size=(4, 6))[:, ::2],
        "odd": np.array([np.nan, -0.0, np.inf], np.float32),
        "state": Carried([(np.uint32(3),)], np.zeros((0, 5), np.int64)),
        "mask": np.array([True, False]),
    }
    write(tmp_path, _point(5), {"lanes": tree, "loop": [np.arange(3)]})
    found = read(tmp_path / "step-000000000005")
    assert found.point == _point(5)
    back = found.restore({"lanes": tree, "loop": [np.arange(3)]})
    assert jax.tree.structure(back["lanes"]) == jax.tree.structure(tree)
    for old, new in zip(jax.tree.leaves(tree), jax.tree.leaves(back["lanes"]), strict=True):
        assert np.asarray(old).dtype == new.dtype
        assert np.asarray(old).tobytes() == new.tobytes()


def test_names_are_paths_and_two_alike_are_refused():
    assert sorted(named(_tree())) == ["count", "params.0.kernel", "params.2.bias"]
    with pytest.raises(ValueError, match="same name"):
        named({"a.b": np.zeros(1), "a": {"b": np.zeros(1)}})


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"a": np.zeros(3)}, r"a is float64\[2\] and has to be float64\[3\]"),
        ({"a": np.zeros(2, np.float32)}, "has to be float32"),
        ({"b": np.zeros(2)}, "b is missing"),
    ],
)
def test_what_does_not_fit_its_template_is_refused(template, words):
    with pytest.raises(RunError, match=words):
        filled(template, {"a": np.zeros(2)})


def test_a_file_too_large_for_its_template_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": np.zeros(2)})
    with path.open("ab") as file:
        file.truncate(10**9)  # no byte of it is on the disk
    with pytest.raises(RunError, match="1,000,000,000 bytes; 16 would fit"):
        read_tensors(path, 16)
    monkeypatch.setattr(tensors, "free_bytes", lambda: 10**8)
    with pytest.raises(RunError, match="more than there is free memory"):
        read_tensors(path)


def test_the_last_and_the_best_are_kept(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints", keep=2)
    for step, score in ((1, None), (2, 0.5), (3, 0.9), (4, 0.5), (5, 0.8), (6, 0.7)):
        kept.save(_point(step, score), {"lanes": _tree(step)})
    # Of two that are equally good the later one.
    assert [int(path.name[5:]) for path in kept.paths()] == [6, 5, 4]
    (step, tree), complaints = kept.newest(_use)
    assert (step, complaints) == (6, [])
    assert (tree.params[0]["kernel"] == 6).all()


def test_a_checkpoint_of_the_same_step_is_written_anew(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints")
    for value in (1.0, 2.0):
        kept.save(_point(3), {"lanes": _tree(value)})
    (_, tree), _ = kept.newest(_use)
    assert (tree.params[0]["kernel"] == 2).all()


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


DAMAGES = {
    "emptied": lambda data: b"",
    "halved": lambda data: data[: len(data) // 2],
    "two bytes short": lambda data: data[:-2],
    "one byte more": lambda data: data + b" ",
    "first bit": lambda data: _flip(data, 0),
    "middle bit": lambda data: _flip(data, len(data) // 2),
    "last but two": lambda data: _flip(data, len(data) - 3),
}


@pytest.mark.parametrize("file", ["manifest.json", "lanes.safetensors"])
@pytest.mark.parametrize("damage", [*DAMAGES, "removed"])
def test_a_damaged_one_is_told_and_the_one_before_it_used(tmp_path, file, damage):
    kept = Checkpoints(tmp_path)
    for step in (1, 2):
        kept.save(_point(step), {"lanes": _tree(step)})
    path = tmp_path / "step-000000000002" / file
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    found, complaints = kept.newest(_use)
    if damage == "one byte more" and file == "manifest.json":
        assert found[0] == 2  # a space after JSON says nothing
        return
    assert found[0] == 1
    assert (found[1].params[0]["kernel"] == 1).all()
    assert len(complaints) == 1
    assert str(path) in complaints[0]


def test_where_none_is_good_there_is_nothing_to_use(tmp_path):
    kept = Checkpoints(tmp_path)
    assert kept.newest(_use) == (None, [])
    kept.save(_point(1), {"lanes": {"other": np.zeros(1)}})
    found, complaints = kept.newest(_use)
    assert found is None
    assert "params.0.kernel is missing" in complaints[0]


def test_a_manifest_that_seals_another_format_is_refused(tmp_path):
    path = write(tmp_path, _point(1), {"lanes": _tree()}).path / "manifest.json"
    manifest = {k: v for k, v in json.loads(path.read_text()).items() if k != "sha256"}
    for change in ({"format": 99}, {"step": "x"}, {"files": None}):
        path.write_text(json.dumps(module.sealed({**manifest, **change})))
        with pytest.raises(RunError, match=r"manifest\.json: not a checkpoint"):
            read(path.parent)


def test_a_name_that_leads_out_of_the_folder_is_never_followed(tmp_path):
    """Which files are read follows from the template, not from the manifest."""
    kept = Checkpoints(tmp_path)
    path = write(tmp_path, _point(1), {"lanes": _tree()}).path / "manifest.json"
    manifest = {k: v for k, v in json.loads(path.read_text()).items() if k != "sha256"}
    manifest["files"] = {"../../outside.safetensors": manifest["files"]["lanes.safetensors"]}
    path.write_text(json.dumps(module.sealed(manifest)))
    found, complaints = kept.newest(_use)
    assert found is None
    assert "its checksum is missing" in complaints[0]


def test_a_full_disk_leaves_the_earlier_ones_and_nothing_else(tmp_path, monkeypatch):
    kept = Checkpoints(tmp_path)
    kept.save(_point(1), {"lanes": _tree()})

    def full(path, arrays):
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_tensors", full)
    with pytest.raises(RunError, match="step-000000000002: checkpoint cannot be written: No space"):
        kept.save(_point(2), {"lanes": _tree()})
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000001"]
    assert kept.newest(_use)[0][0] == 1


def test_what_was_not_finished_is_no_checkpoint_and_is_swept(tmp_path):
    kept = Checkpoints(tmp_path)
    for step in (1, 2):
        kept.save(_point(step), {"lanes": _tree()})
    (tmp_path / "step-000000000003.tmp").mkdir()
    assert kept.newest(_use)[0][0] == 2
    kept.discard_after(1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000001"]


def test_one_piece_of_work_at_a_time_beside_the_caller():
    go, done = threading.Event(), []
    background = Background()

    def work():
        go.wait()
        done.append(threading.current_thread() is threading.main_thread())

    assert background.start(work)
    assert background.busy
    assert not background.start(lambda: done.append("queued"))
    go.set()
    background.wait()
    assert done == [False]
    assert background.error() is None

    def fails():
        raise RunError("full")

    assert background.start(fails)
    background.wait()
    assert str(background.error()) == "full"
    assert background.error() is None
    background.close()
