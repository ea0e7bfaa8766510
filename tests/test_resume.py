"""A run that was stopped goes on, and ends with the bits of one that never was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot import saving
from surefoot.engine import training
from surefoot.engine.checkpoint import read
from surefoot.job import prepare
from surefoot.keeper import Keeper
from surefoot.lock import writing
from surefoot.trainer import execute

pytestmark = pytest.mark.usefixtures("users_compiler")

RECIPE = {
    "data": {"source": "iris"},
    "net": {
        "layers": [
            {"dense": 6}, {"activation": "relu"}, {"dropout": 0.2}, {"dense": "classes"},
            {"activation": "softmax"},
        ]
    },
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 3, "batch_size": 8, "early_stopping": {"patience": 50}},
    "checkpoints": {"every_seconds": 1e-6},
}  # fmt: skip


class Killed(BaseException):
    """What no code of ours catches: the process is gone."""


@pytest.fixture(autouse=True)
def at_each_boundary(monkeypatch):
    """Let a checkpoint be due after each dispatch, and be there before the next one."""
    monkeypatch.setattr(saving, "_MOST_SHARE", 1e9)
    monkeypatch.setattr(training, "_FIRST_STEPS", 4)
    save = saving.Saver.save

    def and_wait(self, take, about):
        save(self, take, about)
        self.wait()

    monkeypatch.setattr(saving.Saver, "save", and_wait)


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """Return a function that trains a run, and kills it at some moment."""

    def kill(where: str, count: int, out: str = "run") -> Path:
        path = tmp_path / "runs" / out
        left = [count]

        real = getattr(Keeper, where)

        def gone(self, *args, **kwargs):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(self, *args, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(Keeper, where, gone)
            patched.setattr(training, "_DISPATCH_SECONDS", 0.0)  # a step each from the second on
            path.mkdir(parents=True)
            with pytest.raises(Killed):
                execute(prepare(RECIPE), path)
        return path

    return kill


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a run that was never stopped."""
    path = tmp_path_factory.mktemp("whole") / "run"
    path.mkdir()
    return execute(prepare(RECIPE), path)


