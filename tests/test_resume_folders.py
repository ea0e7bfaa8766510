"""What `resume` is given beside a run: a repair, a study, and runs whose files were altered."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

import surefoot as sf
from surefoot import saving
from surefoot.engine import training
from surefoot.job import prepare
from surefoot.trainer import execute

RECIPE = {
    "data": {"source": "iris"},
    "net": {"layers": [{"dense": "classes"}, {"activation": "softmax"}]},
    "train": {"epochs": 3},
    "checkpoints": {"every_seconds": 1e-6},
}


class Killed(BaseException):
    """What no code of ours catches: the process is gone."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a run that was never stopped."""
    path = tmp_path_factory.mktemp("whole") / "run"
    path.mkdir()
    return execute(prepare(RECIPE), path)


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """Return a run that was told to end, or killed, after a few steps."""

    def stop(end) -> object:
        path = tmp_path / "run"
        path.mkdir()
        with monkeypatch.context() as patched:
            patched.setattr(saving, "_MOST_SHARE", 1e9)
            patched.setattr(training, "_FIRST_STEPS", 2)
            try:
                execute(prepare(RECIPE), path, lambda block: end())
            except Killed:
                assert not (path / "summary.json").exists()
        return path

    return stop


def _terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def _kill() -> None:
    raise Killed


def weights(run: sf.Run) -> bytes:
    return (run.path / "model.safetensors").read_bytes()


def test_a_repair_goes_on_with_its_training(stopped, whole, tmp_path):
    run = stopped(_terminate)
    repair = tmp_path / "repair"
    repair.mkdir()
    shutil.move(run, repair / "run")
    shutil.copy(repair / "run" / "recipe.toml", repair / "recipe.toml")
    (repair / "proof.json").write_text(json.dumps({"format": 1, "repaired": True}))
    found = sf.resume(repair)
    assert found.path == repair / "run"
    assert found.summary["ended"] == "finished"
    assert weights(found) == weights(whole)
    assert {path.name for path in repair.iterdir()} == {"recipe.toml", "proof.json", "run"}


def test_a_study_is_not_taken_for_a_run(tmp_path):
    (tmp_path / "study.toml").write_text("seeds = [0]\n")
    with pytest.raises(sf.RunError, match=r"is the folder of a study; `surefoot study` goes on"):
        sf.resume(tmp_path)


@pytest.mark.parametrize("name", ["summary.json", "checksums.json"])
def test_an_interrupted_run_whose_result_was_altered_goes_on(stopped, whole, name):
    path = stopped(_terminate)
    (path / name).write_bytes((path / name).read_bytes()[:-20])
    said: list[str] = []
    assert weights(sf.resume(path, tell=said.append)) == weights(whole)
    assert name in said[0]
    assert said[0].endswith("a checkpoint is looked for")


def test_a_recipe_that_no_checkpoint_speaks_for_has_to_be_as_it_was(stopped, whole):
    path = stopped(_kill)
    shutil.rmtree(path / "checkpoints", ignore_errors=True)
    text = (path / "recipe.toml").read_text()
    (path / "recipe.toml").write_text(text.replace("epochs = 3", "epochs = 2"))
    with pytest.raises(sf.RunError, match=r"recipe\.toml: was altered after it was written"):
        sf.resume(path)
    (path / "recipe.toml").write_text(text)
    assert weights(sf.resume(path)) == weights(whole)
