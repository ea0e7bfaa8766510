"""What is shown while a network trains: lines without a terminal, a bar and figures on one."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from surefoot.cli import progress
from surefoot.cli.progress import Sparkline, TrainingProgress, bars
from surefoot.doctor.finding import Finding
from surefoot.engine.events import Block, Validation

FINDING = Finding("dead-units", "warning", 1200, (), {}, "observed", "Silent.", ())


def _block(first, loss=0.5, steps=10):
    ones = np.ones((steps, 1))
    return Block(
        epoch=1 + first // 100,
        first=first,
        loss=loss * ones,
        measure=ones,
        recorded=np.array([first]),
        rate=np.array([[0.025]]),
        norm=np.ones((1, 1)),
        clipped_norm=np.ones((1, 1)),
        vitals=np.zeros((1, 1, 0, 0)),
        validation=Validation(np.array([0.4]), np.array([0.875])),
        running=np.array([True]),
        diverged=np.array([-1]),
    )


def _shown(terminal, quiet=False):
    written = StringIO()
    console = Console(
        file=written, force_terminal=terminal, width=100, quiet=quiet, legacy_windows=False
    )
    with TrainingProgress(console, 1000, 10, "accuracy") as shown:
        for first in range(0, 500, 10):
            shown.block(_block(first, loss=1 / (1 + first)))
        shown.found(FINDING)
        if shown._live.is_started:
            shown._live.refresh()
    return written.getvalue()


def test_a_terminal_shows_bar_loss_sparkline_rate_validation_and_newest_finding():
    text = _shown(terminal=True)
    for words in ("epoch 5/10", "50%", "loss 0.002", "█", "▁", "rate 0.025", "accuracy 87.50%"):
        assert words in text, words
    assert "newest finding: dead-units, since step 1,200" in text


def test_without_a_terminal_a_line_is_written_now_and_then(monkeypatch):
    monkeypatch.setattr(progress, "_LINE_SECONDS", -1.0)
    lines = _shown(terminal=False).splitlines()
    assert len(lines) == 50
    assert lines[-1].startswith("epoch 5/10  loss 0.002")
    assert "rate 0.025" in lines[-1]
    assert lines[-1].endswith("left")
    assert not set("█▁\x1b") & set("".join(lines))
    monkeypatch.setattr(progress, "_LINE_SECONDS", 3600.0)
    assert _shown(terminal=False) == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_shows_nothing(monkeypatch, terminal):
    monkeypatch.setattr(progress, "_LINE_SECONDS", -1.0)
    assert _shown(terminal, quiet=True) == ""


def test_a_sparkline_shows_the_whole_run_in_its_width():
    line = Sparkline(width=8)
    for i in range(1000):
        line.add(1000.0 - i)
    text = str(line)
    assert 4 <= len(text) <= 8
    assert text[0] == "█"
    assert text[-1] == "▁"
    line.add(float("nan"))
    assert str(line) == text


def test_values_that_are_no_ratios_are_shown_evenly():
    assert bars([-1.0, 0.0, 1.0]) in ("▁▄█", "▁▅█")
    assert bars([5.0, 5.0]) == "▁▁"
