"""The command line as a user has it: arguments in; exit code and two streams out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from surefoot.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Stand in a folder of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def surefoot(capsys) -> Callable[..., Ended]:
    """Run a command in this process."""

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process of its own; it writes sooner, so that less is waited for."""

    def run(*arguments: str) -> subprocess.Popen[str]:
        code = (
            "from surefoot import keeper; keeper._FLUSH_SECONDS = 0.2; "
            "from surefoot.cli.app import main; main()"
        )
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    return run


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Forty rows of three inputs; the class is the sign of the first."""
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    return {"x": x, "y": (x[:, 0] > 0).astype(np.int64)}
