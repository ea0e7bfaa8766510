"""The address of a folder's page: a random token and a port that outlive the server."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from pathlib import Path
from typing import NamedTuple

from surefoot.errors import InputError, RunError
from surefoot.files import read_json

HOST = "127.0.0.1"
# Any free one would do; one that stays the same lets open pages find a restarted server.
DEFAULT_PORT = 8421
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")


class Address(NamedTuple):
    """Where a page is.

    Attributes:
        token: 256 random bits; who does not know it sees nothing.
        port: on 127.0.0.1.
    """

    token: str
    port: int

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/{self.token}/"


def remembered(root: Path, *, fresh: bool = False) -> tuple[str, int | None]:
    """Return the token of a folder's page, and the port that it had; a new one where none is kept.

    It is kept in a file that its owner alone can read, outside of the folder, so that pages which
    are open find the server again after a restart. Where it cannot be kept, it is new each time.

    Args:
        root: the folder.
        fresh: whether to forget the one that is kept.
    """
    if not fresh:
        try:
            kept = read_json(_file(root), 10_000)
            token, port = kept["token"], kept["port"]
            if _TOKEN.fullmatch(token):
                return token, port if isinstance(port, int) and 0 < port < 65536 else None
        except (RunError, KeyError, TypeError):
            pass
    return secrets.token_urlsafe(32), None


def remember(root: Path, address: Address) -> None:
    """Keep a folder's address for the next time, where that can be done."""
    path = _file(root)
    text = f'{{"token": "{address.token}", "port": {address.port}}}\n'
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)  # whoever may read it is said when it is made
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
    except OSError:
        return


def _file(root: Path) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    digest = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:24]
    return Path(state) / "surefoot" / "serve" / f"{digest}.json"


def listen(wanted: int | None, before: int | None) -> socket.socket:
    """Return a socket that listens on 127.0.0.1.

    Args:
        wanted: the port that was asked for; nothing else will do. 0 takes any that is free.
        before: the port of the last time, which is tried first where none was asked for.

    Raises:
        InputError: the port that was asked for is taken, or not for us.
    """
    ports = [wanted] if wanted is not None else [*([before] if before else []), DEFAULT_PORT, 0]
    for port in ports:
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # A server that was just stopped leaves its port waiting; that is no reason to take another.
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((HOST, port))
            own.listen(128)
        except (OSError, OverflowError) as error:
            own.close()
            reason = getattr(error, "strerror", None) or str(error)
        else:
            return own
    raise InputError(
        f"--port {wanted}: cannot listen on {HOST}:{wanted}: {reason}; give another, or 0 for any"
    )
