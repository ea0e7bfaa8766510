"""Draw `train.svg`: what a terminal shows of a real `surefoot train digits`."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 104
COMMAND = "surefoot train digits"


def main() -> None:
    """Run the command on a terminal of our own, and draw what it wrote."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(f"[bold green]$[/] {COMMAND}")
    for line in _lines(_run()):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="surefoot", unique_id="train")
    # Fonts of the reader's own: a picture shall not fetch anything.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    target = Path(__file__).with_name("train.svg")
    target.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")
    print(f"wrote {target}")


def _run() -> str:
    """Return all that the command wrote on a terminal, control codes included."""
    program = Path(sys.executable).with_name("surefoot")
    written: list[bytes] = []

    def keep(terminal: int) -> bytes:
        data = os.read(terminal, 65536)
        written.append(data)
        return data

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ.update(COLUMNS=str(WIDTH), TERM="xterm-256color", COLORTERM="truecolor")
        try:
            pty.spawn([str(program), *COMMAND.split()[1:]], keep)
        finally:
            os.chdir(before)
    return b"".join(written).decode()


def _lines(written: str) -> list[str]:
    """Return the lines as they stay on the screen, with one moment of the bar among them."""
    lines: list[str] = []
    frames: dict[float, list[str]] = {}
    frame: list[str] = []
    place = 0
    for line in re.split(r"\r?\n|\r", written):
        visible = re.sub(r"\x1b\[[0-9;?]*[A-Za-ln-z]", "", line)  # all but colours
        plain = Text.from_ansi(visible).plain
        share = re.search(r"━.* (\d+)%", plain)
        if share:
            place = place or len(lines)
            frame = frames[abs(float(share[1]) - 60)] = [visible]
        elif frame and re.match(r"compiling|loss \S+ [▁-█]|newest finding", plain):
            frame.append(visible)  # what stands below the bar goes with its moment
        elif visible.strip() or (lines and lines[-1].strip()):
            lines.append(visible)
    if frames:
        lines[place:place] = [*frames[min(frames)], ""]
    return lines


if __name__ == "__main__":
    main()
