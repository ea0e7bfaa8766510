"""One writer per folder: a lock that a dead process does not hold."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from surefoot.errors import RunError

NAME = ".lock"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only one who writes into a folder.

    The lock is `flock` on a file within it that names our process: the system lets go of it when
    the process ends, in whatever way, so nothing stale is ever left. It holds between threads too.

    Raises:
        RunError: another process, or another thread of this one, writes into the folder; or no
            file can be made there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, writing(Path(folder)):
    ...     with writing(Path(folder)):
    ...         pass
    Traceback (most recent call last):
    surefoot.errors.RunError: ...is being written by process...
    """
    path = folder / NAME
    file = _locked(path)
    try:
        yield
    finally:
        # Removed while it is held: whoever opened it meanwhile sees that it is gone.
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path) -> int:
    """Return the lock's open file."""
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise RunError(f"{path.parent}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(path, file):
                with suppress(OSError):  # on a full disk it stays nameless, and still locks
                    os.ftruncate(file, 0)
                    os.write(file, str(os.getpid()).encode())
                return file
            os.close(file)  # its last holder removed it while we opened it
        except OSError as error:
            holder = _holder(file)
            os.close(file)
            if not isinstance(error, BlockingIOError):
                raise RunError(f"{path}: cannot be locked: {error.strerror}") from None
            raise RunError(
                f"{path.parent}: is being written by process {holder}; wait until it ends, or "
                "end it first"
            ) from None


def _is_there(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


def _holder(file: int) -> str:
    """Return the number that is written in the lock's file."""
    text = os.pread(file, 20, 0).decode("ascii", "replace")
    return text if text.isdigit() else "(unknown)"
