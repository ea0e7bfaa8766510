"""What is asked of a run while it trains: done at a boundary, and written down."""

from __future__ import annotations

import json

import pytest

import surefoot as sf
from surefoot import control
from surefoot.control import Control, ask, changes, running
from surefoot.errors import InputError, RunError


def test_a_wish_is_done_once_and_written_down_with_who_when_and_what(tmp_path):
    own = Control(tmp_path)
    with running(tmp_path, {"steps": 100}):
        own.look(0)
        assert own.done == []
        ask(tmp_path, "Ada", rate_factor=0.5)
        own.look(10)
        own.look(20)
        ask(tmp_path, "Ben", stop=True)  # what Ada asked for still holds
        own.look(30)
    assert (own.rate_factor, own.stopped) == (0.5, True)
    kept = changes(tmp_path)
    assert kept == own.done
    assert [(c["what"], c["step"], c["by"]) for c in kept] == [
        ("rate", 10, "Ada"),
        ("stop", 30, "Ben"),
    ]
    assert (kept[0]["from"], kept[0]["to"]) == (1.0, 0.5)
    assert kept[0]["at"].endswith("+00:00")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changes.json"]


def test_who_goes_on_from_a_step_has_the_rate_of_that_step(tmp_path):
    own = Control(tmp_path)
    with running(tmp_path, {}):
        for step, factor in ((10, 0.5), (20, 0.25)):
            ask(tmp_path, "Ada", rate_factor=factor)
            own.look(step)
    assert [Control(tmp_path, step).rate_factor for step in (5, 15, 25)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rate_factor": "fast"}', '{"rate_factor": NaN}', '{"stop": 1}']
)
def test_a_wish_that_makes_no_sense_is_left_out(tmp_path, text):
    own = Control(tmp_path)
    (tmp_path / control.CONTROL).write_text(text)
    own.look(1)
    assert (own.rate_factor, own.stopped, own.done) == (1.0, False, [])


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e7, float("nan"), float("inf")])
def test_a_factor_that_is_no_sane_rate_is_refused(tmp_path, factor):
    with running(tmp_path, {}), pytest.raises(InputError, match="rate_factor"):
        ask(tmp_path, "Ada", rate_factor=factor)


def test_a_run_that_is_not_being_trained_cannot_be_asked(tmp_path):
    with pytest.raises(RunError, match="is not being trained"):
        ask(tmp_path, "Ada", stop=True)


def test_an_old_wish_to_end_does_not_end_the_next_training(tmp_path):
    with running(tmp_path, {}):
        ask(tmp_path, "Ada", stop=True)
        with running(tmp_path, {}):
            own = Control(tmp_path)
            own.look(0)
    assert not own.stopped


def test_a_training_is_steered_and_its_summary_says_so(tmp_path, monkeypatch):
    looks = []

    def look(self, step):
        looks.append(step)
        if step >= 8 and self.rate_factor == 1.0:
            ask(tmp_path / "run", "a test", rate_factor=0.5)
        if step >= 40:
            ask(tmp_path / "run", "a test", stop=True)
        plain(self, step)

    plain = Control.look
    monkeypatch.setattr(Control, "look", look)
    settings = {"learning_rate": 0.1, "optimizer": "sgd", "vitals__every": 1}
    run = sf.train("iris", net="mlp:4", epochs=50, out=tmp_path / "run", **settings)
    rate = run.history["learning_rate"]
    told = run.summary["changes"]
    assert [c["what"] for c in told] == ["rate", "stop"]
    at, end = told[0]["step"], told[1]["step"]
    assert 8 <= at < 40 <= end == run.summary["steps"]
    assert rate[:at] == pytest.approx(0.1)
    assert rate[at:] == pytest.approx(0.05)
    assert run.summary["ended"] == "interrupted"
    assert json.loads((run.path / "changes.json").read_text()) == told
    assert not (run.path / "running.json").exists()
