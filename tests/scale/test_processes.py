"""Two processes do one job: the same results as one, in one folder, written by the first."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf
from surefoot.errors import InputError
from surefoot.processes import place_of

NET = """[net]
layers = [
    {dense = 8}, {batch_norm = {}}, {activation = "relu"}, {dense = "classes"},
    {activation = "softmax"},
]
"""
RUN = f"""
[data]
source = "iris"
{NET}
[optimizer]
name = "momentum"
learning_rate = 0.05
[train]
epochs = 4
batch_size = 16
"""
STUDY = RUN + "[vary]\nlearning_rate = [0.01, 0.1]\n"


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _start(number: int, count: int, port: int, folder: Path, *words: str) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    told = {
        "SUREFOOT_COORDINATOR": f"127.0.0.1:{port}",
        "SUREFOOT_PROCESSES": str(count),
        "SUREFOOT_PROCESS": str(number),
    }
    return subprocess.Popen(
        [sys.executable, "-c", "from surefoot.cli.app import main; main()", *words],
        cwd=folder,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _together(tmp_path: Path, *words: str) -> list[tuple[int, str, str]]:
    """Start a command in two processes, each in a folder of its own; return how they ended."""
    port = _port()
    both = [_start(i, 2, port, tmp_path / f"host{i}", *words) for i in range(2)]
    ended = []
    for process in both:
        out, error = process.communicate(timeout=120)
        ended.append((process.returncode, out, error))
    return ended


def test_two_processes_train_one_run(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RUN)
    first, second = _together(tmp_path, "train", str(recipe), "--out", "run", "--json", "-q")
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert second[1] == ""
    assert list((tmp_path / "host1").iterdir()) == []
    alone = sf.train(str(recipe), out=tmp_path / "alone")
    found = json.loads(first[1])
    for part in ("train", "validation"):
        for name, value in alone.metrics[part].items():
            assert found["metrics"][part][name] == pytest.approx(value, abs=1e-5)
    run = sf.Run(tmp_path / "host0" / "run")
    for name in ("loss", "gradient_norm"):
        np.testing.assert_allclose(run.history[name], alone.history[name], atol=1e-5)
    np.testing.assert_allclose(run.vitals["signal_rms"], alone.vitals["signal_rms"], atol=1e-5)


def test_two_processes_do_one_study(tmp_path):
    asked = tmp_path / "study.toml"
    asked.write_text("seeds = 2\nvalidated = false\n" + STUDY)
    first, second = _together(tmp_path, "study", str(asked), "--out", "study", "--json", "-q")
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert second[1] == ""
    assert list((tmp_path / "host1").iterdir()) == []
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RUN)
    alone = sf.study(
        str(recipe),
        vary={"learning_rate": [0.01, 0.1]},
        seeds=2,
        validated=False,
        out=tmp_path / "alone",
    )
    runs = sf.Study(tmp_path / "host0" / "study").runs
    for name in ("train_loss", "validation_accuracy"):
        np.testing.assert_allclose(runs[name], alone.runs[name], atol=1e-5)
    assert json.loads(first[1])["conclusions"] == alone.conclusions


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"SUREFOOT_PROCESSES": "2"}, "SUREFOOT_COORDINATOR is not"),
        ({"SUREFOOT_COORDINATOR": "a:1"}, "SUREFOOT_PROCESSES is not set"),
        ({"SUREFOOT_COORDINATOR": "a:1", "SUREFOOT_PROCESSES": "2"}, "SUREFOOT_PROCESS is not"),
        ({"SUREFOOT_COORDINATOR": "a:1", "SUREFOOT_PROCESSES": "many"}, "a whole number"),
        ({"SUREFOOT_COORDINATOR": "a:1", "SUREFOOT_PROCESSES": "0"}, "from 1"),
        (
            {"SUREFOOT_COORDINATOR": "a", "SUREFOOT_PROCESSES": "2", "SUREFOOT_PROCESS": "1"},
            "an address and a port",
        ),
        (
            {"SUREFOOT_COORDINATOR": "a:1", "SUREFOOT_PROCESSES": "2", "SUREFOOT_PROCESS": "2"},
            "from 0 to 1",
        ),
    ],
)
def test_what_a_process_is_told_has_to_make_sense(told, says):
    with pytest.raises(InputError, match=says):
        place_of(told)


@pytest.mark.parametrize(
    "told",
    [
        {"SLURM_JOB_ID": "7", "SLURM_STEP_NODELIST": "n[1-2]", "SLURM_LOCALID": "0"}
        | {"SLURM_NTASKS": "2", "SLURM_PROCID": "1"},
        {"OMPI_MCA_orte_hnp_uri": "1.0;tcp://a:1"}
        | {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"},
        {"SUREFOOT_COORDINATOR": "a-0.a:1", "SUREFOOT_PROCESSES": "2", "JOB_COMPLETION_INDEX": "1"},
    ],
)
def test_launchers_are_known(told):
    place = place_of(told)
    assert place is not None
    assert (place.count, place.number) == (2, 1)


@pytest.mark.parametrize(
    ("number", "says"), [(0, "not all have met at 127.0.0.1"), (1, "no answer at 127.0.0.1")]
)
def test_a_process_that_stays_alone_says_so(tmp_path, monkeypatch, number, says):
    monkeypatch.setenv("SUREFOOT_WAIT", "1")
    process = _start(number, 2, _port(), tmp_path / "host", "train", "iris")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert error.count("\n") == 1
    assert says in error
    assert list((tmp_path / "host").iterdir()) == []


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        process = _start(0, 2, taken.getsockname()[1], tmp_path / "host", "train", "iris")
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert error.count("\n") == 1
    assert "choose another port" in error
