"""The stream of what changes: to many pages, slow ones too, over a restart, without growing."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from contextlib import aclosing

import httpx
import pytest

from surefoot.errors import InputError
from surefoot.live import address, hub
from surefoot.live.app import Live
from surefoot.live.hub import Hub

from .conftest import make_run, run_async, wait_until


def _events(lines):
    """Yield the events of a stream: its id and its data."""
    number = None
    for line in lines:
        if line.startswith("id: "):
            number = line[4:]
        if line.startswith("data: "):
            yield number, json.loads(line[6:])


def test_a_page_is_told_all_runs_and_then_what_changes(root, serve):
    server = serve(root)
    with httpx.stream("GET", server.url + "events", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = _events(stream.iter_lines())
        _, first = next(events)
        assert first["whole"] is True
        assert set(first["rows"]) == {"a", "deep/b", "c", "dead <script>"}
        make_run(root / "later")
        number, second = next(events)
        assert second["whole"] is False
        assert set(second["rows"]) == {"later"}
    # Who comes again with the last number is told what it missed, and no more.
    (root / "c" / "summary.json").unlink()
    with httpx.stream(
        "GET", server.url + "events", headers={"last-event-id": number}, timeout=30
    ) as stream:
        _, missed = next(_events(stream.iter_lines()))
        assert missed["whole"] is False
        assert set(missed["rows"]) == {"c"}
        assert missed["rows"]["c"]["state"] == "died"


def test_after_a_restart_a_page_is_told_everything_anew(root, serve):
    server = serve(root)
    with httpx.stream("GET", server.url + "events", timeout=30) as stream:
        number, _ = next(_events(stream.iter_lines()))
        server.stop()  # while the page is open: it must not wait for it
    again = serve(root, server.port)
    assert again.url == server.url
    headers = {"last-event-id": number}
    with httpx.stream("GET", again.url + "events", headers=headers, timeout=30) as stream:
        _, told = next(_events(stream.iter_lines()))
    assert told["whole"] is True
    assert len(told["rows"]) == 4


def test_pages_that_are_gone_are_forgotten(root, serve):
    server = serve(root)
    with httpx.Client(timeout=30) as client:
        for _ in range(5):
            with client.stream("GET", server.url + "events") as stream:
                events = _events(stream.iter_lines())
                next(events)
                assert len(server.live.hub.pages) == 1
            wait_until(lambda: not server.live.hub.pages, "the page's end")
    wait_until(lambda: server.live.hub._watcher is None, "the watcher's end")


def test_more_pages_than_there_is_room_for_are_refused(root, serve, monkeypatch):
    monkeypatch.setattr("surefoot.live.app.MOST_PAGES", 0)
    refused = httpx.get(serve(root).url + "events", timeout=30)
    assert refused.status_code == 503
    assert "close some" in refused.json()["error"]


def test_fifty_pages_are_told_of_thousands_of_events_without_growing(root, monkeypatch):
    monkeypatch.setattr(hub, "_EVERY_SECONDS", 3600.0)
    live = Live(root)
    pages, events, grown = 50, 300, {}

    async def read(told: list[int]) -> None:
        async with aclosing(live.stream(0)) as stream:
            async for text in stream:
                told[0] += text.count(b"data: ")

    async def soak() -> None:
        told = [[0] for _ in range(pages)]
        readers = [asyncio.create_task(read(own)) for own in told]
        asleep = live.stream(0)  # a page that never reads
        for _ in range(2):
            await anext(asleep)
        while len(live.hub.pages) < pages + 1 or not all(own[0] for own in told):
            await asyncio.sleep(0.01)
        row = live.hub.rows()["a"]
        for number in range(events):
            live.hub.number += 1
            live.hub.tell({"a": {**row, "step": number, "number": live.hub.number}})
            await asyncio.sleep(0)
            if number in (events // 4, events - 1):
                gc.collect()
                grown[number] = tracemalloc.get_traced_memory()[0]
        await asyncio.sleep(0.05)
        assert min(own[0] for own in told) > events // 10
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asleep.aclose()
        assert not live.hub.pages
        live.hub.close()

    tracemalloc.start()
    try:
        run_async(asyncio.wait_for(soak(), 120))
    finally:
        tracemalloc.stop()
    early, late = grown.values()
    assert late - early < 200_000


def test_a_page_that_does_not_read_holds_one_row_a_run():
    async def fill() -> dict:
        page = hub.Page()
        for number in range(10_000):
            page.put({f"run-{number % 7}": {"number": number}})
        return await page.take(0.1)

    rows = run_async(fill())
    assert len(rows) == 7
    assert rows["run-0"] == {"number": 9996}


def test_a_run_that_is_removed_is_told_of(root):
    async def look() -> dict:
        watching = Hub(root)
        await watching.look()
        before = watching.number
        (root / "a" / "recipe.toml").unlink()
        watching._looked = float("-inf")
        await watching.look()
        return watching.rows(before)

    assert run_async(look()) == {"a": None}


def test_the_address_outlives_the_server_and_is_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    token, port = address.remembered(tmp_path)
    assert len(token) == 43
    assert port is None
    address.remember(tmp_path, address.Address(token, 4321))
    assert address.remembered(tmp_path) == (token, 4321)
    assert address.remembered(tmp_path, fresh=True)[0] != token
    assert address.remembered(tmp_path / "state")[0] != token
    (kept,) = (tmp_path / "state").rglob("*.json")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text('{"token": "short", "port": 1}')
    assert address.remembered(tmp_path)[0] not in (token, "short")


def test_a_port_that_is_taken_is_said_and_a_remembered_one_is_only_tried():
    with address.listen(0, None) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"--port {port}: cannot listen.*give another"):
            address.listen(port, None)
        with address.listen(None, port) as other:
            assert other.getsockname()[1] != port
