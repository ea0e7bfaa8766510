"""One writer per folder; a dead process holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from surefoot.errors import RunError
from surefoot.lock import NAME, writing

HOLD = """
import sys, time
from pathlib import Path
from surefoot.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_by_name_and_a_dead_one_is_not_waited_for(tmp_path, holder):
    with (
        pytest.raises(RunError, match=rf"is being written by process {holder.pid}; wait"),
        writing(tmp_path),
    ):
        pytest.fail("two at once")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / NAME).exists()  # nobody could remove it
    with writing(tmp_path):
        assert (tmp_path / NAME).read_text() == str(os.getpid())
    assert not (tmp_path / NAME).exists()


def test_many_threads_take_turns_and_are_never_two(tmp_path):
    inside, most = [], []

    def work(_):
        for _ in range(50):
            try:
                with writing(tmp_path):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except RunError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert set(most) == {1}


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with (
        pytest.raises(RunError, match="none: cannot be written: No such file"),
        writing(tmp_path / "none"),
    ):
        pass


def test_a_lock_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="cannot be written"), writing(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
