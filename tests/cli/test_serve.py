"""`surefoot serve`, as a user meets it."""

from __future__ import annotations

import json
import re
import signal
import socket

import httpx
import pytest


@pytest.fixture(autouse=True)
def state(folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


def _url(process) -> str:
    """Return the address that is printed, with the line before it."""
    for line in process.stderr:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        if found:
            return found.group()
    return pytest.fail(f"ended without an address: {process.wait()}")


def test_the_address_is_printed_once_stays_the_same_and_ctrl_c_ends_it(start, folder):
    (folder / "runs").mkdir()
    urls = []
    for arguments in ((), (), ("--new-token",)):
        process = start("serve", "runs", "--no-open", *arguments)
        urls.append(_url(process))
        assert httpx.get(urls[-1]).status_code == 200
        with httpx.stream("GET", urls[-1] + "events") as stream:
            next(stream.iter_lines())
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert (rest, err) == ("", "")
    assert urls[0] == urls[1]
    assert urls[2].split("/")[3] != urls[0].split("/")[3]


def test_json_says_where_it_is(start, folder):
    process = start("serve", ".", "--no-open", "--port", "0", "--json")
    told = json.loads(process.stdout.readline())
    assert set(told) == {"url", "runs"}
    assert httpx.get(told["url"] + "runs").json() == []
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_bad_input_is_one_line(surefoot, folder):
    (folder / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, words in (
            (["nope"], "no such folder"),
            (["file"], "no such folder"),
            ([".", "--port", port], "cannot listen"),
            ([".", "--port", "99999"], "--port"),
        ):
            ended = surefoot("serve", "--no-open", *arguments)
            assert ended.code == 2, arguments
            assert len(ended.err.splitlines()) == 1
            assert words in ended.err
