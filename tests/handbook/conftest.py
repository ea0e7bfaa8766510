"""What the handbook's tests share."""

from __future__ import annotations

import pytest
from typer.main import get_command

from surefoot.cli.app import app


@pytest.fixture
def understood():
    """Return a function from a command's words to what the command line understands by them."""

    def read(arguments):
        group = get_command(app)
        with group.make_context("surefoot", list(arguments), resilient_parsing=True) as root:
            name, command, rest = group.resolve_command(root, list(arguments))
            return command.make_context(name, rest, parent=root).params

    return read
