"""One small trained run that these tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

import surefoot as sf


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory) -> Path:
    """A run on digits with one hidden layer."""
    folder = tmp_path_factory.mktemp("gradients") / "digits"
    sf.train("digits", net="mlp:8", epochs=2, out=folder)
    return folder
