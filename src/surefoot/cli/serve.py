"""`surefoot serve`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from surefoot.live.address import Address


def serve(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="the folder that runs are in")
    ] = Path("runs"),
    port: Annotated[
        int | None,
        typer.Option(
            help="to listen on; 0 takes any; default: the last one",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="open the page in a browser")
    ] = True,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="forget the address that was used before")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show all runs under a folder in the browser, also while they train.

    The page is on 127.0.0.1, and whoever does not know its address is refused. It may be stopped
    and started at any time: training does not need it, and open pages find it again.
    """
    from rich.markup import escape

    from surefoot.cli.output import console, print_json
    from surefoot.live.server import serve as run

    people = console()

    def ready(address: Address, runs: int) -> None:
        if as_json:
            print_json({"url": address.url, "runs": runs})
        many = f"{runs:,} run{'' if runs == 1 else 's'}"
        people.print(f"{many} under {escape(str(folder))}; Ctrl-C ends it", soft_wrap=True)
        people.print(f"[bold]{address.url}[/]", soft_wrap=True)
        if open_page and _has_screen():
            import webbrowser

            webbrowser.open(address.url)

    run(folder, port=port, fresh=new_token, ready=ready)


def _has_screen() -> bool:
    """Return whether a browser would open in a window, not in this terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