def same(run: sf.Run, whole: sf.Run) -> None:
    """Assert that two runs left the same behind, to the bit."""
    for name in ("model.safetensors", "model.json", "recipe.toml", "findings.json"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    for name in ("history", "vitals"):
        own, expected = getattr(run, name), getattr(whole, name)
        assert list(own) == list(expected)
        for column in own:
            np.testing.assert_array_equal(own[column], expected[column], err_msg=column)
            assert own[column].dtype == expected[column].dtype
    for name in ("metrics", "epochs", "steps", "ended", "best_epoch", "findings", "verdict"):
        assert run.summary[name] == whole.summary[name], name
    assert sorted(p.name for p in run.path.iterdir()) == sorted(
        p.name for p in whole.path.iterdir()
    )


@pytest.mark.parametrize(
    ("where", "count"),
    [("block", 0), ("block", 1), ("block", 25), ("boundary", 2), ("boundary", 13), ("close", 0)],
)
def test_whenever_it_is_killed_it_ends_the_same(killed, whole, where, count):
    path = killed(where, count)
    said = []
    same(sf.resume(path, tell=said.append), whole)
    assert all("training begins anew" in line for line in said)
    assert bool(said) == (where == "block" and count == 0)


def test_it_may_be_killed_many_times(killed, whole, tmp_path, monkeypatch):
    path = killed("block", 7)
    for _ in range(3):
        left = [1]

        def gone(self, block, real=Keeper.block, left=left):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            real(self, block)

        with monkeypatch.context() as patched:
            patched.setattr(Keeper, "block", gone)
            with pytest.raises(Killed):
                sf.resume(path)
    same(sf.resume(path), whole)


def _newest(path: Path) -> list[Path]:
    return sorted((path / "checkpoints").iterdir(), reverse=True)


@pytest.mark.parametrize("file", ["manifest.json", "lanes.safetensors", "loop.safetensors"])
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_used(killed, whole, file):
    path = killed("block", 20)
    assert len(_newest(path)) >= 2
    spoiled = _newest(path)[0] / file
    data = bytearray(spoiled.read_bytes())
    data[len(data) // 2] ^= 1
    spoiled.write_bytes(data)
    said = []
    same(sf.resume(path, tell=said.append), whole)
    assert len(said) == 1
    assert str(spoiled) in said[0]
    assert said[0].endswith("an earlier checkpoint is used")


def test_where_none_is_good_training_begins_anew(killed, whole):
    path = killed("block", 20)
    for checkpoint in _newest(path):
        (checkpoint / "lanes.safetensors").write_bytes(b"")
    said = []
    same(sf.resume(path, tell=said.append), whole)
    assert "no checkpoint to go on from" in said[-1]


@pytest.mark.parametrize("table", ["metrics", "vitals"])
@pytest.mark.parametrize("harm", ["altered", "removed"])
def test_rows_that_are_damaged_are_trained_again(killed, whole, table, harm):
    path = killed("block", 20)
    part = sorted((path / table).iterdir())[-1]
    if harm == "removed":
        part.unlink()
    else:
        data = bytearray(part.read_bytes())
        data[len(data) // 3] ^= 4
        part.write_bytes(data)
    said = []
    same(sf.resume(path, tell=said.append), whole)
    assert table in said[0]


def test_a_recipe_that_was_changed_is_refused_and_one_that_is_lost_is_found(killed, whole):
    path = killed("block", 9)
    text = (path / "recipe.toml").read_text()
    (path / "recipe.toml").write_text(text.replace("0.02", "0.03"))
    with pytest.raises(
        sf.RecipeError, match=r"recipe\.toml: was changed since the run was stopped"
    ):
        sf.resume(path)
    (path / "recipe.toml").write_text("seed = [")
    said = []
    same(sf.resume(path, tell=said.append), whole)
    assert "the one that a checkpoint holds is used" in said[0]


def test_data_that_were_changed_are_refused(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    tables = {**RECIPE, "data": {"source": str(tmp_path / "rows.npz")}}
    path = tmp_path / "run"
    path.mkdir()

    def gone(self, summary):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "close", gone)
        with pytest.raises(Killed):
            execute(prepare(tables), path)
    x[7] += 1
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    with pytest.raises(sf.DataError, match=r"rows\.npz: the data are not those that .* trained on"):
        sf.resume(path)


def test_what_is_over_stays_and_what_cannot_go_on_is_said(whole, tmp_path):
    before = {p.name: p.read_bytes() for p in whole.path.iterdir()}
    assert sf.resume(whole.path).summary == whole.summary
    assert {p.name: p.read_bytes() for p in whole.path.iterdir()} == before
    with pytest.raises(sf.RunError, match="none: no such folder"):
        sf.resume(tmp_path / "none")
    with pytest.raises(sf.RunError, match=r"recipe\.toml: no such file.*no checkpoint holds"):
        sf.resume(tmp_path)
    rows = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    run = sf.train(rows, net="mlp:2", epochs=1, out=tmp_path / "arrays")
    (run.path / "summary.json").unlink()
    with pytest.raises(sf.RunError, match="was trained on arrays from Python"):
        sf.resume(run.path)


def test_two_writers_are_refused(killed):
    path = killed("block", 3)
    with writing(path), pytest.raises(sf.RunError, match="is being written by process"):
        sf.resume(path)


def test_an_end_that_was_asked_for_leaves_a_run_and_goes_on(whole, tmp_path, monkeypatch):
    path = tmp_path / "run"
    path.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "stop", lambda self: self._step >= 20)
        run = execute(prepare(RECIPE), path)
    assert run.summary["ended"] == "interrupted"
    assert run.summary["steps"] == run.history.rows < 45
    assert len(run.predict(np.zeros((2, 4)))) == 2
    (path / "summary.json").rename(path / "hidden")
    with pytest.raises(sf.RunError, match="this run is not over; `surefoot resume"):
        sf.Run(path)
    (path / "hidden").rename(path / "summary.json")
    same(sf.resume(run), whole)


def test_a_disk_that_is_full_costs_a_checkpoint_and_no_run(whole, tmp_path, monkeypatch):
    from surefoot.engine import checkpoint

    path, said, left = tmp_path / "run", [], [3]
    path.mkdir()

    def full(to, arrays, real=checkpoint.write_tensors):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(to, arrays)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "write_tensors", full)
        run = execute(prepare(RECIPE), path, tell=said.append)
    same(run, whole)
    assert "No space left on device; training goes on" in said[0]


def test_the_best_and_the_last_are_kept(killed):
    path = killed("block", 25)
    points = [read(checkpoint).point for checkpoint in _newest(path)]
    assert len(points) in (2, 3)
    assert points[-1].score == min(point.score for point in points)
    about = json.loads((_newest(path)[0] / "manifest.json").read_text())["about"]
    assert about["parts"].keys() == {"metrics", "vitals"}


def test_checkpoints_can_be_left_out(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Keeper, "save", lambda self, snapshot: seen.append(1))
    sf.train("iris", net="mlp:4", epochs=2, out=tmp_path / "run", checkpoints__every_seconds=0)
    assert not seen


def test_a_stream_goes_on_in_the_midst_of_an_epoch(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 2)), rng.integers(0, 2, 90)
    lines = [f"{a:.4f},{b:.4f},{'yes' if c else 'no'}" for (a, b), c in zip(x, y, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,label", *lines]) + "\n")
    data = {"source": str(tmp_path / "rows.csv"), "target": ["label"], "stream": True}
    tables = {**RECIPE, "data": data}
    (tmp_path / "whole").mkdir()
    whole = execute(prepare(tables), tmp_path / "whole")
    (tmp_path / "run").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(training, "_DISPATCH_SECONDS", 0.0)
        patched.setattr(Keeper, "stop", lambda self: self._step >= 13)
        run = execute(prepare(tables), tmp_path / "run")
    assert run.summary["steps"] == 13
    assert run.summary["steps"] % prepare(tables).cohort.steps_per_epoch
    done = sf.resume(run)
    np.testing.assert_array_equal(done.history["loss"], whole.history["loss"])
    assert done.metrics == whole.metrics
