"""Many picture files decoded at once, on all cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from surefoot.data import decode
from surefoot.data.decode import Form, Header, Unreadable

# Pictures that a worker is asked for at once: some 10 ms of work, and 0.8 MB at 64 × 64 × 3.
CHUNK = 64
# From this many on, workers pay: a small picture keeps Python busy longer than Pillow, and threads
# take turns at that, while a worker process takes 0.1 s to start.
_WORTH_PROCESSES = 1024


@dataclass(frozen=True)
class Outcome:
    """What became of many pictures.

    `problems` maps the place of each one that is unreadable to the reason; `color` says whether
    any of the others has color.
    """

    problems: dict[int, str]
    color: bool


def headers(paths: Sequence[str]) -> list[Header | None]:
    """Return what each picture's first bytes say; None for one that is unreadable."""
    with warnings.catch_warnings(), ThreadPoolExecutor(cores()) as pool:
        decode.strict()
        return list(pool.map(_header, paths))


def _header(path: str) -> Header | None:
    try:
        return decode.header(path)
    except Unreadable:
        return None


def decode_into(path: Path, start: int, files: Sequence[str], form: Form) -> Outcome:
    """Decode pictures into a file that exists, one after another from byte `start` on.

    Worker processes write their parts themselves. They are plain children that run `decode.py`:
    neither forked, which is unsafe beside JAX's threads, nor in need of an importable
    ``__main__``, as those of `multiprocessing` are. Where none can be started, or one fails,
    threads do the rest.

    Args:
        path: the file, which is made larger as needed.
        start: where the first picture's first byte goes.
        files: the pictures.
        form: what they become.

    Raises:
        OSError: the file cannot be written.
    """
    chunks = list(_chunks(files))
    results: _Results = []
    count = min(cores(), len(chunks))
    if count > 1 and len(files) >= _WORTH_PROCESSES and sys.executable:
        chunks = _by_processes(path, start, chunks, form, count, results)
    if chunks:
        with path.open("rb+") as file:

            def keep(first: int, pixels: bytes) -> None:
                decode.write_at(file.fileno(), pixels, start + first * form.bytes)

            _by_threads(chunks, form, keep, results)
    return _joined(results)


def decode_to(buffer: memoryview, files: Sequence[str], form: Form) -> Outcome:
    """Decode pictures into memory, one after another, with threads.

    Args:
        buffer: writable bytes, ``len(files)`` × `form.bytes`.
        files: the pictures.
        form: what they become.
    """
    results: _Results = []

    def keep(first: int, pixels: bytes) -> None:
        offset = first * form.bytes
        buffer[offset : offset + len(pixels)] = pixels

    _by_threads(list(_chunks(files)), form, keep, results)
    return _joined(results)


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


_Chunk = tuple[int, Sequence[str]]
_Results = list[tuple[int, list[tuple[int, str]], bool]]


def _chunks(files: Sequence[str]) -> Iterator[_Chunk]:
    size = max(1, min(CHUNK, len(files) // (4 * cores())))
    for first in range(0, len(files), size):
        yield first, files[first : first + size]


def _joined(results: _Results) -> Outcome:
    problems = {first + place: why for first, part, _ in results for place, why in part}
    return Outcome(dict(sorted(problems.items())), any(color for _, _, color in results))


def _by_threads(
    chunks: Sequence[_Chunk],
    form: Form,
    keep: Callable[[int, bytes], None],
    results: _Results,
) -> None:
    def work(chunk: _Chunk) -> None:
        first, files = chunk
        done = decode.decode_all(files, form)
        keep(first, done.pixels)
        results.append((first, done.problems, done.color))

    with warnings.catch_warnings(), ThreadPoolExecutor(cores()) as pool:
        decode.strict()
        for _ in pool.map(work, chunks):
            pass


def _by_processes(
    path: Path,
    start: int,
    chunks: list[_Chunk],
    form: Form,
    count: int,
    results: _Results,
) -> list[_Chunk]:
    """Let worker processes take chunks from a common list; return those that were not done."""
    waiting = list(reversed(chunks))
    # Without the script's folder on its path (-P): a file there is called as a standard module is.
    command = [sys.executable, "-P", decode.__file__, *decode.arguments(form, str(path))]

    def serve(worker: subprocess.Popen[str]) -> None:
        requests, answers = worker.stdin, worker.stdout
        while waiting and requests and answers:
            try:
                chunk = waiting.pop()
            except IndexError:  # another thread was faster
                return
            first, files = chunk
            try:
                requests.write(decode.request(files, start + first * form.bytes))
                requests.flush()
                answer = json.loads(answers.readline())
            except (OSError, ValueError):  # it has ended, and says nothing or half a line
                waiting.append(chunk)
                return
            problems = [(int(place), str(why)) for place, why in answer["problems"]]
            results.append((first, problems, bool(answer["color"])))

    workers = list(_started(command, count))
    threads = [threading.Thread(target=serve, args=(worker,)) for worker in workers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        for thread in threads:
            thread.join()  # at once: what it reads from has ended
        for pipe in (pipe for worker in workers for pipe in (worker.stdin, worker.stdout)):
            with suppress(OSError):
                pipe.close()
    return waiting


def _started(command: list[str], count: int) -> Iterator[subprocess.Popen[str]]:
    for _ in range(count):
        try:
            yield subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError:
            return
