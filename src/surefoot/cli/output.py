"""What a person reads goes to standard error, what a program reads to standard output."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

from surefoot.files import finite


def console(quiet: bool = False) -> Console:
    """Return the console for people: standard error, plain where it is no terminal."""
    return Console(stderr=True, quiet=quiet, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON object on standard output; numbers that are not finite become null."""
    json.dump(finite(value), sys.stdout, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()
